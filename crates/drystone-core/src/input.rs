//! What estimators accept besides chunked datasets.

use linfa::DatasetBase;
use ndarray::{ArrayBase, Data, Ix2};

use crate::block::{Block, RecordElement, Rows};
use crate::dataset::ChunkedDataset;
use crate::error::Result;

/// Rows of the blocks that an array in memory is cut into, without copying: enough
/// blocks to share among threads.
pub const ARRAY_BLOCK_ROWS: usize = 65_536;

/// Something that can be seen as a chunked dataset: one itself (at no cost), an ndarray
/// array or a linfa dataset (its records and weights are copied once).
pub trait ToChunked {
    /// The chunked dataset.
    ///
    /// # Errors
    /// When the parts do not fit together.
    fn to_chunked(&self) -> Result<ChunkedDataset>;
}

impl ToChunked for ChunkedDataset {
    fn to_chunked(&self) -> Result<ChunkedDataset> {
        Ok(self.clone())
    }
}

impl<T: RecordElement, D: Data<Elem = T>> ToChunked for ArrayBase<D, Ix2> {
    fn to_chunked(&self) -> Result<ChunkedDataset> {
        cut(Block::new(T::into_records(Rows::from_view(self))), ARRAY_BLOCK_ROWS)
    }
}

impl<T: RecordElement, D: Data<Elem = T>, Y> ToChunked for DatasetBase<ArrayBase<D, Ix2>, Y> {
    fn to_chunked(&self) -> Result<ChunkedDataset> {
        let block = Block::new(T::into_records(Rows::from_view(self.records())));
        let block = match self.weights() {
            Some(weights) => {
                block.with_weights(weights.iter().map(|&w| f64::from(w)).collect::<Vec<f64>>())
            }
            None => block,
        };
        cut(block, ARRAY_BLOCK_ROWS)
    }
}

/// A block that is in memory as a dataset of blocks of `block_rows`, without copying.
///
/// # Errors
/// When targets or weights are not one a row, or `block_rows` is 0.
pub fn cut(block: Block, block_rows: usize) -> Result<ChunkedDataset> {
    if block_rows == 0 {
        return Err(crate::Error::parameter("block_rows", "at least 1", block_rows));
    }
    let n_samples = block.n_samples();
    let whole = ChunkedDataset::from_resident(vec![block.clone()])?;
    if n_samples <= block_rows {
        return Ok(whole);
    }
    let firsts = (0..n_samples).step_by(block_rows);
    let blocks = firsts.map(|first| block.slice(first..n_samples.min(first + block_rows)));
    ChunkedDataset::from_resident(blocks.collect())
}
