//! A fit from end to end: survey, sweeps, model. Holds no arithmetic on rows.

use std::sync::{Arc, Mutex, PoisonError};

use drystone_core::column::Spread;
use drystone_core::{
    ChunkedDataset, Control, Dtype, Error, ErrorKind, Event, Executor, Records, Result, Rows,
    Session, Threads,
};

use super::classes::{Classes, check_number, pairs};
use super::kernel::{DOUBLE, Frame, Gamma, Kernel};
use super::log::Pool;
use super::model::{History, Machine, Status, Svc};
use super::pair::{Goal, Pair, violators};
use super::params::{ClassWeight, SvcValidParams};
use super::survey::{Survey, SurveyPartial};
use super::sweep::{PairPartial, Sweep, SweepPartial, bytes_per_row, keeps_tiles};
use crate::checks::check_isa;

/// How far sums of kernels that are not exact are off, in standard deviations of their
/// roundings.
const DEVIATIONS: f64 = 4.0;

pub(crate) fn fit(params: &SvcValidParams<'_>, data: &ChunkedDataset) -> Result<Svc> {
    let shared = Threads::shared();
    let executor = params.executor.unwrap_or(&*shared);
    let control = Control::new(params.cancel.clone(), params.max_time);
    Problem::new(params, executor, &control, data)?.solve(params, executor, &control)
}

pub(super) fn empty(what: impl Into<String>) -> Error {
    ErrorKind::Empty { what: what.into() }.into()
}

/// What the survey found, and what follows from it.
pub(super) struct Problem {
    pub data: ChunkedDataset,
    pub frame: Arc<Frame>,
    pub classes: Arc<Classes>,
    /// C of each class.
    costs: Vec<f64>,
    counts: Vec<u64>,
    precise: bool,
    /// What rounding does to a gradient, relative to the coordinates times their rows' kernels.
    rounding: f64,
    passes: usize,
    blocks_read: usize,
}

impl Problem {
    pub fn new(
        params: &SvcValidParams<'_>,
        executor: &dyn Executor,
        control: &Control,
        data: &ChunkedDataset,
    ) -> Result<Self> {
        check_isa()?;
        let session = &Session::new(executor, params.observer, control);
        let n_features = data.n_features();
        if n_features == 0 {
            return Err(empty("the dataset has no columns"));
        }
        if data.layout().targets.is_none() {
            return Err(Error::format(
                "a dataset with targets: the class of each row",
                "no targets",
            ));
        }
        let data = session.with_known_rows(data)?;
        let survey = session.run(&data, &Survey { n_features })?;
        check_classes(&survey)?;
        let costs = costs(params.c, &params.class_weight, &survey)?;
        let moments = &survey.moments;
        let mean: Vec<f64> = (0..n_features).map(|column| moments.mean(column)).collect();
        let gamma = gamma(params, session, &data, &mean)?;
        let widest = || moments.min.iter().zip(&moments.max);
        let center = widest().zip(&mean).map(|((&min, &max), &mean)| center(min, max, mean));
        let mut frame = Frame::new(params.kernel, gamma, center.collect());
        let max_abs: Vec<f64> = widest().map(|(min, max)| min.abs().max(max.abs())).collect();
        if frame.loses_digits(2.0 * frame.reach(&max_abs)) {
            // The mean of columns with such rows in them is far from all others.
            frame = Frame { far: true, ..Frame::new(params.kernel, gamma, vec![0.0; n_features]) };
        }
        let reach = check_reach(&frame, &max_abs)?;
        let precise = !frame.suits_single(2.0 * reach);
        let rounding = match params.kernel {
            Kernel::Rbf => 0.0, // at most 1e-8 of a kernel
            _ => DEVIATIONS * DOUBLE * (n_features as f64 + 8.0).sqrt(),
        };
        Ok(Self {
            data,
            frame: Arc::new(frame),
            counts: survey.classes.values().map(|rows| rows.n_weighty).collect(),
            classes: Arc::new(Classes(survey.classes.into_keys().collect())),
            costs,
            precise,
            rounding,
            passes: session.passes(),
            blocks_read: session.blocks_read(),
        })
    }

