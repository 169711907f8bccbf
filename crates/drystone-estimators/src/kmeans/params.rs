//! The parameters of KMeans, and what makes them valid.

use std::time::Duration;

use drystone_core::observe::Silent;
use drystone_core::{
    CancelToken, ChunkedArray, ChunkedDataset, Error, Executor, Explanation, Observer, Result,
    ToChunked,
};
use linfa::ParamGuard;
use ndarray::Ix1;

use super::element::MAX_N_INIT;
use super::init::{Init, Oversampling};
use super::model::KMeans;
use super::{fit, plan};

/// Most clusters: labels are 32-bit.
const MAX_CLUSTERS: usize = 1 << 24;
/// Most rounds of k-means||.
const MAX_ROUNDS: usize = 1000;

/// What to fit, not checked yet. Made by [`KMeans::params`].
///
/// ```
/// use drystone_estimators::{Init, KMeans, Oversampling};
/// use ndarray::array;
///
/// let data = array![[0.0, 0.0], [0.0, 1.0], [9.0, 9.0], [9.0, 8.0]];
/// let model = KMeans::params(2)
///     .init(Init::parallel(Oversampling::PerCluster(2.0), 5))
///     .n_init(3)
///     .seed(7)
///     .fit(&data)?;
/// assert_eq!(model.inertia(), 1.0);
/// assert!(model.converged());
/// # Ok::<(), drystone_core::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "parameters do nothing until fit() is called"]
pub struct KMeansParams<'a>(KMeansValidParams<'a>);

/// Checked parameters: what linfa's `Fit` is implemented for.
#[derive(Clone)]
pub struct KMeansValidParams<'a> {
    pub(super) n_clusters: usize,
    pub(super) init: Init,
    pub(super) n_init: usize,
    pub(super) max_iter: usize,
    pub(super) tol: f64,
    pub(super) pruning: bool,
    pub(super) seed: u64,
    pub(super) max_time: Option<Duration>,
    pub(super) cancel: CancelToken,
    pub(super) executor: Option<&'a dyn Executor>,
    pub(super) observer: &'a dyn Observer,
}

impl KMeans {
    /// Parameters for so many clusters, with scikit-learn's defaults but k-means|| for
    /// seeding: 300 iterations at most, `tol` 1e-4, one restart, seed 0.
    pub fn params<'a>(n_clusters: usize) -> KMeansParams<'a> {
        KMeansParams(KMeansValidParams {
            n_clusters,
            init: Init::default(),
            n_init: 1,
            max_iter: 300,
            tol: 1e-4,
            pruning: true,
            seed: 0,
            max_time: None,
            cancel: CancelToken::new(),
            executor: None,
            observer: &Silent,
        })
    }
}

impl<'a> KMeansParams<'a> {
    /// How the first centroids are found.
    pub fn init(mut self, init: Init) -> Self {
        self.0.init = init;
        self
    }

    /// Restarts, of which the one with the least inertia is kept. They share each pass:
    /// a block is read once for all of them.
    #[doc(alias = "n_runs")]
    pub fn n_init(mut self, n_init: usize) -> Self {
        self.0.n_init = n_init;
        self
    }

    /// Lloyd's iterations at most; at least 1.
    #[doc(alias = "max_n_iterations")]
    pub fn max_iter(mut self, max_iter: usize) -> Self {
        self.0.max_iter = max_iter;
        self
    }

    /// Stops when the squared shift of all centroids together is at most `tol` times the
    /// mean variance of the columns (as scikit-learn, but weighted as the rows are; dask-ml's
    /// and linfa's is absolute). With 0 only unchanged labels stop it.
    #[doc(alias = "tolerance")]
    pub fn tol(mut self, tol: f64) -> Self {
        self.0.tol = tol;
        self
    }

    /// Whether an iteration may leave out rows whose labels are sure to stay, as it does by
    /// default where that pays. It takes four bytes a row, and changes no bit of the model.
    ///
    /// G. Hamerly, *Making k-means even faster*, SDM 2010, doi:10.1137/1.9781611972801.12.
    pub fn pruning(mut self, pruning: bool) -> Self {
        self.0.pruning = pruning;
        self
    }

