//! Schedulers and workers as real processes on this machine, which end with whoever started
//! them; and a way to do something to them in the middle of a fit.

mod at;
mod processes;

pub use at::At;
pub use processes::{Process, Processes, start_scheduler, start_worker};
