//! Rows for empty clusters.

use std::sync::atomic::{AtomicUsize, Ordering};

use drystone_core::{Block, ChunkedDataset, Dtype, Layout, Threads};
use drystone_estimators::{Init, KMeans};
use ndarray::array;

#[test]
fn a_source_that_changes_while_clusters_are_filled_is_no_panic() {
    let calls = AtomicUsize::new(0);
    // Scan, first assignment, search for far rows: there, rows of the empty cluster.
    let data = ChunkedDataset::from_blocks(Layout::new(Dtype::F64, 1, 6, 6), move |_| {
        Ok(Block::new(match calls.fetch_add(1, Ordering::SeqCst) {
            2 => array![[0.0], [99.0], [99.5], [98.0], [50.0], [100.0]],
            _ => array![[0.0], [1.0], [2.0], [3.0], [50.0], [100.0]],
        }))
    });
    let threads = Threads::new(1).unwrap().memory_budget(0);
    let init = Init::centroids(array![[0.0], [50.0], [100.0], [97.0]]);
    let result = KMeans::params(4).init(init).on(&threads).fit(&data);
    assert!(result.is_ok_and(|model| model.inertia().is_finite()));
}
