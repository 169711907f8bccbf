//! Targets of a block as linfa's estimators want them.

use std::fmt::Debug;

use drystone_core::{Error, ErrorKind, Result, Targets};
use ndarray::Array1;

/// A type of targets that blocks can be fitted with.
///
/// Nothing is converted silently: what does not stand for a value of the type is an error
/// with its row. [`ChunkedDataset::map_to`](drystone_core::ChunkedDataset::map_to) can make other
/// targets of those that there are.
pub trait BlockTarget: Clone + PartialEq + Debug + Send + Sync + 'static {
    /// Whether each value is a class, so that an estimator needs two of them.
    const IS_CLASS: bool;

    /// The targets of some rows.
    ///
    /// # Errors
    /// When one is not of this type, with its row counted from the first of these.
    fn values(targets: &Targets) -> Result<Array1<Self>>;
}

/// 1 is true; 0 and -1 are false, as LIBSVM's files have it.
impl BlockTarget for bool {
    const IS_CLASS: bool = true;

    fn values(targets: &Targets) -> Result<Array1<Self>> {
        let expected = "the target 1, 0 or -1";
        numbers(targets, expected)?
            .enumerate()
            .map(|(row, value)| match value {
                1.0 => Ok(true),
                0.0 | -1.0 => Ok(false),
                other => Err(Error::format(expected, other).at_row(row as u64)),
            })
            .collect()
    }
}

/// Whole numbers from 0 to 2^53.
impl BlockTarget for usize {
    const IS_CLASS: bool = true;

    fn values(targets: &Targets) -> Result<Array1<Self>> {
        const END: f64 = (1_u64 << 53) as f64;
        let expected = "targets that are whole numbers from 0 to 2^53";
        let value = |(row, value): (usize, f64)| {
            let whole = (0.0..=END).contains(&value) && value.trunc() == value;
            let error = || Error::format(expected, value).at_row(row as u64);
            if whole { Ok(value as Self) } else { Err(error()) }
        };
        numbers(targets, expected)?.enumerate().map(value).collect()
    }
}

/// Names.
impl BlockTarget for String {
    const IS_CLASS: bool = true;

    fn values(targets: &Targets) -> Result<Array1<Self>> {
        match targets {
            Targets::Categories { codes, names } => {
                Ok(codes.iter().map(|&code| names[code as usize].clone()).collect())
            }
            other => Err(Error::format("targets that are names", other.kind())),
        }
    }
}

impl BlockTarget for f64 {
    const IS_CLASS: bool = false;

    fn values(targets: &Targets) -> Result<Array1<Self>> {
        let value = |(row, value): (usize, Self)| {
            let error = || Error::from(ErrorKind::NotFinite { found: value.to_string() });
            if value.is_finite() { Ok(value) } else { Err(error().at_row(row as u64)) }
        };
        numbers(targets, "targets that are numbers")?.enumerate().map(value).collect()
    }
}

/// Rounded to single precision.
impl BlockTarget for f32 {
    const IS_CLASS: bool = false;

    fn values(targets: &Targets) -> Result<Array1<Self>> {
        Ok(f64::values(targets)?.mapv(|value| value as Self))
    }
}

/// Numbers as they are; integers beyond 2^53 are rounded.
fn numbers<'a>(targets: &'a Targets, expected: &str) -> Result<Box<dyn Iterator<Item = f64> + 'a>> {
    match targets {
        Targets::I64(values) => Ok(Box::new(values.iter().map(|&value| value as f64))),
        Targets::F64(values) => Ok(Box::new(values.iter().copied())),
        Targets::Categories { .. } => Err(Error::format(expected, targets.kind())),
    }
}
