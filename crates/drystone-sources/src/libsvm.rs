//! Files in the LIBSVM format (svmlight's) as blocks of rows: `label index:value ...` in
//! each line, where features that are 0 are left out.
//!
//! Rows are stored **dense**: a block takes `n_features` values a row, whatever is in the
//! file, so a small file of many features becomes large. The layout states the bytes
//! before any block is read.
//!
//! The file is gone over once when it is opened. That finds what the file does not say
//! (rows, largest index, type of the labels, where blocks start) and each line that does
//! not fit, so reading a block later fails only when the file changed or cannot be read.
//!
//! Indices count from 1 and ascend. A comment goes from a `#` at the start of a line or
//! after white space to the end of the line. There are no `qid:` (ranking), no several
//! labels in a line, and no values that are not finite. A file that was cut off within a
//! number cannot be told from a whole one.

mod cuts;
mod row;
mod scan;
mod source;

use std::path::{Path, PathBuf};

use drystone_core::layout::MAX_FEATURES;
use drystone_core::{ChunkedDataset, Dtype, Error, ErrorKind, Result, TargetKind};

pub use source::register;

use crate::files::FileId;
use cuts::Cuts;
use scan::Scan;
use source::{Indexed, LibsvmSource, check_memory};

/// Bytes of a dense block if `block_rows` is not called, as of a `.npy` file: a fixed
/// number of rows would be too large where there are many features.
const BLOCK_BYTES: u64 = 8 << 20;

/// Starts a dataset from a file. [`ChunkedDataset::concat`] joins several.
///
/// ```
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("train.txt");
/// # std::fs::write(&path, "+1 1:0.5 3:2\n-1 2:-1 # sparse\n").unwrap();
/// use drystone_sources::libsvm;
///
/// let data = libsvm::open(&path).dataset()?; // "+1 1:0.5 3:2\n-1 2:-1 # sparse\n"
/// assert_eq!(data.to_string(), "ChunkedDataset (2, 3) f64, 1 block of up to 2 rows, 64 B, targets i64");
/// assert_eq!(data.read(0)?.records.to_f64(), [0.5, 0.0, 2.0, 0.0, -1.0, 0.0]);
///
/// // As wide as the training data, though the test data may not have the last features.
/// let wider = libsvm::open(&path).n_features(4).dataset()?;
/// assert_eq!(wider.n_features(), 4);
/// # Ok::<(), drystone_core::Error>(())
/// ```
#[doc(alias = "load_svmlight_file")]
pub fn open(path: impl AsRef<Path>) -> Libsvm {
    Libsvm { path: path.as_ref().to_owned(), n_features: None, block_rows: None, dtype: Dtype::F64 }
}

/// A dataset of a LIBSVM file that is being described; see [`open`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing before `dataset` is called"]
pub struct Libsvm {
    path: PathBuf,
    n_features: Option<usize>,
    block_rows: Option<usize>,
    dtype: Dtype,
}

impl Libsvm {
    /// Columns of the records; the largest index in the file if not called. Test data
    /// need the number of the training data, which may have features that they have not.
    pub fn n_features(mut self, n_features: usize) -> Self {
        self.n_features = Some(n_features);
        self
    }

    /// Rows of a block; as many as fill 8 MiB when they are dense if not called (at least
    /// one, and more where there would be over 2^20 blocks). Results do not depend on it.
    pub fn block_rows(mut self, block_rows: usize) -> Self {
        self.block_rows = Some(block_rows);
        self
    }

    /// The element type of the records, to which each number is rounded once;
    /// [`Dtype::F64`] if not called.
    pub fn dtype(mut self, dtype: Dtype) -> Self {
        self.dtype = dtype;
        self
    }

    /// Reads the file once and makes the chunked dataset. Targets are [`TargetKind::I64`]
    /// if all labels are integers of at most 2^53 (`+1`, `-1`, also `1.0`), else
    /// [`TargetKind::F64`]. A file that changes afterwards is
    /// [`ErrorKind::SourceChanged`] when it is read.
    ///
    /// # Errors
    /// [`ErrorKind::Parameter`] when `n_features` is 0 or over 2^24, or `block_rows` is 0
    /// or makes over 2^20 blocks; [`ErrorKind::Io`]; [`ErrorKind::Empty`] when the file has
    /// no rows, or no features and `n_features` was not called;
    /// [`ErrorKind::SourceChanged`].
    ///
    /// For lines that do not fit: [`ErrorKind::Format`] for labels and values that are no
    /// numbers, indices that are 0, do not ascend or are over `n_features` (2^24 if it was
    /// not called), `qid:`, and what is no `index:value`; [`ErrorKind::NotFinite`];
    /// [`ErrorKind::MissingValue`] where nothing follows a colon; [`ErrorKind::Limit`] for a
    /// line of over 16 MiB. All name file and line, and those about a value its column.
    ///
    /// [`ErrorKind::Limit`] also when a dense block does not fit in the memory that is
    /// available; reading a block asks for that again.
    ///
    /// # Performance
    /// One pass over the file on all cores, 4 MiB of text a core at a time: 140 to 160 MB/s
    /// a core. Keeps 8 bytes a block. Reading a block takes its dense rows and 4 MiB of text
    /// as memory, and a pass over its lines: 160 to 220 MB/s a core.
    pub fn dataset(self) -> Result<ChunkedDataset> {
        self.check()?;
        if self.path.is_dir() {
            let found = "a directory (open its files, and join them with `concat`)";
            return Err(Error::format("a file", found).in_file(&self.path));
        }
        let file = FileId::of(&self.path)?;
        let most = self.n_features.map_or(MAX_FEATURES, |n_features| n_features as u64);
        let cuts = self.block_rows.map_or_else(Cuts::anywhere, |rows| Cuts::every(rows as u64));
        let scan = match self.dtype {
            Dtype::F32 => Scan::of::<f32>(&file, most, cuts)?,
            Dtype::F64 => Scan::of::<f64>(&file, most, cuts)?,
        };
        let n_features = self.n_features.map_or(scan.largest_index, |n_features| n_features as u64);
        let path = file.path.clone();
        let source = indexed(file, scan, n_features, self.dtype).and_then(LibsvmSource::new);
        Ok(ChunkedDataset::new(source.map_err(|error| error.in_file(&path))?))
    }

    fn check(&self) -> Result<()> {
        if let Some(found) = self.n_features
            && !(1..=MAX_FEATURES).contains(&(found as u64))
        {
            return Err(Error::parameter("n_features", format!("from 1 to {MAX_FEATURES}"), found));
        }
        match self.block_rows {
            Some(0) => Err(Error::parameter("block_rows", "at least 1", 0)),
            _ => Ok(()),
        }
    }
}

fn indexed(file: FileId, scan: Scan, n_features: u64, dtype: Dtype) -> Result<Indexed> {
    let n_samples = scan.cuts.n_rows();
    if n_samples == 0 {
        return Err(ErrorKind::Empty { what: "there are no rows".to_owned() }.into());
    }
    if n_features == 0 {
        let what = "no row has a feature, so that their number is unknown; say it with \
                    `n_features`";
        return Err(ErrorKind::Empty { what: what.to_owned() }.into());
    }
    let targets = if scan.integer_labels { TargetKind::I64 } else { TargetKind::F64 };
    let row_bytes = n_features * dtype.size() as u64 + 8;
    let (block_rows, starts) = scan.cuts.blocks_of(BLOCK_BYTES / row_bytes);
    check_memory(block_rows.min(n_samples).saturating_mul(row_bytes))?;
    Ok(Indexed { file, dtype, targets, n_features, n_samples, block_rows, starts })
}
