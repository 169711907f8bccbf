//! An error with its place in the file, before the place has a line number.

use std::path::Path;

use drystone_core::{Error, Result};
use memchr::memchr_iter;

use crate::files::FileId;

/// Bytes read at a time to count lines.
const CHUNK: usize = 256 << 10;

/// An error at a byte of a file.
#[derive(Debug)]
pub(crate) struct Fault {
    pub error: Error,
    /// A byte of the line, from the start of the file.
    pub at: Option<u64>,
    pub column: Option<usize>,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self { error, at: None, column: None }
    }
}

impl Fault {
    /// An error of the line at this byte.
    pub fn at(error: Error, at: u64) -> Self {
        Self { error, at: Some(at), column: None }
    }

    /// The error with file, line and column. Lines are counted only now: this reads the
    /// file up to the line.
    pub fn locate(self, file: &FileId, names: Option<&[String]>) -> Error {
        let path: &Path = &file.path;
        let mut error = self.error.in_file(path);
        // An error that cannot be located is still an error.
        if let Some(Ok(line)) = self.at.map(|at| line_of(file, at)) {
            error = error.at_line(line);
        }
        let Some(column) = self.column else {
            return error;
        };
        error = error.at_column(column as u64);
        match names.and_then(|names| names.get(column)) {
            Some(name) => error.in_column_named(name),
            None => error,
        }
    }
}

/// The line, from 1, that a byte is in.
fn line_of(file: &FileId, at: u64) -> Result<u64> {
    let mut open = file.open()?;
    let mut buffer = vec![0; CHUNK];
    let (mut from, mut line) = (0, 1);
    while from < at {
        let len = (at - from).min(CHUNK as u64) as usize;
        open.read_exact_at(&mut buffer[..len], from)?;
        line += memchr_iter(b'\n', &buffer[..len]).count() as u64;
        from += len as u64;
    }
    Ok(line)
}
