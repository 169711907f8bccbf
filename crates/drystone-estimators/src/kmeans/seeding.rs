//! From data to first centroids: drives the passes that seeding takes, for all restarts
//! together.

use drystone_core::{ChunkedDataset, Error, ErrorKind, Records, Result, Session};
use drystone_kernels::normal::mix;

use super::bounds::Bounds;
use super::element::Real;
use super::init::Init;
use super::model::Round;
use super::parallel::Parallel;
use super::params::KMeansValidParams;
use super::plus_plus::{Chosen, PlusPlus, TrialsPartial};
use super::recluster::n_trials;
use super::scan::{Scan, ScanPartial};
use crate::draws::{Drawn, Smallest};

/// The first centroids of one restart, `(n_clusters, n_features)`.
pub(crate) struct Seeded<T> {
    pub centroids: Vec<T>,
    pub rounds: Vec<Round>,
}

/// The seed of a restart; the first has the fit's own.
pub(crate) fn restart_seed(seed: u64, restart: usize) -> u64 {
    if restart == 0 { seed } else { mix(&[seed, restart as u64]) }
}

/// The first pass, as this way of seeding needs it.
pub(crate) fn scan_job(params: &KMeansValidParams<'_>, n_features: usize) -> Scan {
    let n_draws = match params.init {
        Init::Parallel { .. } | Init::PlusPlus => 1,
        Init::Random => params.n_clusters,
        Init::Centroids(_) => 0,
    };
    let seeds = (0..params.n_init).map(|restart| restart_seed(params.seed, restart)).collect();
    Scan { n_features, seeds, n_draws }
}

/// The first centroids of each restart.
pub(crate) fn seed<T: Real>(
    params: &KMeansValidParams<'_>,
    session: &Session<'_>,
    data: &ChunkedDataset,
    scan: &ScanPartial,
    bounds: &Bounds,
) -> Result<Vec<Seeded<T>>> {
    match &params.init {
        Init::Parallel { oversampling, rounds } => {
            Parallel::<T>::new(params, bounds, *oversampling, *rounds, scan).run(session, data)
        }
        Init::PlusPlus => plus_plus(params, session, data, scan, bounds),
        Init::Random => {
            let centroids = |draws: &Smallest| {
                draws.winners().iter().flat_map(|drawn| cast(&drawn.values)).collect()
            };
            let seeded = |draws| Seeded { centroids: centroids(draws), rounds: Vec::new() };
            Ok(scan.draws.iter().map(seeded).collect())
        }
        Init::Centroids(given) => {
            let centroids = given_centroids::<T>(given, data.n_features())?;
            Ok(vec![Seeded { centroids, rounds: Vec::new() }])
        }
    }
}

/// Given centroids must have the data's width and element type.
pub(crate) fn given_centroids<T: Real>(given: &Records, n_features: usize) -> Result<Vec<T>> {
    let found = given.n_features();
    if found != n_features {
        return Err(Error::shape(
            "features in the given centroids",
            n_features as u64,
            found as u64,
        ));
    }
    match given.as_rows::<T>() {
        Ok(rows) => Ok(rows.values().to_vec()),
        Err(_) => {
            let expected = format!("{} centroids, the type of the data", T::DTYPE);
            Err(Error::parameter("init", expected, given.dtype()))
        }
    }
}

pub(crate) fn cast<T: Real>(values: &[f64]) -> impl Iterator<Item = T> + '_ {
    values.iter().map(|&value| T::from_f64(value))
}

pub(crate) fn too_few_distinct(n_clusters: usize, found: usize) -> Error {
    let (n_clusters, found) = (n_clusters as u64, found as u64);
    ErrorKind::TooFewRows { n_clusters, found, distinct: true }.into()
}

/// The first of the rows drawn by the scan, of each restart.
pub(crate) fn first_rows<T: Real>(scan: &ScanPartial) -> impl Iterator<Item = Vec<T>> + '_ {
    scan.draws
        .iter()
        .map(|draws| draws.winners().iter().flat_map(|drawn| cast(&drawn.values)).collect())
}

/// Greedy k-means++ over all rows: a pass a centroid.
fn plus_plus<T: Real>(
    params: &KMeansValidParams<'_>,
    session: &Session<'_>,
    data: &ChunkedDataset,
    scan: &ScanPartial,
    bounds: &Bounds,
) -> Result<Vec<Seeded<T>>> {
    let n_features = scan.min.len();
    let chosen = first_rows(scan).enumerate().map(|(restart, centroids)| Chosen {
        seed: restart_seed(params.seed, restart),
        centroids,
        trials: Vec::new(),
    });
    let mut job = PlusPlus {
        n_features,
        unit: bounds.unit,
        round: 1,
        n_trials: n_trials(params.n_clusters),
        restarts: chosen.collect(),
    };
    let mut rounds = vec![Vec::new(); job.restarts.len()];
    // The one centroid of a single cluster is drawn already.
    let n_rounds = if params.n_clusters == 1 { 0 } else { params.n_clusters };
    for round in 1..=n_rounds {
        job.round = round as u64;
        let partial = session.run(data, &job)?;
        let costs = take_trials(&mut job, &partial, params.n_clusters)?;
        for (rounds, cost) in rounds.iter_mut().zip(costs) {
            rounds.push(Round { n_candidates: round, cost: cost / bounds.unit });
        }
    }
    let restarts = job.restarts.into_iter().zip(rounds);
    Ok(restarts.map(|(chosen, rounds)| Seeded { centroids: chosen.centroids, rounds }).collect())
}

/// Gives each restart its best trial and what to try next; their costs.
fn take_trials<T: Real>(
    job: &mut PlusPlus<T>,
    partial: &TrialsPartial,
    n_clusters: usize,
) -> Result<Vec<f64>> {
    let n_features = job.n_features;
    // Before any restart is given its next trials, of which there may be more or fewer.
    let outcomes: Vec<_> = (0..job.restarts.len()).map(|restart| job.outcomes(restart)).collect();
    let mut costs = Vec::with_capacity(outcomes.len());
    for (chosen, outcomes) in job.restarts.iter_mut().zip(outcomes) {
        let cost = |&outcome: &usize| partial.costs[outcome].value();
        let best = outcomes.clone().min_by(|a, b| cost(a).total_cmp(&cost(b)));
        let best = best.unwrap_or(outcomes.start);
        let next = partial.draws[best].winners();
        next_trials(chosen, best - outcomes.start, next, n_features);
        let n_found = chosen.centroids.len() / n_features;
        if cost(&best) == 0.0 && n_found < n_clusters {
            return Err(too_few_distinct(n_clusters, n_found));
        }
        costs.push(cost(&best));
    }
    Ok(costs)
}

/// Takes in the best trial, if there were any, and what to try next.
fn next_trials<T: Real>(chosen: &mut Chosen<T>, best: usize, next: &[Drawn], n_features: usize) {
    if !chosen.trials.is_empty() {
        let row = best * n_features..(best + 1) * n_features;
        chosen.centroids.extend_from_slice(&chosen.trials[row]);
    }
    chosen.trials = next.iter().flat_map(|drawn| cast(&drawn.values)).collect();
}
