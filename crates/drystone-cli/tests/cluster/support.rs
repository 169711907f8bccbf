//! What the tests of the cluster share.

use std::path::Path;

use drystone_core::ChunkedDataset;
use drystone_sources::generate::Blobs;
use drystone_trials::{Process, Processes};

/// The program under test.
pub fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_drystone"))
}

/// A process of the program under test.
pub fn process(args: &[&str]) -> Process {
    Process::start(program(), args)
}

/// A cluster where no worker counts as dead because this machine is busy.
pub fn patient(slots: &[usize]) -> Processes {
    Processes::start(program(), slots, "60")
}

/// A cluster where a worker counts as dead as soon as users would have it.
pub fn watchful(slots: &[usize]) -> Processes {
    Processes::start(program(), slots, "4")
}

/// Blocks that do not take long, and that take several tasks.
pub fn blobs() -> ChunkedDataset {
    Blobs::new(40_000, 6).centers(5).seed(3).block_rows(1_700).dataset()
}
