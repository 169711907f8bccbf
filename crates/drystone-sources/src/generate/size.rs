//! How many rows and columns a generator makes, of which type, in which blocks.

use drystone_core::{Dtype, Error, ErrorKind, Layout, Result, TargetKind};
use serde::{Deserialize, Serialize};

/// Bytes of a block, about, when the user does not say: large enough that the work on a
/// block outweighs handing it out, small enough that several fit in a cache.
const DEFAULT_BLOCK_BYTES: u64 = 8 << 20;

/// Default blocks hold a multiple of this many rows, if they hold as many.
const BLOCK_ROWS_STEP: u64 = 1024;

/// The most rows: up to here class sizes are exact in double precision.
const MAX_SAMPLES: u64 = 1 << 53;

/// The most values of all rows: their positions must be countable.
const MAX_VALUES: u64 = 1 << 62;

/// The most values that a generator keeps (centres, matrices): 128 MiB. What another
/// process describes must not take all of the memory.
const MAX_KEPT_VALUES: u64 = 1 << 24;

/// The parameters that all generators share.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Size {
    pub n_samples: u64,
    pub n_features: usize,
    pub block_rows: Option<u64>,
    pub dtype: Dtype,
}

impl Size {
    pub fn new(n_samples: u64, n_features: usize) -> Self {
        Self { n_samples, n_features, block_rows: None, dtype: Dtype::F64 }
    }

    /// Checks all of them, and settles the rows of a block.
    pub fn check(&mut self) -> Result<()> {
        at_least_1("n_samples", self.n_samples)?;
        at_least_1("n_features", self.n_features as u64)?;
        check_limit("the number of samples", MAX_SAMPLES, Some(self.n_samples))?;
        self.check_kept("the number of features", Some(self.n_features as u64))?;
        let values = self.n_samples.checked_mul(self.n_features as u64);
        check_limit("the number of values", MAX_VALUES, values)?;
        let block_rows = self.block_rows.unwrap_or_else(|| self.default_block_rows());
        at_least_1("block_rows", block_rows)?;
        self.block_rows = Some(block_rows.min(self.n_samples));
        Ok(())
    }

    /// Checks a number of values that the generator keeps; `None` is one that overflowed.
    pub fn check_kept(&self, what: &str, values: Option<u64>) -> Result<()> {
        check_limit(what, MAX_KEPT_VALUES, values)
    }

    /// Checks that values of this magnitude stay finite in the records' type.
    pub fn check_range(&self, names: &str, largest: f64) -> Result<()> {
        let most = match self.dtype {
            Dtype::F32 => f64::from(f32::MAX),
            Dtype::F64 => f64::MAX,
        };
        // With NaN, which infinite intermediate values can give, it does not hold.
        if largest <= most {
            return Ok(());
        }
        let expected = format!("such that all values are finite as {}", self.dtype);
        Err(Error::parameter(names, expected, format!("values of up to {largest:e}")))
    }

    fn default_block_rows(&self) -> u64 {
        let row_bytes = self.n_features.saturating_mul(self.dtype.size()).max(1) as u64;
        let rows = DEFAULT_BLOCK_BYTES / row_bytes;
        if rows < BLOCK_ROWS_STEP { rows.max(1) } else { rows - rows % BLOCK_ROWS_STEP }
    }

    /// The layout; of sizes that are not checked, what can be said of it.
    pub fn layout(&self) -> Layout {
        let block_rows = self.block_rows.unwrap_or(1);
        let layout = Layout::new(self.dtype, self.n_features, self.n_samples, block_rows);
        layout.targets(TargetKind::I64)
    }
}

pub(super) fn at_least_1(name: &str, value: u64) -> Result<()> {
    if value > 0 { Ok(()) } else { Err(Error::parameter(name, "at least 1", value)) }
}

fn check_limit(what: &str, limit: u64, found: Option<u64>) -> Result<()> {
    let found = found.unwrap_or(u64::MAX);
    if found <= limit {
        return Ok(());
    }
    Err(ErrorKind::Limit { what: what.to_owned(), limit, found }.into())
}