    /// Chooses the random draws.
    #[doc(alias = "random_state")]
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }

    /// Stops after this time and returns the latest model, or
    /// [`ErrorKind::Stopped`](drystone_core::ErrorKind::Stopped) if there is none yet:
    /// before the first of Lloyd's iterations is done.
    pub fn max_time(mut self, max_time: Duration) -> Self {
        self.0.max_time = Some(max_time);
        self
    }

    /// Stops when the token is cancelled and returns the latest model, or
    /// [`ErrorKind::Stopped`](drystone_core::ErrorKind::Stopped) if there is none yet.
    pub fn cancel(mut self, token: &CancelToken) -> Self {
        self.0.cancel = token.clone();
        self
    }

    /// Where to run; by default on all cores of this machine. Keep the executor in a
    /// variable: blocks that it has in memory serve the next fit too.
    pub fn on(mut self, executor: &'a dyn Executor) -> Self {
        self.0.executor = Some(executor);
        self
    }

    /// Whom to tell what happens.
    ///
    /// ```
    /// # use drystone_core::Event;
    /// # use drystone_estimators::KMeans;
    /// let observer = |event: &Event<'_>| {
    ///     if let Event::Iteration { iteration, cost } = event {
    ///         println!("{iteration}: {cost}");
    ///     }
    /// };
    /// let params = KMeans::params(8).observe(&observer);
    /// # let _ = params;
    /// ```
    pub fn observe(mut self, observer: &'a dyn Observer) -> Self {
        self.0.observer = observer;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`ErrorKind::Parameter`](drystone_core::ErrorKind::Parameter) for the first that is not allowed.
    pub fn check(self) -> Result<KMeansValidParams<'a>> {
        ParamGuard::check(self)
    }

    /// Finds the centroids of a chunked dataset, an array or a linfa dataset.
    ///
    /// The model has the same bits whatever the blocks, threads, executor, memory budget
    /// and instruction set. Data are `f32` or `f64` and are not converted.
    ///
    /// Rows are summed as integers, in units of 2^-88 (`f64`) or 2^-50 (`f32`) of the
    /// largest weighted magnitude in their column. Half a unit a row is all that a centroid
    /// can be off, but for rounding: a cluster loses digits only where its weights, or the
    /// values of its column, are smaller than the largest by more than some 2^35 (`f64`)
    /// or 2^26 (`f32`); one of less than 2^-89 of the largest weight counts as empty.
    ///
    /// # Errors
    /// - [`Parameter`](drystone_core::ErrorKind::Parameter): a parameter is not allowed.
    /// - [`Empty`](drystone_core::ErrorKind::Empty): no rows, or none of positive weight.
    /// - [`TooFewRows`](drystone_core::ErrorKind::TooFewRows): fewer (distinct) rows than clusters.
    /// - [`NotFinite`](drystone_core::ErrorKind::NotFinite), [`Weight`](drystone_core::ErrorKind::Weight):
    ///   a bad number, with its block, row and column; or the largest weight is not within
    ///   1e-100 and 1e100; or costs would leave `f64`: the square of the diagonal of the
    ///   rows' box is above 1e301 when it is multiplied by the total weight, or below 6e-294
    ///   by the largest one.
    /// - [`Range`](drystone_core::ErrorKind::Range): that square itself is not 0 and leaves
    ///   the element type, with some room (`f64`: 6e-294 to 1e301, `f32`: 3e-24 to 2e37), or
    ///   it does so with given centroids in the box; or the square of the largest magnitude,
    ///   times the total weight, is above 1e301.
    /// - [`Dtype`](drystone_core::ErrorKind::Dtype), [`Shape`](drystone_core::ErrorKind::Shape):
    ///   given centroids are of another element type or width than the data.
    /// - [`SourceChanged`](drystone_core::ErrorKind::SourceChanged): a pass saw other data
    ///   than the first.
    /// - [`Stopped`](drystone_core::ErrorKind::Stopped): cancelled, or out of time, before there was a model.
    /// - the source's and the executor's.
    ///
    /// # Performance
    /// Passes: 1 to scan (2 if row counts are unknown), then k-means||: `rounds` + 1, and
    /// more while it has drawn fewer rows than clusters; k-means++: `n_clusters`; random or
    /// given: none; then one an iteration, another where clusters ran empty, and one more
    /// for the inertia of the centroids that are returned, unless the last iteration told
    /// it. Each costs O(n k d) at most, in memory that
    /// [`explain`](Self::explain) states.
    pub fn fit(&self, data: &impl ToChunked) -> Result<KMeans> {
        self.0.checked()?.fit(data)
    }

    /// Fits, and gives the label of each row, lazily.
    ///
    /// # Errors
    /// As for [`fit`](Self::fit).
    pub fn fit_predict(&self, data: &impl ToChunked) -> Result<(KMeans, ChunkedArray<u32, Ix1>)> {
        let data = data.to_chunked()?;
        let model = self.fit(&data)?;
        let labels = model.predict(&data);
        Ok((model, labels))
    }

    /// What a fit would cost, without reading anything.
    ///
    /// # Errors
    /// When a parameter is not allowed.
    pub fn explain(&self, data: &ChunkedDataset) -> Result<Explanation> {
        Ok(plan::explain(self.0.checked()?, data))
    }
}

