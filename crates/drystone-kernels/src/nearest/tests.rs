//! The nearest centroid against a naive search, on every instruction set.

use proptest::prelude::*;

use super::nearest;
use crate::Isa;

const ROWS: [usize; 10] = [0, 1, 3, 7, 15, 16, 17, 31, 33, 70];
const FEATURES: [usize; 9] = [1, 2, 3, 4, 7, 8, 9, 20, 131];
const CLUSTERS: [usize; 5] = [1, 2, 3, 5, 50];

/// The lowest index of the smallest distance.
fn naive(row: &[f64], centroids: &[f64]) -> (f64, u32) {
    let chain =
        |c: &[f64]| row.iter().zip(c).fold(0.0, |acc, (&x, &c)| (x - c).mul_add(x - c, acc));
    let distances = centroids.chunks(row.len()).map(chain).zip(0..);
    distances.fold((f64::INFINITY, 0), |best, next| if next.0 < best.0 { next } else { best })
}

fn check(records: &[f64], n_features: usize, centroids: &[f64]) {
    let n_rows = records.len() / n_features;
    let expected: Vec<(f64, u32)> =
        records.chunks(n_features).map(|row| naive(row, centroids)).collect();
    for &isa in Isa::available() {
        // Results that are not overwritten would show.
        let (mut best, mut index) = (vec![-7.0; n_rows], vec![u32::MAX; n_rows]);
        nearest(isa, records, n_features, centroids, &mut best, &mut index);
        let found: Vec<(f64, u32)> = best.iter().copied().zip(index.iter().copied()).collect();
        assert_eq!(found, expected, "{isa} n={n_rows} d={n_features}");
    }
}

/// Values of few bits, which tie often, or of many.
fn values(n: usize, grid: bool, seed: u64) -> Vec<f64> {
    let mut state = seed | 1;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    let value = |u: f64| {
        if grid { (u * 3.0).floor() } else { 1e4 + u - 0.5 }
    };
    (0..n).map(|_| value(next())).collect()
}

fn check_sizes(n_rows: usize, n_features: usize, n_clusters: usize, grid: bool, seed: u64) {
    let records = values(n_rows * n_features, grid, seed);
    let centroids = values(n_clusters * n_features, grid, !seed);
    check(&records, n_features, &centroids);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_isa_gives_the_bits_of_the_naive_search(
        n_rows in proptest::sample::select(ROWS.to_vec()),
        n_features in proptest::sample::select(FEATURES.to_vec()),
        n_clusters in proptest::sample::select(CLUSTERS.to_vec()),
        grid: bool,
        seed: u64,
    ) {
        check_sizes(n_rows, n_features, n_clusters, grid, seed);
    }
}

#[test]
fn many_features() {
    check_sizes(19, 784, 11, false, 1);
}

#[test]
fn of_equal_centroids_the_first_wins() {
    let centroids = [5.0, 1.0, 1.0, 1.0, 0.0];
    for &isa in Isa::available() {
        let (mut best, mut index) = ([0.0; 3], [9; 3]);
        nearest(isa, &[1.0, 0.5, 7.0], 1, &centroids, &mut best, &mut index);
        assert_eq!((best, index), ([0.0, 0.25, 4.0], [1, 1, 0]), "{isa}");
    }
}

#[test]
fn a_row_that_is_not_finite_has_no_finite_distance() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX] {
        let mut records = vec![1.0; 20 * 3];
        records[7] = bad;
        check(&records, 3, &[0.0; 9]);
        let (mut best, mut index) = (vec![0.0; 20], vec![9; 20]);
        for &isa in Isa::available() {
            nearest(isa, &records, 3, &[0.0; 9], &mut best, &mut index);
            let expected: Vec<f64> =
                (0..20).map(|row| if row == 2 { f64::INFINITY } else { 3.0 }).collect();
            assert_eq!((&best, index[2]), (&expected, 0), "{isa} {bad}");
        }
    }
}

#[test]
fn a_centroid_that_is_not_finite_is_never_nearest() {
    check(&[1.0, 2.0, 3.0], 1, &[f64::NAN, 2.0, f64::INFINITY]);
    check(&[1.0, 2.0, 3.0], 1, &[f64::NAN, f64::NAN]);
}

#[test]
#[should_panic(expected = "whole rows")]
fn records_that_end_within_a_row_are_refused() {
    nearest(Isa::Scalar, &[1.0, 2.0, 3.0], 2, &[0.0, 0.0], &mut [0.0], &mut [0]);
}
