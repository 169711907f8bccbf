//! What happened to the coordinates of one problem, from which the gradient of any row
//! follows: so state that is lost can be made again.

use std::collections::HashMap;
use std::sync::OnceLock;

use drystone_core::wire::raw;
use serde::{Deserialize, Serialize};

use super::kernel::{Frame, Prepared};

/// Rows that the driver knows: all that were ever in a working set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Pool {
    n_features: usize,
    /// Row-major; exact for `f32` too.
    #[serde(with = "raw")]
    values: Vec<f64>,
    #[serde(skip)]
    index: HashMap<u64, u32>,
}

impl Pool {
    pub fn new(n_features: usize) -> Self {
        Self { n_features, ..Self::default() }
    }

    /// Adds a row, unless it is there; gives its place.
    pub fn add(&mut self, row: u64, values: &[f64]) -> u32 {
        let next = self.index.len() as u32;
        let place = *self.index.entry(row).or_insert(next);
        if place == next {
            self.values.extend_from_slice(values);
        }
        place
    }

    /// Where a row is, if it was added.
    pub fn place(&self, row: u64) -> Option<u32> {
        self.index.get(&row).copied()
    }

    pub fn row(&self, place: u32) -> &[f64] {
        &self.values[place as usize * self.n_features..][..self.n_features]
    }

    /// For a pool that came from another process.
    pub fn n_rows(&self) -> usize {
        self.values.len().checked_div(self.n_features).unwrap_or(0)
    }

    pub fn is_sound(&self, n_features: usize) -> bool {
        self.n_features == n_features && self.values.len().is_multiple_of(n_features.max(1))
    }
}

/// A coordinate that changed, or its value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Change {
    /// The row, as its position in the dataset.
    pub row: u64,
    /// Its place in the pool.
    pub place: u32,
    /// What was added to it.
    pub by: f64,
    /// What it is now: at a bound, to the bit.
    pub to: f64,
}

/// One step of a problem.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Segment {
    /// What changed, in the order in which gradients follow.
    pub changes: Vec<Change>,
    /// If rows are laid aside after it: what the extremes were before.
    pub shrink: Option<Extremes>,
}

/// The least gradient of rows that may grow, and the greatest of those that may shrink.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Extremes {
    pub least: f64,
    pub greatest: f64,
}

impl Extremes {
    /// By how much the conditions of the optimum are violated, at most.
    pub fn gap(self) -> f64 {
        self.greatest - self.least
    }

    /// Half way between them; the one that there is, if no row may grow or none may shrink.
    pub fn middle(self) -> f64 {
        match (self.least.is_finite(), self.greatest.is_finite()) {
            (true, true) => (self.least + self.greatest) / 2.0,
            (true, false) => self.least,
            (false, true) => self.greatest,
            (false, false) => 0.0,
        }
    }
}

/// All that happened since the gradients were last summed up from the coordinates.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Log {
    /// Counts the times that they were.
    pub epoch: u32,
    /// Whether kernels are evaluated in double precision in each step, not only at the base.
    pub precise: bool,
    /// The coordinates that were not zero then, by row.
    pub base: Vec<Change>,
    pub segments: Vec<Segment>,
    /// The base in its frame, made when first needed.
    #[serde(skip)]
    pub prepared_base: OnceLock<Prepared<f64>>,
}

/// The rows of some changes, in a frame.
pub(crate) fn prepared<V: drystone_kernels::gram::Real>(
    frame: &Frame,
    pool: &Pool,
    changes: &[Change],
) -> (Prepared<V>, Vec<f64>) {
    let rows = changes.iter().map(|change| pool.row(change.place));
    (Prepared::new(frame, rows), changes.iter().map(|change| change.by).collect())
}
