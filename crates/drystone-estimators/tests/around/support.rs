//! Data and executors that the tests share.

use std::process::Command;

use drystone_core::executor::serve;
use drystone_core::{
    Block, BlockRows, ChunkedDataset, Layout, Registry, StatePolicy, Subprocess, Targets,
};
use ndarray::Array2;
use proptest::prelude::*;

/// In how many blocks results must be the same.
pub const N_BLOCKS: [usize; 4] = [1, 2, 7, 64];

/// Rows whose only value is their position.
pub fn positions(n: usize) -> Block {
    Block::new(Array2::from_shape_fn((n, 1), |(row, _)| row as f64))
}

/// A block in slices that end at `cuts` and at its end; equal cuts give empty slices.
pub fn cut_at(block: &Block, cuts: &[usize], known: bool) -> ChunkedDataset {
    let mut ends: Vec<usize> = cuts.iter().map(|&cut| cut.min(block.n_samples())).collect();
    ends.sort_unstable();
    ends.push(block.n_samples());
    let starts = std::iter::once(0).chain(ends.clone());
    let blocks = starts.zip(&ends).map(|(start, &end)| block.slice(start..end));
    let blocks: Vec<Block> = blocks.collect();
    let counts: Vec<u64> = blocks.iter().map(|block| block.n_samples() as u64).collect();
    let rows = match known {
        true => BlockRows::from_counts(&counts),
        false => BlockRows::Unknown { n_blocks: blocks.len() },
    };
    ChunkedDataset::from_blocks(layout_of(block, rows), move |idx| Ok(blocks[idx].clone()))
}

fn layout_of(block: &Block, rows: BlockRows) -> Layout {
    let mut layout = Layout::with_rows(block.records.dtype(), block.records.n_features(), rows);
    layout.targets = block.targets.as_ref().map(Targets::kind);
    layout.weighted = block.weights.is_some();
    layout
}

/// A block in so many blocks of equal size; some have no rows where there are few.
pub fn cut_into(block: &Block, n_blocks: usize) -> ChunkedDataset {
    let n = block.n_samples();
    let cuts: Vec<usize> = (1..n_blocks).map(|idx| idx * n / n_blocks).collect();
    cut_at(block, &cuts, true)
}

/// Where to cut, and whether the blocks' rows are known.
pub fn cuts() -> impl Strategy<Value = (Vec<usize>, bool)> {
    (prop::collection::vec(0_usize..200, 0..9), any::<bool>())
}

/// The only value of each row.
pub fn values(data: &ChunkedDataset) -> Vec<u64> {
    let blocks = (0..data.n_blocks()).map(|idx| data.read(idx).expect("a block"));
    blocks.flat_map(|block| block.records.to_f64()).map(|value| value as u64).collect()
}

const WORKER: &str = "DRYSTONE_AROUND_WORKER";

pub fn registry() -> Registry {
    let mut registry = Registry::new();
    drystone_estimators::register(&mut registry);
    drystone_sources::register(&mut registry);
    registry
}

/// What the children of [`children`] run; it does nothing in the parent.
#[test]
fn worker_process() {
    if std::env::var_os(WORKER).is_some() {
        serve(&registry(), std::io::stdin(), std::io::stdout()).expect("requests");
    }
}

/// An executor of child processes.
pub fn children(n: usize) -> Subprocess {
    let command = || {
        let mut command = Command::new(std::env::current_exe().expect("this binary"));
        let test = "support::worker_process";
        command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(WORKER, "1");
        command
    };
    Subprocess::spawn(n, 1 << 20, StatePolicy::Keep, command).expect("children")
}
