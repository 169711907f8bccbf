//! What is known of a chunked dataset before anything of it is read.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// The most columns of a dataset that is worked on: what is kept for each of them fits in
/// memory.
pub const MAX_FEATURES: u64 = 1 << 24;

/// The most blocks whose rows are listed one by one.
pub(crate) const MAX_LISTED_BLOCKS: usize = 1 << 24;

/// The element type of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Dtype {
    /// Single precision.
    F32,
    /// Double precision.
    F64,
}

impl Dtype {
    /// Bytes of one element.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// `f32` or `f64`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The type of targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TargetKind {
    /// Real numbers.
    F64,
    /// Integers.
    I64,
    /// Names.
    Categories,
}

impl fmt::Display for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F64 => "f64",
            Self::I64 => "i64",
            Self::Categories => "categories",
        })
    }
}

/// How rows are cut into blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BlockRows {
    /// Blocks of `block_rows` rows; the last may be shorter.
    Uniform {
        /// Rows in all.
        n_samples: u64,
        /// Rows of a block; at least 1.
        block_rows: u64,
    },
    /// The first row of each block, and the number of rows in all as the last entry.
    Offsets(Arc<[u64]>),
    /// The rows of a block are known only once it is read.
    Unknown {
        /// Number of blocks.
        n_blocks: usize,
    },
}

impl BlockRows {
    /// The offsets form of the blocks' row counts.
    #[must_use]
    pub fn from_counts(counts: &[u64]) -> Self {
        let mut offsets = Vec::with_capacity(counts.len() + 1);
        offsets.push(0);
        let mut first = 0_u64;
        offsets.extend(counts.iter().map(|count| {
            first += count;
            first
        }));
        Self::Offsets(offsets.into())
    }

    /// The same, if it makes sense: what arrives from another process is not trusted.
    ///
    /// # Errors
    /// [`ErrorKind::Format`] for blocks of no rows or for
    /// offsets that do not start at 0 or descend.
    pub fn validated(self) -> Result<Self> {
        let sound = match &self {
            Self::Uniform { block_rows, .. } => *block_rows > 0,
            Self::Offsets(offsets) => {
                offsets.first() == Some(&0) && offsets.windows(2).all(|pair| pair[0] <= pair[1])
            }
            Self::Unknown { .. } => true,
        };
        if sound {
            Ok(self)
        } else {
            Err(Error::format("blocks of at least 1 row at ascending offsets from 0", "others"))
        }
    }

    /// Number of blocks.
    #[must_use]
    pub fn n_blocks(&self) -> usize {
        match self {
            Self::Uniform { n_samples, block_rows } => n_samples.div_ceil(*block_rows) as usize,
            Self::Offsets(offsets) => offsets.len().saturating_sub(1),
            Self::Unknown { n_blocks } => *n_blocks,
        }
    }

    /// Number of rows, if known.
    #[must_use]
    pub fn n_samples(&self) -> Option<u64> {
        match self {
            Self::Uniform { n_samples, .. } => Some(*n_samples),
            Self::Offsets(offsets) => Some(offsets.last().copied().unwrap_or(0)),
            Self::Unknown { n_blocks: 0 } => Some(0),
            Self::Unknown { .. } => None,
        }
    }

    /// The rows of one block, as positions in the dataset, if known.
    ///
    /// # Panics
    /// If there is no such block.
    #[must_use]
    pub fn rows_of(&self, block_idx: usize) -> Option<Range<u64>> {
        match self {
            Self::Uniform { n_samples, block_rows } => {
                let first = block_idx as u64 * block_rows;
                Some(first..(*n_samples).min(first.saturating_add(*block_rows)))
            }
            Self::Offsets(offsets) => Some(offsets[block_idx]..offsets[block_idx + 1]),
            Self::Unknown { .. } => None,
        }
    }

    /// The most rows of any block, if known.
    #[must_use]
    pub fn max_block_rows(&self) -> Option<u64> {
        match self {
            Self::Uniform { n_samples, block_rows } => Some(*block_rows.min(n_samples)),
            Self::Offsets(offsets) => {
                Some(offsets.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0))
            }
            Self::Unknown { n_blocks: 0 } => Some(0),
            Self::Unknown { .. } => None,
        }
    }
}

pub(crate) fn check_limit(what: &str, limit: u64, found: u64) -> Result<()> {
    if found <= limit {
        return Ok(());
    }
    Err(ErrorKind::Limit { what: what.to_owned(), limit, found }.into())
}

