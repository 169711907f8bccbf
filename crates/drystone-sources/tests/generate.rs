//! The generators: what they mean (against scikit-learn's facts), that blocks change no
//! bit, what their seeds give, and what they reject.

#[path = "generate/blobs.rs"]
mod blobs;
#[path = "generate/classification.rs"]
mod classification;
#[path = "generate/golden.rs"]
mod golden;
#[path = "generate/rejections.rs"]
mod rejections;
#[path = "generate/stats.rs"]
mod stats;

use drystone_core::{ChunkedDataset, Registry, Targets};

/// All rows and targets of a dataset.
fn all(data: &ChunkedDataset) -> (Vec<f64>, Vec<i64>) {
    let (mut values, mut targets) = (Vec::new(), Vec::new());
    for block_idx in 0..data.n_blocks() {
        let block = data.read(block_idx).expect("a block");
        values.extend(block.records.to_f64());
        match block.targets.expect("targets") {
            Targets::I64(classes) => targets.extend_from_slice(&classes),
            other => panic!("expected integers, found {other:?}"),
        }
    }
    (values, targets)
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn registry() -> Registry {
    let mut registry = Registry::new();
    drystone_sources::generate::register(&mut registry);
    registry
}

fn class_counts(targets: &[i64], n_classes: usize) -> Vec<u64> {
    let mut counts = vec![0; n_classes];
    targets.iter().for_each(|&target| counts[target as usize] += 1);
    counts
}
