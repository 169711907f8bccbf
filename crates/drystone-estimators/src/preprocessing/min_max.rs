//! Columns within a given range.

use drystone_core::block::RecordElement;
use drystone_core::{
    CancelToken, ChunkedDataset, Error, ErrorKind, Executor, Observer, Result, ToChunked,
};
use linfa::ParamGuard;
use ndarray::{Array2, ArrayBase, Data, Ix2};

use super::affine::{Affine, Frame};
use super::extremes::{Extremes, ExtremesPartial};
use super::rows::not_finite;
use super::run::Run;

/// Moves and stretches each column so that its least and greatest value are those of a range:
/// (x - min) / (max - min) * (high - low) + low.
///
/// The extremes are those of all rows, whatever their weights. A column of one value goes to
/// the low end of the range: it is moved, and not stretched, as in scikit-learn (which does
/// so for a column narrower than 2.2e-15 too). Values outside of what was seen leave the
/// range; they are not clipped.
///
/// ```
/// use drystone_estimators::preprocessing::MinMaxScaler;
/// use ndarray::array;
///
/// let data = array![[1.0, 5.0], [3.0, 5.0], [2.0, 5.0]];
/// let scaler = MinMaxScaler::params().feature_range(-1.0, 1.0).fit(&data)?;
/// assert_eq!((scaler.data_min(), scaler.data_max()), (&[1.0, 5.0][..], &[3.0, 5.0][..]));
/// let scaled = scaler.transform(&data).compute()?;
/// assert_eq!(scaled.records.view::<f64>()?, array![[-1.0, -1.0], [1.0, -1.0], [0.0, -1.0]]);
/// # Ok::<(), drystone_core::Error>(())
/// ```
///
/// # References
/// scikit-learn, `sklearn.preprocessing.MinMaxScaler`. That one computes x * scale + min, which
/// loses digits where a column is far from 0; this one does not.
#[derive(Clone, Debug, PartialEq)]
pub struct MinMaxScaler {
    data_min: Vec<f64>,
    data_max: Vec<f64>,
    feature_range: (f64, f64),
    n_samples_seen: u64,
    affine: Affine,
}

/// What to fit, not checked yet. Made by [`MinMaxScaler::params`].
#[derive(Clone)]
#[must_use = "parameters do nothing until fit() is called"]
pub struct MinMaxScalerParams<'a>(MinMaxScalerValidParams<'a>);

/// Checked parameters: what linfa's `Fit` is implemented for.
#[derive(Clone)]
pub struct MinMaxScalerValidParams<'a> {
    low: f64,
    high: f64,
    run: Run<'a>,
}

impl MinMaxScaler {
    /// Parameters for a range of 0 to 1.
    pub fn params<'a>() -> MinMaxScalerParams<'a> {
        MinMaxScalerParams(MinMaxScalerValidParams { low: 0.0, high: 1.0, run: Run::default() })
    }

    /// Least value of each column.
    #[doc(alias = "data_min_")]
    #[must_use]
    pub fn data_min(&self) -> &[f64] {
        &self.data_min
    }

    /// Greatest value of each column.
    #[doc(alias = "data_max_")]
    #[must_use]
    pub fn data_max(&self) -> &[f64] {
        &self.data_max
    }

    /// The low and the high end of the range that columns are brought to.
    #[must_use]
    pub fn feature_range(&self) -> (f64, f64) {
        self.feature_range
    }

    /// Rows that it was fitted to.
    #[doc(alias = "n_samples_seen_")]
    #[must_use]
    pub fn n_samples_seen(&self) -> u64 {
        self.n_samples_seen
    }

    /// Columns of the records that it applies to.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.data_min.len()
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
    /// # Errors
    /// [`Shape`](ErrorKind::Shape) and [`NotFinite`](ErrorKind::NotFinite), as for
    /// [`transform`](Self::transform).
    pub fn try_transform_array<T: RecordElement, D: Data<Elem = T>>(
        &self,
        records: &ArrayBase<D, Ix2>,
    ) -> Result<Array2<T>> {
        self.affine.of_array(records)
    }

    fn new((low, high): (f64, f64), found: ExtremesPartial) -> Result<Self> {
        let ExtremesPartial { n_samples, min, max } = found;
        if n_samples == 0 {
            return Err(ErrorKind::Empty { what: "the dataset has no rows".into() }.into());
        }
        let widths = min.iter().zip(&max).map(|(min, max)| max - min);
        let widths: Vec<f64> = widths.map(|width| if width == 0.0 { 1.0 } else { width }).collect();
        if let Some(column) = widths.iter().position(|width| !width.is_finite()) {
            let found = "a width of the column that leaves the range of f64; rescale it";
            return Err(not_finite(found, column));
        }
        let n_features = min.len();
        let from = Frame { origin: min.clone(), unit: widths };
        let to = Frame { origin: vec![low; n_features], unit: vec![high - low; n_features] };
        let (feature_range, affine) = ((low, high), Affine { from, to });
        Ok(Self { data_min: min, data_max: max, feature_range, n_samples_seen: n_samples, affine })
    }
}

impl<'a> MinMaxScalerParams<'a> {
    /// The range that columns are brought to: `low` below `high`, both finite, and so is
    /// their difference.
    pub fn feature_range(mut self, low: f64, high: f64) -> Self {
        (self.0.low, self.0.high) = (low, high);
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

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`Parameter`](ErrorKind::Parameter) for a range that is none.
    pub fn check(self) -> Result<MinMaxScalerValidParams<'a>> {
        ParamGuard::check(self)
    }

    /// Finds the least and the greatest value of each column of a chunked dataset, an array or
    /// a linfa dataset.
    ///
    /// # Errors
    /// - [`Parameter`](ErrorKind::Parameter): a range that is none.
    /// - [`Empty`](ErrorKind::Empty): no columns or no rows.
    /// - [`NotFinite`](ErrorKind::NotFinite), [`Weight`](ErrorKind::Weight): a bad number, with
    ///   its block, row and column; or a column that is wider than the range of `f64`.
    /// - [`Stopped`](ErrorKind::Stopped): cancelled.
    /// - the source's and the executor's.
    ///
    /// # Performance
    /// One pass, and one before it if row counts are unknown.
    pub fn fit(&self, data: &impl ToChunked) -> Result<MinMaxScaler> {
        self.0.checked()?.fit(data)
    }
}

impl MinMaxScalerValidParams<'_> {
    /// As [`MinMaxScalerParams::fit`].
    ///
    /// # Errors
    /// As for [`MinMaxScalerParams::fit`], but for parameters.
    pub fn fit(&self, data: &impl ToChunked) -> Result<MinMaxScaler> {
        let found = self.run.session(&data.to_chunked()?, |session, data| {
            session.run(data, &Extremes { n_features: data.n_features() })
        })?;
        MinMaxScaler::new((self.low, self.high), found)
    }

    fn checked(&self) -> Result<&Self> {
        let (low, high) = (self.low, self.high);
        if low < high && (high - low).is_finite() {
            return Ok(self);
        }
        let expected = "a low end below the high one, both finite";
        Err(Error::parameter("feature_range", expected, format!("{low}..{high}")))
    }
}

impl<'a> ParamGuard for MinMaxScalerParams<'a> {
    type Checked = MinMaxScalerValidParams<'a>;
    type Error = Error;

    fn check_ref(&self) -> Result<&Self::Checked> {
        self.0.checked()
    }

    fn check(self) -> Result<Self::Checked> {
        self.0.checked()?;
        Ok(self.0)
    }
}
