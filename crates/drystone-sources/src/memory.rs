//! Arrays in memory as chunked datasets, without copying them.
//!
//! The one source without a description: memory cannot be sent to another process, so a
//! cluster refuses such a dataset at planning time.

use drystone_core::input::{ARRAY_BLOCK_ROWS, cut};
use drystone_core::{Block, ChunkedDataset, Records, Result, Targets};

/// An array, with its targets and weights, to be cut into blocks that share its memory.
///
/// ```
/// use drystone_core::Targets;
/// use drystone_sources::memory::Memory;
/// use ndarray::array;
///
/// let data = Memory::new(array![[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
///     .targets(Targets::I64(vec![0, 1, 1].into()))
///     .block_rows(2)
///     .dataset()?;
/// assert_eq!(data.to_string(), "ChunkedDataset (3, 2) f64, 2 blocks of up to 2 rows, 72 B, targets i64");
/// # Ok::<(), drystone_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing before `dataset` is called"]
pub struct Memory {
    block: Block,
    block_rows: usize,
}

impl Memory {
    /// Starts from records `(n_samples, n_features)`: an `Array2` of `f32` or `f64`, or
    /// [`Records`].
    ///
    /// # Performance
    /// An array that owns its memory in row-major order is not copied; any other is, once.
    pub fn new(records: impl Into<Records>) -> Self {
        Self { block: Block::new(records), block_rows: ARRAY_BLOCK_ROWS }
    }

    /// One target for each row.
    pub fn targets(mut self, targets: Targets) -> Self {
        self.block.targets = Some(targets);
        self
    }

    /// One weight for each row.
    pub fn weights(mut self, weights: Vec<f64>) -> Self {
        self.block.weights = Some(weights.into());
        self
    }

    /// Rows of a block; [`ARRAY_BLOCK_ROWS`] if not called. Results do not depend on it.
    pub fn block_rows(mut self, block_rows: usize) -> Self {
        self.block_rows = block_rows;
        self
    }

    /// The chunked dataset.
    ///
    /// # Errors
    /// [`ErrorKind::Shape`](drystone_core::ErrorKind::Shape) when targets or weights are not
    /// one a row; [`ErrorKind::Parameter`](drystone_core::ErrorKind::Parameter) when
    /// `block_rows` is 0.
    pub fn dataset(self) -> Result<ChunkedDataset> {
        cut(self.block, self.block_rows)
    }
}
