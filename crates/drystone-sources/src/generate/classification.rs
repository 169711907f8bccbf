//! `generate::Classification`: a random classification problem. Its parameters; the
//! numbers drawn once are in `header`, the blocks in `source`.

mod header;
mod source;

pub use header::FeatureKind;
pub use source::ClassificationSource;
pub(super) use source::open;

use drystone_core::{ChunkedDataset, Dtype, Error, Result};
use serde::{Deserialize, Serialize};

use super::per_feature::PerFeature;
use super::size::{Size, at_least_1};

/// The name under which it travels.
pub(super) const KIND: &str = "generate.classification/1";

/// How far from 1 the sum of class weights may be: they are typed with few digits.
const WEIGHT_TOLERANCE: f64 = 1e-6;

/// A random classification problem, `(n_samples, n_features)`: clusters about the vertices
/// of a hypercube, with linear combinations, copies and noise as further features. The
/// target of a row (`i64`) is its class.
///
/// - Cluster `k` belongs to class `k % n_classes`. Its centroid is a vertex of a hypercube
///   of `n_informative` dimensions and side `2 * class_sep`; no two clusters share one.
/// - The informative features of a row are `z A_k + centroid_k`: `z` standard normal, `A_k`
///   uniform in `[-1, 1]` and the cluster's own.
/// - Redundant features are linear combinations of the informative ones, with coefficients
///   uniform in `[-1, 1]`; repeated ones are copies of informative and redundant ones,
///   drawn with replacement (the first and the last of these half as often as the
///   others, as in scikit-learn); the rest are standard normal noise.
/// - Class `c` has `n_samples * weights[c]` rows up to rounding; `flip_y` of all rows then
///   get a class drawn at random, which may be the one they had.
/// - Every feature becomes `(x + shift) * scale`; then rows and columns are shuffled.
///
/// Each value depends on the parameters, its row and its column only: block size, executor
/// and machine change no bit. What is drawn once (centroids, matrices, the order of
/// columns) is kept in memory; the order of the rows is computed.
///
/// All parameters are checked when the dataset is made; [`dataset`](Self::dataset) keeps
/// an error for the first read.
///
/// # Differences from scikit-learn
/// The same parameters mean the same distribution, not the same numbers. Rejected here,
/// and accepted there: weights that are negative, above 1, or do not sum to 1 within 1e-6
/// (there the rows that are missing go round all clusters, and those that are too many are
/// cut); `shift` and `scale` for each feature that are not finite, or a scale that is not
/// positive (there checked only when it is one number); parameters so large that
/// values overflow.
///
/// # Performance
/// Per row, `n_informative * (n_informative + n_redundant)` multiplications, and O(1) per
/// value; a block of 200,000 x 20 with the default parameters took 18 ms on one core
/// with AVX2. No pass over the data. Keeps
/// `n_classes * n_clusters_per_class * n_informative^2` numbers.
///
/// # Examples
/// ```
/// use drystone_sources::generate::Classification;
///
/// let data = Classification::new(1_000_000, 20).n_informative(5).n_classes(3).flip_y(0.0)
///     .weights(vec![0.5, 0.3, 0.2]).seed(42).block_rows(100_000).dataset();
/// let block = data.read(9)?;
/// assert_eq!((block.n_samples(), block.records.n_features()), (100_000, 20));
/// # Ok::<(), drystone_core::Error>(())
/// ```
///
/// # References
/// scikit-learn, `sklearn.datasets.make_classification`. I. Guyon, *Design of experiments
/// for the NIPS 2003 variable selection benchmark*, 2003 (the generator of "Madelon").
#[doc(alias = "make_classification")]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[must_use = "parameters alone make nothing: call dataset()"]
pub struct Classification {
    size: Size,
    n_informative: usize,
    n_redundant: usize,
    n_repeated: usize,
    n_classes: usize,
    n_clusters_per_class: usize,
    weights: Option<Vec<f64>>,
    flip_y: f64,
    class_sep: f64,
    hypercube: bool,
    shift: PerFeature,
    scale: PerFeature,
    shuffle: bool,
    seed: u64,
}

impl Classification {
    /// Two classes of two clusters each; two informative and two redundant features, so
    /// `n_features` is at least 4 unless these are changed; 1 % of labels redrawn;
    /// shuffled, from seed 0, in `f64` and blocks of about 8 MiB.
    pub fn new(n_samples: u64, n_features: usize) -> Self {
        Self {
            size: Size::new(n_samples, n_features),
            n_informative: 2,
            n_redundant: 2,
            n_repeated: 0,
            n_classes: 2,
            n_clusters_per_class: 2,
            weights: None,
            flip_y: 0.01,
            class_sep: 1.0,
            hypercube: true,
            shift: PerFeature::Same(0.0),
            scale: PerFeature::Same(1.0),
            shuffle: true,
            seed: 0,
        }
    }

