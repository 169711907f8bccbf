//! What KMeans asks of its element type, and how one row is read.

use drystone_core::block::RecordElement;
use drystone_core::wire::raw::Raw;
use drystone_core::{BlockAt, Dtype, Error, ErrorKind, Layout, Result};

use crate::checks::sound;

/// `f32` or `f64`, able to travel in bulk.
pub(crate) trait Real: RecordElement + Raw {}

impl<T: RecordElement + Raw> Real for T {}

/// Rows that are worked on together: all that is done to them finds them in the
/// second-level cache. Whole tiles of the screen.
pub(crate) fn batch_rows<T>(n_features: usize) -> usize {
    const BYTES: usize = 128 << 10;
    const TILE: usize = 32;
    (BYTES / (n_features * size_of::<T>()) / TILE * TILE).clamp(2 * TILE, 1024)
}

/// One of two names, by element type: job names are constants.
pub(crate) const fn named(
    dtype: Dtype,
    f32_name: &'static str,
    f64_name: &'static str,
) -> &'static str {
    match dtype {
        Dtype::F32 => f32_name,
        Dtype::F64 => f64_name,
    }
}

/// The records of a slice as `T`, their number of columns checked.
pub(crate) fn records_of<T: Real>(rows: &BlockAt, n_features: usize) -> Result<&[T]> {
    let records = rows.block.records.as_rows::<T>()?;
    let found = records.n_features();
    if found != n_features {
        return Err(Error::shape("features", n_features as u64, found as u64));
    }
    Ok(records.values())
}

/// A row whose distance to every centroid is not finite, though it was in the first pass.
pub(crate) fn changed(rows: &BlockAt, row: usize) -> Error {
    let expected = "rows within the range of the first pass".to_owned();
    let found = "a row at an infinite or undefined distance".to_owned();
    rows.locate(ErrorKind::SourceChanged { expected, found }.into(), Some(row))
}

/// Most restarts that share a pass.
pub(crate) const MAX_N_INIT: usize = 1000;

/// What a job says of itself, when it may come from another process: that it is for these
/// columns, of as many restarts as there can be.
pub(crate) fn check_job(layout: &Layout, n_features: usize, n_restarts: usize) -> Result<()> {
    layout.check_width(n_features)?;
    sound(n_features > 0 && n_restarts <= MAX_N_INIT)
}

/// Some or no whole rows.
pub(crate) fn whole_rows<T>(values: &[T], n_features: usize) -> bool {
    values.len().is_multiple_of(n_features)
}
