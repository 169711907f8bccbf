//! A class by its value: what targets and predictions of different types are compared by.
//!
//! Not an encoding: codes of categories belong to one block, a label to every dataset.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::block::Targets;
use crate::error::{Error, ErrorKind, Result};

/// One class: an integer, a real number that is not whole, or a name.
///
/// A whole real number within `i64` *is* the integer, so that the target 1 and the
/// prediction 1.0 are one class; a name is never a number. Numbers are ordered by value and
/// come before names, which are ordered by their bytes.
///
/// ```
/// use drystone_core::Label;
/// assert_eq!(Label::from(1), Label::real(1.0)?);
/// assert!(Label::from(1) < Label::real(1.5)? && Label::real(1.5)? < Label::from(2));
/// assert!(Label::from(2) < Label::from("1"));
/// assert!(Label::real(f64::NAN).is_err());
/// # Ok::<(), drystone_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Label {
    /// A whole number.
    Integer(i64),
    /// A finite number that is not whole, or beyond `i64`. Made by [`Label::real`].
    Real(f64),
    /// A name.
    Name(String),
}

impl Label {
    /// The class of a real number.
    ///
    /// # Errors
    /// [`ErrorKind::NotFinite`] for NaN and the infinities: they are no class.
    pub fn real(value: f64) -> Result<Self> {
        const END: f64 = -(i64::MIN as f64);
        if !value.is_finite() {
            return Err(ErrorKind::NotFinite { found: value.to_string() }.into());
        }
        let whole = value.trunc() == value && (-END..END).contains(&value);
        Ok(if whole { Self::Integer(value as i64) } else { Self::Real(value) })
    }
}

impl From<i64> for Label {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Label {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl Eq for Label {}

impl PartialOrd for Label {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Label {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Real(a), Self::Real(b)) => a.total_cmp(b),
            (Self::Integer(a), Self::Real(b)) => order(*a, *b),
            (Self::Real(a), Self::Integer(b)) => order(*b, *a).reverse(),
            (Self::Name(a), Self::Name(b)) => a.cmp(b),
            (Self::Name(_), _) => Ordering::Greater,
            (_, Self::Name(_)) => Ordering::Less,
        }
    }
}

/// An integer and a number that is not whole, or beyond integers. A cast saturates, which
/// leaves the order as it is: the greatest integer is below any number beyond.
fn order(integer: i64, real: f64) -> Ordering {
    let below = real.floor();
    if below < i64::MIN as f64 || integer > below as i64 {
        Ordering::Greater
    } else {
        Ordering::Less
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(f),
            Self::Real(value) => value.fmt(f),
            Self::Name(name) => write!(f, "{name:?}"),
        }
    }
}

/// The classes of some rows: those that occur, ascending, and which of them each row has.
#[derive(Clone, Debug, PartialEq)]
pub struct Coded {
    /// The classes, ascending; each has a row.
    pub labels: Vec<Label>,
    /// Position of each row's class.
    pub codes: Vec<u32>,
}

impl Coded {
    /// The classes of targets.
    ///
    /// # Errors
    /// [`ErrorKind::NotFinite`] for a target that is NaN or infinite; it says the row, counted
    /// from the first one here.
    ///
    /// # Performance
    /// O(n log c) for `n` rows of `c` classes.
    pub fn of(targets: &Targets) -> Result<Self> {
        match targets {
            Targets::I64(values) => Ok(Self::sorted(values, i64::cmp, |&value| value.into())),
            Targets::F64(values) => reals(values),
            Targets::Categories { codes, names } => {
                Ok(Self::sorted(codes, u32::cmp, |&code| names[code as usize].as_str().into()))
            }
        }
    }

    /// The classes of labels.
    #[must_use]
    pub fn of_labels(labels: &[Label]) -> Self {
        Self::sorted(labels, Label::cmp, Label::clone)
    }

    /// `order` is that of the labels.
    fn sorted<T: Clone>(
        values: &[T],
        order: impl Fn(&T, &T) -> Ordering,
        label: impl Fn(&T) -> Label,
    ) -> Self {
        let mut distinct = values.to_vec();
        distinct.sort_unstable_by(&order);
        distinct.dedup_by(|a, b| order(a, b).is_eq());
        let position = |value: &T| distinct.partition_point(|other| order(other, value).is_lt());
        let codes = values.iter().map(|value| position(value) as u32).collect();
        Self { labels: distinct.iter().map(label).collect(), codes }
    }
}

fn reals(values: &[f64]) -> Result<Coded> {
    if let Some(row) = values.iter().position(|value| !value.is_finite()) {
        let error = Error::from(ErrorKind::NotFinite { found: values[row].to_string() });
        return Err(error.at_row(row as u64));
    }
    // Zeros of both signs are one class.
    let values: Vec<f64> = values.iter().map(|value| value + 0.0).collect();
    let label = |&value: &f64| Label::real(value).unwrap_or(Label::Real(value));
    Ok(Coded::sorted(&values, f64::total_cmp, label))
}