/// The shape and types of a chunked dataset.
///
/// ```
/// use drystone_core::{Dtype, Layout};
/// let layout = Layout::new(Dtype::F64, 20, 100_000_000, 200_000);
/// assert_eq!(layout.n_blocks(), 500);
/// assert_eq!(layout.to_string(), "(100000000, 20) f64, 500 blocks of up to 200000 rows, 16.0 GB");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Layout {
    /// Element type of the records.
    pub dtype: Dtype,
    /// Columns of the records.
    pub n_features: usize,
    /// How the rows are cut into blocks.
    pub rows: BlockRows,
    /// Type of the targets, if there are any.
    pub targets: Option<TargetKind>,
    /// Whether rows have weights.
    pub weighted: bool,
    /// Names of the features, if there are any.
    pub feature_names: Option<Arc<[String]>>,
}

impl Layout {
    /// Records of a known number of rows in equal blocks, without targets or weights.
    /// A `block_rows` of 0 is taken as 1.
    #[must_use]
    pub fn new(dtype: Dtype, n_features: usize, n_samples: u64, block_rows: u64) -> Self {
        let rows = BlockRows::Uniform { n_samples, block_rows: block_rows.max(1) };
        Self::with_rows(dtype, n_features, rows)
    }

    /// Records cut as `rows` says, without targets or weights.
    #[must_use]
    pub fn with_rows(dtype: Dtype, n_features: usize, rows: BlockRows) -> Self {
        Self { dtype, n_features, rows, targets: None, weighted: false, feature_names: None }
    }

    /// With targets of this type.
    #[must_use]
    pub fn targets(mut self, kind: TargetKind) -> Self {
        self.targets = Some(kind);
        self
    }

    /// With a weight for each row.
    #[must_use]
    pub fn weighted(mut self) -> Self {
        self.weighted = true;
        self
    }

    /// Number of blocks.
    #[must_use]
    pub fn n_blocks(&self) -> usize {
        self.rows.n_blocks()
    }

    /// Number of rows, if known.
    #[must_use]
    pub fn n_samples(&self) -> Option<u64> {
        self.rows.n_samples()
    }

    /// For jobs: whether they are for as many columns.
    ///
    /// # Errors
    /// [`ErrorKind::Shape`] if not.
    pub fn check_width(&self, n_features: usize) -> Result<()> {
        if n_features == self.n_features {
            return Ok(());
        }
        Err(Error::shape("features", n_features as u64, self.n_features as u64))
    }

    /// Refuses more columns than [`MAX_FEATURES`], before anything is allocated for them.
    pub(crate) fn check_features(&self) -> Result<()> {
        check_limit("the number of features", MAX_FEATURES, self.n_features as u64)
    }

    /// Bytes of one row: records, target and weight.
    #[must_use]
    pub fn row_bytes(&self) -> u64 {
        let target = match self.targets {
            Some(TargetKind::F64 | TargetKind::I64) => 8,
            Some(TargetKind::Categories) => 4,
            None => 0,
        };
        let weight = if self.weighted { 8 } else { 0 };
        (self.n_features as u64)
            .saturating_mul(self.dtype.size() as u64)
            .saturating_add(target + weight)
    }

    /// Bytes of all rows when in memory, if their number is known.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        Some(self.n_samples()?.saturating_mul(self.row_bytes()))
    }

    /// Bytes of the largest block when in memory, if known.
    #[must_use]
    pub fn block_bytes(&self) -> Option<u64> {
        Some(self.rows.max_block_rows()?.saturating_mul(self.row_bytes()))
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (n_blocks, n_features, dtype) = (self.n_blocks(), self.n_features, self.dtype);
        let s = if n_blocks == 1 { "" } else { "s" };
        match (self.n_samples(), self.rows.max_block_rows(), self.bytes()) {
            (Some(n_samples), Some(most), Some(bytes)) => write!(
                f,
                "({n_samples}, {n_features}) {dtype}, {n_blocks} block{s} of up to {most} rows, {}",
                crate::memory::human_bytes(bytes)
            )?,
            _ => write!(f, "(unknown, {n_features}) {dtype}, {n_blocks} block{s}, unknown bytes")?,
        }
        if let Some(targets) = self.targets {
            write!(f, ", targets {targets}")?;
        }
        if self.weighted {
            write!(f, ", weighted")?;
        }
        Ok(())
    }
}
