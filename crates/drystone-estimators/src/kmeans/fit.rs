//! A fit from end to end: scan, seed, iterate. Holds no arithmetic on rows.

use drystone_core::block::RecordElement;
use drystone_core::{
    ChunkedDataset, Control, Dtype, Error, ErrorKind, Event, Result, Rows, Session, StopReason,
    Threads,
};
use drystone_kernels::distance::distance;
use drystone_kernels::limbs::{ClusterSums, Scales};

use super::bounds::Bounds;
use super::costs::Costs;
use super::element::Real;
use super::file::recipe;
use super::init::Init;
use super::lloyd::{Centroids, Lloyd, Task};
use super::model::{History, Iteration, KMeans, Round, Status};
use super::params::KMeansValidParams;
use super::plan;
use super::relocate::{Farthest, empty_clusters, relocate};
use super::scan::ScanPartial;
use super::seeding::{self, Seeded};
use crate::checks::check_isa;

/// Rows that an empty cluster may choose from, so that it need not take one that is all
/// of its cluster.
const CHOICES_PER_EMPTY: usize = 4;

pub(crate) fn fit(params: &KMeansValidParams<'_>, data: &ChunkedDataset) -> Result<KMeans> {
    let shared = Threads::shared();
    let executor = params.executor.unwrap_or(&*shared);
    let control = Control::new(params.cancel.clone(), params.max_time);
    let session = Session::new(executor, params.observer, &control);
    check_isa()?;
    if data.n_features() == 0 {
        return Err(empty("the dataset has no columns"));
    }
    match data.dtype() {
        Dtype::F32 => Fit::<f32>::new(params, &session, data)?.run(),
        Dtype::F64 => Fit::<f64>::new(params, &session, data)?.run(),
    }
}

fn empty(what: &str) -> Error {
    ErrorKind::Empty { what: what.to_owned() }.into()
}

/// Before anything else is computed: are there rows enough?
fn check_rows(scan: &ScanPartial, n_clusters: usize) -> Result<()> {
    if scan.n_samples == 0 {
        return Err(empty("the dataset has no rows"));
    }
    if scan.n_weighty == 0 {
        return Err(empty("no row has a positive weight"));
    }
    if scan.n_weighty < n_clusters as u64 {
        let (n_clusters, found) = (n_clusters as u64, scan.n_weighty);
        return Err(ErrorKind::TooFewRows { n_clusters, found, distinct: false }.into());
    }
    Ok(())
}

/// A fit whose data are scanned.
struct Fit<'a, T> {
    params: &'a KMeansValidParams<'a>,
    session: &'a Session<'a>,
    data: ChunkedDataset,
    bounds: Bounds,
    scales: Scales,
    /// Whether blocks are read or generated again in each pass.
    reads_rows: bool,
    /// What drifts are taken times: the frame's scale.
    scale: f64,
    restarts: Vec<Restart<T>>,
    /// The squared shift at which iterations stop.
    tol: Option<f64>,
}

/// The iterations of one restart.
struct Restart<T> {
    centroids: Vec<T>,
    /// Hash of the labels, if the centroids are means of rows with these labels.
    labels: Option<u64>,
    /// For each cluster, by how much gaps of its rows may have closed so far, in units of
    /// the frame; empty if no rows are skipped.
    drifts: Vec<f64>,
    /// What later costs follow from, after the first iteration.
    costs: Option<Costs>,
    phase: Phase,
    latest: Option<Latest<T>>,
    rounds: Vec<Round>,
    iterations: Vec<Iteration>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Iterating,
    /// One more assignment, so that labels, counts and inertia follow the centroids.
    Settling(Status),
    Done(Status),
}

/// One assignment of a restart.
struct Assigned {
    /// The cost as iterations tell it, and as it was summed up, if it was.
    cost: f64,
    summed: Option<f64>,
    /// Hash of the labels.
    labels: u64,
}

/// Centroids of which everything is known.
struct Latest<T> {
    centroids: Vec<T>,
    cost: f64,
    counts: Vec<u64>,
    n_iter: usize,
}

