//! Lazy arrays over the rows of a dataset, and datasets over arrays.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use drystone_core::input::{self, ToChunked};
use drystone_core::{Block, ChunkedArray, ChunkedDataset, Error, Result, laws};
use linfa::DatasetBase;
use ndarray::{Array1, Array2, Ix1, array};

/// Twice the first column of ten rows in blocks of four, and how often it was computed.
fn doubled() -> (ChunkedArray<f64, Ix1>, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let array = ChunkedArray::new(&laws::small_dataset(10, 4), move |block: &Block| {
        count.fetch_add(1, SeqCst);
        Ok(block.records.as_rows::<f64>()?.view().column(0).mapv(|value| value * 2.0))
    });
    (array, calls)
}

#[test]
fn only_the_blocks_of_the_wanted_rows_are_computed() -> Result<()> {
    let (array, calls) = doubled();
    assert_eq!((array.n_samples(), array.n_blocks()), (Some(10), 3));
    assert_eq!(array.slice(5..8).compute()?, array![10.0, 12.0, 14.0]);
    assert_eq!(calls.load(SeqCst), 1);
    assert_eq!(array.read(2)?, array![16.0, 18.0]);
    let expected: Array1<f64> = (0..10).map(|row| 2.0 * f64::from(row)).collect();
    assert_eq!(array.compute()?, expected);
    assert_eq!(array.slice(3..3).compute()?, array![]);
    Ok(())
}

#[test]
fn blocks_are_handed_over_in_order() -> Result<()> {
    let (array, _) = doubled();
    let mut all = Vec::new();
    array.for_each_block(|values| {
        all.extend(values);
        Ok(())
    })?;
    assert_eq!(Array1::from(all), array.compute()?);
    let stopped = array.for_each_block(|_| Err(Error::external("enough")));
    assert_eq!(stopped.expect_err("of f").to_string(), "the user's code failed: enough");
    Ok(())
}

#[test]
fn errors_say_which_block() {
    let data = laws::small_dataset(10, 4);
    let check = |array: ChunkedArray<f64, Ix1>, expected: &str| {
        assert_eq!(array.compute().expect_err("it fails").to_string(), expected);
    };
    let few = |block: &Block| Ok(Array1::zeros(block.n_samples().min(3)));
    check(ChunkedArray::new(&data.slice(4..8), few), "block 0: expected 4 rows, found 3");
    let (array, _) = doubled();
    let text = "block 0: parameter `rows` must be an ascending range within 0..10, found 5..11";
    check(array.slice(5..11), text);
}

fn values(data: &ChunkedDataset) -> Vec<f64> {
    (0..data.n_blocks()).flat_map(|idx| data.read(idx).expect("a block").records.to_f64()).collect()
}

#[test]
fn arrays_and_linfa_datasets_are_chunked() -> Result<()> {
    let array = Array2::from_shape_fn((6, 2), |(row, column)| (row * 2 + column) as f64);
    let expected: Vec<f64> = (0..12).map(f64::from).collect();
    assert_eq!(values(&array.to_chunked()?), expected);
    assert_eq!(values(&array.view().to_chunked()?), expected);
    assert_eq!(values(&array.to_chunked()?.to_chunked()?), expected);
    let plain = DatasetBase::from(array.clone());
    assert_eq!(values(&plain.to_chunked()?), expected);
    assert!(!plain.to_chunked()?.layout().weighted);
    let weighted = plain.with_weights(array![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let block = weighted.to_chunked()?.read(0)?;
    assert_eq!(block.weights.expect("weights")[..], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    Ok(())
}

#[test]
fn cutting_shares_the_memory() -> Result<()> {
    let block = Block::new(Array2::<f32>::zeros((10, 2)));
    let first = block.records.as_rows::<f32>()?.values().as_ptr();
    let data = input::cut(block.clone(), 4)?;
    assert_eq!(data.to_string(), "ChunkedDataset (10, 2) f32, 3 blocks of up to 4 rows, 80 B");
    let cut = data.read(1)?;
    assert_eq!(cut.records.as_rows::<f32>()?.values().as_ptr(), first.wrapping_add(8));
    let error = input::cut(block, 0).expect_err("no rows a block");
    assert_eq!(error.to_string(), "parameter `block_rows` must be at least 1, found 0");
    Ok(())
}
