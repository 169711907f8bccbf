//! `.npy` files, numpy's format for one array, as blocks of rows.
//!
//! Headers are read when the dataset is made, rows only when a block is needed, by
//! positioned reads straight into pooled memory. The files are *not* mapped into memory:
//! a mapped file that another process truncates kills this one with a signal that no
//! typed error can catch, and mapping needs `unsafe`, which this crate does without.
//!
//! No `.npz` archives, no pickled objects, no Fortran order and no big-endian values:
//! each is an error that says how to convert the file.

mod dict;
mod header;
mod item;
mod source;
mod stack;
mod write;

use std::path::{Path, PathBuf};

use drystone_core::{ChunkedDataset, ErrorKind, Records, Result};

pub use item::NpyItem;
pub use source::register;
pub use write::{NpyWriter, write};

use item::Wanted;
use source::{Files, NpySource};
use stack::Stack;

/// Bytes of a block if `block_rows` is not called: large enough that opening a file
/// costs nothing beside reading, small enough for many blocks in flight.
const BLOCK_BYTES: u64 = 8 << 20;

/// Starts a dataset from a file, a directory (its `.npy` files) or a pattern such as
/// `part-[1-6].npy`, whose files are stacked in natural order (`2.npy` before `10.npy`).
///
/// ```
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("x.npy");
/// use drystone_sources::npy;
/// use ndarray::Array2;
///
/// npy::write(&path, &Array2::<f32>::zeros((1000, 3)))?;
/// let data = npy::open(&path).block_rows(400).dataset()?;
/// assert_eq!(data.to_string(), "ChunkedDataset (1000, 3) f32, 3 blocks of up to 400 rows, 12.0 kB");
/// # Ok::<(), drystone_core::Error>(())
/// ```
pub fn open(path: impl AsRef<Path>) -> Npy {
    Npy { records: path.as_ref().to_owned(), targets: None, weights: None, block_rows: None }
}

/// Reads one file whole: `(n_samples, n_features)` of `<f4` or `<f8`, each as itself; one
/// dimension is read as one column.
///
/// # Errors
/// [`ErrorKind::Limit`] when it does not fit in the memory that is available; otherwise as
/// for [`Npy::dataset`].
///
/// # Performance
/// One pass; no memory but the result and a buffer of 128 KiB.
#[doc(alias = "np.load")]
pub fn read_array(path: impl AsRef<Path>) -> Result<Records> {
    let stack = Stack::open(path.as_ref(), Wanted::Records)?;
    let found = stack.n_rows() * stack.width * stack.item.size();
    if let Some(limit) = drystone_core::memory::available()
        && found > limit
    {
        let what = "the size of the array in bytes".to_owned();
        let error = drystone_core::Error::from(ErrorKind::Limit { what, limit, found });
        return Err(error.in_file(stack.first_path()));
    }
    source::read_records(&stack, 0, stack.n_rows())
}

/// A dataset of `.npy` files that is being described; see [`open`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing before `dataset` is called"]
pub struct Npy {
    records: PathBuf,
    targets: Option<PathBuf>,
    weights: Option<PathBuf>,
    block_rows: Option<usize>,
}

impl Npy {
    /// Rows of a block, which may be of several files; as many as fill 8 MiB if not
    /// called. Results do not depend on it.
    pub fn block_rows(mut self, block_rows: usize) -> Self {
        self.block_rows = Some(block_rows);
        self
    }

    /// One target for each row, from a file (or a directory, or a pattern) of one dimension
    /// or one column. Integers (all but numpy's `uint64`) become `i64`, `f4` and `f8` become
    /// `f64`, all without loss.
    pub fn targets(mut self, path: impl AsRef<Path>) -> Self {
        self.targets = Some(path.as_ref().to_owned());
        self
    }

    /// One weight for each row, from a file of one dimension or one column of `f4` or `f8`.
    pub fn weights(mut self, path: impl AsRef<Path>) -> Self {
        self.weights = Some(path.as_ref().to_owned());
        self
    }

    /// Reads the headers and makes the chunked dataset. A file that changes afterwards is
    /// [`ErrorKind::SourceChanged`] when it is read.
    ///
    /// # Errors
    /// [`ErrorKind::Parameter`] when no file matches or `block_rows` is 0,
    /// [`ErrorKind::Io`], [`ErrorKind::Format`] for a file that is not a `.npy` file,
    /// whose shape has not two dimensions, or which is longer or shorter than its shape,
    /// [`ErrorKind::Dtype`] for other elements than `<f4` and `<f8` and for files that
    /// differ in it, [`ErrorKind::Shape`] for files that differ in width or rows, and
    /// [`ErrorKind::Limit`] for a header of more than 64 KiB. All name the file.
    ///
    /// # Performance
    /// Opens each file and reads its first bytes; no pass over the data.
    pub fn dataset(self) -> Result<ChunkedDataset> {
        let records = Stack::open(&self.records, Wanted::Records)?;
        let open = |path: Option<PathBuf>, wanted| path.map(|path| Stack::open(&path, wanted));
        let targets = open(self.targets, Wanted::Targets).transpose()?;
        let weights = open(self.weights, Wanted::Weights).transpose()?;
        let fitting = BLOCK_BYTES / (records.width * records.item.size());
        let block_rows = self.block_rows.map_or(fitting.max(1), |rows| rows as u64);
        let source = NpySource::new(Files { records, targets, weights, block_rows })?;
        Ok(ChunkedDataset::new(source))
    }
}
