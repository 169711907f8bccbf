//! What a fit returns, and what it is used for.

use drystone_core::{
    ChunkedArray, ChunkedDataset, Control, Executor, Layout, Records, Result, Session, Threads,
    ToChunked, observe::Silent,
};
use ndarray::{Ix1, Ix2};

use super::element::Real;
use super::lloyd::Centroids;
use super::predict::{Distances, Labels};
use super::score::Score;

/// Fitted centroids, and how they came about. It owns its data.
///
/// Two models are the same clustering if their [`sha256`](Self::sha256) is the same; `==`
/// compares their histories as well, which are not saved.
#[derive(Clone, Debug, PartialEq)]
pub struct KMeans {
    pub(super) centroids: Records,
    pub(super) inertia: f64,
    pub(super) n_iter: usize,
    pub(super) status: Status,
    pub(super) cluster_counts: Vec<u64>,
    pub(super) recipe: String,
    pub(super) history: History,
}

/// Why the iterations ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// No label changed: each centroid is the mean of its rows.
    LabelsUnchanged,
    /// The centroids moved less than `tol`.
    ShiftWithinTol,
    /// `max_iter` was reached.
    MaxIter,
    /// The fit was cancelled.
    Cancelled,
    /// `max_time` was over.
    MaxTime,
}

/// How the fit of the kept restart went. Not saved with the model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The rounds of k-means||, or the steps of k-means++.
    pub rounds: Vec<Round>,
    /// Lloyd's iterations.
    pub iterations: Vec<Iteration>,
    /// Passes over the data, of all restarts.
    pub passes: usize,
    /// Blocks that were read or generated, of all restarts.
    pub blocks_read: usize,
    /// Bytes of state that rows kept between passes, at most.
    pub state_bytes: u64,
}

/// A round of seeding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Round {
    /// Candidates at its end.
    pub n_candidates: usize,
    /// Weighted sum of the squared distances to the candidates before it.
    pub cost: f64,
}

/// One of Lloyd's iterations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Iteration {
    /// Inertia of the centroids that it started with.
    pub cost: f64,
    /// Squared distance that the centroids moved in it, summed over them.
    pub shift: f64,
}

impl Status {
    /// Whether the iterations came to an end of their own.
    #[must_use]
    pub fn converged(self) -> bool {
        matches!(self, Self::LabelsUnchanged | Self::ShiftWithinTol)
    }

    /// A word for it, as in `labels_unchanged`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LabelsUnchanged => "labels_unchanged",
            Self::ShiftWithinTol => "shift_within_tol",
            Self::MaxIter => "max_iter",
            Self::Cancelled => "cancelled",
            Self::MaxTime => "max_time",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        let all = [
            Self::LabelsUnchanged,
            Self::ShiftWithinTol,
            Self::MaxIter,
            Self::Cancelled,
            Self::MaxTime,
        ];
        all.into_iter().find(|status| status.name() == name)
    }
}

impl KMeans {
    /// The centroids, `(n_clusters, n_features)`, in the data's element type.
    #[doc(alias = "cluster_centers_")]
    #[must_use]
    pub fn centroids(&self) -> &Records {
        &self.centroids
    }

    /// Weighted sum of the squared distances of the rows to their nearest of these
    /// centroids (scikit-learn's; linfa's is the mean). Exact but for one rounding of
    /// each row's distance and one of the sum.
    #[doc(alias = "inertia_")]
    #[must_use]
    pub fn inertia(&self) -> f64 {
        self.inertia
    }

    /// Iterations of the kept restart.
    #[doc(alias = "n_iter_")]
    #[must_use]
    pub fn n_iter(&self) -> usize {
        self.n_iter
    }

    /// Why they ended.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// Whether they ended because labels or centroids had settled.
    #[must_use]
    pub fn converged(&self) -> bool {
        self.status.converged()
    }

    /// Rows nearest to each centroid, those of zero weight included.
    #[must_use]
    pub fn cluster_counts(&self) -> &[u64] {
        &self.cluster_counts
    }

    /// How the fit went; empty for a model that was loaded.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Number of clusters.
    #[must_use]
    pub fn n_clusters(&self) -> usize {
        self.centroids.n_samples()
    }

    /// Columns of the records that it applies to.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.centroids.n_features()
    }

    /// The label of each row, lazily: the index of the nearest centroid, the lower one of
    /// a tie. The same labels that the fit ended with.
    ///
    /// What does not fit the model, and rows that are not finite, are errors when the
    /// labels are computed.
    ///
    /// ```
    /// use drystone_core::Threads;
    /// use drystone_estimators::KMeans;
    /// use drystone_sources::generate::Blobs;
    ///
    /// let data = Blobs::new(1000, 2).centers(3).dataset();
    /// let model = KMeans::params(3).fit(&data)?;
    /// // Another executor finds them in other processes, or on a cluster: the same labels.
    /// let labels = model.predict(&data).compute_on(&Threads::new(2)?)?;
    /// assert_eq!(labels, model.predict(&data).compute()?);
    /// # Ok::<(), drystone_core::Error>(())
    /// ```
    pub fn predict(&self, data: &impl ToChunked) -> ChunkedArray<u32, Ix1> {
        ChunkedArray::by_row(&self.chunked(data), Labels::new(self))
    }

    /// The Euclidean distance of each row to each centroid, lazily,
    /// `(n_samples, n_clusters)`, in double precision.
    pub fn transform(&self, data: &impl ToChunked) -> ChunkedArray<f64, Ix2> {
        ChunkedArray::by_row(&self.chunked(data), Distances::new(self))
    }

    /// Data that cannot be seen as a chunked dataset give their error when they are read.
    fn chunked(&self, data: &impl ToChunked) -> ChunkedDataset {
        let layout = || Layout::new(self.centroids.dtype(), self.n_features(), 0, 1);
        data.to_chunked().unwrap_or_else(|error| ChunkedDataset::broken(error, layout()))
    }

    /// Minus the inertia of the centroids on these data: greater is better. One pass on
    /// all cores.
    ///
    /// # Errors
    /// When the data do not fit the model or are not finite; the source's.
    pub fn score(&self, data: &impl ToChunked) -> Result<f64> {
        self.score_on(data, &*Threads::shared())
    }

    /// As [`score`](Self::score), on an executor.
    ///
    /// # Errors
    /// As for [`score`](Self::score), and the executor's.
    pub fn score_on(&self, data: &impl ToChunked, executor: &dyn Executor) -> Result<f64> {
        let data = data.to_chunked()?;
        let control = Control::default();
        let session = Session::new(executor, &Silent, &control);
        let data = session.with_known_rows(&data)?;
        match &self.centroids {
            Records::F32(rows) => cost(&session, &data, rows.values(), rows.n_features()),
            Records::F64(rows) => cost(&session, &data, rows.values(), rows.n_features()),
        }
        .map(|cost| -cost)
    }
}

fn cost<T: Real>(
    session: &Session<'_>,
    data: &ChunkedDataset,
    centroids: &[T],
    n_features: usize,
) -> Result<f64> {
    let job = Score { n_features, centroids: Centroids(centroids.to_vec()) };
    Ok(session.run(data, &job)?.cost())
}
