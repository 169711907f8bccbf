//! linfa's `Fit`: scalers are fitted to linfa datasets.

use drystone_core::block::RecordElement;
use drystone_core::{Error, Result};
use linfa::DatasetBase;
use linfa::traits::Fit;
use ndarray::{ArrayBase, Data, Ix2};

use super::min_max::{MinMaxScaler, MinMaxScalerValidParams};
use super::standard::{StandardScaler, StandardScalerValidParams};

impl<F: RecordElement, D: Data<Elem = F>, T> Fit<ArrayBase<D, Ix2>, T, Error>
    for StandardScalerValidParams<'_>
{
    type Object = StandardScaler;

    /// As the inherent `fit`; the dataset's weights count.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<StandardScaler> {
        StandardScalerValidParams::fit(self, dataset)
    }
}

impl<F: RecordElement, D: Data<Elem = F>, T> Fit<ArrayBase<D, Ix2>, T, Error>
    for MinMaxScalerValidParams<'_>
{
    type Object = MinMaxScaler;

    /// As the inherent `fit`.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<MinMaxScaler> {
        MinMaxScalerValidParams::fit(self, dataset)
    }
}