    pub fn goal(&self, params: &SvcValidParams<'_>) -> Goal {
        Goal {
            tol: params.tol,
            max_iter: params.max_iter,
            shrinking: params.shrinking,
            convex: params.kernel.is_convex(),
            precise: self.precise,
            rounding: self.rounding,
        }
    }

    fn pairs(&self, params: &SvcValidParams<'_>) -> Vec<Pair> {
        let goal = self.goal(params);
        let pair = |(index, (a, b)): (usize, (u32, u32))| {
            let n_rows = self.counts[a as usize] + self.counts[b as usize];
            Pair::new(index as u32, (a, b), n_rows, goal)
        };
        pairs(self.classes.len() as u32).enumerate().map(pair).collect()
    }

    fn solve(
        self,
        params: &SvcValidParams<'_>,
        executor: &dyn Executor,
        control: &Control,
    ) -> Result<Svc> {
        let (n_classes, n_features) = (self.classes.len(), self.frame.n_features());
        let budget = params.tiles_budget(executor.describe().memory_budget);
        let n_samples = self.data.n_samples().unwrap_or(u64::MAX);
        let keeps_tiles = keeps_tiles(n_samples, n_classes, n_features, budget);
        let pool = Pool::new(n_features);
        let mut sweeps = Sweeps::new(&self, pool, self.pairs(params), keeps_tiles);
        let session = Session::new(executor, params.observer, control);
        let stopped = sweeps.run(&session)?;
        let (mut passes, mut blocks_read) = (session.passes(), session.blocks_read());
        drop(session);
        if stopped.is_some() {
            let unstoppable = Control::default();
            let session = Session::new(executor, params.observer, &unstoppable);
            sweeps.pairs.iter_mut().for_each(Pair::end);
            sweeps.run(&session)?;
            passes += session.passes();
            blocks_read += session.blocks_read();
        }
        let Sweeps { pairs, pool, keeps_tiles, .. } = sweeps;
        let per_row = bytes_per_row(n_classes, n_features, keeps_tiles);
        let history = History {
            passes: self.passes + passes,
            blocks_read: self.blocks_read + blocks_read,
            state_bytes: self.data.n_samples().unwrap_or(0) * per_row as u64,
        };
        let converged = pairs.iter().all(|pair| pair.certificate.converged);
        let status = match stopped {
            _ if converged => Status::Converged,
            Some(status) => status,
            None if pairs.iter().any(|pair| pair.n_iter >= params.max_iter) => Status::MaxIter,
            None => Status::Stalled,
        };
        self.model(params, &pairs, &pool, status, history)
    }

    fn model(
        &self,
        params: &SvcValidParams<'_>,
        pairs: &[Pair],
        pool: &Pool,
        status: Status,
        history: History,
    ) -> Result<Svc> {
        let machine = Machine::new(self.classes.len(), pairs);
        let values = machine.places.iter().flat_map(|&place| pool.row(place).iter().copied());
        let d = self.frame.n_features();
        let support_vectors = match self.data.dtype() {
            Dtype::F32 => Records::F32(Rows::new(values.map(|value| value as f32).collect(), d)?),
            Dtype::F64 => Records::F64(Rows::new(values.collect(), d)?),
        };
        Ok(Svc {
            frame: Frame { far: false, ..(*self.frame).clone() },
            classes: (*self.classes).clone(),
            support_vectors,
            support: machine.support,
            n_support: machine.n_support,
            dual_coef: machine.dual_coef,
            intercept: machine.intercept,
            certificates: pairs.iter().map(|pair| pair.certificate).collect(),
            n_iter: pairs.iter().map(|pair| pair.n_iter as u64).collect(),
            status,
            shape: params.shape,
            recipe: super::file::recipe(params),
            history,
            decider: std::sync::OnceLock::new(),
        })
    }
}

