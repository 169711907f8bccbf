//! Blocks: rows from any array, slices that share memory, and the check against a layout.

use drystone_core::layout::{Dtype, Layout, TargetKind};
use drystone_core::{Block, Records, Rows, Targets};
use ndarray::{Array2, array, s};

fn numbers() -> Array2<f64> {
    Array2::from_shape_fn((4, 3), |(row, column)| (10 * row + column) as f64)
}

fn check_rows(array: Array2<f64>) {
    let (from_view, from_array) = (Rows::from_view(&array), Rows::from_array(array.clone()));
    assert_eq!(from_array.view(), array.view());
    assert_eq!(from_array, from_view);
    assert_eq!((from_array.n_samples(), from_array.n_features()), array.dim());
}

#[test]
fn rows_of_arrays_in_any_order_of_memory() {
    check_rows(numbers());
    check_rows(numbers().reversed_axes());
    check_rows(numbers().slice_move(s![1..3, ..]));
    check_rows(numbers().slice_move(s![2.., ..]));
    check_rows(numbers().slice_move(s![..;-1, ..]));
    check_rows(numbers().slice_move(s![..;2, ..]));
    check_rows(numbers().slice_move(s![.., 1..]));
    check_rows(numbers().slice_move(s![1..2, 1..2]));
    check_rows(numbers().slice_move(s![4.., ..]));
    check_rows(Array2::zeros((0, 3)));
    let numbers = numbers();
    let view = numbers.slice(s![1..;2, ..;-1]);
    assert_eq!(Rows::from_view(&view).view(), view);
}

#[test]
fn an_array_in_row_order_is_not_copied() {
    let array = numbers();
    let address = array.as_ptr();
    let rows = Rows::from_array(array);
    assert_eq!(rows.values().as_ptr(), address);
    let block = Block::new(Records::F64(rows));
    let slice = block.slice(1..3).slice(1..2);
    let values = slice.records.as_rows::<f64>().expect("f64").values();
    assert_eq!(values, [20.0, 21.0, 22.0]);
    assert_eq!(values.as_ptr(), address.wrapping_add(6));
}

#[test]
fn values_fill_whole_rows() {
    let error = |values: usize, n_features| {
        Rows::new(vec![0.0; values], n_features).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(error(6, 3), Ok(()));
    assert_eq!(error(0, 3), Ok(()));
    assert_eq!(error(0, 0), Ok(()));
    assert_eq!(error(7, 3), Err("expected 9 values, found 7".into()));
    assert_eq!(error(1, 0), Err("expected 0 values, found 1".into()));
    assert_eq!(Rows::<f64>::new(vec![], 0).expect("nothing").n_samples(), 0);
}

#[test]
fn element_types_are_not_converted_silently() {
    let records = Records::from(array![[1.0_f32]]);
    assert!(records.as_rows::<f32>().is_ok());
    let error = records.as_rows::<f64>().expect_err("it is f32");
    assert_eq!(error.to_string(), "expected f64 data, found f32");
    assert_eq!(records.to_f64(), [1.0]);
}

#[test]
fn names_become_a_sorted_dictionary() {
    let check = |given: &[&str], expected_codes: &[u32], expected_names: &[&str]| {
        let Targets::Categories { codes, names } = Targets::categories(given) else {
            panic!("not categories");
        };
        assert_eq!(
            (&codes[..], &names[..]),
            (
                expected_codes,
                &expected_names.iter().map(|name| name.to_string()).collect::<Vec<_>>()[..]
            )
        );
    };
    check(&["b", "a", "b", "c", "a"], &[1, 0, 1, 2, 0], &["a", "b", "c"]);
    check(&["é", "z", "", "Z"], &[3, 2, 0, 1], &["", "Z", "z", "é"]);
    check(&[], &[], &[]);
}

fn categories(codes: &[u32], names: &[&str]) -> Targets {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    Targets::Categories { codes: codes.to_vec().into(), names }
}

#[test]
fn blocks_are_checked_against_their_layout() {
    let plain = Layout::new(Dtype::F64, 3, 4, 4);
    let check = |block: Block, layout: &Layout, n_samples, expected: Result<(), &str>| {
        let found = block.check(layout, n_samples).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned));
    };
    let block = || Block::new(numbers());
    let weights = |n| vec![1.0; n];
    check(block(), &plain, None, Ok(()));
    check(block(), &plain, Some(4), Ok(()));
    check(block(), &plain, Some(5), Err("expected 5 rows, found 4"));
    let other = Layout::new(Dtype::F64, 2, 4, 4);
    check(block(), &other, None, Err("expected 2 features, found 3"));
    let other = Layout::new(Dtype::F32, 3, 4, 4);
    check(block(), &other, None, Err("expected f32 data, found f64"));
    let weighted = plain.clone().weighted();
    check(block(), &weighted, None, Err("expected weights, found no weights"));
    check(block().with_weights(weights(4)), &weighted, None, Ok(()));
    check(
        block().with_weights(weights(4)),
        &plain,
        None,
        Err("expected no weights, found weights"),
    );
    check(block().with_weights(weights(3)), &weighted, None, Err("expected 4 weights, found 3"));
    let real = plain.clone().targets(TargetKind::F64);
    check(block(), &real, None, Err("expected targets f64, found no targets"));
    let targets = |n| Targets::I64(vec![0; n].into());
    check(
        block().with_targets(targets(4)),
        &plain,
        None,
        Err("expected no targets, found targets i64"),
    );
    check(
        block().with_targets(targets(4)),
        &real,
        None,
        Err("expected targets f64, found targets i64"),
    );
    let whole = plain.clone().targets(TargetKind::I64);
    check(block().with_targets(targets(4)), &whole, None, Ok(()));
    check(block().with_targets(targets(5)), &whole, None, Err("expected 4 targets, found 5"));
}

#[test]
fn categories_are_codes_of_a_sorted_dictionary() {
    let layout = Layout::new(Dtype::F64, 3, 4, 4).targets(TargetKind::Categories);
    let check = |codes: &[u32], names: &[&str], expected: Result<(), &str>| {
        let block = Block::new(numbers()).with_targets(categories(codes, names));
        let found = block.check(&layout, None).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned));
    };
    check(&[0, 1, 0, 1], &["a", "b", "unused"], Ok(()));
    check(&[0, 1, 0, 2], &["a", "b"], Err("expected category codes below 2, found 2"));
    check(&[0, 0, 0, 0], &[], Err("expected category codes below 0, found 0"));
    let unsorted = "expected category names in ascending order, found others";
    check(&[0, 1, 0, 1], &["b", "a"], Err(unsorted));
    check(&[0, 1, 0, 1], &["a", "a"], Err(unsorted));
}

#[test]
fn bytes_of_a_block() {
    let block = Block::new(numbers());
    assert_eq!(block.bytes(), 96);
    let block = block.with_weights(vec![1.0; 4]).with_targets(Targets::categories(&["a"; 4]));
    assert_eq!(block.bytes(), 96 + 32 + 16);
    assert_eq!(block.slice(1..2).bytes(), 36);
}

#[test]
#[should_panic(expected = "range outside of the run")]
fn a_slice_past_the_end_panics() {
    let _ = Block::new(numbers()).slice(2..5);
}
