//! How many rows to test on.

use drystone_core::{Error, Result};

/// Rows to test on: a fraction of all, or a number. `0.2` and `1000_u64` are test sizes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TestSize {
    /// This fraction of the rows, above 0 and below 1, rounded up to whole rows.
    Fraction(f64),
    /// So many rows, at least 1 and fewer than there are.
    Rows(u64),
}

impl From<f64> for TestSize {
    fn from(fraction: f64) -> Self {
        Self::Fraction(fraction)
    }
}

impl From<u64> for TestSize {
    fn from(rows: u64) -> Self {
        Self::Rows(rows)
    }
}

impl TestSize {
    /// Rows to test on of `n_samples`; at least one is left to fit on.
    pub(super) fn rows(self, n_samples: u64) -> Result<u64> {
        let (rows, sound) = match self {
            Self::Fraction(fraction) => {
                let rows = (fraction * n_samples as f64).ceil() as u64;
                (rows, fraction > 0.0 && fraction < 1.0 && rows < n_samples)
            }
            Self::Rows(rows) => (rows, rows > 0 && rows < n_samples),
        };
        if sound {
            return Ok(rows);
        }
        let expected = format!(
            "above 0 and below 1, or at least 1 row, and leave some of the {n_samples} rows to fit on"
        );
        let found = match self {
            Self::Fraction(fraction) => format!("{fraction:?}"),
            Self::Rows(rows) => format!("{rows} rows"),
        };
        Err(Error::parameter("test_size", expected, found))
    }
}
