//! Sums by cluster against one conversion per value in plain arithmetic, and the
//! laws that they promise.

use proptest::prelude::*;

use super::{Accumulator, ClusterSums, OutOfRange, Scales};
use crate::{Float, Isa};

const FEATURES: [usize; 8] = [1, 2, 3, 4, 5, 7, 8, 20];

/// `round(value / 2^unit)`, ties to even, by shifting the mantissa.
fn integer(value: f64, unit: i32) -> i128 {
    let bits = value.abs().to_bits();
    let exponent = (bits >> 52).max(1) as i32 - 1075;
    let mantissa = i128::from((bits & ((1 << 52) - 1)) | u64::from(bits >> 52 != 0) << 52);
    let magnitude = match exponent - unit {
        up @ 0.. => mantissa << up,
        down @ -126..=-1 => {
            let (whole, rest) = (mantissa >> -down, mantissa & ((1 << -down) - 1));
            let half = 1 << (-down - 1);
            whole + i128::from(rest > half || (rest == half && whole & 1 == 1))
        }
        _ => 0,
    };
    if value < 0.0 { -magnitude } else { magnitude }
}

fn naive<T: Float>(data: &Data<T>, scales: &Scales) -> ClusterSums {
    let (k, d) = (data.n_clusters, data.n_features);
    let (mut sums, mut weights, mut counts) = (vec![0; k * d], vec![0; k], vec![0; k]);
    for (row, &cluster) in data.index.iter().enumerate() {
        let cluster = cluster as usize;
        let weight = data.weights.as_ref().map_or(1.0, |w| w[row]);
        for column in 0..d {
            let value = weight * data.records[row * d + column].to_f64();
            sums[cluster * d + column] += integer(value, scales.unit_exponent(column));
        }
        weights[cluster] += integer(weight, scales.weight_unit_exponent());
        counts[cluster] += 1;
    }
    ClusterSums::from_parts(k, d, sums, weights, counts).expect("consistent lengths")
}

#[derive(Clone, Debug)]
struct Data<T> {
    n_features: usize,
    n_clusters: usize,
    records: Vec<T>,
    weights: Option<Vec<f64>>,
    index: Vec<u32>,
}

impl<T: Float> Data<T> {
    fn scales(&self) -> Scales {
        let max = |values: &mut dyn Iterator<Item = f64>| values.map(f64::abs).fold(0.0, f64::max);
        let column =
            |j| max(&mut self.records.iter().skip(j).step_by(self.n_features).map(|x| x.to_f64()));
        let max_abs: Vec<f64> = (0..self.n_features).map(column).collect();
        let weight = self.weights.as_ref().map_or(1.0, |w| max(&mut w.iter().copied()));
        Scales::new::<T>(&max_abs, weight)
    }

    fn sums(
        &self,
        isa: Isa,
        scales: &Scales,
        rows_per_call: usize,
    ) -> Result<ClusterSums, OutOfRange> {
        let mut accumulator = Accumulator::<T>::new(self.n_clusters, scales);
        for start in (0..self.index.len()).step_by(rows_per_call) {
            let end = (start + rows_per_call).min(self.index.len());
            let records = &self.records[start * self.n_features..end * self.n_features];
            let weights = self.weights.as_ref().map(|w| &w[start..end]);
            accumulator.add(isa, records, weights, &self.index[start..end])?;
        }
        let mut sums = ClusterSums::new(self.n_clusters, self.n_features);
        accumulator.flush_into(&mut sums)?;
        Ok(sums)
    }
}

/// Values of very different magnitudes, the small ones often on a rounding tie.
fn value() -> impl Strategy<Value = f64> {
    let wide = (-1000.0_f64..1000.0, -60_i32..10).prop_map(|(x, e)| x * 2.0_f64.powi(e));
    let grid = (-40_i64..40).prop_map(|x| x as f64 * 0.125);
    let ties = (-9_i64..9, 40_i32..100).prop_map(|(x, e)| x as f64 * 0.5_f64.powi(e));
    prop_oneof![wide, grid, ties]
}

