//! From what a user writes (a path, a directory, a pattern) to the files it means.
//!
//! Nothing is read here but directories; [`FileId`] says when a file that was found is
//! no longer the same.

mod identity;
mod time;

use std::fs;
use std::path::{Path, PathBuf};

use drystone_core::{Error, Result};
use glob::MatchOptions;

pub(crate) use identity::{FileId, OpenFile};

/// Hidden files are meant only by patterns that write the dot.
const MATCHING: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The files that `path` means, in natural order (so `part-2` comes before `part-10`): the
/// file itself, the files of a directory that end in `.extension`, or the files that a
/// pattern of `*`, `?` and `[1-6]` matches. What exists is never taken as a pattern.
pub(crate) fn expand(path: &Path, extension: &str) -> Result<Vec<FileId>> {
    let found = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => in_directory(path, extension)?,
        Ok(_) => vec![path.to_owned()],
        Err(error) => match path.to_str() {
            Some(pattern) if pattern.contains(['*', '?', '[']) => matching(pattern)?,
            _ => return Err(Error::io("cannot open the file", error).in_file(path)),
        },
    };
    found.iter().map(|path| FileId::of(path)).collect()
}

fn in_directory(directory: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let failed = |error| Error::io("cannot list the directory", error).in_file(directory);
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|found| found == extension) && path.is_file() {
            found.push(path);
        }
    }
    let expected = format!(
        "a directory with at least one .{extension} file (name files of another ending by a \
         pattern, as in \"{}\")",
        directory.join("*.txt").display()
    );
    some(found, &expected, directory)
}

fn matching(pattern: &str) -> Result<Vec<PathBuf>> {
    let refused = |error: glob::PatternError| {
        Error::parameter("path", "a well-formed pattern", format!("{pattern:?}")).caused_by(error)
    };
    let mut found = Vec::new();
    for path in glob::glob_with(pattern, MATCHING).map_err(refused)? {
        let path = path.map_err(|error| {
            let file = error.path().to_owned();
            Error::io("cannot list the directory", error.into()).in_file(&file)
        })?;
        if path.is_file() {
            found.push(path);
        }
    }
    let expected = "a pattern that matches at least one file (check the directory and the \
                    spelling; relative paths start at the working directory)";
    some(found, expected, Path::new(pattern))
}

fn some(mut found: Vec<PathBuf>, expected: &str, path: &Path) -> Result<Vec<PathBuf>> {
    if found.is_empty() {
        return Err(Error::parameter(
            "path",
            expected,
            format!("{:?}", path.display().to_string()),
        ));
    }
    found.sort_unstable_by(|a, b| natural_key(a).cmp(&natural_key(b)).then_with(|| a.cmp(b)));
    Ok(found)
}

/// A path in pieces, in which runs of digits compare as numbers, as people and Dask count.
fn natural_key(path: &Path) -> Vec<Piece> {
    let text = path.to_string_lossy();
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let pieces = text.as_bytes().chunk_by(|a, b| is_digit(a) == is_digit(b));
    let piece = |bytes: &[u8]| match bytes.iter().position(|&byte| byte != b'0') {
        _ if !is_digit(&bytes[0]) => Piece::Text(bytes.to_vec()),
        Some(first) => Piece::Number(bytes.len() - first, bytes[first..].to_vec()),
        None => Piece::Number(0, Vec::new()),
    };
    pieces.map(piece).collect()
}

/// A run of digits (how many without leading zeros, and which), or of anything else.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Number(usize, Vec<u8>),
    Text(Vec<u8>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_counted() {
        let sorted =
            ["2.npy", "10.npy", "a-2/9.csv", "a-2/10.csv", "a-02/11.csv", "a-10/1.csv", "b"];
        let mut paths: Vec<PathBuf> = sorted.iter().rev().map(PathBuf::from).collect();
        paths = some(paths, "", Path::new("")).expect("paths");
        assert_eq!(paths, sorted.map(PathBuf::from));
    }
}
