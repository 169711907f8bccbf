//! Datasets too large to list or to allocate for stay lazy, or are typed errors.

use drystone_core::{Block, BlockRows, ChunkedDataset, Dtype, ErrorKind, Layout};
use ndarray::Array2;

/// Blocks of two rows, in each the number of the block.
fn pairs(n_samples: u64) -> ChunkedDataset {
    ChunkedDataset::from_blocks(Layout::new(Dtype::F64, 1, n_samples, 2), |block_idx| {
        Ok(Block::new(Array2::from_elem((2, 1), block_idx as f64)))
    })
}

#[test]
fn slices_of_more_blocks_than_can_be_listed_are_lazy() {
    let huge = pairs(1 << 53);
    assert_eq!(huge.slice(0..3).sum().compute().unwrap()[0], 1.0);
    let far = 1_u64 << 52;
    let wanted = 3.0 * (far / 2) as f64 + 2.0;
    assert_eq!(huge.slice(far + 1..far + 4).sum().compute().unwrap()[0], wanted);
    let half = huge.slice(far..1 << 53);
    assert_eq!(half.n_samples(), Some(far));
    assert_eq!(half.read(1).unwrap().records.to_f64(), [(far / 2 + 1) as f64; 2]);
    assert_eq!(half.slice(0..0).n_samples(), Some(0));
    let error = huge.slice(1..1 << 53).read(0).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Limit { .. }), "{error}");
}

#[test]
fn slices_list_the_blocks_that_hold_wanted_rows() {
    let rows = |offsets: &[u64]| {
        let layout = Layout::with_rows(Dtype::F64, 1, BlockRows::Offsets(offsets.into()));
        ChunkedDataset::from_blocks(layout, |_| Ok(Block::new(Array2::<f64>::zeros((0, 1)))))
    };
    let data = rows(&[0, 0, 3, 3, 5, 5]);
    for (wanted, counts) in
        [(0..5, &[3, 0, 2][..]), (0..3, &[3]), (3..5, &[2]), (2..4, &[1, 0, 1]), (1..1, &[])]
    {
        let sliced = data.slice(wanted.clone());
        assert_eq!(sliced.layout().rows, BlockRows::from_counts(counts), "{wanted:?}");
    }
}

#[test]
fn too_many_blocks_to_list_are_not_joined() {
    let error = ChunkedDataset::concat(&[pairs(1 << 53), pairs(4)]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Limit { .. }), "{error}");
}

#[test]
fn more_columns_than_memory_has_room_for_are_refused() {
    for n_features in [1 << 25, 1 << 36, 1 << 60, usize::MAX] {
        let layout = Layout::new(Dtype::F64, n_features, 0, 1);
        let none = ChunkedDataset::from_blocks(layout, |_| unreachable!("there are no blocks"));
        let error = none.sum().compute().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Limit { .. }), "{error}");
        assert!(!none.to_string().is_empty());
    }
}
