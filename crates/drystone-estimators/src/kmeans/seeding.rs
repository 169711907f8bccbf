//! From data to first centroids: drives the passes that seeding takes, for all restarts
//! together.

use std::collections::HashSet;

use drystone_core::{ChunkedDataset, Dtype, Error, ErrorKind, Event, Records, Result, Session};
use drystone_kernels::normal::mix;

use super::draws::{Drawn, Smallest};
use super::element::Real;
use super::init::{Init, Oversampling};
use super::lloyd::Range;
use super::model::Round;
use super::params::KMeansValidParams;
use super::plus_plus::{Chosen, PlusPlus};
use super::recluster::{Candidates, n_trials, recluster};
use super::round::{Group, Restart, SeedRound, Task};
use super::scan::{Scan, ScanPartial};

/// Rounds beyond those asked for, while there are fewer candidates than clusters; after
/// them each round takes in as many rows as are missing, whatever their chance.
pub(crate) const MAX_EXTRA_ROUNDS: usize = 8;

/// Squared distances must keep so many bits below the widest one before they underflow.
const MIN_DISTANCE_BITS: i32 = 48;

/// Squares and costs may be 2^1000 at most: sums of rows reach up to 2^1015.
const MOST: f64 = f64::MAX / (1_u64 << 24) as f64;

/// The first centroids of one restart, `(n_clusters, n_features)`.
pub(crate) struct Seeded<T> {
    pub centroids: Vec<T>,
    pub rounds: Vec<Round>,
}

/// What the first pass tells, in the units that later ones use.
pub(crate) struct Bounds {
    pub range: Range,
    /// Scaled squared distances are at most about 1.
    pub unit: f64,
    pub weight_unit: f64,
    /// The middle of each column.
    pub middle: Vec<f64>,
}

/// The seed of a restart; the first has the fit's own.
pub(crate) fn restart_seed(seed: u64, restart: usize) -> u64 {
    if restart == 0 { seed } else { mix(&[seed, restart as u64]) }
}

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

impl Bounds {
    /// Checks that squared distances between rows, and to given centroids, are within the
    /// range of `T`.
    pub fn new<T: Real>(scan: &ScanPartial, init: &Init) -> Result<Self> {
        let (mut low, mut high) = (scan.min.clone(), scan.max.clone());
        if let Init::Centroids(given) = init {
            for (idx, value) in given.to_f64().into_iter().enumerate() {
                let column = idx % low.len();
                low[column] = low[column].min(value);
                high[column] = high[column].max(value);
            }
        }
        let width: Vec<f64> = high.iter().zip(&low).map(|(high, low)| high - low).collect();
        let diameter: f64 = width.iter().map(|width| width * width).sum();
        check_weight(scan, diameter)?;
        check_range(T::DTYPE, &width, diameter)?;
        check_magnitude(scan, &width)?;
        let middle = low.iter().zip(&width).map(|(low, width)| low + width / 2.0).collect();
        let range = Range { max_abs: scan.max_abs(), width, max_weight: scan.max_weight };
        let unit = 1.0 / power_of_two_below(diameter);
        let weight_unit = (1_u64 << 60) as f64 / power_of_two_below(scan.max_weight);
        Ok(Self { range, unit, weight_unit, middle })
    }
}

/// Squared distances are 0 or well within the element type.
fn check_range(dtype: Dtype, width: &[f64], diameter: f64) -> Result<()> {
    let (least, most) = match dtype {
        Dtype::F32 => (f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX) / 16.0),
        Dtype::F64 => (f64::MIN_POSITIVE, MOST),
    };
    let least = least * (1_u64 << MIN_DISTANCE_BITS) as f64;
    let widest = width.iter().copied().fold(0.0, f64::max);
    if widest == 0.0 || (diameter >= least && diameter <= most) {
        return Ok(());
    }
    let found = format!("{widest:e}");
    Err(ErrorKind::Range { dtype: dtype.to_string(), found }.into())
}