fn data<T: Float>() -> impl Strategy<Value = Data<T>> {
    let sizes = (0_usize..40, prop::sample::select(FEATURES.to_vec()), 1_usize..6);
    sizes.prop_flat_map(|(n, n_features, n_clusters)| {
        let records = prop::collection::vec(value().prop_map(T::from_f64), n * n_features);
        let weight = prop_oneof![0.0..8.0, Just(0.0), Just(1.0), Just(1e-9)];
        let weights = prop::option::of(prop::collection::vec(weight, n));
        let index = prop::collection::vec(0..n_clusters as u32, n);
        (records, weights, index).prop_map(move |(records, weights, index)| Data {
            n_features,
            n_clusters,
            records,
            weights,
            index,
        })
    })
}

fn check_isas<T: Float>(data: &Data<T>, rows_per_call: usize) {
    let scales = data.scales();
    let expected = naive(data, &scales);
    for &isa in Isa::available() {
        assert_eq!(data.sums(isa, &scales, rows_per_call).as_ref(), Ok(&expected), "{isa}");
    }
}

fn check_single_rows<T: Float>(data: &Data<T>) {
    let scales = data.scales();
    let all = naive(data, &scales);
    let mut sums = ClusterSums::new(data.n_clusters, data.n_features);
    let rows = || {
        let weights = (0..data.index.len()).map(|i| data.weights.as_ref().map_or(1.0, |w| w[i]));
        data.records.chunks(data.n_features).zip(&data.index).zip(weights)
    };
    for ((row, &cluster), weight) in rows() {
        let before = sums.clone();
        sums.add_row(cluster as usize, row, weight, &scales).expect("in range");
        let mut undone = sums.clone();
        undone.remove_row(cluster as usize, row, weight, &scales).expect("in range");
        assert_eq!(undone, before);
    }
    assert_eq!(sums, all);
}

/// The mean is within the bound that its documentation states.
fn check_removal<T: Float>(data: &Data<T>, out: &[bool]) {
    let (scales, d) = (data.scales(), data.n_features);
    let part = |taken: bool| {
        let rows: Vec<usize> = (0..data.index.len()).filter(|&row| out[row] == taken).collect();
        Data {
            records: rows.iter().flat_map(|row| &data.records[row * d..][..d]).copied().collect(),
            weights: data.weights.as_ref().map(|w| rows.iter().map(|&row| w[row]).collect()),
            index: rows.iter().map(|&row| data.index[row]).collect(),
            ..*data
        }
    };
    let (gone, left) = (part(true), part(false));
    for &isa in Isa::available() {
        // Into sums that have the rows, and within one accumulator.
        let mut sums = naive(data, &scales);
        let mut accumulator = Accumulator::<T>::new(data.n_clusters, &scales);
        let weights = gone.weights.as_deref();
        accumulator.remove(isa, &gone.records, weights, &gone.index).expect("in range");
        accumulator.flush_into(&mut sums).expect("in range");
        assert_eq!(sums, naive(&left, &scales), "{isa}");
        accumulator.add(isa, &gone.records, weights, &gone.index).expect("in range");
        accumulator.remove(isa, &gone.records, weights, &gone.index).expect("in range");
        accumulator.flush_into(&mut sums).expect("in range");
        assert_eq!(sums, naive(&left, &scales), "{isa}");
    }
}

fn check_means(data: &Data<f64>) {
    let scales = data.scales();
    let sums = naive(data, &scales);
    for cluster in 0..data.n_clusters {
        let members = || (0..data.index.len()).filter(|&row| data.index[row] as usize == cluster);
        let n = members().count() as f64;
        if n == 0.0 {
            continue;
        }
        for column in 0..data.n_features {
            let total: crate::ExactSum =
                members().map(|row| data.records[row * data.n_features + column]).collect();
            let (mean, expected) = (sums.mean(cluster, column, &scales), total.value() / n);
            let unit = 2.0_f64.powi(scales.unit_exponent(column));
            let error = (mean - expected).abs();
            assert!(
                error <= unit / 2.0 + 5.0 * expected.abs() * f64::EPSILON / 2.0,
                "{mean} {expected}"
            );
        }
        assert_eq!(sums.weight_of(cluster, &scales), n);
    }
}

