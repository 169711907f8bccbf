//! Columns of mean 0 and variance 1.

use drystone_core::block::RecordElement;
use drystone_core::{
    CancelToken, ChunkedDataset, Error, ErrorKind, Executor, Observer, Result, Session, ToChunked,
};
use linfa::ParamGuard;
use ndarray::{Array2, ArrayBase, Data, Ix2};

use super::affine::{Affine, Frame};
use super::rows::not_finite;
use super::run::Run;
use super::spread::Spread;
use super::sums::{Sums, SumsPartial};

/// Takes the mean from each column and divides it by its standard deviation.
///
/// The mean is sum(w x) / sum(w) and the variance sum(w (x - mean)²) / sum(w), over all rows
/// with their weights in the dataset; 1 for rows without. (scikit-learn's scaler sees weights
/// only if they are given to `fit`; here those of the dataset are.) The sums are exact before
/// they are rounded once, each product of the second after one rounding or two. So the fit has
/// the same bits whatever the blocks, threads and executor.
///
/// A column that does not vary is left as long as it is: its scale is 1, as in scikit-learn.
/// That is one whose values are all the same (its mean is that value and its variance 0), or
/// whose variance is at most (2 eps mean)² with eps = 2⁻⁵², as the rounding of the mean alone
/// may make it. scikit-learn's bound is about n times as wide, since its sums do round.
///
/// ```
/// use drystone_estimators::preprocessing::StandardScaler;
/// use ndarray::array;
///
/// let data = array![[1.0, 5.0], [3.0, 5.0]];
/// let scaler = StandardScaler::params().fit(&data)?;
/// assert_eq!((scaler.mean(), scaler.scale()), (&[2.0, 5.0][..], Some(&[1.0, 1.0][..])));
/// let scaled = scaler.transform(&data);
/// assert_eq!(scaled.compute()?.records.view::<f64>()?, array![[-1.0, 0.0], [1.0, 0.0]]);
/// # Ok::<(), drystone_core::Error>(())
/// ```
///
/// # References
/// T. F. Chan, G. H. Golub, R. J. LeVeque, *Algorithms for computing the sample variance:
/// analysis and recommendations*, The American Statistician 37(3), 1983,
/// DOI 10.1080/00031305.1983.10483115 (the two-pass algorithm). scikit-learn,
/// `sklearn.preprocessing.StandardScaler`.
#[derive(Clone, Debug, PartialEq)]
pub struct StandardScaler {
    mean: Vec<f64>,
    var: Option<Vec<f64>>,
    scale: Option<Vec<f64>>,
    n_samples_seen: u64,
    affine: Affine,
}

/// What to fit, not checked yet. Made by [`StandardScaler::params`].
#[derive(Clone)]
#[must_use = "parameters do nothing until fit() is called"]
pub struct StandardScalerParams<'a>(StandardScalerValidParams<'a>);

/// Checked parameters: what linfa's `Fit` is implemented for.
#[derive(Clone)]
pub struct StandardScalerValidParams<'a> {
    with_mean: bool,
    with_std: bool,
    run: Run<'a>,
}

impl StandardScaler {
    /// Parameters that take the mean and divide by the standard deviation.
    pub fn params<'a>() -> StandardScalerParams<'a> {
        let run = Run::default();
        StandardScalerParams(StandardScalerValidParams { with_mean: true, with_std: true, run })
    }

    /// Mean of each column, whether it is taken or not.
    #[doc(alias = "mean_")]
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Variance of each column; `None` without `with_std`.
    #[doc(alias = "var_")]
    #[must_use]
    pub fn var(&self) -> Option<&[f64]> {
        self.var.as_deref()
    }

    /// What each column is divided by: its standard deviation, or 1 where that is none;
    /// `None` without `with_std`.
    #[doc(alias = "scale_")]
    #[must_use]
    pub fn scale(&self) -> Option<&[f64]> {
        self.scale.as_deref()
    }

    /// Rows that it was fitted to, whatever their weights. (scikit-learn has the sum of the
    /// weights here, if there are any.)
    #[doc(alias = "n_samples_seen_")]
    #[must_use]
    pub fn n_samples_seen(&self) -> u64 {
        self.n_samples_seen
    }

    /// Columns of the records that it applies to.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.mean.len()
    }

    /// The rows scaled, lazily, `(n_samples, n_features)`: with their element type, targets
    /// and weights. The scaler applies to `f32` and `f64` alike. The dataset can be made in
    /// another process if the one below can.
    ///
    /// Another number of columns ([`Shape`](ErrorKind::Shape)), and a value that is not finite
    /// or leaves the range of its type ([`NotFinite`](ErrorKind::NotFinite), with block, row
    /// and column), are errors when it is read.
    pub fn transform(&self, data: &impl ToChunked) -> ChunkedDataset {
        self.affine.of_dataset(data)
    }

    /// The rows as they were before [`transform`](Self::transform), but for roundings, lazily.
    pub fn inverse_transform(&self, data: &impl ToChunked) -> ChunkedDataset {
        self.affine.inverse().of_dataset(data)
    }

    /// An array in memory scaled, `(n_samples, n_features)`.
    ///
    /// ```
    /// # use drystone_estimators::preprocessing::StandardScaler;
    /// # use ndarray::array;
    /// let scaler = StandardScaler::params().fit(&array![[0.0], [4.0]])?;
    /// assert_eq!(scaler.try_transform_array(&array![[6.0_f32]])?, array![[2.0_f32]]);
    /// # Ok::<(), drystone_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Shape`](ErrorKind::Shape) and [`NotFinite`](ErrorKind::NotFinite), as for
    /// [`transform`](Self::transform).
    pub fn try_transform_array<T: RecordElement, D: Data<Elem = T>>(
        &self,
        records: &ArrayBase<D, Ix2>,
    ) -> Result<Array2<T>> {
        self.affine.of_array(records)
    }

    fn new(params: &StandardScalerValidParams<'_>, sums: &SumsPartial, found: Found) -> Self {
        let Found { mean, var } = found;
        let scale: Option<Vec<f64>> = var.as_ref().map(|var| {
            let columns = mean.iter().zip(var);
            columns.map(|(&mean, &var)| scale(mean, var)).collect()
        });
        let n_features = mean.len();
        let from = Frame {
            origin: if params.with_mean { mean.clone() } else { vec![0.0; n_features] },
            unit: scale.clone().unwrap_or_else(|| vec![1.0; n_features]),
        };
        let to = Frame { origin: vec![0.0; n_features], unit: vec![1.0; n_features] };
        let affine = Affine { from, to };
        Self { mean, var, scale, n_samples_seen: sums.n_samples, affine }
    }
}

