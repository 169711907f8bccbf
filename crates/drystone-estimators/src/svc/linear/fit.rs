//! A fit from end to end: survey, passes of all problems together, model. Holds no arithmetic
//! on rows.

use std::sync::Arc;

use drystone_core::{
    ChunkedDataset, Control, Error, ErrorKind, Event, Executor, Result, Session, Threads,
};
use drystone_kernels::linear::{Frame, Shape};

use super::evaluate::Evaluate;
use super::machine::{Goal, Machine};
use super::model::LinearSvc;
use super::nearest::{At, Nearest};
use super::params::{LinearSvcValidParams, Loss};
use super::products::{Along, Products};
use super::space::{MAX_HESSIAN, Sides, Space};
use crate::checks::check_isa;
use crate::svc::classes::Classes;
use crate::svc::fit::{check_classes, costs, empty};
use crate::svc::model::{History, Status};
use crate::svc::survey::{Survey, SurveyPartial};

/// Bytes of all problems' matrices of second derivatives on one thread, at most.
const MATRIX_BYTES: usize = 256 << 20;
/// Columns for which the hinge can be solved: its problems in memory have a matrix too.
const MAX_HINGE: u64 = 1023;
/// Rows near the margin that are held in memory: of one problem; bytes of all problems; and
/// multiplications of one step of an interior point method.
const MAX_HELD: usize = 32_768;
const HELD_BYTES: usize = 64 << 20;
const HELD_WORK: usize = 200_000_000;

pub(super) fn fit(params: &LinearSvcValidParams<'_>, data: &ChunkedDataset) -> Result<LinearSvc> {
    let shared = Threads::shared();
    let executor = params.executor.unwrap_or(&*shared);
    let control = Control::new(params.cancel.clone(), params.max_time);
    let session = Session::new(executor, params.observer, &control);
    check_isa()?;
    let mut fit = Fit::new(params, &session, data)?;
    let stopped = fit.run(&session)?;
    let mut history = fit.history(&session);
    drop(session);
    if stopped.is_some() {
        let more = fit.end(executor)?;
        history.passes += more.passes;
        history.blocks_read += more.blocks_read;
    }
    fit.model(stopped, history)
}

struct Fit<'a> {
    params: &'a LinearSvcValidParams<'a>,
    data: ChunkedDataset,
    space: Arc<Space>,
    machines: Vec<Machine>,
    n_held: usize,
    n_rounds: usize,
}

impl<'a> Fit<'a> {
    fn new(
        params: &'a LinearSvcValidParams<'a>,
        session: &Session<'_>,
        data: &ChunkedDataset,
    ) -> Result<Self> {
        let n_features = data.n_features();
        check_columns(params.loss, n_features)?;
        if data.layout().targets.is_none() {
            let expected = "a dataset with targets: the class of each row";
            return Err(Error::format(expected, "no targets"));
        }
        let data = session.with_known_rows(data)?;
        let survey = session.run(&data, &Survey { n_features })?;
        check_classes(&survey)?;
        let costs = costs(params.c, &params.class_weight, &survey)?;
        let sides = sides(params.c, &costs);
        let space = Arc::new(space(&survey, sides.len())?);
        let n_held = n_held(n_features + 1, sides.len());
        let counts: Vec<u64> = survey.classes.values().map(|rows| rows.n_weighty).collect();
        let n_rows: u64 = counts.iter().sum();
        let machine = |sides: Sides| {
            let own = counts[sides.positive as usize];
            let fewer = own.min(n_rows - own).max(1);
            let share = fewer as f64 / n_rows as f64;
            let max_iter = params.max_iter as u64;
            let goal = Goal { tol: params.tol, share, max_iter, n_rows, n_held };
            Machine::new(sides, params.loss, goal, &space)
        };
        let machines = sides.into_iter().map(machine).collect();
        Ok(Self { params, data, space, machines, n_held, n_rounds: 0 })
    }

    /// Until all problems are solved; says why, if it was stopped before.
    fn run(&mut self, session: &Session<'_>) -> Result<Option<Status>> {
        while self.machines.iter().any(|machine| !machine.is_done()) {
            if let Err(error) = self.round(session) {
                return match error.kind() {
                    ErrorKind::Stopped { reason } if self.has_begun() => {
                        Ok(Some(Status::of(*reason)))
                    }
                    _ => Err(error),
                };
            }
            self.n_rounds += 1;
            let cost = self.machines.iter().map(Machine::value).sum();
            session.note(&Event::Iteration { iteration: self.n_rounds, cost });
        }
        Ok(None)
    }

    fn has_begun(&self) -> bool {
        self.machines.iter().all(Machine::has_begun)
    }

    /// A step of each problem.
    fn round(&mut self, session: &Session<'_>) -> Result<()> {
        if self.machines.iter().any(Machine::is_smooth) {
            self.evaluate(session)?;
            while self.multiply(session)? {}
            let turning = self.machines.iter_mut().filter(|machine| machine.is_smooth());
            turning.for_each(|machine| machine.turned(&self.space));
        }
        self.measure(session)
    }

    /// The pass of Newton's method.
    fn evaluate(&mut self, session: &Session<'_>) -> Result<()> {
        let smooth = self.machines.iter_mut().filter(|machine| machine.is_smooth());
        let mut smooth: Vec<&mut Machine> = smooth.collect();
        let tasks = smooth.iter().map(|machine| machine.newton.task()).collect();
        let job = Evaluate { space: Arc::clone(&self.space), tasks };
        let found = session.run(&self.data, &job)?;
        for ((machine, task), found) in smooth.iter_mut().zip(job.tasks).zip(&found.tasks) {
            if machine.newton.take_in(task, found, &self.space) {
                machine.reached(&self.space);
            }
        }
        Ok(())
    }

