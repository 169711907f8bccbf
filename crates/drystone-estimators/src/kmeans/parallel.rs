//! k-means||: drives its rounds, for all restarts together, and reclusters what they drew.

use std::collections::HashSet;

use drystone_core::{ChunkedDataset, Event, Result, Session};

use super::bounds::Bounds;
use super::element::Real;
use super::init::Oversampling;
use super::model::Round;
use super::params::KMeansValidParams;
use super::recluster::{Candidates, recluster};
use super::round::{Group, Restart, SeedRound, Task};
use super::scan::ScanPartial;
use super::seeding::{Seeded, cast, first_rows, restart_seed, too_few_distinct};
use crate::draws::Drawn;

/// Rounds beyond those asked for, while there are fewer candidates than clusters; after
/// them each round takes in as many rows as are missing, whatever their chance.
pub(crate) const MAX_EXTRA_ROUNDS: usize = 8;

/// Rows drawn in one round at most: far beyond what chance gives.
fn draw_capacity(n_clusters: usize, oversampling: Oversampling) -> usize {
    let expected = oversampling.rows(n_clusters);
    ((2.0 * expected) as usize + 64).max(n_clusters)
}

/// Candidates there can be at most: it decides how wide their indices are kept.
pub(crate) fn max_candidates(
    n_clusters: usize,
    oversampling: Oversampling,
    rounds: usize,
) -> usize {
    1 + (rounds + MAX_EXTRA_ROUNDS + 1) * draw_capacity(n_clusters, oversampling)
}

/// k-means|| in progress.
pub(crate) struct Parallel<'a, T> {
    n_clusters: usize,
    n_features: usize,
    bounds: &'a Bounds,
    oversampling: Oversampling,
    rounds: usize,
    restarts: Vec<Progress<T>>,
}

struct Progress<T> {
    next: Restart<T>,
    n_candidates: usize,
    rounds: Vec<Round>,
    centroids: Vec<T>,
}

impl<'a, T: Real> Parallel<'a, T> {
    pub fn new(
        params: &KMeansValidParams<'_>,
        bounds: &'a Bounds,
        oversampling: Oversampling,
        rounds: usize,
        scan: &ScanPartial,
    ) -> Self {
        let n_clusters = params.n_clusters;
        let task = Task::Draw(draw_capacity(n_clusters, oversampling));
        let restarts = first_rows(scan).enumerate().map(|(restart, first)| Progress {
            next: Restart {
                seed: restart_seed(params.seed, restart),
                groups: vec![Group(first)],
                task,
            },
            n_candidates: 1,
            rounds: Vec::new(),
            centroids: Vec::new(),
        });
        let restarts = restarts.collect();
        let n_features = scan.min.len();
        Self { n_clusters, n_features, bounds, oversampling, rounds, restarts }
    }

    pub fn run(mut self, session: &Session<'_>, data: &ChunkedDataset) -> Result<Vec<Seeded<T>>> {
        let mut round = 0;
        while self.restarts.iter().any(|restart| restart.next.task != Task::Rest) {
            round += 1;
            let partial = session.run(data, &self.job(round))?;
            for idx in 0..self.restarts.len() {
                let cost = partial.costs[idx].value();
                match self.restarts[idx].next.task {
                    Task::Draw(_) => {
                        self.take_draws(idx, round, cost, partial.draws[idx].winners(), session)?;
                    }
                    Task::Weigh => self.finish(idx, cost, &partial.weights[idx].0),
                    Task::Rest => {}
                }
            }
        }
        let seeded = |Progress { centroids, rounds, .. }| Seeded { centroids, rounds };
        Ok(self.restarts.into_iter().map(seeded).collect())
    }

    fn job(&self, round: usize) -> SeedRound<T> {
        SeedRound {
            n_features: self.n_features,
            unit: self.bounds.unit,
            weight_unit: self.bounds.weight_unit,
            round: round as u64,
            max_candidates: max_candidates(self.n_clusters, self.oversampling, self.rounds),
            restarts: self.restarts.iter().map(|restart| restart.next.clone()).collect(),
        }
    }

    /// The rows drawn in a round become candidates.
    fn take_draws(
        &mut self,
        idx: usize,
        round: usize,
        cost: f64,
        winners: &[Drawn],
        session: &Session<'_>,
    ) -> Result<()> {
        let n_candidates = self.restarts[idx].n_candidates;
        let missing = self.n_clusters.saturating_sub(n_candidates);
        if cost == 0.0 && missing > 0 {
            return Err(too_few_distinct(self.n_clusters, n_candidates));
        }
        let least = if round < self.rounds + MAX_EXTRA_ROUNDS { 0 } else { missing };
        let threshold = self.oversampling.rows(self.n_clusters) / cost;
        let new = distinct(winners, threshold, least);
        let restart = &mut self.restarts[idx];
        restart.rounds.push(Round { n_candidates, cost: cost / self.bounds.unit });
        restart.n_candidates += new.len();
        let values = new.iter().flat_map(|drawn| cast(&drawn.values)).collect();
        restart.next.groups.push(Group(values));
        if round >= self.rounds && restart.n_candidates >= self.n_clusters {
            restart.next.task = Task::Weigh;
        } else if round == self.rounds {
            let text = format!(
                "k-means|| has {} of at least {} candidates after round {round}: going on",
                restart.n_candidates, self.n_clusters
            );
            session.note(&Event::Note { text: &text });
        }
        Ok(())
    }

    /// The weighted candidates become centroids.
    fn finish(&mut self, idx: usize, cost: f64, weights: &[i128]) {
        let restart = &mut self.restarts[idx];
        let groups = std::mem::take(&mut restart.next.groups);
        let (mut points, mut kept) = (Vec::new(), Vec::new());
        let all = groups.iter().flat_map(|group| group.0.chunks_exact(self.n_features));
        for (point, &weight) in all.zip(weights) {
            // A candidate always has its own row, unless it weighs next to nothing.
            let weight = (weight as f64 / self.bounds.weight_unit).max(f64::MIN_POSITIVE);
            points.extend(point.iter().map(|value| value.to_f64()));
            kept.push(weight);
        }
        let candidates =
            Candidates { points: &points, weights: &kept, n_features: self.n_features };
        let centroids = recluster(&candidates, self.n_clusters, restart.next.seed);
        restart.centroids = cast(&centroids).collect();
        let n_candidates = kept.len();
        restart.rounds.push(Round { n_candidates, cost: cost / self.bounds.unit });
        restart.next.task = Task::Rest;
    }
}

/// The rows whose key is within the threshold, or the `least` first ones if that is more;
/// equal rows once; in the order of the dataset.
fn distinct(winners: &[Drawn], threshold: f64, least: usize) -> Vec<Drawn> {
    let mut chosen: Vec<Drawn> = Vec::new();
    let mut seen = HashSet::new();
    for drawn in winners {
        if drawn.key > threshold && chosen.len() >= least {
            break;
        }
        // Adding 0 makes -0.0 to 0.0, which is equal to it.
        let bits: Vec<u64> = drawn.values.iter().map(|value| (value + 0.0).to_bits()).collect();
        if seen.insert(bits) {
            chosen.push(drawn.clone());
        }
    }
    chosen.sort_unstable_by_key(|drawn| drawn.row);
    chosen
}
