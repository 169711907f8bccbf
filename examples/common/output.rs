//! Lines on stdout, errors in terms of flags, arrays in files.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use drystone::npy::{NpyItem, NpyWriter};
use drystone::{ChunkedArray, Error, ErrorKind, Result};
use ndarray::RemoveAxis;

/// Prints a line. A reader that has seen enough, as `head`, is no error.
pub fn print(line: impl Display) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::io("cannot write to stdout", error))
        }
        _ => Ok(()),
    }
}

/// How a run ended. An error about a parameter begins with the flag that sets it, if `flag_of`
/// knows one and the name alone does not tell.
pub fn exit_code(result: Result<()>, flag_of: fn(&str) -> Option<&'static str>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    let flag = match error.kind() {
        ErrorKind::Parameter { name, .. } => flag_of(name),
        _ => None,
    };
    let flag = flag.map(|flag| format!("{flag}: ")).unwrap_or_default();
    eprintln!("error: {flag}{error}");
    ExitCode::FAILURE
}

/// Writes an array as it is computed.
pub fn write_npy<T: NpyItem, D: RemoveAxis>(
    mut writer: NpyWriter<T>,
    array: &ChunkedArray<T, D>,
) -> Result<()> {
    array.for_each_block(|block| match block.as_slice() {
        Some(values) => writer.append(values),
        None => writer.append(&block.iter().copied().collect::<Vec<_>>()),
    })?;
    writer.finish()?;
    Ok(())
}

/// What an earlier run had done, if it had done anything.
pub fn resumed(n_steps: u64) -> Option<String> {
    let steps = counted(n_steps, "step");
    (n_steps > 0).then(|| format!("{steps} from the checkpoint, done before"))
}

/// "1 block", "2 blocks".
pub fn counted(n: u64, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}
