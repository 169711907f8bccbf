//! Files that are read, and files that are written.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use drystone::csv::{self, Csv, Delimiter, Header};
use drystone::{ChunkedDataset, Error, Result, npy};

/// What a CSV file does not say itself.
#[derive(Args, Debug)]
pub struct CsvFlags {
    /// Feature columns of a CSV file, by name or index from 0, as in 0-3,7,price [default: all]
    #[arg(long, requires = "input", help_heading = "Data from files")]
    pub columns: Option<String>,
    /// Column with labels to compare with; it is not clustered
    #[arg(long, requires = "input", help_heading = "Data from files")]
    pub target: Option<String>,
    /// Column with sample weights
    #[arg(long, requires = "input", help_heading = "Data from files")]
    pub weights: Option<String>,
    /// Whether a CSV file begins with names
    #[arg(long, value_enum, default_value_t = HeaderName::Auto, requires = "input", help_heading = "Data from files")]
    pub header: HeaderName,
    /// Character between fields, 'tab', 'space' for any white space, or 'auto'
    #[arg(long, default_value = "auto", requires = "input", help_heading = "Data from files")]
    pub delimiter: String,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderName {
    Auto,
    Yes,
    No,
}

impl From<HeaderName> for Header {
    fn from(name: HeaderName) -> Self {
        match name {
            HeaderName::Auto => Self::Auto,
            HeaderName::Yes => Self::Yes,
            HeaderName::No => Self::No,
        }
    }
}

impl CsvFlags {
    /// CSV files as these flags describe them.
    pub fn open(&self, path: &Path, block_rows: Option<u64>) -> Result<Csv> {
        let mut csv = csv::open(path).header(self.header.into()).delimiter(self.delimiter()?);
        if let Some(rows) = block_rows {
            csv = csv.block_rows(rows as usize);
        }
        if let Some(columns) = &self.columns {
            csv = csv.columns(csv::Column::parse_list(columns)?);
        }
        if let Some(target) = &self.target {
            csv = csv.target(csv::Column::parse(target)?);
        }
        if let Some(weights) = &self.weights {
            csv = csv.weights(csv::Column::parse(weights)?);
        }
        Ok(csv)
    }

    fn delimiter(&self) -> Result<Delimiter> {
        match self.delimiter.as_str() {
            "auto" => Ok(Delimiter::Auto),
            "space" | " " => Ok(Delimiter::WhiteSpace),
            "tab" | "\\t" => Ok(Delimiter::Byte(b'\t')),
            one if one.len() == 1 && one.is_ascii() => Ok(Delimiter::Byte(one.as_bytes()[0])),
            other => {
                let expected = "one ASCII character, 'tab', 'space' or 'auto'";
                Err(Error::parameter("--delimiter", expected, format!("{other:?}")))
            }
        }
    }

    /// These flags say nothing about other files.
    pub fn only_for_csv(&self) -> Result<()> {
        let given = [
            ("--columns", &self.columns),
            ("--target", &self.target),
            ("--weights", &self.weights),
        ];
        for (flag, value) in given {
            if let Some(value) = value {
                return Err(Error::parameter(flag, "left out: it is for CSV files", value));
            }
        }
        if self.header != HeaderName::Auto || self.delimiter != "auto" {
            let expected = "left out: they are for CSV files";
            return Err(Error::parameter("--header and --delimiter", expected, "one of them"));
        }
        Ok(())
    }
}

/// A `.npy` dataset, perhaps with a file of targets.
pub fn npy_dataset(
    path: &Path,
    targets: Option<&Path>,
    block_rows: Option<u64>,
) -> Result<ChunkedDataset> {
    let mut npy = npy::open(path);
    if let Some(targets) = targets {
        npy = npy.targets(targets);
    }
    match block_rows {
        Some(rows) => npy.block_rows(rows as usize).dataset(),
        None => npy.dataset(),
    }
}

/// Whether a path names `.npy` files, by its ending; a directory holds .csv files, or else
/// .npy files.
pub fn holds_npy(path: &Path) -> Result<bool> {
    if !path.is_dir() {
        return Ok(has_ending(path, &["npy"]));
    }
    let entries = std::fs::read_dir(path);
    let mut entries =
        entries.map_err(|error| Error::io("cannot list the directory", error).in_file(path))?;
    Ok(!entries.any(|entry| entry.is_ok_and(|entry| has_ending(&entry.path(), &["csv"]))))
}

/// Whether a file's name ends so, whatever the case.
pub fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    endings.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// Finds out before a fit that its results could not be written, or would replace what it
/// reads or one another.
pub fn check_results(
    inputs: &[&Option<PathBuf>],
    results: &[(&str, &Option<PathBuf>)],
) -> Result<()> {
    let canonical = |path: &&Option<PathBuf>| path.as_ref()?.canonicalize().ok();
    let mut taken: Vec<PathBuf> = inputs.iter().filter_map(canonical).collect();
    for (flag, path) in results {
        let Some(path) = path else { continue };
        let place = place(flag, path)?;
        if taken.contains(&place) {
            let expected = "another file than the input and the other results";
            return Err(Error::parameter(flag, expected, path.display()));
        }
        taken.push(place);
    }
    Ok(())
}

/// Where a file is or will be, whatever the way that `path` takes to it.
fn place(flag: &str, path: &Path) -> Result<PathBuf> {
    let refused = || Error::parameter(flag, "a file in a directory that exists", path.display());
    if path.exists() && !path.is_file() {
        return Err(refused());
    }
    if let Ok(place) = path.canonicalize() {
        return Ok(place);
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new(".")).canonicalize().map_err(|_| refused())?;
    if !parent.is_dir() {
        return Err(refused());
    }
    Ok(parent.join(path.file_name().ok_or_else(refused)?))
}
