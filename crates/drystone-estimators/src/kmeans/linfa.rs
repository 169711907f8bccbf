//! linfa's traits: KMeans takes part in linfa pipelines.

use drystone_core::block::RecordElement;
use drystone_core::{Error, Result};
use linfa::DatasetBase;
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array1, ArrayBase, Data, Ix2};

use super::model::KMeans;
use super::params::KMeansValidParams;

impl<F: RecordElement, D: Data<Elem = F>, T> Fit<ArrayBase<D, Ix2>, T, Error>
    for KMeansValidParams<'_>
{
    type Object = KMeans;

    /// As the inherent `fit`; the dataset's weights count.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<KMeans> {
        KMeansValidParams::fit(self, dataset)
    }
}

/// # Panics
/// linfa's `Predict` cannot return an error: it panics when the records are of another
/// element type or width than the model, or not finite. Use
/// [`try_predict`](KMeans::try_predict) where they come from outside.
impl<F: RecordElement, D: Data<Elem = F>> PredictInplace<ArrayBase<D, Ix2>, Array1<usize>>
    for KMeans
{
    fn predict_inplace(&self, records: &ArrayBase<D, Ix2>, labels: &mut Array1<usize>) {
        match self.try_predict(records) {
            Ok(found) => labels.assign(&found),
            Err(error) => panic!("{error}"),
        }
    }

    fn default_target(&self, records: &ArrayBase<D, Ix2>) -> Array1<usize> {
        Array1::zeros(records.nrows())
    }
}

impl KMeans {
    /// The labels of an array in memory, as linfa has them.
    ///
    /// # Errors
    /// When the records are of another element type or width than the model, or not
    /// finite.
    pub fn try_predict<F: RecordElement, D: Data<Elem = F>>(
        &self,
        records: &ArrayBase<D, Ix2>,
    ) -> Result<Array1<usize>> {
        Ok(self.predict(records).compute()?.mapv(|label| label as usize))
    }
}
