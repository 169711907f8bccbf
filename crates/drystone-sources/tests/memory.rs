//! Arrays in memory: any cut gives the same rows, and nothing is copied.

use drystone_core::{Block, ChunkedDataset, Registry, Targets, laws};
use drystone_sources::memory::Memory;
use ndarray::{Array2, array};

fn points() -> Array2<f64> {
    Array2::from_shape_fn((10, 3), |(row, column)| (row * 3 + column) as f64)
}

fn values(data: &ChunkedDataset) -> Vec<f64> {
    let blocks = (0..data.n_blocks()).map(|idx| data.read(idx).unwrap());
    blocks.flat_map(|block: Block| block.records.to_f64()).collect()
}

#[test]
fn any_block_rows_give_the_same_rows() {
    for block_rows in [1, 2, 3, 9, 10, 11, usize::MAX] {
        let data = Memory::new(points())
            .targets(Targets::I64((0..10).collect::<Vec<i64>>().into()))
            .weights(vec![1.0; 10])
            .block_rows(block_rows)
            .dataset()
            .unwrap();
        laws::check_source(&data, &Registry::new());
        assert_eq!(data.n_blocks(), 10_usize.div_ceil(block_rows));
        assert_eq!(values(&data), points().into_raw_vec_and_offset().0);
        assert!(data.in_memory() && data.describe().is_none());
    }
}

#[test]
fn a_row_major_array_is_not_copied() {
    let array = points();
    let address = array.as_ptr();
    let data = Memory::new(array).block_rows(4).dataset().unwrap();
    let block = data.read(0).unwrap();
    assert_eq!(block.records.as_rows::<f64>().unwrap().values().as_ptr(), address);
}

#[test]
fn a_column_major_array_has_its_rows() {
    let data = Memory::new(points().reversed_axes()).dataset().unwrap();
    assert_eq!(data.n_features(), 10);
    assert_eq!(values(&data)[..3], [0.0, 3.0, 6.0]);
}

#[test]
fn no_rows_are_a_dataset() {
    let data = Memory::new(Array2::<f32>::zeros((0, 3))).dataset().unwrap();
    assert_eq!((data.n_samples(), data.n_features()), (Some(0), 3));
}

#[test]
fn errors() {
    let three = || Memory::new(array![[1.0_f32], [2.0], [3.0]]);
    let check = |memory: Memory, message: &str| {
        assert_eq!(memory.dataset().unwrap_err().to_string(), message);
    };
    check(three().block_rows(0), "parameter `block_rows` must be at least 1, found 0");
    check(three().weights(vec![1.0; 2]), "block 0: expected 3 weights, found 2");
    check(
        three().targets(Targets::F64(vec![0.5; 4].into())),
        "block 0: expected 3 targets, found 4",
    );
}