impl<'a> StandardScalerParams<'a> {
    /// Whether to take the mean from each column.
    pub fn with_mean(mut self, with_mean: bool) -> Self {
        self.0.with_mean = with_mean;
        self
    }

    /// Whether to divide each column by its standard deviation.
    pub fn with_std(mut self, with_std: bool) -> Self {
        self.0.with_std = with_std;
        self
    }

    /// Where to run; by default on all cores of this machine.
    pub fn on(mut self, executor: &'a dyn Executor) -> Self {
        self.0.run.executor = Some(executor);
        self
    }

    /// Whom to tell what happens.
    pub fn observe(mut self, observer: &'a dyn Observer) -> Self {
        self.0.run.observer = observer;
        self
    }

    /// Stops with [`Stopped`](ErrorKind::Stopped) when the token is cancelled.
    pub fn cancel(mut self, token: &CancelToken) -> Self {
        self.0.run.cancel = token.clone();
        self
    }

    /// Checks the parameters: all are allowed.
    ///
    /// # Errors
    /// None.
    pub fn check(self) -> Result<StandardScalerValidParams<'a>> {
        ParamGuard::check(self)
    }

    /// Finds mean and variance of each column of a chunked dataset, an array or a linfa
    /// dataset.
    ///
    /// # Errors
    /// - [`Empty`](ErrorKind::Empty): no columns, no rows, or none of positive weight.
    /// - [`NotFinite`](ErrorKind::NotFinite), [`Weight`](ErrorKind::Weight): a bad number, with
    ///   its block, row and column; or a column whose sum or sum of squares leaves the range of
    ///   `f64`.
    /// - [`Stopped`](ErrorKind::Stopped): cancelled.
    /// - the source's and the executor's.
    ///
    /// # Performance
    /// One pass, another `with_std`, and one before them if row counts are unknown: O(n d)
    /// each, and 0.6 kB of memory a column and thread.
    pub fn fit(&self, data: &impl ToChunked) -> Result<StandardScaler> {
        self.0.fit(data)
    }
}

impl StandardScalerValidParams<'_> {
    /// As [`StandardScalerParams::fit`].
    ///
    /// # Errors
    /// As for [`StandardScalerParams::fit`].
    pub fn fit(&self, data: &impl ToChunked) -> Result<StandardScaler> {
        self.run.session(&data.to_chunked()?, |session, data| {
            let sums = session.run(data, &Sums { n_features: data.n_features() })?;
            let found = self.find(session, data, &sums)?;
            Ok(StandardScaler::new(self, &sums, found))
        })
    }

    fn find(
        &self,
        session: &Session<'_>,
        data: &ChunkedDataset,
        sums: &SumsPartial,
    ) -> Result<Found> {
        check_rows(sums)?;
        let columns = 0..data.n_features();
        let mean: Vec<f64> = columns.clone().map(|column| sums.mean(column)).collect();
        check_range(&mean, "a sum of the column")?;
        if !self.with_std {
            return Ok(Found { mean, var: None });
        }
        let spread = session.run(data, &Spread { center: mean.clone() })?;
        let variance = |column| match sums.is_single(column) {
            true => 0.0,
            false => spread.sum(column) / sums.total_weight(),
        };
        let var: Vec<f64> = columns.map(variance).collect();
        check_range(&var, "a sum of squares of the column")?;
        Ok(Found { mean, var: Some(var) })
    }
}

impl<'a> ParamGuard for StandardScalerParams<'a> {
    type Checked = StandardScalerValidParams<'a>;
    type Error = Error;

    /// All parameters are allowed.
    fn check_ref(&self) -> Result<&Self::Checked> {
        Ok(&self.0)
    }

    fn check(self) -> Result<Self::Checked> {
        Ok(self.0)
    }
}

/// What the passes found.
struct Found {
    mean: Vec<f64>,
    var: Option<Vec<f64>>,
}

fn check_rows(sums: &SumsPartial) -> Result<()> {
    let what = match sums.n_samples {
        0 => "the dataset has no rows",
        _ if sums.total_weight() == 0.0 => "no row has a positive weight",
        _ => return Ok(()),
    };
    Err(ErrorKind::Empty { what: what.into() }.into())
}

fn check_range(values: &[f64], what: &str) -> Result<()> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(column) => {
            let found = format!("{what} that leaves the range of f64; rescale it");
            Err(not_finite(found, column))
        }
        None => Ok(()),
    }
}

/// The standard deviation, or 1 where it is none.
fn scale(mean: f64, var: f64) -> f64 {
    let rounding = 2.0 * f64::EPSILON * mean;
    if var <= rounding * rounding { 1.0 } else { var.sqrt() }
}