proptest! {
    #[test]
    fn every_isa_gives_the_naive_integers(a in data::<f64>(), b in data::<f32>(), rows in 1_usize..9) {
        check_isas(&a, rows);
        check_isas(&b, rows);
    }

    #[test]
    fn single_rows_come_and_go_exactly(a in data::<f64>(), b in data::<f32>()) {
        check_single_rows(&a);
        check_single_rows(&b);
    }

    #[test]
    fn merging_is_associative_and_commutative_and_subtracting_undoes_it(
        all in data::<f64>(), owner in prop::collection::vec(0_usize..3, 40),
    ) {
        let scales = all.scales();
        let parts = [0, 1, 2].map(|part| {
            let mut sums = ClusterSums::new(all.n_clusters, all.n_features);
            for (row, &cluster) in all.index.iter().enumerate().filter(|&(row, _)| owner[row] == part) {
                let weight = all.weights.as_ref().map_or(1.0, |w| w[row]);
                let values = &all.records[row * all.n_features..][..all.n_features];
                sums.add_row(cluster as usize, values, weight, &scales).expect("in range");
            }
            sums
        });
        let merged = |a: &ClusterSums, b: &ClusterSums| { let mut sum = a.clone(); sum.merge(b); sum };
        let [a, b, c] = &parts;
        let whole = merged(&merged(a, b), c);
        prop_assert_eq!(&merged(a, &merged(b, c)), &whole);
        prop_assert_eq!(&merged(&merged(c, b), a), &whole);
        prop_assert_eq!(&whole, &naive(&all, &scales));
        let mut rest = whole;
        rest.subtract(b);
        prop_assert_eq!(rest, merged(a, c));
    }

    #[test]
    fn rows_taken_out_leave_the_others(
        a in data::<f64>(), b in data::<f32>(), out in prop::collection::vec(any::<bool>(), 40),
    ) {
        check_removal(&a, &out);
        check_removal(&b, &out);
    }

    #[test]
    fn means_are_within_their_bound(data in data::<f64>()) {
        check_means(&Data { weights: None, ..data });
    }
}

/// One cluster gets more rows than its limbs hold between flushes.
fn check_overflow<T: Float>(n_rows: usize, weights: Option<Vec<f64>>) {
    let records: Vec<T> =
        (0..n_rows * 2).map(|i| T::from_f64(if i % 2 == 0 { -1.0 } else { 0.99 })).collect();
    let index = (0..n_rows).map(|row| u32::from(row % 1000 == 0)).collect();
    check_isas(&Data { n_features: 2, n_clusters: 3, records, weights, index }, 70_000);
}

#[test]
fn limbs_are_flushed_before_they_overflow() {
    check_overflow::<f32>(20_000, None);
    check_overflow::<f32>(20_000, Some(vec![-3.0; 20_000]));
    check_overflow::<f64>(600_000, None);
    check_overflow::<f64>(600_000, Some(vec![4.0; 600_000]));
}

#[test]
fn weighted_and_unweighted_rows_add_up() {
    let scales = Scales::new::<f64>(&[1.0], 4.0);
    for &isa in Isa::available() {
        let mut accumulator = Accumulator::<f64>::new(1, &scales);
        let mut sums = ClusterSums::new(1, 1);
        accumulator.add(isa, &[0.5, 1.0], None, &[0, 0]).expect("in range");
        accumulator.add(isa, &[0.5], Some(&[4.0]), &[0]).expect("in range");
        accumulator.add(isa, &[0.75], Some(&[0.0]), &[0]).expect("in range");
        accumulator.flush_into(&mut sums).expect("in range");
        assert_eq!((sums.weight_of(0, &scales), sums.count(0)), (6.0, 4));
        assert_eq!(sums.mean(0, 0, &scales), 3.5 / 6.0);
        let empty = sums.clone();
        accumulator.flush_into(&mut sums).expect("nothing left");
        assert_eq!(sums, empty);
    }
}

