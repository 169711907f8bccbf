//! Scalers against naive sums, and the same bits however data are cut.

use drystone_core::block::RecordElement;
use drystone_core::{Block, ChunkedDataset, Executor, Inline, Rows, Targets, Threads, input};
use drystone_estimators::preprocessing::{MinMaxScaler, StandardScaler};
use linfa::traits::Fit;
use ndarray::{Array2, array};
use proptest::prelude::*;

use crate::support::{N_BLOCKS, cut_at, cut_into, cuts};

/// Numbers of all sizes, some of them equal.
fn wild(n: usize, d: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, d), |(row, column)| {
        let at = (row * 7919 + column * 104_729) % 1009;
        (at as f64 - 500.0) * [1e-9, 1.0, 12345.678][column % 3] + [0.0, 1e6, -3.0][at % 3]
    })
}

fn block<T: RecordElement>(records: &Array2<f64>, weights: Option<Vec<f64>>) -> Block {
    let rows = Rows::from_array(records.mapv(|value| T::from_f64(value)));
    let block = Block::new(T::into_records(rows));
    match weights {
        Some(weights) => block.with_weights(weights),
        None => block,
    }
}

fn standard(data: &ChunkedDataset) -> StandardScaler {
    StandardScaler::params().fit(data).expect("a scaler")
}

fn min_max(data: &ChunkedDataset) -> MinMaxScaler {
    MinMaxScaler::params().feature_range(-2.0, 3.0).fit(data).expect("a scaler")
}

fn check_same_bits<T: RecordElement>(weights: Option<Vec<f64>>) {
    let block = block::<T>(&wild(1000, 5), weights);
    let whole = cut_into(&block, 1);
    let (first, extremes) = (standard(&whole), min_max(&whole));
    let scaled = first.transform(&whole).compute().expect("rows");
    let (inline, two) = (Inline::new(0), Threads::new(2).expect("threads"));
    for executor in [&inline as &dyn Executor, &two] {
        for n_blocks in N_BLOCKS {
            let data = cut_into(&block, n_blocks);
            let again = StandardScaler::params().on(executor).fit(&data).expect("a scaler");
            assert_eq!(again, first, "{n_blocks} blocks");
            assert_eq!(again.transform(&data).compute().expect("rows"), scaled);
            let params = MinMaxScaler::params().feature_range(-2.0, 3.0).on(executor);
            assert_eq!(params.fit(&data).expect("a scaler"), extremes, "{n_blocks} blocks");
        }
    }
}

#[test]
fn the_same_bits_however_data_are_cut() {
    let weights: Vec<f64> = (0..1000).map(|row| (row % 7) as f64 / 3.0).collect();
    check_same_bits::<f64>(None);
    check_same_bits::<f32>(None);
    check_same_bits::<f64>(Some(weights.clone()));
    check_same_bits::<f32>(Some(weights));
}

