//! What a screen calls certain, against the direct search and exact bounds.

use proptest::prelude::*;

use super::{Found, Frame, OPEN, Screen};
use crate::distance::distance;
use crate::nearest::nearest;
use crate::{Float, Isa};

const ROWS: [usize; 7] = [1, 7, 31, 32, 33, 64, 100];
const FEATURES: [usize; 11] = [1, 2, 3, 4, 5, 8, 20, 128, 159, 160, 261];
const CLUSTERS: [usize; 9] = [1, 2, 3, 4, 5, 6, 7, 8, 50];

/// How values are laid out.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Few bits: many ties.
    Grid,
    /// Around zero.
    Spread,
    /// Close together and far from zero.
    Offset,
    /// Of very different magnitudes.
    Wild,
}

struct Values(u64);

impl Values {
    fn uniform(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1_u32 << 31)
    }

    fn next(&mut self, kind: Kind) -> f64 {
        let u = self.uniform();
        match kind {
            Kind::Grid => (u * 3.0).floor(),
            Kind::Spread => 20.0 * u - 10.0,
            Kind::Offset => 1e4 + 0.01 * u,
            Kind::Wild => (u - 0.5) * 2.0_f64.powi((self.uniform() * 60.0) as i32 - 30),
        }
    }

    fn take<T: Float>(&mut self, n: usize, kind: Kind) -> Vec<T> {
        (0..n).map(|_| T::from_f64(self.next(kind))).collect()
    }
}

fn frame<T: Float>(records: &[T], n_features: usize) -> Frame {
    let column = |j: usize| records.iter().skip(j).step_by(n_features).map(|x| x.to_f64());
    let min: Vec<f64> = (0..n_features).map(|j| column(j).fold(f64::INFINITY, f64::min)).collect();
    let max: Vec<f64> =
        (0..n_features).map(|j| column(j).fold(f64::NEG_INFINITY, f64::max)).collect();
    Frame::new(&min, &max)
}

/// Checks every bound in the frame of the records, and returns how many rows were certain.
fn check<T: Float>(records: &[T], rows: &[u32], n_features: usize, centroids: &[T]) -> usize {
    check_in(&frame(records, n_features), records, rows, n_features, centroids)
}

fn check_in<T: Float>(
    frame: &Frame,
    records: &[T],
    rows: &[u32],
    n_features: usize,
    centroids: &[T],
) -> usize {
    let n_rows = records.len() / n_features;
    let in_double = |values: &[T]| -> Vec<f64> { values.iter().map(|x| x.to_f64()).collect() };
    let (mut best, mut index) = (vec![0.0; n_rows], vec![0; n_rows]);
    let doubles = (in_double(records), in_double(centroids));
    nearest(Isa::best(), &doubles.0, n_features, &doubles.1, &mut best, &mut index);
    let mut found = Found::default();
    Screen::new(centroids, frame).search(Isa::best(), records, rows, &mut found);
    let mut certain = 0;
    for (at, &row) in rows.iter().enumerate() {
        let row = row as usize;
        let values = &records[row * n_features..][..n_features];
        let mut distances: Vec<f64> = centroids
            .chunks(n_features)
            .map(|c| distance(values, c).sqrt() * frame.scale())
            .collect();
        let own = distances.remove(index[row] as usize);
        let low = f64::from(found.low[at]);
        assert!(low <= own * own * (1.0 + 1e-12), "low of row {row}: {low:e}, {own:e} squared");
        if found.gap[at] == OPEN {
            continue;
        }
        certain += 1;
        assert_eq!(found.index[at], index[row], "label of row {row}");
        let other = distances.into_iter().fold(f64::INFINITY, f64::min);
        // What the distances here are off by themselves, where squares underflow too.
        let underflow = (n_features as f64 * f64::from_bits(1)).sqrt() * frame.scale();
        let slip = 1e-12 * (own + other) + 2.0 * underflow;
        assert!(f64::from(found.gap[at]) <= other - own + slip, "gap of row {row}");
    }
    certain
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Grid), Just(Kind::Spread), Just(Kind::Offset), Just(Kind::Wild)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_certain_is_what_the_direct_search_finds(
        n_rows in proptest::sample::select(ROWS.to_vec()),
        n_features in proptest::sample::select(FEATURES.to_vec()),
        n_clusters in proptest::sample::select(CLUSTERS.to_vec()),
        kind in kinds(),
        every in 1_usize..4,
        seed: u64,
    ) {
        let mut values = Values(seed | 1);
        let rows: Vec<u32> = (0..n_rows as u32).rev().step_by(every).collect();
        let (n, k) = (n_rows * n_features, n_clusters * n_features);
        check(&values.take::<f64>(n, kind), &rows, n_features, &values.take::<f64>(k, kind));
        check(&values.take::<f32>(n, kind), &rows, n_features, &values.take::<f32>(k, kind));
    }
}

/// Rows of `10^exponent` and centroids among them; of the two rows that make the frame wide,
/// the first `wide` columns are 1 and -1, and these columns are 0 in all others.
fn check_tiny<T: Float>(exponent: i32, n_features: usize, n_clusters: usize, wide: usize) {
    let (n_rows, mut values) = (200, Values(exponent.unsigned_abs().into()));
    let mut records: Vec<T> = (0..n_rows * n_features)
        .map(|at| {
            let value = values.next(Kind::Spread) * 10.0_f64.powi(exponent - 1);
            T::from_f64(if at % n_features < wide && wide < n_features { 0.0 } else { value })
        })
        .collect();
    let centroids = records[..n_clusters * n_features].to_vec();
    for (row, value) in [(n_rows - 2, 1.0), (n_rows - 1, -1.0)] {
        records[row * n_features..][..wide].fill(T::from_f64(value));
    }
    let rows: Vec<u32> = (0..n_rows as u32).collect();
    check(&records, &rows, n_features, &centroids);
    // As it is where seeding compares rows with one centroid: not scaled at all.
    let alone = &centroids[..n_features];
    check_in(&frame(alone, n_features), &records, &rows, n_features, alone);
}

