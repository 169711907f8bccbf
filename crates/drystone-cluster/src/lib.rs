//! Workers on other machines: [`Cluster`] is an executor whose blocks are mapped by the workers
//! of a scheduler, with the same bits as local threads.
//!
//! The engine is Apache DataFusion Ballista; all that the rest of drystone sees of it is in
//! this crate: one node (`node`), how it travels (`codec`), and which worker gets which
//! blocks (`scheduler/placement`). A step is a plan of two stages: partitions of blocks are
//! mapped to partials, and these are merged. Blocks are read or made where they are mapped.
//! Who lives, and how far it is, goes over connections of our own (`link`). Who is believed is
//! said by [`Trust`].

mod client;
mod codec;
mod connections;
mod dashboard;
mod dial;
mod endpoint;
mod greeting;
mod guard;
mod link;
mod listener;
mod message;
mod node;
mod owner;
mod private;
mod refusals;
mod scheduler;
mod serve;
mod shape;
mod stream;
#[cfg(test)]
mod tests;
pub mod tls;
mod token;
mod trust;
mod worker;

pub use client::Cluster;
pub use scheduler::{FitState, PassState, Scheduler, SchedulerOptions, State, WorkerState};
pub use serve::{Say, Stop, Stopper, allow_many_files};
pub use token::Token;
pub use trust::Trust;
pub use worker::{WorkerOptions, run_worker, serve_worker};

use drystone_core::{Error, ErrorKind, Result};

/// The port of a scheduler, unless told otherwise.
pub const DEFAULT_PORT: u16 = 8786;
/// The port of a scheduler's dashboard, unless told otherwise.
pub const DASHBOARD_PORT: u16 = 8787;

/// The largest message between processes: a step to all slots of a worker, or a partial.
const MAX_MESSAGE: u32 = 512 << 20;

/// What the scheduler at `host:port` knows: its workers, and what drivers do.
///
/// # Errors
/// [`Worker`](ErrorKind::Worker) when it cannot be reached within five seconds, or refuses.
pub async fn state(scheduler: &str, trust: &Trust) -> Result<State> {
    link::http::Connection::open(trust, scheduler).await?.get(link::STATE_PATH).await
}

/// What the engine says.
fn engine_failed(error: ballista_core::error::BallistaError) -> Error {
    Error::from(ErrorKind::Worker { found: "the engine failed".into() }).caused_by(error)
}