/// A centroid that is off by rounding, however little, is at a finite distance.
fn check_magnitude(scan: &ScanPartial, width: &[f64]) -> Result<()> {
    let largest = scan.max_abs().into_iter().fold(0.0, f64::max);
    if largest * largest <= MOST {
        return Ok(());
    }
    let widest = width.iter().copied().fold(0.0, f64::max);
    let found = format!("up to {largest:e} large and {widest:e}");
    Err(ErrorKind::Range { dtype: "f64".to_owned(), found }.into())
}

/// Neither the weights nor the costs that they give leave the range of `f64`.
fn check_weight(scan: &ScanPartial, diameter: f64) -> Result<()> {
    let sound = (1e-100..=1e100).contains(&scan.max_weight) && scan.total_weight() <= MOST;
    // Where the diameter itself is out of range, that is said in its own words.
    let of_most = diameter > MOST || diameter * scan.total_weight() <= MOST;
    if sound && of_most {
        return Ok(());
    }
    let found = format!(
        "a largest weight of {:e}, beyond what can be summed; rescale the weights",
        scan.max_weight
    );
    Err(ErrorKind::Weight { found }.into())
}

/// The largest power of two that is not above a normal number; 1 for 0.
fn power_of_two_below(value: f64) -> f64 {
    if value == 0.0 { 1.0 } else { f64::from_bits(value.to_bits() & f64::INFINITY.to_bits()) }
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

fn cast<T: Real>(values: &[f64]) -> impl Iterator<Item = T> + '_ {
    values.iter().map(|&value| T::from_f64(value))
}

fn too_few_distinct(n_clusters: usize, found: usize) -> Error {
    let (n_clusters, found) = (n_clusters as u64, found as u64);
    ErrorKind::TooFewRows { n_clusters, found, distinct: true }.into()
}

/// The first of the rows drawn by the scan, of each restart.
fn first_rows<T: Real>(scan: &ScanPartial) -> impl Iterator<Item = Vec<T>> + '_ {
    scan.draws
        .iter()
        .map(|draws| draws.winners().iter().flat_map(|drawn| cast(&drawn.values)).collect())
}

/// k-means|| in progress.
struct Parallel<'a, T> {
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
    fn new(
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

    fn run(mut self, session: &Session<'_>, data: &ChunkedDataset) -> Result<Vec<Seeded<T>>> {
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
    for n_chosen in 1..=params.n_clusters {
        job.round = n_chosen as u64;
        if n_chosen == params.n_clusters && n_chosen == 1 {
            break;
        }
        let partial = session.run(data, &job)?;
        // Before any restart is given its next trials, of which there may be more or fewer.
        let outcomes: Vec<_> = (0..rounds.len()).map(|restart| job.outcomes(restart)).collect();
        for (restart, (rounds, outcomes)) in rounds.iter_mut().zip(outcomes).enumerate() {
            let cost = |&outcome: &usize| partial.costs[outcome].value();
            let best = outcomes.clone().min_by(|a, b| cost(a).total_cmp(&cost(b)));
            let best = best.unwrap_or(outcomes.start);
            let cost = cost(&best);
            rounds.push(Round { n_candidates: n_chosen, cost: cost / bounds.unit });
            let trial = best - outcomes.start;
            next_trials(
                &mut job.restarts[restart],
                trial,
                partial.draws[best].winners(),
                n_features,
            );
            let n_found = job.restarts[restart].centroids.len() / n_features;
            if cost == 0.0 && n_found < params.n_clusters {
                return Err(too_few_distinct(params.n_clusters, n_found));
            }
        }
    }
    let restarts = job.restarts.into_iter().zip(rounds);
    Ok(restarts.map(|(chosen, rounds)| Seeded { centroids: chosen.centroids, rounds }).collect())
}

/// Takes in the best trial, if there were any, and what to try next.
fn next_trials<T: Real>(chosen: &mut Chosen<T>, best: usize, next: &[Drawn], n_features: usize) {
    if !chosen.trials.is_empty() {
        let row = best * n_features..(best + 1) * n_features;
        chosen.centroids.extend_from_slice(&chosen.trials[row]);
    }
    chosen.trials = next.iter().flat_map(|drawn| cast(&drawn.values)).collect();
}
