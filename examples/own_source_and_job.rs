//! A source and a job of your own: how many terms of n² mod 1000 are above a limit?
//!
//! `cargo run --release --example own_source_and_job`

use drystone::{Block, BlockAt, BlockSource, ChunkedDataset, Dtype, Job, Layout, Partial, Result};
use serde::{Deserialize, Serialize};

/// Blocks that are made where they are needed. (`Registry::source` makes them in other processes;
/// a source of files asks `Opener::data_root` there which it may open.)
struct Squares(Layout);

impl BlockSource for Squares {
    fn layout(&self) -> &Layout {
        &self.0
    }
    fn read(&self, block_idx: usize) -> Result<Block> {
        let rows = self.0.rows.rows_of(block_idx).unwrap_or_default();
        let terms = ndarray::Array1::from_iter(rows.map(|n| (n * n % 1000) as f64));
        Ok(Block::new(terms.insert_axis(ndarray::Axis(1))))
    }
}

/// A job is data that can travel; what it finds is merged in any order.
#[derive(Serialize, Deserialize)]
struct Above(f64);
#[derive(Serialize, Deserialize)]
struct Count(usize);

impl Partial for Count {
    fn merge(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Job for Above {
    const NAME: &'static str = "example.above/1";
    type State = ();
    type Partial = Count;
    fn empty(&self) -> Count {
        Count(0)
    }
    fn map(&self, rows: &BlockAt, (): &mut (), into: &mut Count) -> Result<()> {
        let values = rows.block.records.as_rows::<f64>()?.values();
        into.0 += values.iter().filter(|&&value| value > self.0).count();
        Ok(())
    }
}

fn main() -> Result<()> {
    let data = ChunkedDataset::new(Squares(Layout::new(Dtype::F64, 1, 5_000_000, 100_000)));
    println!("{data}: {} terms are above 900", drystone::run(&data, &Above(900.0))?.0);
    Ok(())
}