impl<'a, T: Real> Fit<'a, T> {
    fn new(
        params: &'a KMeansValidParams<'a>,
        session: &'a Session<'a>,
        data: &ChunkedDataset,
    ) -> Result<Self> {
        if let Init::Centroids(given) = &params.init {
            seeding::given_centroids::<T>(given, data.n_features())?;
        }
        let data = session.with_known_rows(data)?;
        let scan = session.run(&data, &seeding::scan_job(params, data.n_features()))?;
        check_rows(&scan, params.n_clusters)?;
        let bounds = Bounds::new::<T>(&scan, &params.init)?;
        let seeded = seeding::seed::<T>(params, session, &data, &scan, &bounds)?;
        session.forget_state();
        let scales = bounds.range.scales::<T>();
        let frame = bounds.range.frame();
        let reads_rows = reads_rows(session, &data);
        let skips = params.pruning && plan::skips_rows(params.n_clusters, data.n_features());
        let restart = |seeded| Restart::new(seeded, if skips { params.n_clusters } else { 0 });
        let restarts = seeded.into_iter().map(restart).collect();
        let tol = (params.tol == 0.0).then_some(0.0);
        Ok(Self {
            reads_rows,
            params,
            session,
            data,
            bounds,
            scale: frame.scale(),
            scales,
            restarts,
            tol,
        })
    }

    fn run(mut self) -> Result<KMeans> {
        let mut iteration = 0;
        while self.active().next().is_some() {
            iteration += 1;
            let job = self.job(iteration as u64 - 1);
            let partial = match self.session.run(&self.data, &job) {
                Ok(partial) => partial,
                Err(error) => return self.stopped(error),
            };
            let mut best = f64::INFINITY;
            for (slot, task) in job.restarts.iter().enumerate() {
                let (idx, sums) = (task.restart as usize, &partial.sums[slot].0);
                let summed = task.costs.then(|| partial.costs[slot].value());
                let cost = self.cost(idx, summed, sums);
                best = best.min(cost);
                let assigned = Assigned { cost, summed, labels: partial.labels[slot] };
                match self.step(idx, &assigned, sums) {
                    Err(error) if is_stop(&error) => return self.stopped(error),
                    result => result?,
                }
            }
            self.session.note(&Event::Iteration { iteration, cost: best });
        }
        self.finish(None)
    }

