//! The models of the blocks, and what they agree on.

use std::marker::PhantomData;
use std::sync::Arc;

use drystone_core::block::RecordElement;
use drystone_core::{Block, ChunkedArray, Error, Result, ToChunked};
use linfa::dataset::Pr;
use linfa::traits::Predict;
use ndarray::{Array1, ArrayView2, Ix1};

use super::handed::{predictions, records};
use super::vote::{Score, majority, mean};

/// A model for each block, which vote. Made by
/// [`BlockwiseVoting::fit`](super::BlockwiseVoting::fit).
///
/// Not the model of the whole dataset: it depends on where the blocks are cut.
#[derive(Debug)]
pub struct Voters<M, F> {
    models: Arc<Vec<M>>,
    blocks: Vec<usize>,
    skipped: Vec<usize>,
    n_features: usize,
    element: PhantomData<fn() -> F>,
}

impl<M, F> Clone for Voters<M, F> {
    fn clone(&self) -> Self {
        Self {
            models: Arc::clone(&self.models),
            blocks: self.blocks.clone(),
            skipped: self.skipped.clone(),
            ..*self
        }
    }
}

impl<M, F> Voters<M, F> {
    /// What became of each block: a model, or none.
    pub(super) fn new(fitted: Vec<Option<M>>, n_features: usize) -> Self {
        let has_model = |at: &usize| fitted[*at].is_some();
        let (blocks, skipped) = (0..fitted.len()).partition(has_model);
        let models = Arc::new(fitted.into_iter().flatten().collect());
        Self { models, blocks, skipped, n_features, element: PhantomData }
    }

    /// The models, in the order of their blocks.
    #[doc(alias = "estimators_")]
    #[must_use]
    pub fn models(&self) -> &[M] {
        &self.models
    }

    /// The block that each model was fitted to.
    #[must_use]
    pub fn blocks(&self) -> &[usize] {
        &self.blocks
    }

    /// Blocks that no model was fitted to.
    #[must_use]
    pub fn skipped(&self) -> &[usize] {
        &self.skipped
    }

    /// Columns of the data.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.n_features
    }
}

impl<M: Send + Sync + 'static, F: RecordElement> Voters<M, F> {
    /// Hard voting: for each row the label that most models give it, lazily; of labels with as
    /// many votes, the smallest.
    ///
    /// # Errors
    /// Those of `to_chunked`. Computing the array fails, with the block, when records are of
    /// another width ([`Shape`](drystone_core::ErrorKind::Shape)) or element type
    /// ([`Dtype`](drystone_core::ErrorKind::Dtype)) or not finite
    /// ([`NotFinite`](drystone_core::ErrorKind::NotFinite)), and when a model panics
    /// ([`External`](drystone_core::ErrorKind::External)).
    ///
    /// # Performance
    /// Each row is judged by every model; the labels of a block's rows are in memory for each.
    pub fn predict<L>(&self, data: &impl ToChunked) -> Result<ChunkedArray<L, Ix1>>
    where
        L: Ord + Clone + Send + Sync + 'static,
        M: for<'a, 'b> Predict<&'a ArrayView2<'b, F>, Array1<L>>,
    {
        self.vote(data, majority)
    }

    /// Soft voting: the mean of the values or probabilities that the models give each row,
    /// lazily. For a regression, this is the prediction.
    ///
    /// # Errors
    /// As for [`predict`](Self::predict).
    #[doc(alias = "predict_proba")]
    pub fn predict_mean<S>(&self, data: &impl ToChunked) -> Result<ChunkedArray<f64, Ix1>>
    where
        S: Score,
        M: for<'a, 'b> Predict<&'a ArrayView2<'b, F>, Array1<S>>,
    {
        self.vote(data, mean::<S>)
    }

    /// Soft voting of models that give probabilities: whether the mean is above 1/2, lazily.
    ///
    /// # Errors
    /// As for [`predict`](Self::predict).
    pub fn predict_soft(&self, data: &impl ToChunked) -> Result<ChunkedArray<bool, Ix1>>
    where
        M: for<'a, 'b> Predict<&'a ArrayView2<'b, F>, Array1<Pr>>,
    {
        self.vote(data, |voters: &[Array1<Pr>], n_rows| {
            mean(voters, n_rows).mapv(|probability| probability > 0.5)
        })
    }

    /// One value a row from those of all models.
    fn vote<V, T>(
        &self,
        data: &impl ToChunked,
        elect: impl Fn(&[Array1<V>], usize) -> Array1<T> + Send + Sync + 'static,
    ) -> Result<ChunkedArray<T, Ix1>>
    where
        T: Clone + Send + Sync + 'static,
        M: for<'a, 'b> Predict<&'a ArrayView2<'b, F>, Array1<V>>,
    {
        let (models, n_features) = (Arc::clone(&self.models), self.n_features);
        Ok(ChunkedArray::new(&data.to_chunked()?, move |block: &Block| {
            let found = block.records.n_features();
            if found != n_features {
                return Err(Error::shape("features", n_features as u64, found as u64));
            }
            let rows = records::<F>(block)?;
            let votes = models.iter().map(|model| predictions(model, rows));
            Ok(elect(&votes.collect::<Result<Vec<_>>>()?, rows.nrows()))
        }))
    }
}
