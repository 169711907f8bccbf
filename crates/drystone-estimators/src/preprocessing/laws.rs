//! The laws of the seam for the jobs of scalers.

use drystone_core::{Block, ChunkedDataset, laws::check_job};
use ndarray::Array2;

use super::extremes::Extremes;
use super::spread::Spread;
use super::sums::Sums;

/// Six blocks, one of them without rows; zeros of both signs, weights of zero.
fn dataset(weighted: bool) -> ChunkedDataset {
    let block = |(idx, &n_rows): (usize, &usize)| {
        let value = |(row, column): (usize, usize)| match (idx + row + column) % 5 {
            0 => -0.0,
            1 => 0.0,
            n => (n * 7919 + row) as f64 / 3.0,
        };
        let block = Block::new(Array2::from_shape_fn((n_rows, 2), value));
        let weights: Vec<f64> = (0..n_rows).map(|row| ((idx + row) % 4) as f64 / 3.0).collect();
        if weighted { block.with_weights(weights) } else { block }
    };
    let blocks = [9, 1, 0, 17, 400, 2].iter().enumerate().map(block);
    ChunkedDataset::from_resident(blocks.collect()).expect("blocks")
}

#[test]
fn jobs_keep_the_laws() {
    for data in [dataset(false), dataset(true)] {
        check_job(&Sums { n_features: 2 }, &data);
        check_job(&Spread { center: vec![1.0, -0.1] }, &data);
        check_job(&Extremes { n_features: 2 }, &data);
    }
}