    /// Features in which clusters differ; at least 1, and enough for each cluster to have
    /// a vertex: `n_classes * n_clusters_per_class <= 2^n_informative`.
    pub fn n_informative(mut self, n_informative: usize) -> Self {
        self.n_informative = n_informative;
        self
    }

    /// Features that are linear combinations of the informative ones.
    pub fn n_redundant(mut self, n_redundant: usize) -> Self {
        self.n_redundant = n_redundant;
        self
    }

    /// Features that are copies of informative or redundant ones.
    pub fn n_repeated(mut self, n_repeated: usize) -> Self {
        self.n_repeated = n_repeated;
        self
    }

    /// Classes; at least 1.
    pub fn n_classes(mut self, n_classes: usize) -> Self {
        self.n_classes = n_classes;
        self
    }

    /// Clusters of each class; at least 1.
    pub fn n_clusters_per_class(mut self, n_clusters_per_class: usize) -> Self {
        self.n_clusters_per_class = n_clusters_per_class;
        self
    }

    /// The part of the rows in each class, `(n_classes,)` or without the last: each within
    /// `[0, 1]`, with a sum of 1. Equal parts if unset. Of a cluster's rows the fraction is
    /// cut off, and the rows left over go to clusters 0, 1, 2, ... one by one.
    pub fn weights(mut self, weights: Vec<f64>) -> Self {
        self.weights = Some(weights);
        self
    }

    /// The part of the rows, in `[0, 1]`, whose class is redrawn uniformly: about
    /// `flip_y * (1 - 1 / n_classes)` of them change it.
    pub fn flip_y(mut self, flip_y: f64) -> Self {
        self.flip_y = flip_y;
        self
    }

    /// Half the side of the hypercube; finite, above 0. Larger is easier.
    pub fn class_sep(mut self, class_sep: f64) -> Self {
        self.class_sep = class_sep;
        self
    }

    /// Whether centroids are vertices of a hypercube (the default), or are scaled by a
    /// factor in `[0, 1)` for each cluster and one for each feature.
    pub fn hypercube(mut self, hypercube: bool) -> Self {
        self.hypercube = hypercube;
        self
    }

    /// What is added to each feature: finite. Random: uniform in `[-class_sep, class_sep]`.
    pub fn shift(mut self, shift: impl Into<PerFeature>) -> Self {
        self.shift = shift.into();
        self
    }

    /// What each feature is multiplied by, after the shift: finite, above 0. Random:
    /// uniform in `[1, 101]`.
    pub fn scale(mut self, scale: impl Into<PerFeature>) -> Self {
        self.scale = scale.into();
        self
    }

    /// Whether rows and columns come in random order (the default). If not, rows come
    /// cluster by cluster, and columns as informative, redundant, repeated, noise.
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// The seed: any value. The same seed gives the same bits.
    #[doc(alias = "random_state")]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Rows of a block, at least 1. Changes no value.
    pub fn block_rows(mut self, block_rows: u64) -> Self {
        self.size.block_rows = Some(block_rows);
        self
    }

    /// The element type. Values in `f32` are those in `f64`, each rounded once.
    pub fn dtype(mut self, dtype: Dtype) -> Self {
        self.size.dtype = dtype;
        self
    }

    /// What each column is, `(n_features,)`, in the order of the records.
    ///
    /// # Errors
    /// As for [`check`](Self::check).
    ///
    /// # Examples
    /// ```
    /// use drystone_sources::generate::{Classification, FeatureKind};
    /// let kinds = Classification::new(1000, 5).shuffle(false).feature_kinds()?;
    /// assert_eq!(kinds[1..3], [FeatureKind::Informative, FeatureKind::Redundant]);
    /// # Ok::<(), drystone_core::Error>(())
    /// ```
    #[doc(alias = "feature_info")]
    pub fn feature_kinds(&self) -> Result<Vec<FeatureKind>> {
        Ok(self.clone().check()?.feature_kinds().to_vec())
    }

    /// The source of these blocks, if the parameters are valid.
    ///
    /// # Errors
    /// [`ErrorKind::Parameter`](drystone_core::ErrorKind::Parameter) with the parameter,
    /// the constraint and the value;
    /// [`ErrorKind::Limit`](drystone_core::ErrorKind::Limit) for more than 2^53 rows, 2^62
    /// values or 2^24 numbers to keep.
    ///
    /// # Examples
    /// ```
    /// use drystone_sources::generate::Classification;
    /// let error = Classification::new(100, 20).n_classes(3).check().unwrap_err();
    /// let message = "parameter `n_classes * n_clusters_per_class` must be at most \
    ///                2^n_informative = 4, found 6";
    /// assert_eq!(error.to_string(), message);
    /// ```
    pub fn check(self) -> Result<ClassificationSource> {
        ClassificationSource::new(self)
    }