impl KMeansValidParams<'_> {
    /// As [`KMeansParams::fit`].
    ///
    /// # Errors
    /// As for [`KMeansParams::fit`], but for parameters.
    pub fn fit(&self, data: &impl ToChunked) -> Result<KMeans> {
        fit::fit(self, &data.to_chunked()?)
    }

    fn checked(&self) -> Result<&Self> {
        let k = self.n_clusters;
        require(within(k, MAX_CLUSTERS), "n_clusters", "between 1 and 16777216", k)?;
        require(within(self.n_init, MAX_N_INIT), "n_init", "between 1 and 1000", self.n_init)?;
        require(self.max_iter >= 1, "max_iter", "at least 1", self.max_iter)?;
        let sound = self.tol >= 0.0 && self.tol.is_finite();
        require(sound, "tol", "finite and at least 0", self.tol)?;
        self.check_init()?;
        Ok(self)
    }

    fn check_init(&self) -> Result<()> {
        match &self.init {
            Init::Parallel { oversampling, rounds } => {
                let (value, most) = match *oversampling {
                    Oversampling::PerCluster(factor) => (factor, 1e4),
                    Oversampling::Rows(rows) => (rows, 1e7),
                };
                let sound = value > 0.0 && value <= most;
                let expected = format!("above 0 and at most {most}");
                require(sound, "oversampling", &expected, value)?;
                require(within(*rounds, MAX_ROUNDS), "rounds", "between 1 and 1000", *rounds)
            }
            Init::Centroids(centroids) => {
                let expected = format!("{} centroids", self.n_clusters);
                let found = centroids.n_samples();
                require(found == self.n_clusters, "init", &expected, found)?;
                let sound = centroids.to_f64().iter().all(|value| value.is_finite());
                require(sound, "init", "finite centroids", "NaN or infinity")?;
                let expected = "1 when the centroids are given: all restarts would be the same";
                require(self.n_init == 1, "n_init", expected, self.n_init)
            }
            Init::PlusPlus | Init::Random => Ok(()),
        }
    }
}

fn within(value: usize, most: usize) -> bool {
    (1..=most).contains(&value)
}

fn require(sound: bool, name: &str, expected: &str, found: impl std::fmt::Display) -> Result<()> {
    if sound { Ok(()) } else { Err(Error::parameter(name, expected, found)) }
}

impl<'a> ParamGuard for KMeansParams<'a> {
    type Checked = KMeansValidParams<'a>;
    type Error = Error;

    fn check_ref(&self) -> Result<&Self::Checked> {
        self.0.checked()
    }

    fn check(self) -> Result<Self::Checked> {
        self.0.checked()?;
        Ok(self.0)
    }
}
