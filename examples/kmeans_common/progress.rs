//! A progress bar on a terminal, and the time that seeding and iterations take.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use drystone::{Event, Observer};

use crate::common::bar::Bar;

/// Watches a fit. The bar is drawn on stderr, and only if that is a terminal.
pub struct Progress {
    started: Instant,
    bar: Bar,
    iterations_from: Mutex<Option<Instant>>,
}

/// How long a fit took.
#[derive(Clone, Copy)]
pub struct Seconds {
    pub init: f64,
    pub lloyd: f64,
    pub total: f64,
}

impl Progress {
    pub fn new(quiet: bool) -> Self {
        let template = "{elapsed:>5} {wide_bar} {pos}/{len} blocks  {msg}";
        let bar = Bar::new(quiet, template);
        Self { started: Instant::now(), bar, iterations_from: Mutex::new(None) }
    }

    fn iterations_from(&self) -> MutexGuard<'_, Option<Instant>> {
        self.iterations_from.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the bar.
    pub fn finish(&self) -> Seconds {
        self.bar.clear();
        let now = Instant::now();
        let from = self.iterations_from().unwrap_or(now);
        Seconds {
            init: (from - self.started).as_secs_f64(),
            lloyd: (now - from).as_secs_f64(),
            total: (now - self.started).as_secs_f64(),
        }
    }
}

impl Observer for Progress {
    fn event(&self, event: &Event<'_>) {
        match *event {
            Event::PassStarted { pass, job, n_blocks } => {
                if job.starts_with("kmeans.lloyd") {
                    self.iterations_from().get_or_insert_with(Instant::now);
                }
                self.bar.advance(0, n_blocks as u64);
                self.bar.message(format_args!("pass {pass}: {}", name(job)));
            }
            Event::BlockDone { done, n_blocks, .. } => {
                self.bar.advance(done as u64, n_blocks as u64);
            }
            Event::Iteration { iteration, cost } => {
                self.bar.message(format_args!("iteration {iteration}: cost {cost:.6e}"));
            }
            Event::Note { text } => self.bar.note(text),
            _ => {}
        }
    }
}

/// What a job does, in a word.
fn name(job: &str) -> &str {
    let known = [
        ("core.count_rows", "counting rows"),
        ("kmeans.scan", "scanning"),
        ("kmeans.round", "seeding"),
        ("kmeans.plus_plus", "seeding"),
        ("kmeans.lloyd", "iterating"),
        ("kmeans.farthest", "filling empty clusters"),
    ];
    known.iter().find(|(prefix, _)| job.starts_with(prefix)).map_or(job, |(_, name)| name)
}