fn close(found: f64, wanted: f64, size: f64) -> bool {
    (found - wanted).abs() <= 1e-12 * size
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_naive_sums(
        rows in prop::collection::vec((-100.0..100.0, -1e6..1e6, 0_u8..4), 1..60), (cuts, known) in cuts(),
    ) {
        let records: Vec<f64> = rows.iter().flat_map(|row| [row.0, row.1]).collect();
        let records = Array2::from_shape_vec((rows.len(), 2), records).unwrap();
        let weights: Vec<f64> = rows.iter().map(|row| f64::from(row.2)).collect();
        prop_assume!(weights.iter().any(|&weight| weight > 0.0));
        let total: f64 = weights.iter().sum();
        let data = cut_at(&block::<f64>(&records, Some(weights.clone())), &cuts, known);
        let (scaler, extremes) = (standard(&data), min_max(&data));
        prop_assert_eq!(scaler.n_samples_seen(), rows.len() as u64);
        for column in 0..2 {
            let values = || records.column(column).to_vec().into_iter().zip(&weights);
            let mean = values().map(|(x, w)| x * w).sum::<f64>() / total;
            let var = values().map(|(x, w)| w * (x - mean) * (x - mean)).sum::<f64>() / total;
            prop_assert!(close(scaler.mean()[column], mean, 1e6));
            prop_assert!(close(scaler.var().unwrap()[column], var, 1e12));
            let least = values().map(|(x, _)| x).fold(f64::INFINITY, f64::min);
            prop_assert_eq!(extremes.data_min()[column], least);
        }
    }

    #[test]
    fn whole_weights_are_repeated_rows(rows in prop::collection::vec((-50_i32..50, 0_usize..4), 2..40)) {
        prop_assume!(rows.iter().any(|row| row.1 > 0));
        let column = |values: Vec<f64>| Array2::from_shape_vec((values.len(), 1), values).unwrap();
        let values = column(rows.iter().map(|row| f64::from(row.0)).collect());
        let weights = rows.iter().map(|row| row.1 as f64).collect();
        let repeated = rows.iter().flat_map(|row| vec![f64::from(row.0); row.1]).collect();
        let weighted = standard(&cut_into(&block::<f64>(&values, Some(weights)), 3));
        let repeated = standard(&cut_into(&block::<f64>(&column(repeated), None), 2));
        prop_assert_eq!(weighted.mean(), repeated.mean());
        let (found, wanted) = (weighted.var().unwrap()[0], repeated.var().unwrap()[0]);
        prop_assert!((found - wanted).abs() <= 1e-15 * wanted, "{} is not {}", found, wanted);
    }
}

