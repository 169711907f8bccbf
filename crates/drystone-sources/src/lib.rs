//! What blocks come from: generators, arrays in memory, CSV and `.npy` files.
//!
//! One file a format; no estimator knows any of them.

pub mod csv;
mod files;
pub mod generate;
pub mod memory;
pub mod npy;

use drystone_core::Registry;

/// Adds the sources of this crate that can be described to another process.
pub fn register(registry: &mut Registry) {
    csv::register(registry);
    generate::register(registry);
    npy::register(registry);
}
