//! The choices that a user has in reading CSV.

use serde::{Deserialize, Serialize};

/// What is between the fields of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delimiter {
    /// Decided by the first lines: comma, semicolon or tab, the first of them that cuts
    /// each of the lines into the same number of fields (more than one); white space if
    /// none occurs.
    #[default]
    Auto,
    /// This byte, as `b','`. Fields may have spaces around them.
    Byte(u8),
    /// Any number of spaces and tabs; those at the ends of a line do not count.
    WhiteSpace,
}

/// Whether the first line that is not blank names the columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Header {
    /// It does if some field of it is text where the second line has a number, or if
    /// there is no number in it and some text.
    #[default]
    Auto,
    /// It does, in each file.
    Yes,
    /// It does not: columns have no names.
    No,
}

/// What a missing value is read as. Missing are the empty field, `?`, and, in any case,
/// `NA`, `N/A`, `NaN`, `null` and `none`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Missing {
    /// An error that says where it is.
    #[default]
    Error,
    /// `NaN`, in features and in targets that are `f64`; elsewhere it is an error. The
    /// estimators of this project accept no `NaN`: it is for steps that fill them.
    Nan,
}

/// How files are cut into blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockSize {
    /// By bytes of text.
    Bytes(u64),
    /// By rows of the mean length of the first lines.
    Rows(usize),
}
