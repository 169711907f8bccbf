//! What the examples share: flags, progress, reports and pictures. No use of the library
//! that a reader would want to learn from.

pub mod blobs;
pub mod flags;
pub mod plot;
pub mod progress;
pub mod report;

use std::fmt::Display;
use std::io::Write;
use std::path::Path;

use drystone::{ChunkedArray, ChunkedDataset, Error, ErrorKind, Result, npy};
use ndarray::Ix1;

use flags::Flags;

/// Says what is about to happen; nothing has been read yet.
pub fn announce(flags: &Flags, data: &ChunkedDataset) -> Result<()> {
    if flags.json { Ok(()) } else { print(data) }
}

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

/// An error with the flag that sets the parameter it is about.
pub fn in_flags(error: &Error) -> String {
    let flag = match error.kind() {
        ErrorKind::Parameter { name, .. } => flags::flag_of(name),
        _ => None,
    };
    flag.map_or_else(|| error.to_string(), |flag| format!("{flag}: {error}"))
}

/// Files have a type of their own; another one that was asked for is an error.
pub fn check_dtype(data: ChunkedDataset, flags: &Flags) -> Result<ChunkedDataset> {
    if flags.dtype.is_none() || flags.dtype() == data.dtype() {
        return Ok(data);
    }
    let expected = format!("{}, the type of the file", data.dtype());
    Err(Error::parameter("--dtype", expected, flags.dtype()))
}

/// Writes labels as they are computed.
pub fn write_labels(labels: &ChunkedArray<u32, Ix1>, path: &Path) -> Result<()> {
    let mut writer = npy::NpyWriter::<u32>::create(path)?;
    labels.for_each_block(|labels| match labels.as_slice() {
        Some(labels) => writer.append(labels),
        None => writer.append(&labels.to_vec()),
    })?;
    writer.finish()?;
    Ok(())
}

/// The most memory that this process had at any time, in bytes.
pub fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
