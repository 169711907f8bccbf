//! Values that a model gives for the rows of a chunked dataset, lazily.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array, Axis, Dimension, RemoveAxis};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::block::{Block, BlockAt};
use crate::collect::{self, ByRow};
use crate::control::Control;
use crate::dataset::ChunkedDataset;
use crate::error::{Error, Result};
use crate::executor::Executor;
use crate::observe::Silent;
use crate::session::Session;
use crate::wire::raw::Raw;

mod local;

/// What is computed for the rows of one block.
type Compute<T, D> = dyn Fn(&Block) -> Result<Array<T, D>> + Send + Sync;
/// All of it, by a session's executor; row counts are known.
type Collect<T, D> = dyn Fn(&Session<'_>, &ChunkedDataset) -> Result<Array<T, D>> + Send + Sync;

/// An array over the rows of a chunked dataset, computed block by block when asked.
///
/// The first axis is `n_samples`. [`slice`](Self::slice) first, and only the blocks that
/// hold the wanted rows are read.
#[must_use = "a chunked array is lazy: call compute(), compute_on() or for_each_block()"]
pub struct ChunkedArray<T, D: Dimension> {
    data: ChunkedDataset,
    compute: Arc<Compute<T, D>>,
    collect: Arc<Collect<T, D>>,
}

impl<T, D: Dimension> Clone for ChunkedArray<T, D> {
    fn clone(&self) -> Self {
        let (compute, collect) = (Arc::clone(&self.compute), Arc::clone(&self.collect));
        Self { data: self.data.clone(), compute, collect }
    }
}

impl<T: Clone + Send + Sync + 'static, D: RemoveAxis + 'static> ChunkedArray<T, D> {
    /// The array that `compute` gives for each block; it must give a row for each row. A row
    /// that its errors name is counted from the first of the block.
    ///
    /// A closure stays in this process; [`by_row`](Self::by_row) is for what can travel.
    pub fn new(
        data: &ChunkedDataset,
        compute: impl Fn(&Block) -> Result<Array<T, D>> + Send + Sync + 'static,
    ) -> Self {
        let compute: Arc<Compute<T, D>> = Arc::new(compute);
        let of_block = Arc::clone(&compute);
        let collect = move |session: &Session<'_>, data: &ChunkedDataset| {
            local::collect(session, data, &of_block)
        };
        Self { data: data.clone(), compute, collect: Arc::new(collect) }
    }

    /// The array of what `f` gives for each row: `(n_samples,)` of a value a row, otherwise
    /// `(n_samples, width)`. Other processes can compute it if they know the job
    /// [`Collect<F>`](crate::collect::Collect).
    pub fn by_row<F: ByRow<Value = T>>(data: &ChunkedDataset, f: F) -> Self
    where
        T: Raw,
    {
        let f = Arc::new(f);
        let here = Arc::clone(&f);
        let compute =
            move |block: &Block| shaped(here.of_block(block)?, block.n_samples(), here.width());
        let collect = move |session: &Session<'_>, data: &ChunkedDataset| {
            let values = collect::collect(session, data, &f)?;
            let n_samples = values.len().checked_div(f.width()).unwrap_or(0);
            shaped(values, n_samples, f.width())
        };
        Self { data: data.clone(), compute: Arc::new(compute), collect: Arc::new(collect) }
    }

    /// The array of what `f` makes of each value, in this process: what travels is what it
    /// starts from.
    pub fn try_map<U: Clone + Send + Sync + 'static>(
        &self,
        f: impl Fn(&T) -> Result<U> + Send + Sync + 'static,
    ) -> ChunkedArray<U, D> {
        let each = move |values: Array<T, D>| {
            let mapped = values.iter().map(&f).collect::<Result<Vec<U>>>()?;
            Array::from_shape_vec(values.raw_dim(), mapped).map_err(Error::external)
        };
        let (each, compute, collect) =
            (Arc::new(each), Arc::clone(&self.compute), Arc::clone(&self.collect));
        let here = Arc::clone(&each);
        ChunkedArray {
            data: self.data.clone(),
            compute: Arc::new(move |block: &Block| here(compute(block)?)),
            collect: Arc::new(move |session: &Session<'_>, data: &ChunkedDataset| {
                each(collect(session, data)?)
            }),
        }
    }
}

impl<T: Clone + Send + Sync, D: RemoveAxis> ChunkedArray<T, D> {
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
        Self { data: self.data.slice(rows), ..self.clone() }
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
            return Ok(nothing());
        }
        ndarray::concatenate(Axis(0), &views).map_err(Error::external)
    }

    /// All values, computed where the executor has the blocks, with the bits of
    /// [`compute`](Self::compute). Only the values come back.
    ///
    /// A model's predictions are computed wherever the executor is; what is made of closures,
    /// or of linfa's models, on executors of this process only.
    ///
    /// ```
    /// # use drystone_core::laws;
    /// use drystone_core::{Block, ChunkedArray, Threads};
    /// let data = laws::small_dataset(10, 4);
    /// let first = ChunkedArray::new(&data, |block: &Block| {
    ///     Ok(block.records.view::<f64>()?.column(0).to_owned())
    /// });
    /// assert_eq!(first.compute_on(&Threads::new(2)?)?, first.compute()?);
    /// # Ok::<(), drystone_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`read`](Self::read), but data of another layout than the model's are refused
    /// before a block is read; the executor's;
    /// [`NotDescribed`](crate::ErrorKind::NotDescribed) when it would have to travel and
    /// cannot; [`Limit`](crate::ErrorKind::Limit) for more than fits into one message between
    /// processes ([`MAX_FRAME`](crate::wire::MAX_FRAME)): [`slice`](Self::slice) it then.
    ///
    /// # Performance
    /// One pass, or two if row counts are unknown. Blocks that the executor has kept from a fit
    /// to the same data are not read again. Memory for twice the array.
    pub fn compute_on(&self, executor: &dyn Executor) -> Result<Array<T, D>> {
        let control = Control::default();
        self.compute_in(&Session::new(executor, &Silent, &control))
    }

    /// As [`compute_on`](Self::compute_on), by the executor of a session, whose observer hears
    /// of it and whose control can stop it.
    ///
    /// # Errors
    /// As for [`compute_on`](Self::compute_on), and [`Stopped`](crate::ErrorKind::Stopped).
    pub fn compute_in(&self, session: &Session<'_>) -> Result<Array<T, D>> {
        if self.n_blocks() == 0 {
            return Ok(nothing());
        }
        (self.collect)(session, &session.with_known_rows(&self.data)?)
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

/// The array over no blocks.
fn nothing<T, D: Dimension>() -> Array<T, D> {
    Array::from_shape_vec(D::zeros(D::NDIM.unwrap_or(1)), Vec::new())
        .unwrap_or_else(|_| unreachable!("no values fill a shape of zeros"))
}

/// Values in the shape of the array: `(n_rows,)` or `(n_rows, width)`.
fn shaped<T, D: Dimension>(values: Vec<T>, n_rows: usize, width: usize) -> Result<Array<T, D>> {
    let mut shape = D::zeros(D::NDIM.unwrap_or(2));
    shape.slice_mut().iter_mut().zip([n_rows, width]).for_each(|(axis, n)| *axis = n);
    Array::from_shape_vec(shape, values).map_err(Error::external)
}
