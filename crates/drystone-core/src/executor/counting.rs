//! Counting the rows of blocks, in any order or place, as if one after the other.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::dataset::ChunkedDataset;
use crate::error::Result;
use crate::place::catch_panic;

/// The rows of one block, counted here.
pub(super) fn count_block(data: &ChunkedDataset, block_idx: usize) -> Result<u64> {
    let count = catch_panic(|| data.count_rows(block_idx));
    count.map_err(|error| error.in_block(block_idx as u64))
}

/// The first block that could not be counted. Those after it are not counted any more, those
/// before it are: so its error is the one that counting in order would end with.
pub(super) struct FirstFailed(AtomicUsize);

impl FirstFailed {
    pub fn new() -> Self {
        Self(AtomicUsize::new(usize::MAX))
    }

    /// Counts a block; any number for one after a block that failed, since the error of that
    /// comes before it.
    pub fn count(&self, block_idx: usize, count: impl FnOnce() -> Result<u64>) -> Result<u64> {
        if block_idx > self.0.load(Ordering::Acquire) {
            return Ok(0);
        }
        count().inspect_err(|_| {
            self.0.fetch_min(block_idx, Ordering::AcqRel);
        })
    }
}
