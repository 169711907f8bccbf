//! The one error type: what went wrong ([`ErrorKind`]) and where ([`Location`]).

use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::control::StopReason;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, where, and the cause below it if there is one.
///
/// ```
/// use drystone_core::{Error, ErrorKind};
/// let error = Error::from(ErrorKind::NotFinite { found: "NaN".into() }).in_block(3).at_row(17).at_column(2);
/// assert_eq!(error.to_string(), "block 3, row 17, column 2: expected a finite number, found NaN");
/// assert_eq!(error.location().block, Some(3));
/// ```
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    location: Location,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

/// Where an error happened; what does not apply is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Location {
    /// The worker process, if another one might not have met with it.
    pub worker: Option<String>,
    /// The file.
    pub file: Option<PathBuf>,
    /// The line of the file, from 1.
    pub line: Option<u64>,
    /// The block of the dataset, from 0.
    pub block: Option<u64>,
    /// The row: of the dataset for records, from 0.
    pub row: Option<u64>,
    /// The column, from 0.
    pub column: Option<u64>,
    /// The name of the column.
    pub column_name: Option<String>,
}

/// What went wrong. Fields say what was expected and what was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A parameter has a value that is not allowed.
    Parameter {
        /// The parameter.
        name: String,
        /// The constraint on it.
        expected: String,
        /// Its value.
        found: String,
    },
    /// The operating system refused an action on a file or process.
    Io {
        /// What was tried, as in "cannot open the file".
        action: String,
    },
    /// A file or message does not say what its format asks for.
    Format {
        /// What the format asks for.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A value is missing.
    MissingValue {
        /// What to do about it.
        hint: String,
    },
    /// Two sizes that must agree do not.
    Shape {
        /// What has the size, as in "features".
        what: String,
        /// The size wanted.
        expected: u64,
        /// The size there.
        found: u64,
    },
    /// Data have another element type than the operation needs.
    Dtype {
        /// The type wanted.
        expected: String,
        /// The type there.
        found: String,
    },
    /// A number is infinite or not a number.
    NotFinite {
        /// The number.
        found: String,
    },
    /// A sample weight is negative, infinite or not a number, or all are zero.
    Weight {
        /// What is wrong with it.
        found: String,
    },
    /// There are no rows, or none with a positive weight.
    Empty {
        /// What is empty.
        what: String,
    },
    /// There are fewer rows, or fewer distinct rows, than clusters.
    TooFewRows {
        /// Clusters asked for.
        n_clusters: u64,
        /// Rows that can serve as centroids.
        found: u64,
        /// Whether `found` counts distinct rows only.
        distinct: bool,
    },
    /// Squared distances between rows leave the range of the element type.
    Range {
        /// The element type.
        dtype: String,
        /// The width of the data's range.
        found: String,
    },
    /// A source gave other data than it gave in an earlier pass.
    SourceChanged {
        /// What was seen before.
        expected: String,
        /// What is there now.
        found: String,
    },
    /// A dataset cannot be sent to another process because its source has no description.
    NotDescribed {
        /// The source.
        source: String,
        /// What to use in its place.
        alternative: String,
    },
    /// A job or source with this name is not registered in this process.
    NotRegistered {
        /// The name.
        name: String,
    },
    /// A file is not among those that this process opens on behalf of others; the location
    /// says which.
    OutsideDataRoot {
        /// The directory that it opens files in, if there is one.
        root: Option<String>,
    },
    /// Another process, as a worker or a scheduler, did not do its part.
    Worker {
        /// What happened, and to whom.
        found: String,
    },
    /// The work was stopped before there was a result.
    Stopped {
        /// Why.
        reason: StopReason,
    },
    /// A size is over a limit that protects memory.
    Limit {
        /// What has the size.
        what: String,
        /// The limit.
        limit: u64,
        /// The size.
        found: u64,
    },
    /// Code of the user, or of a library on the user's behalf, failed; the cause says how.
    External,
}

impl Error {
    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Where it went wrong.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.0.location
    }

    /// Wraps an error of the user's own code.
    #[must_use]
    pub fn external(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::from(ErrorKind::External).caused_by(cause)
    }

    /// A value of a parameter that is not allowed.
    #[must_use]
    pub fn parameter(name: &str, expected: impl fmt::Display, found: impl fmt::Display) -> Self {
        let (expected, found) = (expected.to_string(), found.to_string());
        ErrorKind::Parameter { name: name.to_owned(), expected, found }.into()
    }

    /// Data that are not what their format asks for.
    #[must_use]
    pub fn format(expected: impl fmt::Display, found: impl fmt::Display) -> Self {
        ErrorKind::Format { expected: expected.to_string(), found: found.to_string() }.into()
    }

    /// Sizes that disagree.
    #[must_use]
    pub fn shape(what: &str, expected: u64, found: u64) -> Self {
        ErrorKind::Shape { what: what.to_owned(), expected, found }.into()
    }

    /// A failed action of the operating system.
    #[must_use]
    pub fn io(action: &str, cause: std::io::Error) -> Self {
        Self::from(ErrorKind::Io { action: action.to_owned() }).caused_by(cause)
    }

    /// Adds the error below this one.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Says on which worker, unless that is known.
    #[must_use]
    pub fn on_worker(mut self, worker: &str) -> Self {
        self.0.location.worker.get_or_insert_with(|| worker.to_owned());
        self
    }

    /// Says in which file, unless that is known.
    #[must_use]
    pub fn in_file(mut self, file: &Path) -> Self {
        self.0.location.file.get_or_insert_with(|| file.to_owned());
        self
    }

    /// Says in which line (from 1) of the file, unless that is known.
    #[must_use]
    pub fn at_line(mut self, line: u64) -> Self {
        self.0.location.line.get_or_insert(line);
        self
    }

    /// Says in which block, unless that is known.
    #[must_use]
    pub fn in_block(mut self, block: u64) -> Self {
        self.0.location.block.get_or_insert(block);
        self
    }

    /// Says in which row, unless that is known.
    #[must_use]
    pub fn at_row(mut self, row: u64) -> Self {
        self.0.location.row.get_or_insert(row);
        self
    }

    /// Counts its row, if it says one, from the first row of the dataset: it was counted from
    /// the row that is the dataset's `first_row`.
    #[must_use]
    pub fn moved_down(mut self, first_row: u64) -> Self {
        self.0.location.row = self.0.location.row.map(|row| first_row + row);
        self
    }

    /// Says in which column, unless that is known.
    #[must_use]
    pub fn at_column(mut self, column: u64) -> Self {
        self.0.location.column.get_or_insert(column);
        self
    }

    /// Says the name of the column, unless that is known.
    #[must_use]
    pub fn in_column_named(mut self, name: &str) -> Self {
        self.0.location.column_name.get_or_insert_with(|| name.to_owned());
        self
    }

    /// The same error once more, its cause as text: for a lazy value that fails each time.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        self.to_wire().into()
    }

    /// What of the error can travel: its cause becomes text.
    #[must_use]
    pub fn to_wire(&self) -> WireError {
        WireError {
            kind: self.0.kind.clone(),
            location: self.0.location.clone(),
            cause: self.0.cause.as_ref().map(ToString::to_string),
        }
    }
}

