//! The laws of the seam for the pass over a fold.

use drystone_core::{Block, ChunkedDataset, Targets, laws::check_job};
use ndarray::Array2;

use super::held_out::HeldOut;
use crate::svc::Svc;

/// Blocks of these sizes; row `i` is of class `i % 3`.
fn blocks(sizes: &[usize], weighted: bool) -> ChunkedDataset {
    let mut first = 0;
    let block = |&n: &usize| {
        let rows = first..first + n;
        first += n;
        let value = |(row, column)| ((rows.start + row) * (7 + 4 * column) % 11) as f64;
        let codes: Vec<i64> = rows.clone().map(|row| row as i64 % 3).collect();
        let block = Block::new(Array2::from_shape_fn((n, 2), value));
        let block = block.with_targets(Targets::I64(codes.into()));
        let weights = rows.clone().map(|row| (row % 4) as f64).collect::<Vec<f64>>();
        if weighted { block.with_weights(weights) } else { block }
    };
    ChunkedDataset::from_resident(sizes.iter().map(block).collect()).expect("blocks")
}

#[test]
fn the_job_keeps_the_laws() {
    for weighted in [false, true] {
        let data = blocks(&[9, 1, 0, 17, 40, 2], weighted);
        let svc = Svc::params().fit(&data).expect("a model");
        check_job(&HeldOut::new(svc), &data);
    }
}
