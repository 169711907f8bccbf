//! One of Lloyd's iterations for all restarts: assign each row to its nearest centroid,
//! and sum up rows, labels and, where they are asked for, costs by cluster. One pass, no
//! matrix of distances.

mod slice;

use drystone_core::wire::{exact_sums, raw};
use drystone_core::{BlockAt, Job, Layout, Partial, Result};
use drystone_kernels::ExactSum;
use drystone_kernels::limbs::{ClusterSums, Scales};
use drystone_kernels::screen::Frame;
use serde::{Deserialize, Serialize};

use super::element::{Real, check_job, named, records_of, whole_rows};
use super::labelled::{self, Labelled};
use super::sums::Sums;
use crate::checks::sound;
use slice::{Outputs, Slice};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub(crate) struct Lloyd<T> {
    pub n_features: usize,
    /// What bounds the integers that rows are summed as.
    pub range: Range,
    /// Iterations before this one.
    pub step: u64,
    pub restarts: Vec<Task<T>>,
}

/// The iteration of one restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub(crate) struct Task<T> {
    /// Which one it is: the state of its rows goes by this number.
    pub restart: u32,
    /// `(n_clusters, n_features)`.
    pub centroids: Centroids<T>,
    /// For each cluster, by how much gaps of its rows may have closed since the first
    /// iteration, in units of the frame; empty if no row is to be skipped.
    #[serde(with = "raw")]
    pub drifts: Vec<f64>,
    /// Whether to sum up the costs of the rows.
    pub costs: bool,
}

/// The box that holds the rows, and their largest weight.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Range {
    #[serde(with = "raw")]
    pub low: Vec<f64>,
    #[serde(with = "raw")]
    pub high: Vec<f64>,
    pub max_weight: f64,
}

impl Range {
    pub fn scales<T: Real>(&self) -> Scales {
        let sides = self.low.iter().zip(&self.high);
        let max_abs: Vec<f64> = sides.map(|(low, high)| low.abs().max(high.abs())).collect();
        Scales::new::<T>(&max_abs, self.max_weight)
    }

    pub fn frame(&self) -> Frame {
        Frame::new(&self.low, &self.high)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub(crate) struct Centroids<T>(#[serde(with = "raw")] pub Vec<T>);

impl<T> Centroids<T> {
    /// At least one, all of them whole.
    pub fn check(&self, n_features: usize) -> Result<()> {
        sound(!self.0.is_empty() && whole_rows(&self.0, n_features))
    }
}

/// What the rows of each cluster add up to, for each restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LloydPartial {
    #[serde(with = "exact_sums")]
    pub costs: Vec<ExactSum>,
    /// Sums of a hash of (row, label) over the rows of positive weight: equal only if
    /// the labels are.
    #[serde(with = "raw")]
    pub labels: Vec<u64>,
    pub sums: Vec<Sums>,
}

impl Partial for LloydPartial {
    fn merge(&mut self, other: Self) {
        self.costs.iter_mut().zip(&other.costs).for_each(|(cost, other)| cost.merge(other));
        for (labels, other) in self.labels.iter_mut().zip(&other.labels) {
            *labels = labels.wrapping_add(*other);
        }
        self.sums.iter_mut().zip(&other.sums).for_each(|(sums, other)| sums.0.merge(&other.0));
    }
}

impl<T: Real> Job for Lloyd<T> {
    const NAME: &'static str = named(T::DTYPE, "kmeans.lloyd.f32/2", "kmeans.lloyd.f64/2");
    /// By the number of the restart.
    type State = Vec<(u32, Labelled)>;
    type Partial = LloydPartial;

    fn check(&self, layout: &Layout) -> Result<()> {
        check_job(layout, self.n_features, self.restarts.len())?;
        let fits = |values: &[f64]| values.len() == self.n_features;
        sound(fits(&self.range.low) && fits(&self.range.high))?;
        self.restarts.iter().try_for_each(|task| {
            task.centroids.check(self.n_features)?;
            sound(task.drifts.is_empty() || task.drifts.len() == task.n_clusters(self.n_features))
        })
    }

    fn empty(&self) -> LloydPartial {
        let empty = |task: &Task<T>| {
            Sums(ClusterSums::new(task.n_clusters(self.n_features), self.n_features))
        };
        LloydPartial {
            costs: vec![ExactSum::new(); self.restarts.len()],
            labels: vec![0; self.restarts.len()],
            sums: self.restarts.iter().map(empty).collect(),
        }
    }

    fn map(
        &self,
        rows: &BlockAt,
        state: &mut Vec<(u32, Labelled)>,
        into: &mut LloydPartial,
    ) -> Result<()> {
        let slice = Slice {
            rows,
            records: records_of::<T>(rows, self.n_features)?,
            n_features: self.n_features,
            scales: &self.range.scales::<T>(),
        };
        let frame = self.range.frame();
        let mut before = std::mem::take(state);
        for (slot, task) in self.restarts.iter().enumerate() {
            let known = before.iter().position(|(restart, _)| *restart == task.restart);
            let known = known.map(|at| before.swap_remove(at).1);
            let outputs = Outputs { cost: &mut into.costs[slot], sums: &mut into.sums[slot].0 };
            let labelled = slice.assign(task, &frame, known, outputs)?;
            into.labels[slot] = into.labels[slot].wrapping_add(labelled.hash);
            state.push((task.restart, labelled));
        }
        Ok(())
    }

    fn step(&self) -> u64 {
        self.step
    }

    fn state_bytes_per_row(&self) -> usize {
        let bytes = |task: &Task<T>| {
            let n_clusters = task.n_clusters(self.n_features);
            labelled::bytes_per_row(n_clusters, !task.drifts.is_empty())
        };
        self.restarts.iter().map(bytes).sum()
    }
}

impl<T> Task<T> {
    fn n_clusters(&self, n_features: usize) -> usize {
        self.centroids.0.len() / n_features
    }
}

#[cfg(test)]
mod tests;