    /// A pass of conjugate gradients, if a problem wants one.
    fn multiply(&mut self, session: &Session<'_>) -> Result<bool> {
        let smooth = self.machines.iter_mut().filter(|machine| machine.is_smooth());
        let (mut asking, tasks): (Vec<&mut Machine>, Vec<Along>) = smooth
            .filter_map(|machine| machine.newton.along().map(|along| (machine, along)))
            .unzip();
        if tasks.is_empty() {
            return Ok(false);
        }
        let job = Products { space: Arc::clone(&self.space), tasks };
        let found = session.run(&self.data, &job)?;
        for ((machine, along), found) in asking.iter_mut().zip(&job.tasks).zip(&found.tasks) {
            machine.newton.take_product(along, &found.0, &self.space);
        }
        Ok(true)
    }

    /// The pass of the hinge, if a problem has come so far.
    fn measure(&mut self, session: &Session<'_>) -> Result<()> {
        let tasks: Vec<At> = self.machines.iter().filter_map(Machine::at).collect();
        if tasks.is_empty() {
            return Ok(());
        }
        let job = Nearest { space: Arc::clone(&self.space), n_rows: self.n_held, tasks };
        let found = session.run(&self.data, &job)?;
        let asking = self.machines.iter_mut().filter(|machine| machine.is_bundled());
        for (machine, found) in asking.zip(&found.tasks) {
            machine.measured(found, &self.space);
        }
        Ok(())
    }

    /// Ends all problems with what is known; the hinge takes one more pass for that.
    fn end(&mut self, executor: &dyn Executor) -> Result<History> {
        let unstoppable = Control::default();
        let session = Session::new(executor, self.params.observer, &unstoppable);
        self.machines.iter_mut().for_each(Machine::end);
        self.measure(&session)?;
        Ok(self.history(&session))
    }

    fn history(&self, session: &Session<'_>) -> History {
        let (passes, blocks_read) = (session.passes(), session.blocks_read());
        History { passes, blocks_read, state_bytes: 0 }
    }

    fn model(self, stopped: Option<Status>, history: History) -> Result<LinearSvc> {
        let d = self.space.n_features();
        let converged = self.machines.iter().all(|machine| machine.certificate.converged);
        let out_of_steps =
            |machine: &Machine| machine.is_out_of_steps() && !machine.certificate.converged;
        let status = match stopped {
            _ if converged => Status::Converged,
            Some(status) => status,
            None if self.machines.iter().any(out_of_steps) => Status::MaxIter,
            None => Status::Stalled,
        };
        Ok(LinearSvc {
            classes: (*self.space.classes).clone(),
            n_features: d,
            coef: self.machines.iter().flat_map(|machine| &machine.w()[..d]).copied().collect(),
            intercept: self.machines.iter().map(|machine| machine.w()[d]).collect(),
            certificates: self.machines.iter().map(|machine| machine.certificate).collect(),
            n_iter: self.machines.iter().map(Machine::n_iter).collect(),
            status,
            recipe: super::file::recipe(self.params),
            history,
        })
    }
}

fn check_columns(loss: Loss, n_features: usize) -> Result<()> {
    if n_features == 0 {
        return Err(empty("the dataset has no columns"));
    }
    let found = n_features as u64;
    if loss == Loss::Hinge && found > MAX_HINGE {
        let what = "the number of columns (the squared hinge has no such limit)".to_owned();
        return Err(ErrorKind::Limit { what, limit: MAX_HINGE, found }.into());
    }
    Ok(())
}

/// The problems: of two classes, the second against the first; else each against the others.
/// As in LIBLINEAR, a class's factor is for its own rows only then.
fn sides(c: f64, costs: &[f64]) -> Vec<Sides> {
    match costs {
        [first, second] => vec![Sides { positive: 1, others: *first, own: *second }],
        _ => {
            let side =
                |(class, &own): (usize, &f64)| Sides { positive: class as u32, others: c, own };
            costs.iter().enumerate().map(side).collect()
        }
    }
}

/// # Errors
/// When squares of values leave the range of `f64`.
fn space(survey: &SurveyPartial, n_problems: usize) -> Result<Space> {
    let moments = &survey.moments;
    let columns = moments.min.iter().zip(&moments.max);
    let max_abs: Vec<f64> = columns.map(|(min, max)| min.abs().max(max.abs())).collect();
    let widest = max_abs.iter().fold(0.0_f64, |most, &x| most.max(x));
    if widest >= 1e70 {
        let (dtype, found) = ("f64".to_owned(), format!("{widest:e}"));
        return Err(ErrorKind::Range { dtype, found }.into());
    }
    let classes = Classes(survey.classes.keys().cloned().collect());
    let stride = Frame::new(&max_abs).stride();
    let has_hessian = stride <= MAX_HESSIAN
        && n_problems * Shape::Outer.len(stride) * (size_of::<i64>() + size_of::<i128>())
            <= MATRIX_BYTES;
    Ok(Space::new(&max_abs, classes, survey.max_weight, has_hessian))
}

/// Rows near the margin that are held for each problem.
fn n_held(n_weights: usize, n_problems: usize) -> usize {
    let by_bytes = HELD_BYTES / (n_problems * n_weights * size_of::<f64>());
    let by_work = HELD_WORK / (n_weights * n_weights);
    by_bytes.min(by_work).clamp(4 * n_weights, MAX_HELD.max(4 * n_weights))
}
