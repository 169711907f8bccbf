//! Values that a model gives for the rows of a chunked dataset, lazily.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array, Axis, Dimension, RemoveAxis};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::block::{Block, BlockAt};
use crate::dataset::ChunkedDataset;
use crate::error::{Error, Result};

/// What is computed for the rows of one block.
type Compute<T, D> = dyn Fn(&Block) -> Result<Array<T, D>> + Send + Sync;

/// An array over the rows of a chunked dataset, computed block by block when asked.
///
/// The first axis is `n_samples`. [`slice`](Self::slice) first, and only the blocks that
/// hold the wanted rows are read.
#[must_use = "a chunked array is lazy: call compute() or for_each_block()"]
pub struct ChunkedArray<T, D: Dimension> {
    data: ChunkedDataset,
    compute: Arc<Compute<T, D>>,
}

impl<T, D: Dimension> Clone for ChunkedArray<T, D> {
    fn clone(&self) -> Self {
        Self { data: self.data.clone(), compute: Arc::clone(&self.compute) }
    }
}

impl<T: Clone + Send + Sync, D: RemoveAxis> ChunkedArray<T, D> {
    /// The array that `compute` gives for each block; it must give a row for each row. A row
    /// that its errors name is counted from the first of the block.
    pub fn new(
        data: &ChunkedDataset,
        compute: impl Fn(&Block) -> Result<Array<T, D>> + Send + Sync + 'static,
    ) -> Self {
        Self { data: data.clone(), compute: Arc::new(compute) }
    }

    /// Number of rows, if known without reading anything.
    #[must_use]
    pub fn n_samples(&self) -> Option<u64> {
        self.data.n_samples()
    }

    /// Number of blocks.
    #[must_use]
    pub fn n_blocks(&self) -> usize {
        self.data.n_blocks()
    }

    /// Some of the rows; a range past the end is an error when it is computed.
    pub fn slice(&self, rows: Range<u64>) -> Self {
        Self { data: self.data.slice(rows), compute: Arc::clone(&self.compute) }
    }

    /// The values for a block that is in hand.
    ///
    /// # Errors
    /// The model's.
    pub fn of_block(&self, block: &Block) -> Result<Array<T, D>> {
        (self.compute)(block)
    }

    /// The values for one block.
    ///
    /// # Errors
    /// The source's and the model's, with the block.
    pub fn read(&self, block_idx: usize) -> Result<Array<T, D>> {
        let block = self.data.read(block_idx)?;
        let values = (self.compute)(&block);
        let first_row = self.data.layout().rows.rows_of(block_idx).map_or(0, |rows| rows.start);
        let at = BlockAt { block, block_idx, first_row };
        let values = values.map_err(|error| at.locate(error.moved_down(first_row), None))?;
        let (expected, found) = (at.block.n_samples() as u64, values.len_of(Axis(0)) as u64);
        if expected == found {
            Ok(values)
        } else {
            Err(at.locate(Error::shape("rows", expected, found), None))
        }
    }

    /// All values, in memory, on all cores.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn compute(&self) -> Result<Array<T, D>> {
        let blocks = (0..self.n_blocks()).into_par_iter().map(|block_idx| self.read(block_idx));
        let blocks = blocks.collect::<Result<Vec<_>>>()?;
        let views: Vec<_> = blocks.iter().map(Array::view).collect();
        if views.is_empty() {
            return Ok(Array::from_shape_vec(D::zeros(D::NDIM.unwrap_or(1)), Vec::new())
                .unwrap_or_else(|_| unreachable!("no values fill a shape of zeros")));
        }
        ndarray::concatenate(Axis(0), &views).map_err(Error::external)
    }

    /// Hands over the values block by block, in order; only as many blocks as there are
    /// cores are in memory at once.
    ///
    /// # Errors
    /// As for [`read`](Self::read), and those of `f`.
    pub fn for_each_block(&self, mut f: impl FnMut(Array<T, D>) -> Result<()>) -> Result<()> {
        let at_once = rayon::current_num_threads();
        for first in (0..self.n_blocks()).step_by(at_once) {
            let last = self.n_blocks().min(first + at_once);
            let blocks = (first..last).into_par_iter().map(|block_idx| self.read(block_idx));
            blocks.collect::<Result<Vec<_>>>()?.into_iter().try_for_each(&mut f)?;
        }
        Ok(())
    }
}