    /// The dataset; a parameter that is not valid is an error now.
    ///
    /// # Errors
    /// As for [`check`](Self::check).
    pub fn try_dataset(self) -> Result<ChunkedDataset> {
        Ok(ChunkedDataset::new(self.check()?))
    }

    /// The dataset; a parameter that is not valid is the error of every read.
    pub fn dataset(self) -> ChunkedDataset {
        let layout = self.size.layout();
        self.try_dataset().unwrap_or_else(|error| ChunkedDataset::broken(error, layout))
    }

    fn n_clusters(&self) -> Option<u64> {
        (self.n_classes as u64).checked_mul(self.n_clusters_per_class as u64)
    }

    /// Checks the sizes, so that what is kept of them may be allocated.
    fn check_sizes(&mut self) -> Result<()> {
        self.size.check()?;
        at_least_1("n_informative", self.n_informative as u64)?;
        at_least_1("n_classes", self.n_classes as u64)?;
        at_least_1("n_clusters_per_class", self.n_clusters_per_class as u64)?;
        let useful = [self.n_informative, self.n_redundant, self.n_repeated];
        let useful = useful.iter().fold(0_usize, |sum, &n| sum.saturating_add(n));
        if useful > self.size.n_features {
            let expected = format!("at least n_informative + n_redundant + n_repeated = {useful}");
            return Err(Error::parameter("n_features", expected, self.size.n_features));
        }
        self.check_vertices()?;
        self.size.check_kept("the number of coefficients", self.n_coefficients())
    }

    fn check_vertices(&self) -> Result<()> {
        let vertices = u32::try_from(self.n_informative).ok().and_then(|n| 1_u64.checked_shl(n));
        let enough = match (self.n_clusters(), vertices) {
            (Some(n_clusters), Some(vertices)) => n_clusters <= vertices,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if enough {
            return Ok(());
        }
        let most = vertices.map_or("more than 2^63".to_owned(), |most| most.to_string());
        let expected = format!("at most 2^n_informative = {most}");
        let found = self.n_clusters().map_or("more than 2^64".to_owned(), |n| n.to_string());
        Err(Error::parameter("n_classes * n_clusters_per_class", expected, found))
    }

    /// Coordinates of centroids and entries of matrices; `None` for more than a `u64`.
    fn n_coefficients(&self) -> Option<u64> {
        let n_informative = self.n_informative as u64;
        let each = n_informative.checked_mul(n_informative.checked_add(1)?)?;
        let redundant = n_informative.checked_mul(self.n_redundant as u64)?;
        self.n_clusters()?.checked_mul(each)?.checked_add(redundant)
    }

    fn check_reals(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.flip_y) {
            return Err(Error::parameter("flip_y", "within [0, 1]", self.flip_y));
        }
        if !(self.class_sep > 0.0 && self.class_sep.is_finite()) {
            return Err(Error::parameter("class_sep", "finite and above 0", self.class_sep));
        }
        Ok(())
    }

    /// The part of the rows in each class.
    fn check_weights(&self) -> Result<Vec<f64>> {
        let n_classes = self.n_classes;
        let Some(weights) = &self.weights else {
            return Ok(vec![1.0 / n_classes as f64; n_classes]);
        };
        if weights.len() != n_classes && weights.len() + 1 != n_classes {
            let expected = format!("one for each of {n_classes} classes, or without the last");
            return Err(Error::parameter("weights", expected, format!("{} values", weights.len())));
        }
        if let Some(weight) = weights.iter().find(|weight| !(0.0..=1.0).contains(*weight)) {
            return Err(Error::parameter("weights", "within [0, 1]", weight));
        }
        let sum = weights.iter().fold(0.0, |sum, weight| sum + weight);
        let all = weights.len() == n_classes;
        if sum > 1.0 + WEIGHT_TOLERANCE || (all && sum < 1.0 - WEIGHT_TOLERANCE) {
            let expected = if all { "of sum 1" } else { "of sum at most 1 without the last" };
            return Err(Error::parameter("weights", expected, format!("the sum {sum}")));
        }
        let last = (!all).then_some((1.0 - sum).max(0.0));
        Ok(weights.iter().copied().chain(last).collect())
    }

    /// The rows of each cluster.
    fn cluster_sizes(&self, weights: &[f64]) -> Vec<u64> {
        let (n_classes, per_class) = (self.n_classes, self.n_clusters_per_class);
        let mut left = self.size.n_samples;
        let size = |cluster: usize| {
            let rows = self.size.n_samples as f64 * weights[cluster % n_classes];
            let size = ((rows / per_class as f64) as u64).min(left);
            left -= size;
            size
        };
        let mut sizes: Vec<u64> = (0..n_classes * per_class).map(size).collect();
        let (each, more) = (left / sizes.len() as u64, left % sizes.len() as u64);
        (0..).zip(&mut sizes).for_each(|(k, size)| *size += each + u64::from(k < more));
        sizes
    }
}