    /// Restarts that are not done.
    fn active(&self) -> impl Iterator<Item = usize> + '_ {
        let going = |restart: &Restart<T>| !matches!(restart.phase, Phase::Done(_));
        (0..self.restarts.len()).filter(move |&idx| going(&self.restarts[idx]))
    }

    fn job(&self, step: u64) -> Lloyd<T> {
        let task = |idx: usize| {
            let restart = &self.restarts[idx];
            Task {
                restart: idx as u32,
                centroids: Centroids(restart.centroids.clone()),
                drifts: restart.drifts.clone(),
                // Where each pass reads the rows anyway, the cost spares the one that settles.
                costs: self.reads_rows || restart.needs_costs(),
            }
        };
        Lloyd {
            n_features: self.data.n_features(),
            range: self.bounds.range.clone(),
            step,
            restarts: self.active().map(task).collect(),
        }
    }

    /// The cost of a restart's centroids as iterations tell it: summed up in the first one,
    /// which also tells how `tol` is to be taken, and as it follows from the sums later.
    fn cost(&mut self, idx: usize, summed: Option<f64>, sums: &ClusterSums) -> f64 {
        let restart = &mut self.restarts[idx];
        if let Some(costs) = &restart.costs {
            return costs.of(&restart.centroids, sums);
        }
        let cost = summed.unwrap_or(f64::NAN);
        let costs = Costs::new(cost, &restart.centroids, sums, &self.scales);
        if self.tol.is_none() {
            self.tol = Some(self.params.tol * costs.mean_variance(sums));
        }
        restart.costs = Some(costs);
        cost
    }

    /// Takes in one assignment of a restart: move on, settle, or be done.
    fn step(&mut self, idx: usize, assigned: &Assigned, sums: &ClusterSums) -> Result<()> {
        let &Assigned { cost, summed, labels } = assigned;
        let restart = &mut self.restarts[idx];
        let unchanged = restart.labels == Some(labels);
        restart.note_latest(summed.unwrap_or(cost), sums);
        if let Phase::Settling(status) = restart.phase {
            restart.phase = Phase::Done(if unchanged { Status::LabelsUnchanged } else { status });
            return Ok(());
        }
        if unchanged {
            restart.iterations.push(Iteration { cost, shift: 0.0 });
            restart.phase = unchanged_labels(summed.is_some());
            return Ok(());
        }
        let (sums, moved_rows) = self.fill_empty(idx, sums)?;
        let restart = &mut self.restarts[idx];
        let means = means(&sums, &self.scales, &restart.centroids);
        let shift = squared_shift(&restart.centroids, &means);
        restart.iterations.push(Iteration { cost, shift });
        restart.labels = (!moved_rows).then_some(labels);
        let tol = self.tol.unwrap_or(0.0);
        restart.phase = if means == restart.centroids {
            unchanged_labels(summed.is_some())
        } else if shift <= tol {
            Phase::Settling(Status::ShiftWithinTol)
        } else if restart.iterations.len() == self.params.max_iter {
            Phase::Settling(Status::MaxIter)
        } else {
            Phase::Iterating
        };
        restart.move_to(means, self.data.n_features(), self.scale);
        Ok(())
    }

    /// Gives rows to empty clusters, if there are any; says whether it did.
    fn fill_empty(&self, idx: usize, sums: &ClusterSums) -> Result<(ClusterSums, bool)> {
        let mut sums = sums.clone();
        let n_empty = empty_clusters(&sums).len();
        if n_empty == 0 {
            return Ok((sums, false));
        }
        let centroids = &self.restarts[idx].centroids;
        let job = Farthest {
            n_features: self.data.n_features(),
            centroids: Centroids(centroids.clone()),
            n_rows: CHOICES_PER_EMPTY * n_empty,
        };
        let farthest = self.session.run(&self.data, &job)?;
        relocate(&mut sums, farthest.0.winners(), centroids, &self.scales);
        let left = empty_clusters(&sums).len();
        let text = format!("{n_empty} clusters were empty: {} took far rows", n_empty - left);
        self.session.note(&Event::Note { text: &text });
        Ok((sums, left < n_empty))
    }

    /// A fit that was stopped gives its latest model, if it has one.
    fn stopped(self, error: Error) -> Result<KMeans> {
        let ErrorKind::Stopped { reason } = error.kind() else {
            return Err(error);
        };
        let status = match reason {
            StopReason::Cancelled => Status::Cancelled,
            StopReason::MaxTime => Status::MaxTime,
        };
        if self.restarts.iter().all(|restart| restart.latest.is_none()) {
            return Err(error);
        }
        self.finish(Some(status))
    }

    /// The model of the restart with the least cost; the earlier one of a tie.
    fn finish(self, stopped: Option<Status>) -> Result<KMeans> {
        let known = self.restarts.into_iter().filter_map(|mut restart| {
            let latest = restart.latest.take()?;
            Some((restart, latest))
        });
        let best = known.min_by(|(_, a), (_, b)| a.cost.total_cmp(&b.cost));
        let Some((restart, latest)) = best else {
            return Err(empty("no restart was evaluated"));
        };
        let status = match (restart.phase, stopped) {
            // One restart may be done while others were stopped: the fit was.
            (_, Some(status)) | (Phase::Done(status), None) => status,
            (Phase::Iterating | Phase::Settling(_), None) => Status::MaxIter,
        };
        let history = History {
            rounds: restart.rounds,
            iterations: restart.iterations,
            passes: self.session.passes(),
            blocks_read: self.session.blocks_read(),
            state_bytes: self.data.n_samples().unwrap_or(0)
                * plan::state_bytes_per_row(self.params, &self.data),
        };
        Ok(KMeans {
            centroids: T::into_records(Rows::new(latest.centroids, self.data.n_features())?),
            inertia: latest.cost,
            n_iter: latest.n_iter,
            status,
            cluster_counts: latest.counts,
            recipe: recipe(self.params),
            history,
        })
    }
}