/// An [`Error`] as it travels between processes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WireError {
    kind: ErrorKind,
    location: Location,
    cause: Option<String>,
}

impl From<WireError> for Error {
    fn from(wire: WireError) -> Self {
        let cause = wire.cause.map(Into::into);
        Self(Box::new(Inner { kind: wire.kind, location: wire.location, cause }))
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(Inner { kind, location: Location::default(), cause: None }))
    }
}

/// linfa's traits ask for this conversion.
impl From<linfa::Error> for Error {
    fn from(error: linfa::Error) -> Self {
        Self::external(error)
    }
}

/// For `?` in sources and steps of one's own.
impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::io("cannot read or write", error)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_ref().map(|cause| &**cause as &(dyn StdError + 'static))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.0.location.to_string();
        if !place.is_empty() {
            write!(f, "{place}: ")?;
        }
        write!(f, "{}", self.0.kind)?;
        match &self.0.cause {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.worker.as_ref().map(|worker| format!("worker {worker}")));
        parts.extend(self.file.as_ref().map(|file| file.display().to_string()));
        parts.extend(self.line.map(|line| format!("line {line}")));
        parts.extend(self.block.map(|block| format!("block {block}")));
        parts.extend(self.row.map(|row| format!("row {row}")));
        match (self.column, &self.column_name) {
            (Some(column), Some(name)) => parts.push(format!("column {column} ({name:?})")),
            (Some(column), None) => parts.push(format!("column {column}")),
            (None, Some(name)) => parts.push(format!("column {name:?}")),
            (None, None) => {}
        }
        f.write_str(&parts.join(", "))
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter { name, expected, found } => {
                write!(f, "parameter `{name}` must be {expected}, found {found}")
            }
            Self::Io { action } => f.write_str(action),
            Self::Format { expected, found } => write!(f, "expected {expected}, found {found}"),
            Self::MissingValue { hint } => write!(f, "a value is missing; {hint}"),
            Self::Shape { what, expected, found } => {
                write!(f, "expected {expected} {what}, found {found}")
            }
            Self::Dtype { expected, found } => write!(f, "expected {expected} data, found {found}"),
            Self::NotFinite { found } => write!(f, "expected a finite number, found {found}"),
            Self::Weight { found } => {
                write!(f, "expected a finite sample weight of at least 0, found {found}")
            }
            Self::Empty { what } => write!(f, "{what}"),
            Self::TooFewRows { n_clusters, found, distinct } => {
                let distinct = if *distinct { "distinct " } else { "" };
                write!(
                    f,
                    "{n_clusters} clusters need at least {n_clusters} {distinct}rows of positive \
                     weight, found {found}; ask for fewer clusters"
                )
            }
            Self::Range { dtype, found } => write!(
                f,
                "squared distances leave the range of {dtype}: the data are {found} wide; \
                 rescale the columns{}",
                if dtype == "f32" { " or use f64" } else { "" }
            ),
            Self::SourceChanged { expected, found } => write!(
                f,
                "the source gave other data than in an earlier pass: expected {expected}, found \
                 {found}; a source must give the same block each time it is read"
            ),
            Self::NotDescribed { source, alternative } => write!(
                f,
                "{source} exists in this process only and cannot be sent to another; {alternative}"
            ),
            Self::NotRegistered { name } => write!(
                f,
                "`{name}` is not registered in the process that was to run it; workers have to be of the program that registers it"
            ),
            Self::OutsideDataRoot { root: Some(root) } => write!(
                f,
                "the file is not in {root}, the data root of this process; start the worker with \
                 --data-root DIR, a directory that the file is in"
            ),
            Self::OutsideDataRoot { root: None } => f.write_str(
                "this process opens no files for others; start the worker with --data-root DIR, \
                 a directory that the file is in",
            ),
            Self::Worker { found } => f.write_str(found),
            Self::Stopped { reason } => write!(f, "stopped before there was a result: {reason}"),
            Self::Limit { what, limit, found } => {
                write!(f, "{what} is {found}, over the limit of {limit}")
            }
            Self::External => f.write_str("the user's code failed"),
        }
    }
}
