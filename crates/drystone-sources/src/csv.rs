//! Numbers in text, as CSV or between white space, as blocks of rows.
//!
//! A block is the lines that start in one stretch of a file's bytes, so that any block
//! can be read without reading those before it, and files larger than memory are read
//! block by block. The number of rows is therefore unknown until the lines have been
//! counted, once ([`ChunkedDataset::scan`] or the first fit).
//!
//! One line is one row: a quoted field that goes on in the next line is an error. There
//! are no comments, decimal commas, thousands separators or dates. Blank lines are
//! skipped. Nothing else is guessed or repaired: what does not fit is an error with its
//! file, line and column.

mod column;
mod dialect;
mod options;
mod parse;
mod schema;
mod source;
mod split;

use std::path::{Path, PathBuf};

use drystone_core::{ChunkedDataset, Dtype, Error, ErrorKind, Result, TargetKind};

pub use column::Column;
pub use options::{Delimiter, Header, Missing};
pub use source::register;

use dialect::Dialect;
use options::BlockSize;
use schema::Schema;
use source::{CsvSource, Files, Part};

use crate::files::{self, FileId};
use crate::text::Text;
use crate::text::fault::Fault;

/// Bytes of text in a block if neither `block_bytes` nor `block_rows` is called.
const BLOCK_BYTES: u64 = 8 << 20;

/// Starts a dataset from a file, a directory (its `.csv` files) or a pattern such as
/// `flights-[1-6].csv`, whose files follow each other in natural order (`part-2` before `part-10`).
///
/// ```
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("points.csv");
/// # std::fs::write(&path, "x,y,label\n0.5,1,a\n2,-3e1,b\n").unwrap();
/// use drystone_sources::csv;
///
/// let data = csv::open(&path).target("label").dataset()?;
/// assert_eq!(data.to_string(), "ChunkedDataset (unknown, 2) f64, 1 block, unknown bytes, targets categories");
/// assert_eq!(data.read(0)?.records.to_f64(), [0.5, 1.0, 2.0, -30.0]);
/// # Ok::<(), drystone_core::Error>(())
/// ```
pub fn open(path: impl AsRef<Path>) -> Csv {
    Csv {
        path: path.as_ref().to_owned(),
        delimiter: Delimiter::Auto,
        header: Header::Auto,
        columns: None,
        target: None,
        targets_as: None,
        weights: None,
        missing: Missing::Error,
        dtype: Dtype::F64,
        block: BlockSize::Bytes(BLOCK_BYTES),
    }
}

/// A dataset of CSV files that is being described; see [`open`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing before `dataset` is called"]
pub struct Csv {
    path: PathBuf,
    delimiter: Delimiter,
    header: Header,
    columns: Option<Vec<Column>>,
    target: Option<Column>,
    targets_as: Option<TargetKind>,
    weights: Option<Column>,
    missing: Missing,
    dtype: Dtype,
    block: BlockSize,
}

impl Csv {
    /// What is between fields; [`Delimiter::Auto`] if not called.
    pub fn delimiter(mut self, delimiter: Delimiter) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// Whether the first line names the columns; [`Header::Auto`] if not called.
    pub fn header(mut self, header: Header) -> Self {
        self.header = header;
        self
    }

    /// The features, in this order: names, indices from 0, or [`Column`]s. All columns but
    /// `target` and `weights` if not called.
    pub fn columns<C: Into<Column>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.columns = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// The column of targets. Their type is decided by the first lines (64 KiB): integers
    /// are [`TargetKind::I64`], other numbers [`TargetKind::F64`], anything else
    /// [`TargetKind::Categories`]. A later value that does not fit is an error.
    pub fn target(mut self, column: impl Into<Column>) -> Self {
        self.target = Some(column.into());
        self
    }

    /// The type of the targets, in place of what the first lines suggest.
    pub fn targets_as(mut self, kind: TargetKind) -> Self {
        self.targets_as = Some(kind);
        self
    }

    /// The column of sample weights.
    pub fn weights(mut self, column: impl Into<Column>) -> Self {
        self.weights = Some(column.into());
        self
    }

    /// What missing values are read as; [`Missing::Error`] if not called.
    pub fn missing(mut self, missing: Missing) -> Self {
        self.missing = missing;
        self
    }

    /// The element type of the records, to which each number is rounded once;
    /// [`Dtype::F64`] if not called.
    pub fn dtype(mut self, dtype: Dtype) -> Self {
        self.dtype = dtype;
        self
    }

