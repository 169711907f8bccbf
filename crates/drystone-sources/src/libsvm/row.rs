//! One line: a label, and features as `index:value`.

use drystone_core::layout::MAX_FEATURES;
use drystone_core::{Error, ErrorKind, Result};

use crate::text::line::show;
use crate::text::number::{Number, integer};

/// An error, and the column that it is about.
pub(crate) type InColumn = (Error, Option<usize>);

/// `f64` holds each integer up to this one, and rounds the next one to it.
const MAX_INTEGER: u64 = 1 << f64::MANTISSA_DIGITS;

/// What a row is labelled with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Label {
    pub value: f64,
    /// Whether it is an integer that `f64` holds exactly.
    pub is_integer: bool,
}

/// Whether a line has no row: nothing but white space and a comment.
pub(crate) fn is_blank(line: &[u8]) -> bool {
    tokens(line).next().is_none()
}

/// Reads a line that is not blank. Gives the position of each feature, from 0, and its
/// value to `set`, in ascending order; positions are below `n_features`.
pub(crate) fn parse<T: Number>(
    line: &[u8],
    n_features: u64,
    mut set: impl FnMut(usize, T),
) -> Result<Label, InColumn> {
    let mut tokens = tokens(line);
    let label = label(tokens.next().unwrap_or_default()).map_err(|error| (error, None))?;
    let mut last = 0;
    for token in tokens {
        let (index, field) = split(token, last, n_features).map_err(|error| (error, None))?;
        let column = index as usize - 1;
        let value = T::parse(field).filter(|value| value.is_finite());
        set(column, value.ok_or_else(|| (no_value(token, field, T::DTYPE.name()), Some(column)))?);
        last = index;
    }
    Ok(label)
}

/// What is between white space, up to a comment. A `#` within is no comment: `1.#INF` must
/// not be read as 1.
fn tokens(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| matches!(byte, b' ' | b'\t'))
        .filter(|token| !token.is_empty())
        .take_while(|token| token[0] != b'#')
}

fn label(token: &[u8]) -> Result<Label> {
    let value = f64::parse(token).filter(|value| value.is_finite());
    let value = value.ok_or_else(|| no_label(token))?;
    let is_integer = match integer(token) {
        Some(integer) => integer.unsigned_abs() <= MAX_INTEGER,
        None => value.fract() == 0.0 && value.abs() < MAX_INTEGER as f64,
    };
    Ok(Label { value, is_integer })
}

/// The index of a feature and the text of its value.
fn split(token: &[u8], last: u64, n_features: u64) -> Result<(u64, &[u8])> {
    let colon = token.iter().position(|&byte| byte == b':').ok_or_else(|| no_feature(token))?;
    let index = index(&token[..colon]).ok_or_else(|| no_feature(token))?;
    if index <= last || index > n_features {
        return Err(wrong_index(token, index, last, n_features));
    }
    Ok((index, &token[colon + 1..]))
}

/// A number in decimal digits; the largest `u64` for any that is larger.
fn index(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let append =
        |index: u64, digit: &u8| index.saturating_mul(10).saturating_add((digit - b'0').into());
    Some(digits.iter().fold(0, append))
}

#[cold]
fn no_label(token: &[u8]) -> Error {
    if token.contains(&b':') {
        Error::format("a label before the features", show(token))
    } else {
        no_number(token, token, "a number as label", "f64")
    }
}

#[cold]
fn no_feature(token: &[u8]) -> Error {
    let ranking = if token.starts_with(b"qid:") { " (ranking is not supported)" } else { "" };
    Error::format("a feature as index:value", format!("{}{ranking}", show(token)))
}

#[cold]
fn wrong_index(token: &[u8], index: u64, last: u64, n_features: u64) -> Error {
    let found = show(token);
    if index == 0 {
        Error::format("an index of at least 1, since indices count from 1", found)
    } else if index <= last {
        Error::format(format!("an index over {last}, since indices ascend"), found)
    } else {
        let given = if n_features < MAX_FEATURES { ", which is `n_features`" } else { "" };
        Error::format(format!("an index of at most {n_features}{given}"), found)
    }
}

#[cold]
fn no_value(token: &[u8], field: &[u8], dtype: &str) -> Error {
    if field.is_empty() {
        let hint = format!("nothing follows {} (a file that was cut off can end so)", show(token));
        return ErrorKind::MissingValue { hint }.into();
    }
    no_number(token, field, "a number as value", dtype)
}

/// The error for a field that is not a number, not a finite one, or beyond the range.
fn no_number(token: &[u8], field: &[u8], expected: &str, dtype: &str) -> Error {
    let number = std::str::from_utf8(field).ok().and_then(|text| text.parse::<f64>().ok());
    match number {
        None => Error::format(expected, show(token)),
        Some(_) if field.iter().any(u8::is_ascii_digit) => {
            Error::format(format!("{expected} in the range of {dtype}"), show(token))
        }
        Some(_) => ErrorKind::NotFinite { found: show(token) }.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_told_from_other_labels() {
        let is_integer = |text: &str| label(text.as_bytes()).expect("a label").is_integer;
        for text in ["+1", "-1", "3", "1.0", "-0", "2e3", "9007199254740992", "-9007199254740992"] {
            assert!(is_integer(text), "{text}");
        }
        for text in ["0.5", "-1e-9", "9007199254740993", "9007199254740993.0", "1e16", "1e300"] {
            assert!(!is_integer(text), "{text}");
        }
    }
}
