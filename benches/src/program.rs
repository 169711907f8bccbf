//! What every timing program does around its measurement: it says what went wrong, takes
//! the time of a call, and names the element type.

use std::process::ExitCode;
use std::time::Instant;

use drystone::{Records, Result};

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
