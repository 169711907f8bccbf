//! Reductions of columns: right, exact where they say so, and the same bits everywhere.

use drystone_core::{
    Block, ChunkedDataset, Executor, Inline, Records, Result, Rows, Threads, input, laws,
};
use ndarray::array;
use proptest::prelude::*;

const REDUCTIONS: [fn(&ChunkedDataset) -> drystone_core::column::ColumnReduction; 5] = [
    ChunkedDataset::sum,
    ChunkedDataset::mean,
    ChunkedDataset::min,
    ChunkedDataset::max,
    ChunkedDataset::var,
];

fn column(values: &[f64], block_rows: usize) -> ChunkedDataset {
    let rows = Rows::new(values.to_vec(), 1).expect("one column");
    input::cut(Block::new(Records::F64(rows)), block_rows).expect("a dataset")
}

/// Sum, mean, least, greatest and variance of one column.
fn all(data: &ChunkedDataset, executor: &dyn Executor) -> Result<[f64; 5]> {
    let mut values = [0.0; 5];
    for (value, reduction) in values.iter_mut().zip(REDUCTIONS) {
        *value = reduction(data).compute_on(executor)?[0];
    }
    Ok(values)
}

fn check(values: &[f64], expected: [f64; 5]) {
    let found = all(&column(values, 2), &Inline::new(0)).expect("values");
    assert_eq!(found.map(f64::to_bits), expected.map(f64::to_bits), "{found:?} for {values:?}");
}

#[test]
fn exact_cases() {
    check(&[2.5], [2.5, 2.5, 2.5, 2.5, 0.0]);
    check(&[1.0, 3.0], [4.0, 2.0, 1.0, 3.0, 1.0]);
    check(&[0.1, 0.2, -0.1, -0.2], [0.0, 0.0, -0.2, 0.2, (0.1 * 0.1 + 0.2 * 0.2) / 2.0]);
    check(&[1e308, 1.0, -1e308], [1.0, 1.0 / 3.0, -1e308, 1e308, f64::INFINITY]);
    check(&[f64::INFINITY, 1.0], [f64::INFINITY, f64::INFINITY, 1.0, f64::INFINITY, f64::NAN]);
}

#[test]
fn a_column_with_nan_gives_nan_and_others_do_not() {
    for at in 0..3 {
        let mut records = array![[1.0, 5.0], [2.0, 6.0], [3.0, 7.0]];
        records[[at, 0]] = f64::NAN;
        let data = input::cut(Block::new(records), 2).expect("a dataset");
        for (reduction, expected) in REDUCTIONS.iter().zip([18.0, 6.0, 5.0, 7.0, 2.0 / 3.0]) {
            let found = reduction(&data).compute().expect("values");
            assert!(found[0].is_nan(), "{found}");
            assert_eq!(found[1], expected);
        }
    }
}

#[test]
fn single_precision_is_summed_as_it_is() {
    let data = input::cut(Block::new(array![[0.1_f32], [0.2], [1e30]]), 2).expect("a dataset");
    let expected = f64::from(0.1_f32) + f64::from(0.2_f32);
    assert_eq!(data.slice(0..2).sum().compute().expect("a sum")[0], expected);
    assert_eq!(data.max().compute().expect("a value")[0], f64::from(1e30_f32));
}

#[test]
fn no_rows_have_a_sum_but_no_mean() {
    let none = laws::small_dataset(0, 4);
    assert_eq!(none.sum().compute().expect("a sum"), array![0.0, 0.0, 0.0]);
    for reduction in &REDUCTIONS[1..] {
        let error = reduction(&none).compute().expect_err("of no rows");
        let text = "a dataset without rows has no mean, least, greatest or variance";
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn moments_of_another_number_of_columns_are_an_error() {
    use drystone_core::{Control, Session, column::Moments, observe::Silent};
    let (inline, control) = (Inline::new(0), Control::default());
    let session = Session::new(&inline, &Silent, &control);
    for n_features in [2, 4] {
        let failed = session.run(&laws::small_dataset(5, 2), &Moments { n_features });
        let text = format!("block 0: expected {n_features} features, found 3");
        assert_eq!(failed.map(|_| ()).expect_err("3 columns").to_string(), text);
    }
}

/// Regression: of +0.0 and -0.0 the one that came last was the least.
#[test]
fn zeros_of_both_signs_are_ordered() {
    for values in [[0.0, -0.0], [-0.0, 0.0]] {
        check(&values, [0.0, 0.0, -0.0, 0.0, 0.0]);
    }
}

/// Some values near each other, some far apart, some special.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => -1e3..1e3,
        2 => prop::num::f64::NORMAL,
        1 => prop::sample::select(vec![0.0, -0.0, 1e308, -1e308, 5e-324, f64::INFINITY]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    #[test]
    fn the_same_bits_whatever_the_blocks_and_threads(
        values in prop::collection::vec(value(), 1..60), cut in 1_usize..61, other in 1_usize..61,
    ) {
        let first = all(&column(&values, cut), &Inline::new(0)).unwrap();
        let threads = Threads::new(3).unwrap().memory_budget(100);
        let second = all(&column(&values, other), &threads).unwrap();
        let mut reversed = values;
        reversed.reverse();
        let third = all(&column(&reversed, cut), &Inline::new(0)).unwrap();
        prop_assert_eq!(first.map(f64::to_bits), second.map(f64::to_bits));
        prop_assert_eq!(first.map(f64::to_bits), third.map(f64::to_bits));
    }

    #[test]
    fn close_to_the_naive_values(
        values in prop::collection::vec(-1e3..1e3_f64, 1..60), cut in 1_usize..61,
    ) {
        let n = values.len() as f64;
        let sum: f64 = values.iter().sum();
        let mean = sum / n;
        let var = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / n;
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let found = all(&column(&values, cut), &Inline::new(0)).unwrap();
        for (found, naive) in found.iter().zip([sum, mean, least, greatest, var]) {
            prop_assert!((found - naive).abs() <= 1e-9 * (1.0 + naive.abs()), "{} {}", found, naive);
        }
    }
}
