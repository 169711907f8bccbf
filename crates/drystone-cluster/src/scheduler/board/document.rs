//! What a scheduler knows, as it is printed and drawn.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::{Board, Fit, Status, Worker};
use crate::link::VERSION;

/// What a scheduler knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The version of drystone.
    pub version: String,
    /// Where the scheduler listens.
    pub address: String,
    /// Where a browser on the scheduler's machine finds its dashboard.
    pub dashboard: String,
    /// Seconds since it started.
    pub uptime_s: f64,
    /// By name.
    pub workers: Vec<WorkerState>,
    /// The newest first.
    pub fits: Vec<FitState>,
}

/// A worker as its scheduler knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerState {
    /// Its name, which no other worker has.
    pub name: String,
    /// Its host.
    pub host: String,
    /// The port that it listens on.
    pub port: u16,
    /// Tasks that it runs at a time.
    pub slots: usize,
    /// Tasks that it runs now.
    pub busy: usize,
    /// Whether it finishes what it has, and takes nothing more.
    pub leaving: bool,
    /// Seconds since it was heard of.
    pub silent_s: f64,
    /// Its process.
    pub pid: u32,
    /// Its version of drystone.
    pub version: String,
    /// Memory of the process, if its system says.
    pub resident_bytes: Option<u64>,
    /// Bytes of blocks that it keeps.
    pub cache_bytes: u64,
    /// Bytes of blocks that it may keep.
    pub cache_budget: u64,
    /// Blocks that it keeps.
    pub cached_blocks: usize,
    /// Blocks mapped since it started.
    pub blocks_mapped: u64,
    /// Those among them that had to be read or generated.
    pub blocks_read: u64,
}

/// A fit, or other work of several steps, as the scheduler knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitState {
    /// Its session.
    pub id: String,
    /// The host and the process of the driver.
    pub driver: String,
    /// What it is, as in `kmeans`.
    pub estimator: String,
    /// The dataset in words.
    pub data: String,
    /// `running`, `done`, `failed`, `stopped`, or `lost` with its driver.
    pub status: String,
    /// Seconds since its first step, until its end.
    pub elapsed_s: f64,
    /// The pass, from 1.
    pub pass: usize,
    /// The job of the pass.
    pub job: String,
    /// Blocks of the pass that are done.
    pub blocks_done: u64,
    /// Blocks that there are.
    pub n_blocks: u64,
    /// Rows that there are.
    pub rows: Option<u64>,
    /// The latest passes that are done.
    pub passes: Vec<PassState>,
    /// The costs of the latest iterations.
    pub costs: Vec<f64>,
    /// What the user should know.
    pub notes: Vec<String>,
    /// Why it failed.
    pub error: Option<String>,
}

/// A pass that is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PassState {
    /// Its job.
    pub job: String,
    /// How long it took.
    pub seconds: f64,
    /// Blocks that had to be read or generated.
    pub blocks_read: u64,
}

pub(super) fn state(board: &Board) -> State {
    let known = board.known();
    State {
        version: VERSION.to_owned(),
        address: board.address.to_string(),
        dashboard: board.dashboard.clone(),
        uptime_s: board.started.elapsed().as_secs_f64(),
        workers: known.workers.values().map(worker).collect(),
        fits: known.fits.iter().map(fit).collect(),
    }
}

fn worker(worker: &Worker) -> WorkerState {
    let (hello, report) = (worker.hello.clone(), &worker.report);
    WorkerState {
        name: hello.name,
        host: hello.host,
        port: hello.port,
        slots: hello.slots,
        busy: report.busy.min(hello.slots),
        leaving: worker.leaving.is_some(),
        silent_s: Instant::now().duration_since(worker.heard).as_secs_f64(),
        pid: hello.pid,
        version: hello.version,
        resident_bytes: report.resident_bytes,
        cache_bytes: report.cache_bytes,
        cache_budget: hello.memory_budget,
        cached_blocks: report.cached_blocks,
        blocks_mapped: report.blocks_mapped,
        blocks_read: report.blocks_read,
    }
}

fn fit(fit: &Fit) -> FitState {
    let status = match fit.status {
        Status::Running => "running",
        Status::Done => "done",
        Status::Failed => "failed",
        Status::Stopped => "stopped",
        Status::Lost => "lost",
    };
    let passes = fit.passes.iter().map(|pass| PassState {
        job: pass.job.clone(),
        seconds: pass.seconds,
        blocks_read: pass.blocks_read,
    });
    FitState {
        id: format!("{:016x}", fit.session),
        driver: fit.driver_name.clone(),
        estimator: fit.job.split('.').next().unwrap_or_default().to_owned(),
        data: fit.data.clone(),
        status: status.to_owned(),
        elapsed_s: fit.elapsed().as_secs_f64(),
        pass: fit.pass,
        job: fit.job.clone(),
        blocks_done: fit.blocks_done,
        n_blocks: fit.n_blocks,
        rows: fit.rows,
        passes: passes.collect(),
        costs: fit.costs.iter().copied().collect(),
        notes: fit.notes.iter().cloned().collect(),
        error: fit.error.clone(),
    }
}
