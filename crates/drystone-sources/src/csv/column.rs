//! How columns are chosen: by index, by range or by name.

use std::ops::Range;

use drystone_core::{Error, Result};

/// Names of columns that an error lists before it only counts them.
const LISTED: usize = 20;

/// A column, or some that stand together.
///
/// ```
/// use drystone_sources::csv::Column;
/// assert_eq!(Column::from("x"), Column::Name("x".into()));
/// assert_eq!(Column::from(3), Column::Index(3));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// By position, from 0.
    Index(usize),
    /// All from the first to the last, both included, from 0.
    Range {
        /// The first.
        first: usize,
        /// The last.
        last: usize,
    },
    /// By its name in the header.
    Name(String),
}

impl From<usize> for Column {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<String> for Column {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}

impl Column {
    /// Reads a column from a command line: digits are an index, as `3`, two indices a
    /// range, as `0-56`, and anything else is a name.
    ///
    /// # Errors
    /// [`ErrorKind::Parameter`](drystone_core::ErrorKind::Parameter) for no text, a range
    /// that descends and an index that is no `usize`.
    ///
    /// ```
    /// use drystone_sources::csv::Column;
    /// assert_eq!(Column::parse("0-56")?, Column::Range { first: 0, last: 56 });
    /// assert_eq!(Column::parse("arr-delay")?, Column::from("arr-delay"));
    /// # Ok::<(), drystone_core::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let index = |digits: &str| digits.parse::<usize>().map_err(|_| refused(text));
        match text.split_once('-') {
            Some((first, last)) if digits(first) && digits(last) => {
                let (first, last) = (index(first)?, index(last)?);
                if first <= last { Ok(Self::Range { first, last }) } else { Err(refused(text)) }
            }
            _ if digits(text) => Ok(Self::Index(index(text)?)),
            _ if text.is_empty() => Err(refused(text)),
            _ => Ok(Self::Name(text.to_owned())),
        }
    }

    /// Reads columns with commas between them, as `0-3,7,label`.
    ///
    /// # Errors
    /// As for [`parse`](Self::parse).
    ///
    /// ```
    /// use drystone_sources::csv::Column;
    /// let columns = Column::parse_list("0-3, 7, label")?;
    /// assert_eq!(columns[1..], [Column::from(7), Column::from("label")]);
    /// # Ok::<(), drystone_core::Error>(())
    /// ```
    pub fn parse_list(text: &str) -> Result<Vec<Self>> {
        text.split(',').map(Self::parse).collect()
    }

    /// The positions of the columns in a file of `n_columns`.
    pub(crate) fn resolve(
        &self,
        parameter: &str,
        names: Option<&[String]>,
        n_columns: usize,
    ) -> Result<Range<usize>> {
        match self {
            Self::Index(index) => within(parameter, *index..index.saturating_add(1), n_columns),
            Self::Range { first, last } => {
                within(parameter, *first..last.saturating_add(1), n_columns)
            }
            Self::Name(name) => by_name(parameter, name, names).map(|at| at..at + 1),
        }
    }
}

fn refused(text: &str) -> Error {
    let expected = "an index as 3, an ascending range as 0-56, or a name";
    Error::parameter("columns", expected, format!("{text:?}"))
}

fn within(parameter: &str, columns: Range<usize>, n_columns: usize) -> Result<Range<usize>> {
    if columns.start < columns.end && columns.end <= n_columns {
        return Ok(columns);
    }
    let expected = format!("within the {n_columns} columns, which count from 0");
    let found = match columns.len() {
        1 => columns.start.to_string(),
        _ => format!("{}-{}", columns.start, columns.end.saturating_sub(1)),
    };
    Err(Error::parameter(parameter, expected, found))
}

fn by_name(parameter: &str, name: &str, names: Option<&[String]>) -> Result<usize> {
    let fail = |expected: String| Err(Error::parameter(parameter, expected, format!("{name:?}")));
    let Some(names) = names else {
        return fail("an index, because the file has no header".to_owned());
    };
    let mut found = names.iter().enumerate().filter(|(_, other)| *other == name);
    match (found.next(), found.next()) {
        (Some((at, _)), None) => Ok(at),
        (Some((first, _)), Some((second, _))) => fail(format!(
            "a name that one column has (columns {first} and {second} have it: use an index)"
        )),
        (None, _) => {
            let listed: Vec<String> =
                names.iter().take(LISTED).map(|name| format!("{name:?}")).collect();
            let more = names.len().saturating_sub(LISTED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            fail(format!("one of the columns {}{more}", listed.join(", ")))
        }
    }
}
