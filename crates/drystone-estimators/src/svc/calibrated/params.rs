//! The parameters of a calibrated SVC.

use drystone_core::{Error, Result, ToChunked};
use linfa::ParamGuard;

use super::super::params::{SvcParams, SvcValidParams};
use super::{Calibrated, fit};
use crate::svc::Svc;

/// What to fit. Made by [`Calibrated::params`].
///
/// ```
/// use drystone_core::{Block, ChunkedDataset, Targets};
/// use drystone_estimators::svc::{Calibrated, Svc};
/// use ndarray::Array2;
///
/// let records = Array2::from_shape_fn((40, 2), |(row, column)| {
///     (row % 2) as f64 + ((row * (5 + column)) % 7) as f64 / 5.0
/// });
/// let targets = Targets::I64((0..40).map(|row| row % 2).collect::<Vec<_>>().into());
/// let data = ChunkedDataset::from_resident(vec![Block::new(records).with_targets(targets)])?;
/// let model = Calibrated::params(Svc::params()).folds(5).seed(1).fit(&data)?;
/// let probabilities = model.predict_proba(&data).slice(0..1).compute()?;
/// assert!(probabilities[[0, 0]] > 0.5 && (probabilities.sum() - 1.0).abs() < 1e-12);
/// # Ok::<(), drystone_core::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "parameters do nothing until fit() is called"]
pub struct CalibratedParams<'a> {
    pub(super) svc: SvcParams<'a>,
    pub(super) folds: u64,
    pub(super) seed: Option<u64>,
}

impl Calibrated<Svc> {
    /// Calibrates the SVC of these parameters, by 5 folds.
    pub fn params(svc: SvcParams<'_>) -> CalibratedParams<'_> {
        CalibratedParams { svc, folds: 5, seed: None }
    }
}

impl CalibratedParams<'_> {
    /// In how many folds rows are judged by a model that does not know them; at least 2, and
    /// no more than the smallest class has rows.
    #[doc(alias = "cv")]
    pub fn folds(mut self, folds: u64) -> Self {
        self.folds = folds;
        self
    }

    /// What the folds are drawn by; by default the seed of the SVC's parameters.
    #[doc(alias = "random_state")]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Fits an SVC to all rows, one without each fold in turn, and a sigmoid for each two
    /// classes to the decisions of the rows that were left out.
    ///
    /// The model has the same bits whatever the blocks, threads and executor. Gamma "scale" is
    /// that of all rows in each fold too; `max_time` is for each of the fits. Weights count in
    /// the sigmoids as in the SVC: a row of weight 2 as two, one of weight 0 not at all.
    ///
    /// # Errors
    /// - [`Parameter`](drystone_core::ErrorKind::Parameter): less than 2 folds, or more than a
    ///   class has rows of positive weight; and those of the SVC.
    /// - [`Stopped`](drystone_core::ErrorKind::Stopped): cancelled before all was done.
    /// - those of [`SvcParams::fit`] and of
    ///   [`StratifiedKFold::split`](crate::model_selection::StratifiedKFold::split). An error
    ///   within a fold has the block of the data; its row counts those of the fold.
    ///
    /// # Performance
    /// `folds` + 1 fits, and for each fold a pass that decides its rows; two passes before.
    /// The decisions are in memory until the sigmoids are fitted: 8 (`n_classes` - 1) bytes a
    /// row, twice that if rows have weights.
    pub fn fit(&self, data: &impl ToChunked) -> Result<Calibrated<Svc>> {
        fit::fit(self, self.check()?, &data.to_chunked()?)
    }

    /// The SVC's, if all are allowed.
    fn check(&self) -> Result<&SvcValidParams<'_>> {
        if self.folds < 2 {
            return Err(Error::parameter("folds", "at least 2", self.folds));
        }
        self.svc.check_ref()
    }
}
