//! Where centroids start.

use std::fmt;

use drystone_core::Records;
use drystone_core::block::RecordElement;
use ndarray::Array2;

use super::model::KMeans;

/// How the first centroids are found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Init {
    /// k-means||: `rounds` passes, each of which draws some rows with a probability in
    /// proportion to their squared distance from those drawn before; what was drawn is
    /// weighted and reclustered into the centroids (Bahmani et al. 2012).
    Parallel {
        /// Rows drawn in each round, in expectation.
        oversampling: Oversampling,
        /// Rounds after the first row; at least 1.
        rounds: usize,
    },
    /// Greedy k-means++ over all rows: `n_clusters` passes over the data, so for data
    /// that stay in memory (Arthur & Vassilvitskii 2007, with 2 + ln k trials).
    PlusPlus,
    /// Rows drawn without replacement, in proportion to their weights.
    Random,
    /// These centroids, `(n_clusters, n_features)`, of the data's element type.
    Centroids(Records),
}

/// How many rows a round of k-means|| draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Oversampling {
    /// This many times the number of clusters (cuVS's `oversampling_factor`).
    PerCluster(f64),
    /// This many rows (what dask-ml calls `oversampling_factor`).
    Rows(f64),
}

impl Init {
    /// [`Init::Parallel`].
    #[must_use]
    pub fn parallel(oversampling: Oversampling, rounds: usize) -> Self {
        Self::Parallel { oversampling, rounds }
    }

    /// [`Init::Centroids`] from an array `(n_clusters, n_features)`.
    #[must_use]
    pub fn centroids<T: RecordElement>(centroids: Array2<T>) -> Self {
        Self::Centroids(centroids.into())
    }

    /// [`Init::Centroids`] from a fitted model.
    #[must_use]
    pub fn model(model: &KMeans) -> Self {
        Self::Centroids(model.centroids().clone())
    }
}

impl Default for Init {
    fn default() -> Self {
        Self::parallel(Oversampling::PerCluster(2.0), 5)
    }
}

impl Oversampling {
    /// Rows drawn in a round, in expectation.
    #[must_use]
    pub fn rows(self, n_clusters: usize) -> f64 {
        match self {
            Self::PerCluster(factor) => factor * n_clusters as f64,
            Self::Rows(rows) => rows,
        }
    }
}

impl fmt::Display for Init {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parallel { oversampling: Oversampling::PerCluster(factor), rounds } => {
                write!(f, "k-means|| ({factor} x n_clusters rows, {rounds} rounds)")
            }
            Self::Parallel { oversampling: Oversampling::Rows(rows), rounds } => {
                write!(f, "k-means|| ({rows} rows, {rounds} rounds)")
            }
            Self::PlusPlus => f.write_str("k-means++"),
            Self::Random => f.write_str("random rows"),
            Self::Centroids(_) => f.write_str("given centroids"),
        }
    }
}
