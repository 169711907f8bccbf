//! The data that the quality of KMeans is measured on, all in memory and in `f64`.
//!
//! # References
//! B. Bahmani, B. Moseley, A. Vattani, R. Kumar, S. Vassilvitskii, *Scalable K-Means++*,
//! PVLDB 5(7), 2012, arXiv 1203.6402, section 4.1.

use std::path::{Path, PathBuf};

use drystone::kernels::{Isa, normal::fill_normal};
use drystone::{ChunkedDataset, Result, csv, generate};
use ndarray::Array2;

/// Rows of a Gaussian mixture.
const MIXTURE_ROWS: u64 = 10_000;
/// Columns of a Gaussian mixture.
const MIXTURE_FEATURES: usize = 15;
/// Centres of a Gaussian mixture: the paper's smallest.
pub const MIXTURE_CENTERS: usize = 50;
/// Keeps the draws of centres apart from those of rows.
const PURPOSE: u64 = 0x6d69_7874_7572_6573;

/// Rows around known centres.
pub struct Mixture {
    /// `(10000, 15)`.
    pub data: ChunkedDataset,
    /// `(50, 15)`.
    pub centers: Array2<f64>,
}

/// The paper's GaussMixture: centres drawn from N(0, `variance` * I), as many rows around
/// each, of unit variance.
///
/// # Errors
/// None that is expected: the parameters are valid.
pub fn gauss_mixture(variance: f64, seed: u64) -> Result<Mixture> {
    let mut centers = Array2::zeros((MIXTURE_CENTERS, MIXTURE_FEATURES));
    if let Some(values) = centers.as_slice_mut() {
        fill_normal(Isa::best(), seed, 0, PURPOSE, values);
    }
    centers *= variance.sqrt();
    let blobs = generate::Blobs::new(MIXTURE_ROWS, MIXTURE_FEATURES)
        .center_points(centers.clone())
        .seed(seed);
    let data = blobs.try_dataset()?.persist()?;
    Ok(Mixture { data, centers })
}

/// The directory of data in the repository.
#[must_use]
pub fn datasets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets")
}

/// A file of [`datasets`], with all of its columns.
///
/// # Errors
/// When it cannot be read.
pub fn file(name: &str) -> Result<ChunkedDataset> {
    csv::open(datasets().join(name)).dataset()?.persist()
}
