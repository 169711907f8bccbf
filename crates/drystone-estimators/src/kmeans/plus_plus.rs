//! One step of greedy k-means++: take in the centroid that was chosen, then try several
//! rows as the next one, and draw the rows to try after each of them. One pass.

use drystone_core::rng::row_uniform;
use drystone_core::wire::{exact_sums, raw};
use drystone_core::{BlockAt, Job, Layout, Partial, Result};
use drystone_kernels::{ExactSum, math};
use serde::{Deserialize, Serialize};

use super::element::{Real, check_job, named, whole_rows};
use super::nearness::Nearness;
use crate::checks::sound;
use crate::draws::{Smallest, key};
use crate::rows::row_values;
use crate::rows::weight_of;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub(crate) struct PlusPlus<T> {
    pub n_features: usize,
    /// Squared distances are kept in multiples of 1/unit.
    pub unit: f64,
    /// From 1: so many centroids are chosen.
    pub round: u64,
    /// Rows to try in each round.
    pub n_trials: usize,
    pub restarts: Vec<Chosen<T>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub(crate) struct Chosen<T> {
    pub seed: u64,
    /// Centroids chosen so far, `(round, n_features)`; the last is new in this round.
    #[serde(with = "raw")]
    pub centroids: Vec<T>,
    /// Rows to try as the next one, `(n, n_features)`; none in the first round.
    #[serde(with = "raw")]
    pub trials: Vec<T>,
}

/// For each restart and trial: the cost with it, and the rows to try after it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TrialsPartial {
    #[serde(with = "exact_sums")]
    pub costs: Vec<ExactSum>,
    pub draws: Vec<Smallest>,
}

impl Partial for TrialsPartial {
    fn merge(&mut self, other: Self) {
        self.costs.iter_mut().zip(&other.costs).for_each(|(cost, other)| cost.merge(other));
        self.draws.iter_mut().zip(other.draws).for_each(|(draws, other)| draws.merge(other));
    }
}

impl<T: Real> PlusPlus<T> {
    /// Trials of a restart: without any, the centroids alone are the one trial.
    fn n_outcomes(&self, chosen: &Chosen<T>) -> usize {
        (chosen.trials.len() / self.n_features).max(1)
    }

    /// The outcomes of one restart within a partial.
    pub fn outcomes(&self, restart: usize) -> std::ops::Range<usize> {
        let first = self.restarts[..restart].iter().map(|chosen| self.n_outcomes(chosen)).sum();
        first..first + self.n_outcomes(&self.restarts[restart])
    }

    /// Exponential keys draw in proportion to w d^2.
    fn offer(
        &self,
        rows: &BlockAt,
        seed: u64,
        row: usize,
        d2: f32,
        outcome: usize,
        into: &mut TrialsPartial,
    ) {
        let weight = weight_of(rows.block.weights.as_deref(), row);
        let weighted = weight * f64::from(d2);
        into.costs[outcome].add(weighted);
        let position = rows.first_row + row as u64;
        let key = key(-math::ln(row_uniform(seed, self.round, position)), weighted);
        let values = || row_values(&rows.block.records, row);
        into.draws[outcome].offer(key, position, weight, values);
    }
}

impl<T: Real> Job for PlusPlus<T> {
    const NAME: &'static str = named(T::DTYPE, "kmeans.plus_plus.f32/1", "kmeans.plus_plus.f64/1");
    type State = Vec<Nearness>;
    type Partial = TrialsPartial;

    fn check(&self, layout: &Layout) -> Result<()> {
        check_job(layout, self.n_features, self.restarts.len())?;
        self.restarts.iter().try_for_each(|chosen| {
            let whole = |values: &[T]| whole_rows(values, self.n_features);
            let centroids = !chosen.centroids.is_empty() && whole(&chosen.centroids);
            sound(self.round > 0 && centroids && whole(&chosen.trials))
        })
    }

    fn empty(&self) -> TrialsPartial {
        let n_outcomes = self.restarts.iter().map(|chosen| self.n_outcomes(chosen)).sum();
        TrialsPartial {
            costs: vec![ExactSum::new(); n_outcomes],
            draws: vec![Smallest::new(self.n_trials); n_outcomes],
        }
    }

    fn map(
        &self,
        rows: &BlockAt,
        state: &mut Vec<Nearness>,
        into: &mut TrialsPartial,
    ) -> Result<()> {
        for (restart, (chosen, near)) in self.restarts.iter().zip(state).enumerate() {
            let newest = &chosen.centroids[chosen.centroids.len() - self.n_features..];
            near.update(rows, self.n_features, newest, 0, self.unit)?;
            let outcomes = self.outcomes(restart);
            if chosen.trials.is_empty() {
                for (row, &d2) in near.d2.iter().enumerate() {
                    self.offer(rows, chosen.seed, row, d2, outcomes.start, into);
                }
            }
            for (outcome, trial) in outcomes.clone().zip(chosen.trials.chunks(self.n_features)) {
                let mut tried = near.clone();
                tried.update(rows, self.n_features, trial, 0, self.unit)?;
                for (row, &d2) in tried.d2.iter().enumerate() {
                    self.offer(rows, chosen.seed, row, d2, outcome, into);
                }
            }
            outcomes.for_each(|outcome| into.draws[outcome].seal());
        }
        Ok(())
    }

    fn step(&self) -> u64 {
        self.round - 1
    }

    fn restore(&self, rows: &BlockAt) -> Result<Vec<Nearness>> {
        let restore = |chosen: &Chosen<T>| {
            let mut near = Nearness::new(rows.block.n_samples(), 1);
            let earlier = chosen.centroids.len() - self.n_features;
            for centroid in chosen.centroids[..earlier].chunks(self.n_features) {
                near.update(rows, self.n_features, centroid, 0, self.unit)?;
            }
            Ok(near)
        };
        self.restarts.iter().map(restore).collect()
    }

    fn state_bytes_per_row(&self) -> usize {
        self.restarts.len() * (size_of::<f32>() + super::nearness::Index::bytes(1))
    }
}
