//! Data, oracles and executors that the tests share.

use std::path::{Path, PathBuf};
use std::process::Command;

use drystone_core::executor::serve;
use drystone_core::{
    Block, BlockRows, ChunkedDataset, Layout, Registry, StatePolicy, Subprocess, Targets,
};
use drystone_estimators::svc::{LinearSvc, LinearSvcParams, Loss};
use ndarray::Array2;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

pub const LOSSES: [Loss; 2] = [Loss::SquaredHinge, Loss::Hinge];

/// A file of `datasets/`.
pub fn dataset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets").join(name)
}

/// Rows of so many classes that overlap, with integer targets 0, 1, ...
pub fn noisy(n: usize, d: usize, n_classes: i64, seed: u64) -> Block {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let centres: Vec<f64> = (0..n_classes as usize * d).map(|_| rng.gen_range(-1.0..1.0)).collect();
    let targets: Vec<i64> = (0..n).map(|_| rng.gen_range(0..n_classes)).collect();
    let records = Array2::from_shape_fn((n, d), |(row, column)| {
        let normal: f64 = (0..12).map(|_| rng.r#gen::<f64>()).sum::<f64>() - 6.0;
        centres[targets[row] as usize * d + column] + normal
    });
    Block::new(records).with_targets(Targets::I64(targets.into()))
}

/// A block in slices that end at `cuts` and at its end; equal cuts give empty slices.
pub fn cut_at(block: &Block, cuts: &[usize], known: bool) -> ChunkedDataset {
    let mut ends: Vec<usize> = cuts.iter().map(|&cut| cut.min(block.n_samples())).collect();
    ends.sort_unstable();
    ends.push(block.n_samples());
    let starts = std::iter::once(0).chain(ends.clone());
    let blocks: Vec<Block> =
        starts.zip(&ends).map(|(start, &end)| block.slice(start..end)).collect();
    let counts: Vec<u64> = blocks.iter().map(|block| block.n_samples() as u64).collect();
    let rows = match known {
        true => BlockRows::from_counts(&counts),
        false => BlockRows::Unknown { n_blocks: blocks.len() },
    };
    let records = &block.records;
    let mut layout = Layout::with_rows(records.dtype(), records.n_features(), rows);
    layout.targets = block.targets.as_ref().map(Targets::kind);
    layout.weighted = block.weights.is_some();
    ChunkedDataset::from_blocks(layout, move |idx| Ok(blocks[idx].clone()))
}

/// A block in so many blocks of equal size; some have no rows where there are few.
pub fn cut_into(block: &Block, n_blocks: usize) -> ChunkedDataset {
    let n = block.n_samples();
    let cuts: Vec<usize> = (1..n_blocks).map(|idx| idx * n / n_blocks).collect();
    cut_at(block, &cuts, true)
}

/// A fit of one block.
pub fn fit(params: &LinearSvcParams<'_>, block: &Block) -> LinearSvc {
    params.fit(&cut_into(block, 3)).expect("a model")
}

/// The objectives of all problems at a model's weights, in plain sums; `cost` is that of a row
/// in the problem of a class.
pub fn objective(
    model: &LinearSvc,
    block: &Block,
    loss: Loss,
    cost: impl Fn(usize, usize) -> f64,
) -> f64 {
    let (values, d) = (block.records.to_f64(), model.n_features());
    let codes = model_codes(model, block);
    let mut total = 0.0;
    for (problem, b) in model.intercept().iter().enumerate() {
        let w = &model.coef()[problem * d..][..d];
        let positive = if model.n_classes() == 2 { 1 } else { problem };
        total += 0.5 * (w.iter().map(|w| w * w).sum::<f64>() + b * b);
        for (row, x) in values.chunks_exact(d).enumerate() {
            let decision = x.iter().zip(w).map(|(x, w)| x * w).sum::<f64>() + b;
            let sign = if codes[row] == positive { 1.0 } else { -1.0 };
            let slack = (1.0 - sign * decision).max(0.0);
            let power = if loss == Loss::Hinge { slack } else { slack * slack };
            total += cost(problem, row) * power;
        }
    }
    total
}

/// The class of each row's target.
pub fn model_codes(model: &LinearSvc, block: &Block) -> Vec<usize> {
    let targets = block.targets.as_ref().expect("targets");
    let coded = drystone_core::label::Coded::of(targets).expect("classes");
    assert_eq!(coded.labels, model.classes());
    coded.codes.into_iter().map(|code| code as usize).collect()
}

/// Largest difference, relative to the largest magnitude.
pub fn difference(found: &[f64], wanted: &[f64]) -> f64 {
    assert_eq!(found.len(), wanted.len());
    let largest = wanted.iter().fold(f64::MIN_POSITIVE, |most, x| most.max(x.abs()));
    let differences = found.iter().zip(wanted).map(|(a, b)| (a - b).abs() / largest);
    differences.fold(0.0, f64::max)
}

const WORKER: &str = "DRYSTONE_LINEAR_SVC_WORKER";

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
