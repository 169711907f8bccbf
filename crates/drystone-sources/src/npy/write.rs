//! Writing `.npy` files, whole or row by row.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use drystone_core::{Error, Result};
use ndarray::{ArrayBase, Data, Ix2};

use super::item::NpyItem;

/// Bytes collected before they are written.
const BUFFER: usize = 256 << 10;
/// Bytes of the header: room for any shape of two dimensions, and a multiple of 64, to
/// which the format aligns the data.
const HEADER: usize = 128;

/// Writes an array `(n_samples, n_features)`, in row-major order whatever its own.
///
/// # Errors
/// [`ErrorKind::Io`](drystone_core::ErrorKind::Io); [`ErrorKind::Shape`](drystone_core::ErrorKind::Shape)
/// for an array without columns.
///
/// # Performance
/// 256 KiB of memory besides the array.
///
/// ```
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("centroids.npy");
/// use drystone_sources::npy;
/// use ndarray::array;
///
/// npy::write(&path, &array![[0.0, 1.0], [2.0, 3.0]])?;
/// assert_eq!(npy::read_array(&path)?.to_f64(), [0.0, 1.0, 2.0, 3.0]);
/// # Ok::<(), drystone_core::Error>(())
/// ```
#[doc(alias = "np.save")]
pub fn write<T: NpyItem, D: Data<Elem = T>>(
    path: impl AsRef<Path>,
    array: &ArrayBase<D, Ix2>,
) -> Result<()> {
    let mut writer = NpyWriter::create_rows(path, array.ncols())?;
    match array.as_slice() {
        Some(values) => writer.append(values)?,
        None => array.rows().into_iter().try_for_each(|row| writer.append(&row.to_vec()))?,
    }
    writer.finish()?;
    Ok(())
}

/// Writes a `.npy` file whose number of rows is not known before its end, as the labels
/// of a dataset that is read block by block.
///
/// Until [`finish`](Self::finish) the header says that there are no rows, so that a file
/// that was left unfinished is refused by every reader as too long.
///
/// ```
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("y.npy");
/// use drystone_sources::npy::NpyWriter;
///
/// let mut labels = NpyWriter::<u32>::create(&path)?;
/// labels.append(&[0, 1, 1])?;
/// labels.append(&[2])?;
/// assert_eq!(labels.finish()?, 4);
/// # Ok::<(), drystone_core::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "the file is complete only after `finish`"]
pub struct NpyWriter<T> {
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    /// Columns; none for one dimension.
    width: Option<usize>,
    values: u64,
    item: PhantomData<T>,
}

impl<T: NpyItem> NpyWriter<T> {
    /// Creates or overwrites a file of one dimension `(n_samples,)`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](drystone_core::ErrorKind::Io).
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        Self::with_width(path.as_ref(), None)
    }

    /// Creates or overwrites a file of two dimensions `(n_samples, n_features)`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](drystone_core::ErrorKind::Io); [`ErrorKind::Shape`](drystone_core::ErrorKind::Shape)
    /// when `n_features` is 0.
    pub fn create_rows(path: impl AsRef<Path>, n_features: usize) -> Result<Self> {
        if n_features == 0 {
            return Err(Error::shape("features", 1, 0).in_file(path.as_ref()));
        }
        Self::with_width(path.as_ref(), Some(n_features))
    }

    fn with_width(path: &Path, width: Option<usize>) -> Result<Self> {
        let file = File::create(path)
            .map_err(|error| Error::io("cannot create the file", error).in_file(path))?;
        let buffer = Vec::with_capacity(BUFFER);
        let path = path.to_owned();
        let mut writer = Self { path, file, buffer, width, values: 0, item: PhantomData };
        let header = writer.header();
        writer.buffer.extend_from_slice(&header);
        Ok(writer)
    }

    /// Adds values, row-major; whole rows are not needed in one call.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](drystone_core::ErrorKind::Io).
    pub fn append(&mut self, values: &[T]) -> Result<()> {
        for values in values.chunks(BUFFER / T::SIZE) {
            T::encode(values, &mut self.buffer);
            if self.buffer.len() >= BUFFER {
                self.flush()?;
            }
        }
        self.values += values.len() as u64;
        Ok(())
    }

    /// Writes what is left and the final header, and gives the number of rows.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](drystone_core::ErrorKind::Io); [`ErrorKind::Shape`](drystone_core::ErrorKind::Shape)
    /// when the values do not fill whole rows.
    pub fn finish(mut self) -> Result<u64> {
        let rest = self.values % self.n_columns();
        if rest != 0 {
            let error = Error::shape("values in the last row", self.n_columns(), rest);
            return Err(error.in_file(&self.path));
        }
        self.flush()?;
        let header = self.header();
        let sought = self.file.seek(SeekFrom::Start(0));
        let written = sought.and_then(|_| self.file.write_all(&header));
        written.map_err(|error| self.failed(error))?;
        Ok(self.values / self.n_columns())
    }

    /// Version 1.0 of the format, padded so that it does not change its length.
    fn header(&self) -> [u8; HEADER] {
        let rows = self.values / self.n_columns();
        let shape = self.width.map_or(format!("({rows},)"), |width| format!("({rows}, {width})"));
        let dict =
            format!("{{'descr': '{}', 'fortran_order': False, 'shape': {shape}, }}", T::DESCR);
        let mut header = [b' '; HEADER];
        header[..10].copy_from_slice(b"\x93NUMPY\x01\x00\x76\x00");
        header[10..10 + dict.len()].copy_from_slice(dict.as_bytes());
        header[HEADER - 1] = b'\n';
        header
    }

    fn n_columns(&self) -> u64 {
        self.width.map_or(1, |width| width as u64)
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write_all(&self.buffer).map_err(|error| self.failed(error))?;
        self.buffer.clear();
        Ok(())
    }

    fn failed(&self, error: std::io::Error) -> Error {
        Error::io("cannot write the file", error).in_file(&self.path)
    }
}