    /// Bytes of text in a block, 8 MiB if not called. Results do not depend on it. The
    /// last of `block_bytes` and `block_rows` counts.
    pub fn block_bytes(mut self, bytes: u64) -> Self {
        self.block = BlockSize::Bytes(bytes);
        self
    }

    /// About as many rows in a block, by the mean length of the first lines.
    pub fn block_rows(mut self, rows: usize) -> Self {
        self.block = BlockSize::Rows(rows);
        self
    }

    /// Looks at the start of each file and makes the chunked dataset. A file that changes
    /// afterwards is [`ErrorKind::SourceChanged`] when it is read. Files without lines
    /// have no rows, unless all are.
    ///
    /// # Errors
    /// [`ErrorKind::Parameter`] when no file matches, columns are not there, are not
    /// unique by name or are used twice, `targets_as` is given without `target`, or sizes
    /// are 0; [`ErrorKind::Io`]; [`ErrorKind::Format`] when headers differ or the file is
    /// not text; [`ErrorKind::Empty`] when there is no line that could tell the columns;
    /// [`ErrorKind::Limit`] for a line of over 16 MiB or over 2^20 columns. All name the
    /// file.
    ///
    /// Reading a block can fail as well: [`ErrorKind::Format`] for what is no number,
    /// [`ErrorKind::MissingValue`], [`ErrorKind::Shape`] for a line of more or fewer
    /// fields. All name file, line and column; to count the lines, the file is read from
    /// its start.
    ///
    /// # Performance
    /// Reads at most 64 KiB of each file (or its first line). Reading a block takes its
    /// text and its values as memory, and a pass over its text: 150 to 300 MB/s a core.
    pub fn dataset(self) -> Result<ChunkedDataset> {
        self.check()?;
        let found = files::expand(&self.path, "csv")?;
        let (first, sample) = first_with_lines(&found)?;
        let locate = |fault: Fault| fault.locate(first, None);
        let dialect = Dialect::of(&sample, self.delimiter, self.header).map_err(locate)?;
        let schema = Schema::resolve(&self, &dialect, &sample);
        let schema = schema.map_err(|error| error.in_file(&first.path))?;
        let block_bytes = match self.block {
            BlockSize::Bytes(bytes) => bytes,
            BlockSize::Rows(rows) => {
                (dialect.mean_row_bytes(&sample) * rows as f64).max(1.0) as u64
            }
        };
        let parts = found.iter().map(|file| part(file, &dialect, first));
        let parts = parts.collect::<Result<Vec<Part>>>()?;
        Ok(ChunkedDataset::new(CsvSource::new(Files { schema, parts, block_bytes })?))
    }

    fn check(&self) -> Result<()> {
        if let Delimiter::Byte(byte @ (b'"' | b'\n' | b'\r')) = self.delimiter {
            let expected = "a byte other than the quote and line ends";
            return Err(Error::parameter("delimiter", expected, format!("{:?}", byte as char)));
        }
        if self.targets_as.is_some() && self.target.is_none() {
            return Err(Error::parameter("targets_as", "used with `target`", "no `target`"));
        }
        match self.block {
            BlockSize::Bytes(0) => Err(Error::parameter("block_bytes", "at least 1", 0)),
            BlockSize::Rows(0) => Err(Error::parameter("block_rows", "at least 1", 0)),
            _ => Ok(()),
        }
    }
}

/// The first file that has lines decides for all.
fn first_with_lines(found: &[FileId]) -> Result<(&FileId, Text)> {
    for file in found {
        if let Some(sample) = dialect::sample(file).map_err(|fault| fault.locate(file, None))? {
            return Ok((file, sample));
        }
    }
    let what = "there are no lines, so that the columns are unknown".to_owned();
    let error = Error::from(ErrorKind::Empty { what });
    Err(found.first().map_or(Error::format("a file", "none"), |file| error.in_file(&file.path)))
}

fn part(file: &FileId, dialect: &Dialect, first: &FileId) -> Result<Part> {
    let start = |sample: Option<Text>| match sample {
        Some(sample) => dialect.data_start(&sample, first),
        None => Ok(file.len),
    };
    let data_start = dialect::sample(file).and_then(start);
    let data_start = data_start.map_err(|fault| fault.locate(file, None))?;
    Ok(Part { file: file.clone(), data_start })
}
