//! Estimators over chunked datasets.
//!
//! They touch data only through jobs that an executor runs: no files (but a model's
//! own), sockets, spawned threads or clocks here.

mod archive;
mod checks;
mod draws;
pub mod kmeans;
pub mod metrics;
pub mod model_selection;
pub mod preprocessing;
mod rows;
pub mod svc;
pub mod wrappers;

pub use kmeans::{Init, KMeans, KMeansParams, KMeansValidParams, Oversampling};
pub use svc::{Calibrated, LinearSvc, Svc};
pub use wrappers::{BlockwiseVoting, PostFit};

use drystone_core::Registry;

/// Adds the jobs and steps of this crate, so that another process can run them.
pub fn register(registry: &mut Registry) {
    kmeans::register(registry);
    model_selection::register(registry);
    preprocessing::register(registry);
    svc::register(registry);
}
