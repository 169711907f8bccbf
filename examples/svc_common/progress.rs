//! A progress bar on a terminal: how far the largest violation has fallen towards `tol`, in
//! each fit.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use drystone::kernels::math::ln;
use drystone::{Event, Observer};

use super::flags::Flags;
use crate::common::bar::Bar;

/// Marks of the bar for each fit.
const WHOLE: u64 = 1000;
/// Fits with probabilities: to all rows, and to all but a fold.
const CALIBRATED_FITS: u64 = 6;
/// The job of the solver.
const SWEEP: &str = "svc.sweep";

/// Watches a fit. The bar is drawn on stderr, and only if that is a terminal.
pub struct Progress {
    started: Instant,
    bar: Bar,
    tol: f64,
    n_fits: u64,
    fall: Mutex<Fall>,
}

/// How the largest violation falls: not in each sweep, but on the whole.
#[derive(Default)]
struct Fall {
    first: Option<f64>,
    /// Fits of which a sweep is done.
    n_begun: u64,
    marks: u64,
    /// What is going on, or what the last sweep came to.
    text: String,
}

impl Progress {
    pub fn new(flags: &Flags) -> Self {
        let bar = Bar::new(flags.json, "{elapsed:>5} {wide_bar} {msg}");
        let n_fits = if flags.calibrate { CALIBRATED_FITS } else { 1 };
        bar.advance(0, n_fits * WHOLE);
        Self { started: Instant::now(), bar, tol: flags.tol, n_fits, fall: Mutex::default() }
    }

    /// Removes the bar; gives the seconds of the fit.
    pub fn finish(&self) -> f64 {
        self.bar.clear();
        self.started.elapsed().as_secs_f64()
    }
}

impl Fall {
    /// Between fits are passes of other jobs.
    fn pass(&mut self, job: &str) {
        if !job.starts_with(SWEEP) {
            self.first = None;
        }
        if self.first.is_none() {
            self.text = name(job).to_owned();
        }
    }

    /// On a logarithmic scale, and never back.
    fn sweep(&mut self, sweep: usize, violation: f64, tol: f64) {
        self.n_begun += u64::from(self.first.is_none());
        let first = *self.first.get_or_insert(violation);
        let share = if violation <= tol { 1.0 } else { ln(first / violation) / ln(first / tol) };
        let marks = (share.clamp(0.0, 1.0) * WHOLE as f64) as u64;
        self.marks = self.marks.max((self.n_begun - 1) * WHOLE + marks);
        self.text = format!("sweep {sweep}: violation {violation:.1e}, tol {tol:.0e}");
    }
}

impl Observer for Progress {
    fn event(&self, event: &Event<'_>) {
        let mut fall = self.fall.lock().unwrap_or_else(PoisonError::into_inner);
        match *event {
            Event::PassStarted { job, .. } => {
                fall.pass(job);
                self.bar.message(&fall.text);
            }
            Event::BlockDone { done, n_blocks, .. } => {
                self.bar.message(format_args!("{}; {done}/{n_blocks} blocks", fall.text));
            }
            Event::Iteration { iteration, cost } => {
                fall.sweep(iteration, cost, self.tol);
                self.bar.advance(fall.marks, self.n_fits * WHOLE);
                self.bar.message(&fall.text);
            }
            Event::Note { text } => self.bar.note(text),
            _ => {}
        }
    }
}

/// What a job does until the first sweep is done, in a word.
fn name(job: &str) -> &str {
    let known = [
        ("core.count_rows", "counting rows"),
        ("svc.survey", "scanning"),
        ("core.spread", "measuring the variance"),
        (SWEEP, "first sweep"),
        ("svc.held_out", "judging rows of a fold"),
    ];
    known.iter().find(|(prefix, _)| job.starts_with(prefix)).map_or(job, |(_, name)| name)
}