#[track_caller]
fn check_out_of_range<T: Float>(column: usize, value: f64, weight: f64, expected: Option<usize>) {
    let scales = Scales::new::<T>(&[1.0; 6], 2.0);
    let mut records = vec![T::from_f64(1.0); 6 * 5];
    records[3 * 6 + column] = T::from_f64(value);
    let weights = [1.0, 1.0, 1.0, weight, 1.0];
    for &isa in Isa::available() {
        let mut accumulator = Accumulator::<T>::new(2, &scales);
        let error = accumulator.add(isa, &records, Some(&weights), &[0, 1, 0, 1, 0]).unwrap_err();
        assert_eq!((error.row, error.column), (3, expected), "{isa}");
        let mut sums = ClusterSums::new(2, 6);
        let again = accumulator.flush_into(&mut sums).unwrap_err();
        assert_eq!((again.row, again.column), (3, expected), "{isa}");
        assert_eq!(sums, ClusterSums::new(2, 6));
    }
    let row = &records[18..24];
    let mut sums = ClusterSums::new(2, 6);
    assert!(sums.add_row(1, row, weight, &scales).is_err());
    assert_eq!(sums, ClusterSums::new(2, 6));
}

#[test]
fn values_out_of_range_are_refused() {
    for column in [0, 3, 4, 5] {
        for value in [2.0_f64.next_up(), -3.0, 1e30, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            check_out_of_range::<f64>(column, value, 1.0, Some(column));
            let above = if value < 2.1 && value > 0.0 { 2.001 } else { value };
            check_out_of_range::<f32>(column, above, 1.0, Some(column));
        }
    }
    for weight in [2.0_f64.next_up(), -2.5, f64::NAN, f64::INFINITY] {
        check_out_of_range::<f64>(0, 0.0, weight, None);
        check_out_of_range::<f32>(0, 0.0, weight, None);
    }
}

#[test]
fn an_unweighted_row_needs_a_range_that_has_one() {
    let scales = Scales::new::<f64>(&[1.0], 0.5);
    for &isa in Isa::available() {
        let added = Accumulator::<f64>::new(1, &scales).add(isa, &[0.5], None, &[0]);
        assert_eq!(added.map_err(|error| error.column), Err(None));
    }
}

#[test]
fn a_value_at_the_bound_is_in_range() {
    let ones = |value: f64| Data {
        n_features: 1,
        n_clusters: 1,
        records: vec![value, -value, value],
        weights: None,
        index: vec![0; 3],
    };
    check_isas(&ones(1.0), 2);
    check_isas(&ones(1.0_f64.next_down()), 2);
    check_isas(&ones(2.0_f64.powi(1015)), 2);
    check_isas(&ones(f64::from_bits(3)), 2);
    check_isas(&ones(f64::MIN_POSITIVE), 2);
    check_isas(&ones(0.0), 2);
}

#[test]
fn magnitudes_of_any_size_are_summed_or_refused() {
    let mean = |value: f64| {
        let scales = Scales::new::<f64>(&[value], 1.0);
        let mut sums = ClusterSums::new(1, 1);
        sums.add_row(0, &[value], 1.0, &scales)?;
        Ok::<_, OutOfRange>(sums.mean(0, 0, &scales))
    };
    for value in [0.0, 5e-324, -5e-324, f64::MIN_POSITIVE, 1e-300, 1.0, -3.5, 1e300, 3.5e305] {
        assert_eq!(mean(value), Ok(value));
    }
    for value in [4e305, f64::MAX, f64::INFINITY] {
        assert!(mean(value).is_err());
    }
    let scales = Scales::new::<f32>(&[f64::from(f32::MAX)], f64::MAX);
    assert_eq!(scales.exponents(), [1021]);
}

#[test]
fn an_empty_cluster_has_no_mean() {
    let scales = Scales::new::<f64>(&[1.0], 1.0);
    assert!(ClusterSums::new(1, 1).mean(0, 0, &scales).is_nan());
}

#[test]
fn parts_of_different_lengths_are_refused() {
    assert!(ClusterSums::from_parts(1, 2, vec![0; 2], vec![0], vec![0]).is_some());
    assert!(ClusterSums::from_parts(1, 2, vec![0], vec![0], vec![0]).is_none());
    assert!(ClusterSums::from_parts(1, 2, vec![0; 2], vec![], vec![0]).is_none());
    assert!(ClusterSums::from_parts(usize::MAX, 2, vec![], vec![], vec![]).is_none());
}

#[test]
#[should_panic(expected = "out of range")]
fn a_cluster_that_does_not_exist_is_refused() {
    let scales = Scales::new::<f64>(&[1.0], 1.0);
    let mut accumulator = Accumulator::<f64>::new(1, &scales);
    let _ = accumulator.add(Isa::best(), &[0.5], None, &[1]);
}