fn max_difference(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn scaled_columns_are_what_they_are_to_be() {
    let records = wild(500, 3);
    let data = cut_into(&block::<f64>(&records, None), 5);
    let scaler = standard(&data);
    let scaled = standard(&scaler.transform(&data));
    for column in 0..3 {
        assert!(scaled.mean()[column].abs() < 1e-9, "{scaled:?}");
        assert!((scaled.var().expect("variances")[column] - 1.0).abs() < 1e-9, "{scaled:?}");
    }
    let extremes = min_max(&min_max(&data).transform(&data));
    assert_eq!((extremes.data_min(), extremes.data_max()), (&[-2.0; 3][..], &[3.0; 3][..]));
    let back = |data: ChunkedDataset| {
        data.compute().expect("rows").records.view::<f64>().expect("f64").to_owned()
    };
    let there_and_back = back(scaler.inverse_transform(&scaler.transform(&data)));
    assert!(max_difference(&there_and_back, &records) < 1e-8);
    let scaler = min_max(&data);
    let there_and_back = back(scaler.inverse_transform(&scaler.transform(&data)));
    assert!(max_difference(&there_and_back, &records) < 1e-8);
}

/// Sums of 0.1 round, so that naive means of such columns are not 0.1.
#[test]
fn columns_that_do_not_vary_keep_their_scale() {
    for n in [1, 2, 3, 7, 10, 49, 1000] {
        let rows = Array2::from_shape_fn((n, 4), |(_, column)| [0.1, 0.0, -1e300, 1e-300][column]);
        let weights: Vec<f64> = (0..n).map(|row| 0.1 + (row % 3) as f64 / 7.0).collect();
        for weights in [None, Some(weights)] {
            let data = cut_into(&block::<f64>(&rows, weights), 3);
            let scaler = standard(&data);
            assert_eq!(scaler.mean(), [0.1, 0.0, -1e300, 1e-300], "{n} rows");
            assert_eq!(scaler.var(), Some(&[0.0; 4][..]));
            assert_eq!(scaler.scale(), Some(&[1.0; 4][..]));
            let scaled = scaler.transform(&data).compute().expect("rows");
            assert!(scaled.records.to_f64().iter().all(|&value| value == 0.0));
            let scaled = min_max(&data).transform(&data).compute().expect("rows");
            assert!(scaled.records.to_f64().iter().all(|&value| value == -2.0));
        }
    }
    let nearly = array![[1.0], [1.0 + f64::EPSILON], [1.0], [1.0]];
    assert_eq!(StandardScaler::params().fit(&nearly).expect("a scaler").scale(), Some(&[1.0][..]));
    let varies = array![[1e3], [1e3 + 1e-9]];
    let scale = StandardScaler::params().fit(&varies).expect("a scaler").scale().expect("it")[0];
    assert!((scale / 5e-10 - 1.0).abs() < 1e-3, "{scale}");
}

#[test]
fn targets_weights_and_names_stay() {
    let targets = Targets::categories(&["b", "a", "b", "c"]);
    let records = array![[1.0_f32, 2.0], [3.0, 5.0], [4.0, 4.0], [9.0, 0.0]];
    let block = Block::new(records).with_targets(targets).with_weights(vec![1.0, 0.5, 2.0, 0.0]);
    let data = cut_into(&block, 2);
    let scaled = standard(&data).transform(&data);
    assert_eq!(scaled.layout(), data.layout());
    let found = scaled.compute().expect("rows");
    let before = data.compute().expect("rows");
    assert_eq!((found.targets, found.weights), (before.targets, before.weights));
}

#[test]
fn arrays_in_memory_and_other_types() {
    let records = wild(40, 4);
    let data = cut_into(&block::<f64>(&records, None), 3);
    let (scaler, extremes) = (standard(&data), min_max(&data));
    let lazy = scaler.transform(&data).compute().expect("rows");
    assert_eq!(
        lazy.records.view::<f64>().expect("f64"),
        scaler.try_transform_array(&records).expect("rows")
    );
    let lazy = extremes.transform(&data).compute().expect("rows");
    let array = extremes.try_transform_array(&records.t().to_owned().t()).expect("rows");
    assert_eq!(lazy.records.view::<f64>().expect("f64"), array);
    // One fitted to doubles is applied in double precision to singles.
    let single = records.mapv(|value| value as f32);
    let wanted = scaler.try_transform_array(&single.mapv(f64::from)).expect("rows");
    let found = scaler.try_transform_array(&single).expect("rows");
    assert_eq!(found, wanted.mapv(|value| value as f32));
    let none = Array2::<f64>::zeros((0, 4));
    assert_eq!(scaler.try_transform_array(&none).expect("no rows"), none);
}

#[test]
fn parameters_have_an_effect() {
    let data = array![[1.0, 10.0], [3.0, 30.0]];
    let array = |with_mean, with_std| {
        let params = StandardScaler::params().with_mean(with_mean).with_std(with_std);
        params.fit(&data).expect("a scaler").try_transform_array(&data).expect("rows")
    };
    assert_eq!(array(true, true), array![[-1.0, -1.0], [1.0, 1.0]]);
    assert_eq!(array(true, false), array![[-1.0, -10.0], [1.0, 10.0]]);
    assert_eq!(array(false, true), array![[1.0, 1.0], [3.0, 3.0]]);
    assert_eq!(array(false, false), data);
    let scaler = StandardScaler::params().with_std(false).fit(&data).expect("a scaler");
    assert_eq!((scaler.var(), scaler.scale(), scaler.mean()), (None, None, &[2.0, 20.0][..]));
}

#[test]
fn linfa_datasets_are_fitted() {
    let records = wild(30, 3);
    let dataset = linfa::DatasetBase::from(records.clone());
    let params = StandardScaler::params().check().expect("parameters");
    let fitted = Fit::fit(&params, &dataset).expect("a scaler");
    assert_eq!(fitted, StandardScaler::params().fit(&records).expect("a scaler"));
    let params = MinMaxScaler::params().check().expect("parameters");
    let fitted = Fit::fit(&params, &dataset).expect("a scaler");
    assert_eq!(fitted, MinMaxScaler::params().fit(&records).expect("a scaler"));
    let cut = input::cut(Block::new(records), 7).expect("data");
    assert_eq!(fitted, MinMaxScaler::params().fit(&cut).expect("a scaler"));
}
