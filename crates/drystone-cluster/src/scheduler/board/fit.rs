//! What is known of one session of a driver: a fit, or other work of several steps.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::link::News;

/// What is remembered of each.
pub(super) const MAX_PASSES: usize = 200;
pub(super) const MAX_COSTS: usize = 1000;
const MAX_NOTES: usize = 20;
/// Longest text that a driver gets shown to others.
const MAX_TEXT: usize = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Running,
    Done,
    Failed,
    Stopped,
    Lost,
}

pub(super) struct Pass {
    pub job: String,
    pub seconds: f64,
    pub blocks_read: u64,
}

pub(super) struct Fit {
    pub driver: u64,
    pub driver_name: String,
    pub session: u64,
    pub status: Status,
    pub data: String,
    pub rows: Option<u64>,
    /// Of the latest step.
    pub step: u64,
    pub pass: usize,
    pub job: String,
    pub n_blocks: u64,
    pub blocks_done: u64,
    step_began: Option<Instant>,
    began: Instant,
    ended: Option<Instant>,
    pub passes: VecDeque<Pass>,
    pub costs: VecDeque<f64>,
    pub notes: VecDeque<String>,
    pub error: Option<String>,
}

impl Fit {
    pub fn new(driver: u64, driver_name: String, session: u64) -> Self {
        Self {
            driver,
            driver_name,
            session,
            status: Status::Running,
            data: String::new(),
            rows: None,
            step: 0,
            pass: 0,
            job: String::new(),
            n_blocks: 0,
            blocks_done: 0,
            step_began: None,
            began: Instant::now(),
            ended: None,
            passes: VecDeque::new(),
            costs: VecDeque::new(),
            notes: VecDeque::new(),
            error: None,
        }
    }

    pub fn is_of(&self, driver: u64, session: u64) -> bool {
        self.driver == driver && self.session == session
    }

    /// Whether workers may have state of it.
    pub fn has_state(&self) -> bool {
        self.ended.is_none() || self.status != Status::Done
    }

    /// When the step that is under way began.
    pub fn step_began(&self) -> Option<Instant> {
        self.step_began.filter(|_| self.status == Status::Running)
    }

    pub fn elapsed(&self) -> Duration {
        self.ended.unwrap_or_else(Instant::now) - self.began
    }

    pub fn hear(&mut self, news: News) {
        match news {
            News::Step { step, pass, job, data, rows, n_blocks } => {
                (self.step, self.pass, self.rows, self.n_blocks) = (step, pass, rows, n_blocks);
                (self.job, self.data) = (shortened(job), shortened(data));
                self.blocks_done = 0;
                self.step_began = Some(Instant::now());
                // State that is forgotten between two steps looked like the end.
                (self.status, self.ended) = (Status::Running, None);
            }
            News::StepDone { seconds, blocks_read } => {
                self.blocks_done = self.n_blocks;
                self.step_began = None;
                let job = self.job.clone();
                push(&mut self.passes, MAX_PASSES, Pass { job, seconds, blocks_read });
            }
            News::Cost { cost } => push(&mut self.costs, MAX_COSTS, cost),
            News::Note { text } => push(&mut self.notes, MAX_NOTES, shortened(text)),
            News::Failed { error } => {
                self.error = Some(shortened(error));
                self.end(Status::Failed);
            }
            News::Stopped => self.end(Status::Stopped),
            News::Over => self.end(Status::Done),
        }
    }

    /// Nothing more will come of it.
    pub fn end(&mut self, status: Status) {
        // What failed or was stopped stays so when its session ends.
        if self.status == Status::Running {
            self.status = status;
        }
        self.step_began = None;
        self.ended.get_or_insert_with(Instant::now);
    }
}

fn push<T>(queue: &mut VecDeque<T>, limit: usize, value: T) {
    queue.push_back(value);
    if queue.len() > limit {
        queue.pop_front();
    }
}

fn shortened(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        text = text.chars().take(MAX_TEXT / 4).chain(" ...".chars()).collect();
    }
    text
}
