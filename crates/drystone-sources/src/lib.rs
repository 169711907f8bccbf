//! What blocks come from: generators, arrays in memory, CSV, LIBSVM and `.npy` files.
//!
//! One file a format; no estimator knows any of them.
//!
//! Another process reads a file only if it is the same: under the same path, of the same length
//! and time of modification. So copies for workers must keep the time, to the nanosecond:
//! `cp -p` and `rsync -t` do, `cp`, `scp` and `scp -p` do not.
//! [`Registry::data_root`] says which files a process opens for others at all.

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
