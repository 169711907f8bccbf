//! A model, not a measurement: what a step would take with many workers and blocks, from what
//! was measured on one machine. No run on several real hosts was made.

use clap::Args;

/// What one block of the deck takes to map when it is in memory (200,000 x 20, k = 8).
const BLOCK_MS: f64 = 4.0;
/// Partitions for each slot.
const PARTITIONS_PER_SLOT: f64 = 2.0;
/// The largest message.
const MAX_MESSAGE: f64 = (512u64 << 20) as f64;

#[derive(Args, Debug)]
pub struct Model {
    /// Milliseconds of a step whatever its partitions: measured by `trials overhead`
    #[arg(long, default_value_t = 5.0)]
    step_ms: f64,
    /// Milliseconds of the scheduler for each partition: measured by `trials overhead`
    #[arg(long, default_value_t = 1.0)]
    partition_ms: f64,
    /// Bytes of a partial: k = 8 and 20 columns
    #[arg(long, default_value_t = 8_000.0)]
    partial_bytes: f64,
    /// Milliseconds of mapping a block that is in memory
    #[arg(long, default_value_t = BLOCK_MS)]
    block_ms: f64,
}

impl Model {
    pub fn run(&self) {
        println!(
            "A model from overheads measured on one machine; no run on several hosts was made."
        );
        println!(
            "step = {} ms + {} ms x partitions + blocks of the slowest slot x {} ms",
            self.step_ms, self.partition_ms, self.block_ms
        );
        println!();
        println!(
            "| workers of one slot | blocks | partitions | scheduling, ms | mapping, ms | step, ms | share of scheduling | merged at once, MB |"
        );
        println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
        for workers in [10.0, 100.0, 1_000.0] {
            for blocks in [1e4, 1e5, 1e6] {
                self.row(workers, blocks);
            }
        }
        println!();
        println!(
            "What breaks first: the scheduler handles partitions one after the other, so that \
             with 1,000 slots it alone takes {:.1} s a step; then the merge stage, in which one \
             worker fetches all partials, above {:.0} partials of {} bytes ({} bytes at once).",
            (self.step_ms + self.partition_ms * 1_000.0 * PARTITIONS_PER_SLOT) / 1e3,
            MAX_MESSAGE / self.partial_bytes,
            self.partial_bytes,
            MAX_MESSAGE
        );
    }

    fn row(&self, workers: f64, blocks: f64) {
        let partitions = (workers * PARTITIONS_PER_SLOT).min(blocks);
        let scheduling = self.step_ms + self.partition_ms * partitions;
        let mapping = (blocks / partitions).ceil() * (partitions / workers).ceil() * self.block_ms;
        let (step, merged) = (scheduling + mapping, partitions * self.partial_bytes / 1e6);
        println!(
            "| {workers} | {blocks:.0e} | {partitions} | {scheduling:.0} | {mapping:.0} | {step:.0} \
             | {:.0} % | {merged:.1} |",
            100.0 * scheduling / step
        );
    }
}
