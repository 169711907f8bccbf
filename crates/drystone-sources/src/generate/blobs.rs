//! `generate::Blobs`: Gaussian clusters. Its parameters; what they make is in `source`.

mod source;

pub use source::BlobsSource;
pub(super) use source::open;

use drystone_core::wire::raw;
use drystone_core::{ChunkedDataset, Dtype, Error, Result};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::size::{Size, at_least_1};

/// The name under which it travels.
pub(super) const KIND: &str = "generate.blobs/1";

const DEFAULT_CENTERS: usize = 3;
const DEFAULT_BOX: (f64, f64) = (-10.0, 10.0);

/// Isotropic Gaussian clusters for clustering, `(n_samples, n_features)`; the target of a
/// row (`i64`) is the index of its centre.
///
/// Row `i` is `centre + std * z`, with `z` standard normal numbers that depend on the
/// seed and on `i` only: block size, executor and machine change no bit. Of `n_samples`,
/// `floor(n_samples / n_centers)` rows go to each centre, and one more to each of the
/// first `n_samples % n_centers`; [`sizes`](Self::sizes) says otherwise. Nothing but the
/// centres is kept in memory: the order of shuffled rows is computed.
///
/// All parameters are checked when the dataset is made; [`dataset`](Self::dataset) keeps
/// an error for the first read.
///
/// # Differences from scikit-learn
/// The same parameters mean the same distribution, not the same numbers. Rejected here,
/// and accepted there: a centre box whose ends are the wrong way round; a centre box
/// beside given centres, or a number of features that is not theirs (ignored there); sizes
/// that sum to 0. Accepted here only: a number of centres beside sizes, if it is theirs.
/// Here `n_samples` is always the number of rows, and the sizes must sum to it.
///
/// # Performance
/// O(1) per value, in whatever order blocks are read; a block of 200,000 x 20 took 11 ms
/// on one core with AVX2, of which the normal numbers 7 and the shuffle 2.5. No pass over
/// the data. Making the source draws
/// `n_centers * n_features` numbers.
///
/// # Examples
/// ```
/// use drystone_sources::generate;
///
/// let blobs = generate::Blobs::new(100_000_000, 20).centers(50).seed(0);
/// let data = blobs.block_rows(200_000).dataset();
/// assert_eq!(data.n_blocks(), 500);
/// let last = data.read(499)?;       // costs what the first costs
/// assert_eq!(last.n_samples(), 200_000);
/// # Ok::<(), drystone_core::Error>(())
/// ```
///
/// # References
/// scikit-learn, `sklearn.datasets.make_blobs`.
#[doc(alias = "make_blobs")]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[must_use = "parameters alone make nothing: call dataset()"]
pub struct Blobs {
    size: Size,
    centers: Centers,
    center_box: Option<(f64, f64)>,
    sizes: Option<Vec<u64>>,
    stds: Stds,
    shuffle: bool,
    seed: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Centers {
    /// As many as there are sizes, or the default number.
    Unsaid,
    Drawn(usize),
    Given {
        #[serde(with = "raw")]
        values: Vec<f64>,
        n_features: usize,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Stds {
    Same(f64),
    Each(Vec<f64>),
}

impl Blobs {
    /// Three clusters of standard deviation 1, with centres uniform in `[-10, 10]`,
    /// shuffled, from seed 0, in `f64` and blocks of about 8 MiB.
    pub fn new(n_samples: u64, n_features: usize) -> Self {
        Self {
            size: Size::new(n_samples, n_features),
            centers: Centers::Unsaid,
            center_box: None,
            sizes: None,
            stds: Stds::Same(1.0),
            shuffle: true,
            seed: 0,
        }
    }

    /// Draws this many centres; at least 1. In place of [`center_points`](Self::center_points).
    pub fn centers(mut self, n_centers: usize) -> Self {
        self.centers = Centers::Drawn(n_centers);
        self
    }

    /// Takes these centres, `(n_centers, n_features)`, all finite. In place of
    /// [`centers`](Self::centers).
    pub fn center_points(mut self, points: Array2<f64>) -> Self {
        let n_features = points.ncols();
        self.centers = Centers::Given { values: points.into_iter().collect(), n_features };
        self
    }

    /// The rows of each centre, `(n_centers,)`; they sum to `n_samples`. Some may be 0.
    /// scikit-learn's `n_samples` as a list.
    pub fn sizes(mut self, sizes: Vec<u64>) -> Self {
        self.sizes = Some(sizes);
        self
    }

    /// The standard deviation of all clusters: finite, at least 0. In place of
    /// [`cluster_stds`](Self::cluster_stds).
    pub fn cluster_std(mut self, std: f64) -> Self {
        self.stds = Stds::Same(std);
        self
    }

    /// The standard deviation of each cluster, `(n_centers,)`. In place of
    /// [`cluster_std`](Self::cluster_std).
    pub fn cluster_stds(mut self, stds: Vec<f64>) -> Self {
        self.stds = Stds::Each(stds);
        self
    }

    /// The bounds of every coordinate of centres that are drawn: `lo <= hi`.
    pub fn center_box(mut self, lo: f64, hi: f64) -> Self {
        self.center_box = Some((lo, hi));
        self
    }

    /// Whether rows come in random order (the default), or centre by centre. The order
    /// says which centre a row has; the noise of row `i` is the same either way.
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

    /// The centres of the clusters, `(n_centers, n_features)`, in double precision.
    ///
    /// # Errors
    /// As for [`check`](Self::check).
    ///
    /// # Examples
    /// ```
    /// use drystone_sources::generate::Blobs;
    /// let blobs = Blobs::new(1000, 2).centers(4).center_box(0.0, 1.0);
    /// assert_eq!(blobs.centers_array()?.dim(), (4, 2));
    /// # Ok::<(), drystone_core::Error>(())
    /// ```
    #[doc(alias = "return_centers")]
    pub fn centers_array(&self) -> Result<Array2<f64>> {
        Ok(self.clone().check()?.centers().clone())
    }

    /// The source of these blocks, if the parameters are valid.
    ///
    /// # Errors
    /// [`ErrorKind::Parameter`](drystone_core::ErrorKind::Parameter) with the parameter,
    /// the constraint and the value;
    /// [`ErrorKind::Limit`](drystone_core::ErrorKind::Limit) for more than 2^53 rows, 2^62
    /// values or 2^24 coordinates of centres.
    ///
    /// # Examples
    /// ```
    /// use drystone_sources::generate::Blobs;
    /// let error = Blobs::new(100, 2).cluster_std(f64::NAN).check().unwrap_err();
    /// let message = "parameter `cluster_std` must be finite and at least 0, found NaN";
    /// assert_eq!(error.to_string(), message);
    /// ```
    pub fn check(self) -> Result<BlobsSource> {
        BlobsSource::new(self)
    }

    /// The dataset; a parameter that is not valid is an error now.
    ///
    /// # Errors
    /// As for [`check`](Self::check).
    pub fn try_dataset(self) -> Result<ChunkedDataset> {
        Ok(ChunkedDataset::new(self.check()?))
    }

    /// The dataset; a parameter that is not valid is the error of every read.
    ///
    /// # Examples
    /// ```
    /// use drystone_sources::generate::Blobs;
    /// let data = Blobs::new(0, 2).dataset();
    /// let message = "block 0: parameter `n_samples` must be at least 1, found 0";
    /// assert_eq!(data.read(0).unwrap_err().to_string(), message);
    /// ```
    pub fn dataset(self) -> ChunkedDataset {
        let layout = self.size.layout();
        self.try_dataset().unwrap_or_else(|error| ChunkedDataset::broken(error, layout))
    }

    fn check_n_centers(&self) -> Result<usize> {
        let said = match &self.centers {
            Centers::Unsaid => None,
            Centers::Drawn(n_centers) => Some(*n_centers),
            Centers::Given { values, n_features } => Some(self.check_points(values, *n_features)?),
        };
        let n_sizes = self.sizes.as_ref().map(Vec::len);
        let n_centers = said.or(n_sizes).unwrap_or(DEFAULT_CENTERS);
        at_least_1("centers", n_centers as u64)?;
        match n_sizes {
            Some(found) if found != n_centers => {
                let expected = format!("one size for each of {n_centers} centres");
                Err(Error::parameter("sizes", expected, format!("{found} sizes")))
            }
            _ => Ok(n_centers),
        }
    }

    /// How many centres are given, if they are good.
    fn check_points(&self, values: &[f64], n_features: usize) -> Result<usize> {
        let wanted = self.size.n_features;
        if n_features != wanted || !values.len().is_multiple_of(wanted) {
            let expected = format!("points of {wanted} features");
            return Err(Error::parameter("center_points", expected, format!("of {n_features}")));
        }
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            return Err(Error::parameter("center_points", "finite", value));
        }
        if let Some((lo, hi)) = self.center_box {
            let expected = "unset when centres are given";
            return Err(Error::parameter("center_box", expected, format!("[{lo}, {hi}]")));
        }
        Ok(values.len() / wanted)
    }

    fn check_box(&self) -> Result<(f64, f64)> {
        let (lo, hi) = self.center_box.unwrap_or(DEFAULT_BOX);
        // False for NaN; an infinite end or width makes the difference infinite or NaN.
        if lo <= hi && (hi - lo).is_finite() {
            return Ok((lo, hi));
        }
        let expected = "two ascending finite numbers at a finite distance";
        Err(Error::parameter("center_box", expected, format!("[{lo}, {hi}]")))
    }

    fn check_sizes(&self, n_centers: usize) -> Result<Vec<u64>> {
        let n_samples = self.size.n_samples;
        let Some(sizes) = &self.sizes else {
            let (each, more) = (n_samples / n_centers as u64, n_samples % n_centers as u64);
            return Ok((0..n_centers as u64).map(|k| each + u64::from(k < more)).collect());
        };
        let sum = sizes.iter().try_fold(0_u64, |sum, &size| sum.checked_add(size));
        if sum == Some(n_samples) {
            return Ok(sizes.clone());
        }
        let found = sum.map_or("more than 2^64".to_owned(), |sum| sum.to_string());
        let expected = format!("sizes that sum to n_samples = {n_samples}");
        Err(Error::parameter("sizes", expected, format!("the sum {found}")))
    }

    fn check_stds(&self, n_centers: usize) -> Result<Vec<f64>> {
        let (name, stds) = match &self.stds {
            Stds::Same(std) => ("cluster_std", vec![*std; n_centers]),
            Stds::Each(stds) => ("cluster_stds", stds.clone()),
        };
        if stds.len() != n_centers {
            let expected = format!("one for each of {n_centers} centres");
            return Err(Error::parameter(name, expected, format!("{} values", stds.len())));
        }
        match stds.iter().find(|&&std| !(std >= 0.0 && std.is_finite())) {
            None => Ok(stds),
            Some(std) => Err(Error::parameter(name, "finite and at least 0", std)),
        }
    }
}
