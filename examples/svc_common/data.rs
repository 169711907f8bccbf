//! The rows to fit on and the rows that are held out: the deck's classes, or files.

use std::path::Path;

use drystone::generate::Classification;
use drystone::model_selection::train_test_split;
use drystone::{ChunkedDataset, Error, Result, libsvm};

use super::flags::{Flags, FormatName};
use crate::common::files::{has_ending, holds_npy, npy_dataset};
use crate::common::output::print;

/// Rows of a generated block: few, so that all cores have some.
const BLOCK_ROWS: u64 = 1000;

/// What was opened: nothing has been split yet.
pub struct Opened {
    input: ChunkedDataset,
    test: Option<ChunkedDataset>,
}

pub fn open(flags: &Flags) -> Result<Opened> {
    let Some(path) = &flags.input else {
        return Ok(Opened { input: generated(flags)?, test: None });
    };
    let input = file(flags, path, ("--targets", flags.targets.as_deref()), flags.n_features)?;
    let test = flags.test.as_ref().map(|path| held_out(flags, path, input.n_features()));
    Ok(Opened { input, test: test.transpose()? })
}

impl Opened {
    /// Says what is about to happen.
    pub fn announce(self, json: bool) -> Result<Self> {
        if !json {
            print(&self.input)?;
            self.test.as_ref().map_or(Ok(()), |test| print(format_args!("held out: {test}")))?;
        }
        Ok(self)
    }

    /// The rows to fit on, then those that are held out.
    pub fn split(self, flags: &Flags) -> Result<(ChunkedDataset, ChunkedDataset)> {
        match self.test {
            Some(test) => Ok((self.input, test)),
            None => train_test_split(&self.input, flags.test_size, flags.seed),
        }
    }
}

/// As `make_classification`, whose other columns are mixtures and noise.
fn generated(flags: &Flags) -> Result<ChunkedDataset> {
    Classification::new(flags.n, flags.d)
        .n_informative(flags.informative)
        .n_redundant(flags.d.saturating_sub(flags.informative).min(2))
        .n_classes(flags.classes)
        .class_sep(flags.class_sep)
        .seed(flags.seed)
        .block_rows(flags.block_rows.unwrap_or(BLOCK_ROWS))
        .try_dataset()
}

/// Test data are as wide as the data that were fitted.
fn held_out(flags: &Flags, path: &Path, n_features: usize) -> Result<ChunkedDataset> {
    let targets = ("--test-targets", flags.test_targets.as_deref());
    let test = file(flags, path, targets, Some(n_features));
    let test = test.map_err(|error| wider(flags, path, n_features).unwrap_or(error))?;
    let found = test.n_features();
    if found == n_features {
        return Ok(test);
    }
    let what = "features (as in --input)";
    Err(Error::shape(what, n_features as u64, found as u64).in_file(path))
}

/// Whether a LIBSVM file to test on only has larger indices than the one to fit on.
fn wider(flags: &Flags, path: &Path, n_features: usize) -> Option<Error> {
    let largest = match format(flags, path) {
        Ok(FormatName::Libsvm) => file(flags, path, ("", None), None).ok()?.n_features(),
        _ => return None,
    };
    let expected = format!("at least {largest}, the largest index in {}", path.display());
    (largest > n_features).then(|| Error::parameter("--n-features", expected, n_features))
}

fn file(
    flags: &Flags,
    path: &Path,
    (targets_flag, targets): (&str, Option<&Path>),
    n_features: Option<usize>,
) -> Result<ChunkedDataset> {
    let format = format(flags, path)?;
    if format != FormatName::Csv {
        flags.csv.only_for_csv()?;
    }
    if let (false, Some(targets)) = (format == FormatName::Npy, targets) {
        let expected = "left out: it is for .npy files";
        return Err(Error::parameter(targets_flag, expected, targets.display()));
    }
    if let (false, Some(n_features)) = (format == FormatName::Libsvm, flags.n_features) {
        let expected = "left out: it is for LIBSVM files";
        return Err(Error::parameter("--n-features", expected, n_features));
    }
    match format {
        FormatName::Libsvm => {
            let mut libsvm = libsvm::open(path);
            if let Some(n_features) = n_features {
                libsvm = libsvm.n_features(n_features);
            }
            if let Some(rows) = flags.block_rows {
                libsvm = libsvm.block_rows(rows as usize);
            }
            libsvm.dataset()
        }
        FormatName::Csv if flags.csv.target.is_none() => {
            Err(Error::parameter("--target", "the column with the class of each row", "none"))
        }
        FormatName::Csv => flags.csv.open(path, flags.block_rows)?.dataset(),
        FormatName::Npy if targets.is_none() => {
            let expected = "a .npy file with the class of each row";
            Err(Error::parameter(targets_flag, expected, "none"))
        }
        FormatName::Npy => npy_dataset(path, targets, flags.block_rows),
    }
}

fn format(flags: &Flags, path: &Path) -> Result<FormatName> {
    match flags.format {
        Some(format) => Ok(format),
        None if holds_npy(path)? => Ok(FormatName::Npy),
        None if path.is_dir() || has_ending(path, &["csv", "tsv", "data"]) => Ok(FormatName::Csv),
        None if has_ending(path, &["libsvm", "svm", "svmlight"]) => Ok(FormatName::Libsvm),
        None => Err(unknown_format(path)),
    }
}

fn unknown_format(path: &Path) -> Error {
    let is_pattern = path.to_string_lossy().contains(['*', '?', '[']);
    match std::fs::metadata(path) {
        Err(error) if !is_pattern => Error::io("cannot open the file", error).in_file(path),
        _ => {
            let expected = "libsvm, csv or npy, where a file's ending does not tell";
            Error::parameter("--format", expected, format!("none, and {}", path.display()))
        }
    }
}