/// The sweeps of a fit.
pub(super) struct Sweeps<'a> {
    problem: &'a Problem,
    keeps_tiles: bool,
    pool: Arc<Pool>,
    pub pairs: Vec<Pair>,
    step: u64,
}

impl<'a> Sweeps<'a> {
    pub fn new(problem: &'a Problem, pool: Pool, pairs: Vec<Pair>, keeps_tiles: bool) -> Self {
        Self { problem, keeps_tiles, pool: Arc::new(pool), pairs, step: 0 }
    }

    /// Until all problems are solved; says why, if it was stopped before.
    pub fn run(&mut self, session: &Session<'_>) -> Result<Option<Status>> {
        while self.pairs.iter().any(|pair| !pair.is_done()) {
            let job = self.job();
            let found = match session.run(&self.problem.data, &job) {
                Ok(found) => found,
                Err(error) => match error.kind() {
                    ErrorKind::Stopped { reason } => return Ok(Some(Status::of(*reason))),
                    _ => return Err(error),
                },
            };
            drop(job);
            self.step += 1;
            let gap = found.pairs.iter().fold(0.0_f64, |most, pair| most.max(pair.extremes.gap()));
            self.take_in(&found, session.resources().threads);
            session.note(&Event::Iteration { iteration: self.step as usize, cost: gap });
        }
        Ok(None)
    }

    /// Problems have nothing to do with one another, but for the pool: rows are added before,
    /// in an order that follows from the sweep.
    fn take_in(&mut self, found: &SweepPartial, n_threads: usize) {
        let pool = Arc::make_mut(&mut self.pool);
        for (drawn, _) in found.pairs.iter().flat_map(violators) {
            pool.add(drawn.row, &drawn.values);
        }
        let (pool, frame) = (&*pool, &*self.problem.frame);
        let going = self.pairs.iter_mut().filter(|pair| !pair.is_done());
        let all: Vec<(&mut Pair, &PairPartial)> = going.zip(&found.pairs).collect();
        side_by_side(n_threads, all, |(pair, found)| pair.take_in(found, frame, pool));
    }

    fn job(&mut self) -> Sweep {
        let going = self.pairs.iter_mut().filter(|pair| !pair.is_done());
        Sweep {
            frame: Arc::clone(&self.problem.frame),
            classes: Arc::clone(&self.problem.classes),
            costs: self.problem.costs.clone(),
            step: self.step,
            keeps_tiles: self.keeps_tiles,
            pool: Arc::clone(&self.pool),
            pairs: going.map(Pair::task).collect(),
        }
    }
}

/// Does all of the work, on no more threads than the executor has, nor this machine.
fn side_by_side<T: Send>(n_threads: usize, work: Vec<T>, act: impl Fn(T) + Sync) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let n_threads = n_threads.min(cores).min(work.len());
    if n_threads < 2 {
        return work.into_iter().for_each(act);
    }
    let left = Mutex::new(work.into_iter());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let share = || std::iter::from_fn(next).for_each(&act);
    std::thread::scope(|scope| (0..n_threads).for_each(|_| drop(scope.spawn(share))));
}

pub(super) fn check_classes(survey: &SurveyPartial) -> Result<()> {
    if survey.moments.n_samples == 0 {
        return Err(empty("the dataset has no rows"));
    }
    check_number(survey.classes.len())?;
    if survey.classes.len() < 2 {
        let found = survey.classes.keys().map(|label| format!("class {label} only"));
        return Err(Error::format("targets of at least two classes", found.collect::<String>()));
    }
    match survey.classes.iter().find(|(_, rows)| rows.n_weighty == 0) {
        Some((label, _)) => Err(empty(format!("no row of class {label} has a positive weight"))),
        None => Ok(()),
    }
}