impl<T: Real> Restart<T> {
    fn new(seeded: Seeded<T>, n_drifts: usize) -> Self {
        Self {
            centroids: seeded.centroids,
            drifts: vec![0.0; n_drifts],
            costs: None,
            labels: None,
            phase: Phase::Iterating,
            latest: None,
            rounds: seeded.rounds,
            iterations: Vec::new(),
        }
    }

    /// The first assignment and the last one have their costs summed up.
    fn needs_costs(&self) -> bool {
        self.costs.is_none() || matches!(self.phase, Phase::Settling(_))
    }

    /// Takes in new centroids.
    fn move_to(&mut self, centroids: Vec<T>, n_features: usize, scale: f64) {
        if !self.drifts.is_empty() {
            drift(&mut self.drifts, &self.centroids, &centroids, n_features, scale);
        }
        self.centroids = centroids;
    }

    fn note_latest(&mut self, cost: f64, sums: &ClusterSums) {
        let (centroids, counts) = (self.centroids.clone(), sums.counts().to_vec());
        let n_iter = self.iterations.len() + usize::from(self.phase == Phase::Iterating);
        self.latest = Some(Latest { centroids, cost, counts, n_iter });
    }
}

fn is_stop(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Stopped { .. })
}

/// Whether a pass reads or generates blocks, as some are kept nowhere.
fn reads_rows(session: &Session<'_>, data: &ChunkedDataset) -> bool {
    let fits = |bytes| bytes <= session.resources().memory_budget;
    !data.in_memory() && !data.layout().bytes().is_some_and(fits)
}

/// Labels did not change: all is known if the cost was summed up too.
fn unchanged_labels(summed: bool) -> Phase {
    let status = Status::LabelsUnchanged;
    if summed { Phase::Done(status) } else { Phase::Settling(status) }
}

/// Means of the clusters' rows; a cluster without weight keeps its centroid.
fn means<T: RecordElement>(sums: &ClusterSums, scales: &Scales, before: &[T]) -> Vec<T> {
    let n_features = sums.n_features();
    let mean = |(at, &before): (usize, &T)| {
        let (cluster, column) = (at / n_features, at % n_features);
        match sums.weights()[cluster] {
            0 => before,
            _ => T::from_f64(sums.mean(cluster, column, scales)),
        }
    };
    before.iter().enumerate().map(mean).collect()
}

/// Adds to each cluster's drift how far its centroid moves, and how far that other moves
/// which moves farthest; rounded up.
fn drift<T: RecordElement>(
    drifts: &mut [f64],
    before: &[T],
    after: &[T],
    n_features: usize,
    scale: f64,
) {
    let pairs = before.chunks_exact(n_features).zip(after.chunks_exact(n_features));
    // What squares that underflow may lack.
    let underflow = n_features as f64 * f64::from_bits(1);
    let moves: Vec<f64> =
        pairs.map(|(a, b)| (distance(a, b) + underflow).sqrt() * scale * (1.0 + 1e-9)).collect();
    let farthest = |but: usize| {
        let others = moves.iter().enumerate().filter(|&(cluster, _)| cluster != but);
        others.map(|(_, &moved)| moved).fold(0.0, f64::max)
    };
    let most = (0..moves.len()).max_by(|&a, &b| moves[a].total_cmp(&moves[b]));
    let Some(most) = most else { return };
    let (first, second) = (moves[most], farthest(most));
    for (cluster, (drift, moved)) in drifts.iter_mut().zip(&moves).enumerate() {
        let others = if cluster == most { second } else { first };
        *drift = (*drift + moved + others) * (1.0 + 1e-12);
    }
}

fn squared_shift<T: RecordElement>(before: &[T], after: &[T]) -> f64 {
    let differences =
        before.iter().zip(after).map(|(before, after)| after.to_f64() - before.to_f64());
    differences.map(|difference| difference * difference).sum()
}
