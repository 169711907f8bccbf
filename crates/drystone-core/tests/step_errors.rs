//! Steps that cannot be taken are errors when something is read, not before.

use std::sync::Arc;

use drystone_core::layout::{BlockRows, Dtype, Layout};
use drystone_core::{Block, ChunkedDataset, ErrorKind, TargetKind, laws};
use ndarray::array;

fn unknown() -> ChunkedDataset {
    let layout = Layout::with_rows(Dtype::F64, 1, BlockRows::Unknown { n_blocks: 2 });
    ChunkedDataset::from_blocks(layout, |_| Ok(Block::new(array![[1.0], [2.0]])))
}

fn check(data: &ChunkedDataset, expected: &str) {
    let error = data.read(0).expect_err("the step cannot be taken");
    assert_eq!(error.to_string(), expected);
    let error = data.sum().compute().expect_err("the step cannot be taken");
    assert_eq!(error.to_string(), expected, "when computed");
}

#[test]
#[expect(clippy::reversed_empty_ranges)]
fn the_error_waits_until_a_block_is_read() {
    let data = laws::small_dataset(10, 4);
    let rows = "block 0: parameter `rows` must be an ascending range";
    check(&data.slice(5..11), &format!("{rows} within 0..10, found 5..11"));
    check(
        &data.slice(u64::MAX - 1..u64::MAX),
        &format!("{rows} within 0..10, found 18446744073709551614..18446744073709551615"),
    );
    check(&data.slice(6..5), &format!("{rows} within 0..10, found 6..5"));
    check(&unknown().slice(6..5), &format!("{rows}, found 6..5"));
    check(&data.rechunk(0), "block 0: parameter `block_rows` must be at least 1, found 0");
    check(
        &unknown().rechunk(5),
        "block 0: parameter `rechunk` must be used on known row counts; call scan() first, \
         found unknown row counts",
    );
    check(&data.slice(5..11).map(Ok).slice(0..1), &format!("{rows} within 0..10, found 5..11"));
}

#[test]
fn a_block_past_the_last_is_an_error() {
    let data = laws::small_dataset(10, 4);
    let expected = "parameter `block_idx` must be below 3, found 3";
    assert_eq!(data.read(3).expect_err("no block 3").to_string(), expected);
    assert_eq!(data.count_rows(3).expect_err("no block 3").to_string(), expected);
    let empty = data.slice(4..4);
    assert_eq!((empty.n_samples(), empty.n_blocks()), (Some(0), 0));
}

#[test]
fn datasets_of_different_columns_do_not_concatenate() {
    let data = laws::small_dataset(10, 4);
    let other = data.map_to(Layout::new(Dtype::F64, 3, 0, 1).targets(TargetKind::I64), Ok);
    let error = ChunkedDataset::concat(&[data.clone(), other]).expect_err("other targets");
    assert_eq!(
        error.to_string(),
        "expected the columns of (10, 3) f64, 3 blocks of up to 4 rows, 240 B, found (10, 3) f64, \
         3 blocks of up to 4 rows, 320 B, targets i64 in dataset 1"
    );
    let error = ChunkedDataset::concat(&[]).expect_err("nothing");
    assert_eq!(error.to_string(), "there is nothing to concatenate");
    let error = ChunkedDataset::from_resident(Vec::new()).expect_err("nothing");
    assert_eq!(error.to_string(), "there are no blocks");
}

#[test]
fn blocks_in_memory_are_of_one_kind() {
    let blocks = vec![Block::new(array![[1.0, 2.0]]), Block::new(array![[1.0]])];
    let error = ChunkedDataset::from_resident(blocks).expect_err("other features");
    assert_eq!(error.to_string(), "block 1: expected 2 features, found 1");
    let blocks = vec![Block::new(array![[1.0]]), Block::new(array![[1.0_f32]])];
    let error = ChunkedDataset::from_resident(blocks).expect_err("another type");
    assert_eq!(error.to_string(), "block 1: expected f64 data, found f32");
}

#[test]
fn what_does_not_fit_in_memory_is_not_persisted() {
    let layout = Layout::new(Dtype::F64, 1_000_000, 1_000_000_000_000, 1_000_000);
    let data = ChunkedDataset::from_blocks(layout, |_| panic!("nothing is to be read"));
    let error = data.persist().expect_err("an exabyte");
    assert!(
        matches!(error.kind(), ErrorKind::Limit { found: 8_000_000_000_000_000_000, .. }),
        "{error}"
    );
}

#[test]
fn names_of_features_do_not_stand_in_the_way_of_concat() {
    let names: Arc<[String]> = ["a", "b", "c"].map(str::to_owned).into();
    let data = laws::small_dataset(4, 4);
    let mut layout = data.layout().clone();
    layout.feature_names = Some(Arc::clone(&names));
    let named = data.map_to(layout, Ok);
    let both = ChunkedDataset::concat(&[named, data]).expect("the same columns");
    assert_eq!(both.layout().feature_names, Some(names));
}

#[test]
fn very_many_steps_are_an_error_and_not_the_end_of_the_stack() {
    let chain = |n| (0..n).fold(laws::small_dataset(10, 4), |data, _| data.slice(0..10));
    assert!(chain(200).read(2).is_ok());
    let text = "block 0: the number of steps on a dataset (persist() starts anew) is 257, over the \
                limit of 256";
    check(&chain(257), text);
    let error = chain(5000).sum().compute().expect_err("too many steps");
    assert!(matches!(error.kind(), ErrorKind::Limit { .. }), "{error}");
    let many = vec![chain(256); 2];
    assert!(ChunkedDataset::concat(&many).is_err());
}
