//! One round of k-means||: take in the candidates of the round before, then draw new
//! ones, or weigh them all by the rows nearest to them. One pass.

use drystone_core::rng::row_uniform;
use drystone_core::wire::{exact_sums, raw};
use drystone_core::{BlockAt, Job, Layout, Partial, Result};
use drystone_kernels::ExactSum;
use serde::{Deserialize, Serialize};

use super::element::{Real, check_job, named, whole_rows};
use super::nearness::{Index, Nearness};
use crate::checks::sound;
use crate::draws::{Smallest, key};
use crate::rows::row_values;
use crate::rows::weight_of;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub(crate) struct SeedRound<T> {
    pub n_features: usize,
    /// Squared distances are kept in multiples of 1/unit.
    pub unit: f64,
    /// Weights are summed in multiples of 1/weight_unit.
    pub weight_unit: f64,
    /// From 1.
    pub round: u64,
    /// Candidates there will be at most, in any restart.
    pub max_candidates: usize,
    pub restarts: Vec<Restart<T>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub(crate) struct Restart<T> {
    pub seed: u64,
    /// Candidates, a group a round; the last is new in this round.
    pub groups: Vec<Group<T>>,
    pub task: Task,
}

/// Candidates, `(n, n_features)`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub(crate) struct Group<T>(#[serde(with = "raw")] pub Vec<T>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Draw at most so many rows.
    Draw(usize),
    /// Weigh the candidates.
    Weigh,
    /// Nothing: this restart is done.
    Rest,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RoundPartial {
    /// The cost of each restart's candidates, in multiples of 1/unit.
    #[serde(with = "exact_sums")]
    pub costs: Vec<ExactSum>,
    pub draws: Vec<Smallest>,
    pub weights: Vec<Weights>,
}

/// Weight of each candidate, in multiples of 1/weight_unit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Weights(#[serde(with = "raw")] pub Vec<i128>);

impl Partial for RoundPartial {
    fn merge(&mut self, other: Self) {
        self.costs.iter_mut().zip(&other.costs).for_each(|(cost, other)| cost.merge(other));
        self.draws.iter_mut().zip(other.draws).for_each(|(draws, other)| draws.merge(other));
        for (weights, other) in self.weights.iter_mut().zip(other.weights) {
            weights.0.iter_mut().zip(other.0).for_each(|(weight, other)| *weight += other);
        }
    }
}

impl<T: Real> Job for SeedRound<T> {
    const NAME: &'static str = named(T::DTYPE, "kmeans.round.f32/1", "kmeans.round.f64/1");
    type State = Vec<Nearness>;
    type Partial = RoundPartial;

    fn check(&self, layout: &Layout) -> Result<()> {
        check_job(layout, self.n_features, self.restarts.len())?;
        self.restarts.iter().try_for_each(|restart| {
            let whole = restart.groups.iter().all(|group| whole_rows(&group.0, self.n_features));
            let n_candidates = restart.n_candidates(self.n_features);
            let any = restart.groups.first().is_some_and(|group| !group.0.is_empty());
            let any = any || restart.task == Task::Rest;
            sound(self.round > 0 && whole && any && n_candidates <= self.max_candidates)
        })
    }

    fn empty(&self) -> RoundPartial {
        let capacity = |restart: &Restart<T>| match restart.task {
            Task::Draw(capacity) => capacity,
            Task::Weigh | Task::Rest => 0,
        };
        let weighed = |restart: &Restart<T>| match restart.task {
            Task::Weigh => vec![0; restart.n_candidates(self.n_features)],
            Task::Draw(_) | Task::Rest => Vec::new(),
        };
        RoundPartial {
            costs: vec![ExactSum::new(); self.restarts.len()],
            draws: self.restarts.iter().map(|restart| Smallest::new(capacity(restart))).collect(),
            weights: self.restarts.iter().map(|restart| Weights(weighed(restart))).collect(),
        }
    }

    fn map(
        &self,
        rows: &BlockAt,
        state: &mut Vec<Nearness>,
        into: &mut RoundPartial,
    ) -> Result<()> {
        for (idx, (restart, near)) in self.restarts.iter().zip(state).enumerate() {
            let Some((group, earlier)) = restart.groups.split_last() else {
                continue;
            };
            let first = earlier.iter().map(|group| group.0.len()).sum::<usize>() / self.n_features;
            near.update(rows, self.n_features, &group.0, first, self.unit)?;
            match restart.task {
                Task::Draw(_) => {
                    self.draw(rows, restart, near, &mut into.costs[idx], &mut into.draws[idx])
                }
                Task::Weigh => {
                    self.weigh(rows, near, &mut into.costs[idx], &mut into.weights[idx].0)
                }
                Task::Rest => {}
            }
        }
        Ok(())
    }

    fn step(&self) -> u64 {
        self.round - 1
    }

    fn restore(&self, rows: &BlockAt) -> Result<Vec<Nearness>> {
        let n_rows = rows.block.n_samples();
        let restore = |restart: &Restart<T>| {
            let mut near = Nearness::new(n_rows, self.max_candidates);
            let mut first = 0;
            for group in restart.groups.split_last().map_or(&[][..], |(_, earlier)| earlier) {
                near.update(rows, self.n_features, &group.0, first, self.unit)?;
                first += group.0.len() / self.n_features;
            }
            Ok(near)
        };
        self.restarts.iter().map(restore).collect()
    }

    fn state_bytes_per_row(&self) -> usize {
        self.restarts.len() * (size_of::<f32>() + Index::bytes(self.max_candidates))
    }
}

impl<T: Real> Restart<T> {
    pub fn n_candidates(&self, n_features: usize) -> usize {
        self.groups.iter().map(|group| group.0.len()).sum::<usize>() / n_features
    }
}

impl<T: Real> SeedRound<T> {
    /// A row is drawn if u < l w d^2 / cost, that is, if the key u / (w d^2) is below
    /// l / cost. The cost is known only after the pass, so the smallest keys are kept.
    fn draw(
        &self,
        rows: &BlockAt,
        restart: &Restart<T>,
        near: &Nearness,
        cost: &mut ExactSum,
        draws: &mut Smallest,
    ) {
        let weights = rows.block.weights.as_deref();
        for (row, &d2) in near.d2.iter().enumerate() {
            let weight = weight_of(weights, row);
            let weighted = weight * f64::from(d2);
            cost.add(weighted);
            let position = rows.first_row + row as u64;
            let key = key(row_uniform(restart.seed, self.round, position), weighted);
            draws.offer(key, position, weight, || row_values(&rows.block.records, row));
        }
        draws.seal();
    }

    fn weigh(&self, rows: &BlockAt, near: &Nearness, cost: &mut ExactSum, into: &mut [i128]) {
        let weights = rows.block.weights.as_deref();
        for (row, &d2) in near.d2.iter().enumerate() {
            let weight = weight_of(weights, row);
            cost.add(weight * f64::from(d2));
            into[near.index.get(row)] += (weight * self.weight_unit + 0.5) as i128;
        }
    }
}
