//! Workers on other machines: [`Cluster`] is an executor whose blocks are mapped by the workers
//! of a scheduler, with the same bits as local threads.
//!
//! The engine is Apache DataFusion Ballista; all that the rest of drystone sees of it is in
//! this crate: one node (`node`), how it travels (`codec`), and which worker gets which
//! blocks (`placement`). A step is a plan of two stages: partitions of blocks are mapped to
//! partials, and these are merged. Blocks are read or made where they are mapped.

mod client;
mod codec;
#[allow(dead_code, reason = "not in use by scheduler, worker and client yet")]
mod dial;
#[allow(dead_code, reason = "not in use by scheduler, worker and client yet")]
mod endpoint;
#[allow(dead_code, reason = "not in use by scheduler, worker and client yet")]
mod greeting;
#[allow(dead_code, reason = "not in use by scheduler, worker and client yet")]
mod guard;
#[allow(dead_code, reason = "not in use by scheduler, worker and client yet")]
mod listener;
mod mapper;
mod message;
mod node;
mod placement;
mod private;
#[allow(dead_code, reason = "not in use by scheduler, worker and client yet")]
mod refusals;
mod rest;
mod scheduler;
#[allow(dead_code, reason = "not in use by scheduler, worker and client yet")]
mod stream;
#[cfg(test)]
mod tests;
#[allow(dead_code, reason = "not in use by scheduler, worker and client yet")]
pub mod tls;
#[allow(dead_code, reason = "not in use by scheduler, worker and client yet")]
mod token;
#[allow(dead_code, reason = "not in use by scheduler, worker and client yet")]
mod trust;
mod worker;

pub use client::Cluster;
pub use rest::WorkerInfo;
pub use scheduler::{Scheduler, SchedulerOptions};
pub use token::Token;
pub use trust::Trust;
pub use worker::{WorkerOptions, run_worker};

use drystone_core::{Error, ErrorKind, Registry};

/// The port of a scheduler, unless told otherwise.
pub const DEFAULT_PORT: u16 = 8786;

/// The largest message between processes: a step to all slots of a worker, or a partial.
const MAX_MESSAGE: u32 = 512 << 20;

/// A registry of all jobs and sources of drystone, for workers: add your own to it.
#[must_use]
pub fn registry() -> Registry {
    let mut registry = Registry::new();
    drystone_estimators::register(&mut registry);
    drystone_sources::register(&mut registry);
    registry
}

/// The workers of the scheduler at `host:port`, by name.
///
/// # Errors
/// [`Worker`](ErrorKind::Worker) when it cannot be reached within five seconds.
pub async fn workers(scheduler: &str) -> drystone_core::Result<Vec<WorkerInfo>> {
    rest::workers(scheduler).await
}

/// What the engine says.
fn failed(error: ballista_core::error::BallistaError) -> Error {
    Error::from(ErrorKind::Worker { found: "the engine failed".into() }).caused_by(error)
}
