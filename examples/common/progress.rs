//! A progress bar on a terminal, and the time that seeding and iterations take.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use drystone::{Event, Observer};
use indicatif::{ProgressBar, ProgressStyle};

/// Watches a fit. The bar is drawn on stderr, and only if that is a terminal.
pub struct Progress {
    started: Instant,
    bar: ProgressBar,
    iterations_from: Mutex<Option<Instant>>,
    quiet: bool,
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
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
        let style =
            ProgressStyle::with_template("{elapsed:>5} {wide_bar} {pos}/{len} blocks  {msg}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Self { started: Instant::now(), bar, iterations_from: Mutex::new(None), quiet }
    }

    fn iterations_from(&self) -> MutexGuard<'_, Option<Instant>> {
        self.iterations_from.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the bar.
    pub fn finish(&self) -> Seconds {
        self.bar.finish_and_clear();
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
                self.bar.reset();
                self.bar.set_length(n_blocks as u64);
                self.bar.set_message(format!("pass {pass}: {}", name(job)));
            }
            Event::BlockDone { done, .. } => self.bar.set_position(done as u64),
            Event::Iteration { iteration, cost } => {
                self.bar.set_message(format!("iteration {iteration}: cost {cost:.6e}"));
            }
            Event::Note { text } if !self.quiet => self.bar.suspend(|| eprintln!("note: {text}")),
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
