//! What workers and drivers tell the scheduler beside the engine's calls, and hear from it.
//!
//! Each of them makes one request that stays open: lines of JSON go both ways. As long as
//! lines come, whoever made the request lives; when the request ends, it is gone. So a death
//! is noticed when the connection closes, and no clock of another machine matters.

pub(crate) mod http;
pub(crate) mod lines;

use serde::{Deserialize, Serialize};

/// Where workers stay connected.
pub(crate) const WORKER_PATH: &str = "/drystone/worker";
/// Where drivers stay connected.
pub(crate) const DRIVER_PATH: &str = "/drystone/driver";
/// What a scheduler knows, as one document.
pub(crate) const STATE_PATH: &str = "/drystone/state.json";

/// The version of a program of drystone: jobs and messages are the same in programs of the
/// same version only.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Longest name of a worker or a driver, of a job and of a dataset in words.
pub(crate) const MAX_NAME: usize = 200;

/// Why a peer of another version is refused, if it is.
pub(crate) fn misfit(whose: &str, version: &str) -> Option<String> {
    let shown: String = version.chars().take(40).collect();
    (version != VERSION).then(|| {
        format!(
            "the {whose} is drystone {shown:?}, the scheduler drystone {VERSION:?}: start the same version of both"
        )
    })
}

/// A line of a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromWorker {
    /// The first line.
    Hello(WorkerHello),
    /// That it lives, and what it does.
    Report(Report),
    /// It takes nothing more, and ends when it is told to.
    Leaving,
}

/// Who a worker is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WorkerHello {
    pub version: String,
    pub name: String,
    /// Where the scheduler, other workers and drivers reach it.
    pub host: String,
    pub port: u16,
    pub slots: usize,
    /// Bytes of blocks that it may keep.
    pub memory_budget: u64,
    pub pid: u32,
}

/// What a worker has and does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Tasks that run now.
    pub busy: usize,
    /// Memory of the process, if the system says.
    pub resident_bytes: Option<u64>,
    pub cache_bytes: u64,
    pub cached_blocks: usize,
    /// Since it started.
    pub blocks_mapped: u64,
    /// Those among them that were not in memory.
    pub blocks_read: u64,
    /// Blocks done so far, for each of the latest steps.
    pub steps: Vec<(u64, u64)>,
}

/// A line for a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToWorker {
    /// It is connected, and counts as dead when it is silent for so long.
    Welcome { timeout_ms: u64 },
    /// That the scheduler lives.
    Beat,
    /// A session is over.
    Forget { session: u64 },
    /// A worker that leaves may end now.
    Bye,
}

/// A line of a driver.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromDriver {
    /// The first line.
    Hello { version: String, name: String },
    /// That it lives.
    Beat,
    /// It ends.
    Bye,
    /// What happens in a session of it.
    Session { session: u64, what: News },
}

/// What happens in a session.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum News {
    /// A step over the data begins.
    Step { step: u64, pass: usize, job: String, data: String, rows: Option<u64>, n_blocks: u64 },
    /// The step is done.
    StepDone { seconds: f64, blocks_read: u64 },
    /// The step failed.
    Failed { error: String },
    /// The driver stopped it.
    Stopped,
    /// An iteration reached a cost.
    Cost { cost: f64 },
    /// Something the user should know.
    Note { text: String },
    /// The session is over.
    Over,
}

/// A line for a driver.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToDriver {
    /// It is connected.
    Welcome,
    /// That the scheduler lives, the slots of all workers, and how many of them are busy.
    Beat { slots: usize, busy: usize },
    /// Blocks of a step that are done.
    Done { step: u64, blocks: u64 },
    /// A worker is gone.
    Lost { worker: String },
}

/// Why a request was refused.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub error: String,
}
