//! What every timing program does around its measurement: it says what went wrong, takes
//! the time of a call, and names the element type.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use drystone::{Block, ChunkedDataset, Records, Result, Targets, input, npy};

/// The exit code of a program that came to this; an error is printed.
#[must_use]
pub fn finish(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Seconds that a call took, and what it gave.
///
/// # Errors
/// Those of the call.
pub fn timed<T>(call: impl FnOnce() -> Result<T>) -> Result<(f64, T)> {
    let start = Instant::now();
    let given = call()?;
    Ok((start.elapsed().as_secs_f64(), given))
}

/// The element type, as the programs print it.
#[must_use]
pub fn dtype(records: &Records) -> &'static str {
    match records {
        Records::F32(_) => "f32",
        Records::F64(_) => "f64",
    }
}

/// Rows in memory from a .npy file, with targets from another: whole numbers stored as f64,
/// `(n_samples, 1)`.
///
/// # Errors
/// Those of reading, and when there is not one target a row.
pub fn labelled(data: &Path, targets: &Path, block_rows: usize) -> Result<ChunkedDataset> {
    let targets = npy::read_array(targets)?.to_f64();
    let targets: Vec<i64> = targets.into_iter().map(|target| target as i64).collect();
    let block = Block::new(npy::read_array(data)?).with_targets(Targets::I64(targets.into()));
    input::cut(block, block_rows)
}
