//! What blocks come from.

use serde::{Deserialize, Serialize};

use crate::block::Block;
use crate::error::Result;
use crate::layout::Layout;

/// Makes or reads the blocks of a dataset, where and when they are needed.
///
/// [`laws::check_source`](crate::laws::check_source) tests an implementation.
pub trait BlockSource: Send + Sync + 'static {
    /// What is known before anything is read. The same each time.
    fn layout(&self) -> &Layout;

    /// One block. Pure: reading twice gives the same bytes, in any order and from any
    /// thread. Called with `block_idx < layout().n_blocks()`.
    ///
    /// # Errors
    /// Whatever goes wrong; the caller adds the block to the error's location.
    fn read(&self, block_idx: usize) -> Result<Block>;

    /// Number of rows of a block. Sources of unknown row counts override this when
    /// counting is cheaper than reading.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    fn count_rows(&self, block_idx: usize) -> Result<u64> {
        match self.layout().rows.rows_of(block_idx) {
            Some(rows) => Ok(rows.end - rows.start),
            None => Ok(self.read(block_idx)?.n_samples() as u64),
        }
    }

    /// What another process needs to make the same blocks; `None` if only this one can.
    fn describe(&self) -> Option<Description> {
        None
    }

    /// Whether blocks are already in memory, so that caching them would store them twice.
    fn in_memory(&self) -> bool {
        false
    }
}

/// A source in words that travel: a registered kind, and bytes that only it understands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Name and version, as in `generate.blobs/1`.
    pub kind: String,
    /// Its parameters, written by [`wire::encode`](crate::wire::encode).
    #[serde(with = "crate::wire::bytes")]
    pub body: Vec<u8>,
}
