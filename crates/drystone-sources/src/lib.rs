//! What blocks come from: generators, arrays in memory, CSV, LIBSVM and `.npy` files.
//!
//! One file a format; no estimator knows any of them.

pub mod csv;
mod files;
pub mod generate;
pub mod libsvm;
pub mod memory;
pub mod npy;
mod text;

use drystone_core::Registry;

/// Adds the sources of this crate that can be described to another process.
pub fn register(registry: &mut Registry) {
    csv::register(registry);
    generate::register(registry);
    libsvm::register(registry);
    npy::register(registry);
}
