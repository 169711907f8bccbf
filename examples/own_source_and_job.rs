//! A source and a job of your own, in 40 lines: a wave in blocks, and how often it is positive.
//!
//! `cargo run --release --example own_source_and_job`

use drystone::{Block, BlockAt, BlockSource, ChunkedDataset, Dtype, Job, Layout, Partial, Result};
use drystone::{Session, Threads, control::Control, observe::Silent};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

struct Wave(Layout);

impl BlockSource for Wave {
    fn layout(&self) -> &Layout {
        &self.0
    }
    fn read(&self, block_idx: usize) -> Result<Block> {
        let rows = self.0.rows.rows_of(block_idx).unwrap_or(0..0);
        let value = |(row, _)| 180.0 - ((rows.start + row as u64) % 360) as f64;
        Ok(Block::new(Array2::from_shape_fn(((rows.end - rows.start) as usize, 1), value)))
    }
}

#[derive(Serialize, Deserialize)]
struct CountPositive; // integers, so that no order of merging changes a bit

#[derive(Serialize, Deserialize)]
struct Count(u64);

impl Partial for Count {
    fn merge(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Job for CountPositive {
    const NAME: &'static str = "example.count_positive/1";
    type State = ();
    type Partial = Count;
    fn empty(&self) -> Count {
        Count(0)
    }
    fn map(&self, rows: &BlockAt, (): &mut (), into: &mut Count) -> Result<()> {
        let values = rows.block.records.as_rows::<f64>()?.values();
        into.0 += values.iter().filter(|&&value| value > 0.0).count() as u64;
        Ok(())
    }
}

fn main() -> Result<()> {
    let data = ChunkedDataset::new(Wave(Layout::new(Dtype::F64, 1, 3_600_000, 100_000)));
    let (threads, control) = (Threads::new(2)?, Control::default());
    let count = Session::new(&threads, &Silent, &control).run(&data, &CountPositive)?;
    println!("{data}: {} of its rows are positive", count.0);
    Ok(())
}