#[test]
fn rows_whose_squares_underflow_are_left_open() {
    for exponent in -25..-14 {
        for n_features in [1, 2, 3, 8, 40, 170] {
            for (n_clusters, wide) in [(10, 1), (2, n_features), (11, n_features)] {
                check_tiny::<f64>(exponent, n_features, n_clusters, wide);
                check_tiny::<f32>(exponent, n_features, n_clusters, wide);
            }
        }
    }
    for exponent in [-36, -38, -42, -44] {
        check_tiny::<f64>(exponent, 8, 10, 1);
        check_tiny::<f32>(exponent, 8, 10, 1);
    }
}

/// What is certain must be what the direct search finds, though that underflows.
#[test]
fn rows_whose_squares_underflow_in_double_precision_are_left_open() {
    for exponent in -166_i32..-150 {
        for n_features in [1, 8, 40, 170] {
            let mut values = Values(exponent.unsigned_abs().into());
            let scale = 10.0_f64.powi(exponent - 1);
            let n = 400 * n_features;
            let records: Vec<f64> = (0..n).map(|_| values.next(Kind::Spread) * scale).collect();
            let mut centroids = records[..15 * n_features].to_vec();
            let rows: Vec<u32> = (0..400).collect();
            check(&records, &rows, n_features, &centroids);
            centroids.extend(vec![1e-140; n_features]);
            check(&records, &rows, n_features, &centroids);
        }
    }
}

#[test]
fn rows_whose_squared_distances_overflow_are_left_open() {
    let frame = Frame::new(&[-5e149, -1e140], &[5e149, 1e140]);
    let screen = Screen::new(&[-4.5e149, 0.0, 4.5e149, 0.0], &frame);
    let records = [1.4e154, 0.0, -2e154, 1.0, 1e155, 1e155, 0.0, 1e160, 1e152, 0.0, -1e150, 0.0];
    let mut found = Found::default();
    screen.search(Isa::best(), &records, &[0, 1, 2, 3, 4, 5], &mut found);
    assert_eq!(found.gap[..4], [OPEN; 4]);
    if Isa::best() != Isa::Scalar {
        assert!(found.gap[4] > 0.0 && found.gap[5] > 0.0, "{:?}", found.gap);
        assert_eq!(found.index[4..], [1, 0]);
    }
}

/// Without this, a screen that leaves everything open would pass.
#[test]
fn nearly_all_rows_of_ordinary_data_are_certain() {
    if Isa::best() == Isa::Scalar {
        return;
    }
    let rows: Vec<u32> = (0..1000).collect();
    for (n_features, n_clusters) in [(2, 8), (20, 50), (128, 100), (784, 10)] {
        let mut values = Values(7);
        let (n, k) = (1000 * n_features, n_clusters * n_features);
        for kind in [Kind::Spread, Kind::Offset] {
            let f64s = check(
                &values.take::<f64>(n, kind),
                &rows,
                n_features,
                &values.take::<f64>(k, kind),
            );
            assert!(f64s >= 980, "{f64s} of 1000 f64 rows, {n_features} x {n_clusters}, {kind:?}");
        }
        let kind = Kind::Spread;
        let f32s =
            check(&values.take::<f32>(n, kind), &rows, n_features, &values.take::<f32>(k, kind));
        assert!(f32s >= 980, "{f32s} of 1000 f32 rows, {n_features} x {n_clusters}");
    }
}

#[test]
fn rows_that_are_not_finite_or_far_out_are_left_open() {
    let frame = Frame::new(&[-1.0; 3], &[1.0; 3]);
    let screen = Screen::new(&[0.0, 0.0, 0.0, 1.0, 1.0, 1.0], &frame);
    let mut found = Found::default();
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
        let mut records = [0.1; 3 * 40];
        records[3 * 35 + 1] = bad;
        let rows: Vec<u32> = (0..40).collect();
        screen.search(Isa::best(), &records, &rows, &mut found);
        assert_eq!(found.gap[35], OPEN, "{bad}");
        assert_eq!(found.low[35], 0.0, "{bad}");
    }
}

#[test]
fn equal_centroids_leave_rows_open_and_one_centroid_none() {
    let (records, frame) = ([0.25_f32; 40], Frame::new(&[0.0], &[1.0]));
    let rows: Vec<u32> = (0..40).collect();
    let mut found = Found::default();
    Screen::new(&[0.5_f32, 0.5, 0.9], &frame).search(Isa::best(), &records, &rows, &mut found);
    assert!(found.gap.iter().all(|&gap| gap == OPEN));
    if Isa::best() != Isa::Scalar {
        Screen::new(&[0.5_f32], &frame).search(Isa::best(), &records, &rows, &mut found);
        assert!(
            found.gap.iter().zip(&found.index).all(|(&gap, &idx)| gap == f32::INFINITY && idx == 0)
        );
    }
}

#[test]
#[should_panic(expected = "rows of the records")]
fn a_row_that_is_not_there_is_refused() {
    let screen = Screen::new(&[0.0], &Frame::new(&[0.0], &[1.0]));
    screen.search(Isa::best(), &[1.0, 2.0], &[2], &mut Found::default());
}
