//! Mean and spread of a block, by which two generators' data are compared. Plain sums: not
//! for values that are carried.

use drystone::{Block, Result, Targets};
use serde_json::{Value, json};

use crate::statistics::median;

/// What `benches/peers/peer_generators.py` also prints: shape, mean of all values, median
/// of the columns' standard deviations, standard deviation within targets, number of
/// targets and the smallest part of the rows that one of them has.
///
/// # Errors
/// For records that are not `f64`.
pub fn describe(block: &Block) -> Result<Value> {
    let rows = block.records.view::<f64>()?;
    let classes = classes(block);
    let n_classes = classes.iter().max().map_or(0, |most| most + 1);
    let counts = counts(&classes, n_classes);
    let (n, d) = rows.dim();
    let stds: Vec<f64> = rows.columns().into_iter().map(|column| column.std(0.0)).collect();
    let mut sums = vec![0.0; n_classes * d];
    for (row, &class) in rows.rows().into_iter().zip(&classes) {
        for (sum, value) in sums[class * d..].iter_mut().zip(row) {
            *sum += value;
        }
    }
    let mut squares = 0.0;
    for (row, &class) in rows.rows().into_iter().zip(&classes) {
        for (sum, value) in sums[class * d..].iter().zip(row) {
            squares += (value - sum / counts[class]).powi(2);
        }
    }
    Ok(json!({
        "shape": [n, d],
        "mean": rows.mean(),
        "median_std": median(&stds),
        "within_std": (squares / (n * d) as f64).sqrt(),
        "n_classes": n_classes,
        "smallest_share": counts.iter().copied().fold(f64::INFINITY, f64::min) / n as f64,
    }))
}

/// The target of each row; 0 for all if there are none.
fn classes(block: &Block) -> Vec<usize> {
    match &block.targets {
        Some(Targets::I64(targets)) => targets.iter().map(|&target| target as usize).collect(),
        _ => vec![0; block.n_samples()],
    }
}

fn counts(classes: &[usize], n_classes: usize) -> Vec<f64> {
    let mut counts = vec![0.0; n_classes];
    for &class in classes {
        counts[class] += 1.0;
    }
    counts
}
