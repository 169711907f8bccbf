//! A model that was fitted elsewhere, over the blocks of a dataset.

use std::sync::Arc;

use drystone_core::block::RecordElement;
use drystone_core::{Block, ChunkedArray, Result, ToChunked};
use linfa::traits::Predict;
use ndarray::{Array, ArrayView2, RemoveAxis};

use super::handed::{predictions, records};

/// A fitted linfa model that judges chunked datasets, block by block when asked.
///
/// It is the model of whatever rows it was fitted to, in memory and before: it learns nothing
/// of the dataset that it judges. Fitted to a sample, it is not the model of the whole.
///
/// ```
/// use drystone_core::ToChunked;
/// use drystone_estimators::wrappers::PostFit;
/// use linfa::traits::Fit;
/// use linfa::DatasetBase;
/// use linfa_svm::Svm;
/// use ndarray::{array, Array1};
///
/// let sample = DatasetBase::new(array![[0.0], [1.0], [2.0], [3.0]], array![false, false, true, true]);
/// let svm = Svm::<f64, bool>::params().linear_kernel().fit(&sample)?;
/// let classes = PostFit::new(svm).predict::<f64, bool, _>(&array![[-1.0], [4.0], [0.5]])?;
/// assert_eq!(classes.slice(1..2).compute()?, array![true]); // lazily
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
/// dask-ml, `ParallelPostFit`, which also fits; here linfa does, so that it is plain to what.
#[doc(alias = "ParallelPostFit")]
#[derive(Debug)]
pub struct PostFit<M> {
    model: Arc<M>,
}

impl<M> Clone for PostFit<M> {
    fn clone(&self) -> Self {
        Self { model: Arc::clone(&self.model) }
    }
}

impl<M: Send + Sync + 'static> PostFit<M> {
    /// Wraps a fitted model.
    pub fn new(model: M) -> Self {
        Self { model: Arc::new(model) }
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &M {
        &self.model
    }

    /// What the model predicts for each row, lazily: `(n_samples,)`, or `(n_samples, n)` where
    /// it gives several values a row. The model must be for records of element type `F`.
    ///
    /// # Errors
    /// Those of `to_chunked`. Computing the array fails, with the block, when records are of
    /// another element type ([`Dtype`](drystone_core::ErrorKind::Dtype)) or not finite
    /// ([`NotFinite`](drystone_core::ErrorKind::NotFinite)), when the model panics, as most of
    /// linfa's do on records of another width ([`External`](drystone_core::ErrorKind::External)),
    /// or gives another number of rows ([`Shape`](drystone_core::ErrorKind::Shape)).
    pub fn predict<F, T, D>(&self, data: &impl ToChunked) -> Result<ChunkedArray<T, D>>
    where
        F: RecordElement,
        T: Clone + Send + Sync + 'static,
        D: RemoveAxis + 'static,
        M: for<'a, 'b> Predict<&'a ArrayView2<'b, F>, Array<T, D>>,
    {
        let model = Arc::clone(&self.model);
        Ok(ChunkedArray::new(&data.to_chunked()?, move |block: &Block| {
            predictions(&*model, records::<F>(block)?)
        }))
    }
}
