//! Distances against the sum of squares of a plain loop, on every instruction set.

use proptest::prelude::*;

use super::{distance, distances};
use crate::{Float, Isa};

/// The widths around whole vectors and whole groups of them.
const FEATURES: [usize; 14] = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 20, 31, 36, 131];

fn check<T: Float>(values: &[f64], n_features: usize) {
    let records: Vec<T> = values.iter().map(|&x| T::from_f64(x)).collect();
    let n_rows = (records.len() / n_features) as u32;
    // Each row with another one, in an order of its own.
    let rows: Vec<u32> = (0..n_rows).rev().collect();
    let index: Vec<u32> = (0..n_rows).map(|row| (row * 7 + 1) % n_rows).collect();
    let row = |idx: u32| &records[idx as usize * n_features..][..n_features];
    for &isa in Isa::available() {
        let mut out = vec![-7.0; rows.len()];
        distances(isa, &records, n_features, &rows, &records, &index, &mut out);
        for ((&a, &b), found) in rows.iter().zip(&index).zip(out) {
            assert_eq!(found.to_bits(), distance(row(a), row(b)).to_bits(), "{isa}");
            let squares = row(a).iter().zip(row(b)).map(|(x, c)| (x.to_f64() - c.to_f64()).powi(2));
            let naive: f64 = squares.sum();
            assert!((found - naive).abs() <= naive * 1e-13, "{isa} {found} {naive}");
        }
    }
}

proptest! {
    #[test]
    fn every_isa_gives_the_same_bits_close_to_the_plain_sum(
        n_features in proptest::sample::select(FEATURES.to_vec()),
        values in proptest::collection::vec(-1e3..1e3, 262),
    ) {
        let n_rows = values.len() / n_features;
        check::<f64>(&values[..n_rows * n_features], n_features);
        check::<f32>(&values[..n_rows * n_features], n_features);
    }
}

#[test]
#[should_panic(expected = "one distance a row")]
fn a_row_without_a_centroid_is_refused() {
    distances(Isa::Scalar, &[1.0, 2.0], 1, &[0, 1], &[0.0], &[0], &mut [0.0; 2]);
}
