//! Data and executors that the tests share.

use std::path::{Path, PathBuf};
use std::process::Command;

use drystone_core::executor::serve;
use drystone_core::{
    Block, BlockRows, ChunkedDataset, Dtype, Layout, Registry, StatePolicy, Subprocess, Targets,
};
use drystone_sources::libsvm;

pub fn dataset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets").join(name)
}

/// The first rows of a file in LIBSVM's format.
pub fn rows(name: &str, n_features: usize, n: u64, dtype: Dtype) -> Block {
    let file = libsvm::open(dataset(name)).n_features(n_features).dtype(dtype);
    file.dataset().expect("a dataset").slice(0..n).compute().expect("rows")
}

pub fn heart() -> Block {
    rows("heart_scale", 13, 270, Dtype::F64)
}

/// Handwritten digits.
pub fn digits(n: u64) -> Block {
    rows("pendigits", 16, n, Dtype::F64)
}

/// The rows of a block in blocks of which the first is the largest.
pub fn cut_into(block: &Block, n_blocks: usize, known: bool) -> ChunkedDataset {
    let n = block.n_samples();
    let ends = (1..=n_blocks).map(|idx| n - (n_blocks - idx) * n / (n_blocks + 1));
    let ends: Vec<usize> = ends.collect();
    let starts = std::iter::once(0).chain(ends.clone());
    let blocks: Vec<Block> = starts.zip(&ends).map(|(from, &to)| block.slice(from..to)).collect();
    let counts: Vec<u64> = blocks.iter().map(|block| block.n_samples() as u64).collect();
    let counted = match known {
        true => BlockRows::from_counts(&counts),
        false => BlockRows::Unknown { n_blocks },
    };
    let mut layout = Layout::with_rows(block.records.dtype(), block.records.n_features(), counted);
    layout.targets = block.targets.as_ref().map(Targets::kind);
    layout.weighted = block.weights.is_some();
    ChunkedDataset::from_blocks(layout, move |idx| Ok(blocks[idx].clone()))
}

pub fn whole(block: &Block) -> ChunkedDataset {
    ChunkedDataset::from_resident(vec![block.clone()]).expect("a dataset")
}

/// Set in child processes of these tests.
const WORKER: &str = "DRYSTONE_CALIBRATED_TEST_WORKER";

/// In a child process: answers requests. Otherwise there is nothing to test.
#[test]
fn worker_process() {
    if std::env::var_os(WORKER).is_some() {
        let mut registry = Registry::new();
        drystone_sources::register(&mut registry);
        drystone_estimators::register(&mut registry);
        serve(&registry, std::io::stdin(), std::io::stdout()).expect("requests");
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