/// C times the weight of each class.
pub(super) fn costs(
    c: f64,
    class_weight: &ClassWeight,
    survey: &SurveyPartial,
) -> Result<Vec<f64>> {
    let n_classes = survey.classes.len();
    let costs: Vec<f64> = match class_weight {
        ClassWeight::Uniform => vec![c; n_classes],
        ClassWeight::Balanced => {
            let n_samples = survey.moments.n_samples as f64;
            let weight = |count: u64| n_samples / (n_classes as f64 * count as f64);
            survey.classes.values().map(|rows| c * weight(rows.n_samples)).collect()
        }
        ClassWeight::Given(weights) => {
            if weights.len() != n_classes {
                let expected = format!("a factor for each of {n_classes} classes");
                return Err(Error::parameter("class_weight", expected, weights.len()));
            }
            weights.iter().map(|weight| c * weight).collect()
        }
    };
    let largest = costs.iter().fold(0.0_f64, |most, &cost| most.max(cost)) * survey.max_weight;
    if largest < 1e100 {
        Ok(costs)
    } else {
        Err(Error::parameter("c", "below 1e100 when multiplied by the weights", largest))
    }
}

fn gamma(
    params: &SvcValidParams<'_>,
    session: &Session<'_>,
    data: &ChunkedDataset,
    mean: &[f64],
) -> Result<f64> {
    let n_features = mean.len() as f64;
    match (params.kernel, params.gamma) {
        (Kernel::Linear, _) => Ok(1.0),
        (_, Gamma::Value(gamma)) => Ok(gamma),
        (_, Gamma::Auto) => Ok(1.0 / n_features),
        (_, Gamma::Scale) => {
            let center = mean.iter().sum::<f64>() / n_features;
            let spread = session.run(data, &Spread { center: vec![center; mean.len()] })?;
            let sum: f64 = (0..mean.len()).map(|column| spread.sum(column)).sum();
            let n_values = data.n_samples().unwrap_or(0) as f64 * n_features;
            let gamma = n_values / sum / n_features;
            if gamma > 0.0 && gamma.is_finite() {
                return Ok(gamma);
            }
            let expected = "a number: \"scale\" needs data that vary";
            let found = format!("\"scale\" of data with a variance of {:e}", sum / n_values);
            Err(Error::parameter("gamma", expected, found))
        }
    }
}

/// From where the numbers of a column are small: from its mean; or from 0, if it is an end of
/// the column that most rows are near, as of counts and indicators, whose zeros stay zeros.
fn center(min: f64, max: f64, mean: f64) -> f64 {
    let is_end = min == 0.0 || max == 0.0;
    if is_end && mean.abs() <= (max - min) / 4.0 { 0.0 } else { mean }
}

/// # Errors
/// [`ErrorKind::Parameter`] when kernels leave the range of `f64`: columns too wide for gamma;
/// [`ErrorKind::Format`] when it is the linear one, which has none.
fn check_reach(frame: &Frame, max_abs: &[f64]) -> Result<f64> {
    let reach = frame.reach(max_abs);
    let values = match frame.kernel {
        Kernel::Poly { degree, coef0 } => power(reach + coef0.abs(), degree),
        Kernel::Linear | Kernel::Rbf | Kernel::Sigmoid { .. } => reach,
    };
    if values < 1e150 {
        return Ok(reach.max(values));
    }
    if frame.kernel == Kernel::Linear {
        let found = format!("products of up to {values:e}");
        return Err(Error::format("columns whose products stay below 1e150: scale them", found));
    }
    let found = format!("kernels of up to {values:e}");
    Err(Error::parameter("gamma", "one that keeps kernels below 1e150: scale the columns", found))
}

fn power(base: f64, degree: u32) -> f64 {
    (0..degree).fold(1.0, |power, _| power * base)
}
