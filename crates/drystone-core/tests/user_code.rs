//! What a user writes to bring a source and a job of their own, and that it runs anywhere.

use drystone_core::{
    Block, BlockAt, BlockSource, ChunkedDataset, Control, Dtype, Job, Layout, Partial, Records,
    Registry, Result, Rows, Session, Threads, laws, observe,
};
use serde::{Deserialize, Serialize};

/// Rows (n, n^2): made where they are needed, never stored.
struct Squares(Layout);

impl BlockSource for Squares {
    fn layout(&self) -> &Layout {
        &self.0
    }
    fn read(&self, block_idx: usize) -> Result<Block> {
        let rows = self.0.rows.rows_of(block_idx).unwrap_or_default();
        let values = rows.flat_map(|n| [n as f64, (n * n) as f64]).collect();
        Ok(Block::new(Records::F64(Rows::new(values, 2)?)))
    }
}

/// How many rows have a value over `limit` in the last column?
#[derive(Serialize, Deserialize)]
struct Above {
    limit: f64,
}

#[derive(Serialize, Deserialize)]
struct Count(u64);

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
        let records = rows.block.records.as_rows::<f64>()?.view();
        into.0 += records.rows().into_iter().filter(|row| row[1] > self.limit).count() as u64;
        Ok(())
    }
}

#[test]
fn it_runs() -> Result<()> {
    let data = ChunkedDataset::new(Squares(Layout::new(Dtype::F64, 2, 1_000, 64)));
    let (threads, control) = (Threads::new(2)?, Control::default());
    let session = Session::new(&threads, &observe::Silent, &control);
    assert_eq!(session.run(&data, &Above { limit: 100.0 })?.0, 989);
    assert_eq!(session.run(&data.slice(0..20), &Above { limit: 100.0 })?.0, 9);
    Ok(())
}

#[test]
fn it_keeps_the_laws() {
    let data = ChunkedDataset::new(Squares(Layout::new(Dtype::F64, 2, 1_000, 64)));
    laws::check_source(&data, &Registry::new());
    laws::check_job(&Above { limit: 10.0 }, &data);
    laws::check_executor(&Threads::new(3).expect("threads"), &data);
}
