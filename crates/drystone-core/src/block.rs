//! A block: one in-memory piece of a dataset, and where it lies.

use std::ops::Range;
use std::sync::Arc;

use drystone_kernels::Float;
use ndarray::{Array2, ArrayBase, ArrayView2, Data, Ix2};

use crate::buffer::{Element, Shared};
use crate::error::{Error, ErrorKind, Result};
use crate::layout::{Dtype, Layout, TargetKind};

/// Some rows of records, with their targets and weights if there are any. Cloning and
/// slicing share the memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The records, `(n_samples, n_features)`.
    pub records: Records,
    /// One target for each row.
    pub targets: Option<Targets>,
    /// One weight for each row.
    pub weights: Option<Shared<f64>>,
}

/// Records in one of the two element types.
#[derive(Clone, Debug, PartialEq)]
pub enum Records {
    /// Single precision.
    F32(Rows<f32>),
    /// Double precision.
    F64(Rows<f64>),
}

/// Rows of `n_features` values each, one after the other in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows<T: Element> {
    values: Shared<T>,
    n_features: usize,
}

/// Targets, one for each row.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// Real numbers.
    F64(Shared<f64>),
    /// Integers.
    I64(Shared<i64>),
    /// Names, as positions in a dictionary that is sorted and without repetition.
    Categories {
        /// Position of each row's name.
        codes: Shared<u32>,
        /// The names, ascending. There may be names that no row has: blocks that were cut
        /// from one share its dictionary.
        names: Arc<[String]>,
    },
}

/// `f32` or `f64` as the element of records; sealed by [`Float`].
pub trait RecordElement: Float + Element {
    /// Its [`Dtype`].
    const DTYPE: Dtype;
    /// Wraps rows of this type.
    fn into_records(rows: Rows<Self>) -> Records;
    /// The rows, if the records are of this type.
    fn rows_of(records: &Records) -> Option<&Rows<Self>>;
}

impl RecordElement for f32 {
    const DTYPE: Dtype = Dtype::F32;

    fn into_records(rows: Rows<Self>) -> Records {
        Records::F32(rows)
    }

    fn rows_of(records: &Records) -> Option<&Rows<Self>> {
        match records {
            Records::F32(rows) => Some(rows),
            Records::F64(_) => None,
        }
    }
}

impl RecordElement for f64 {
    const DTYPE: Dtype = Dtype::F64;

    fn into_records(rows: Rows<Self>) -> Records {
        Records::F64(rows)
    }

    fn rows_of(records: &Records) -> Option<&Rows<Self>> {
        match records {
            Records::F64(rows) => Some(rows),
            Records::F32(_) => None,
        }
    }
}

impl<T: RecordElement> Rows<T> {
    /// Rows from values in row-major order.
    ///
    /// # Errors
    /// [`ErrorKind::Shape`] when the values do not fill whole rows.
    pub fn new(values: Vec<T>, n_features: usize) -> Result<Self> {
        let whole = values.len().checked_rem(n_features).map_or(values.len(), |rest| rest);
        if whole != 0 {
            let rows = values.len().checked_div(n_features).unwrap_or(0) + 1;
            return Err(Error::shape("values", (rows * n_features) as u64, values.len() as u64));
        }
        Ok(Self { values: values.into(), n_features })
    }

    /// Rows of an array; one that owns its memory in row-major order is not copied.
    #[must_use]
    pub fn from_array(array: Array2<T>) -> Self {
        let n_features = array.ncols();
        let values = if array.is_standard_layout() {
            let len = array.len();
            let (mut values, offset) = array.into_raw_vec_and_offset();
            values.drain(..offset.unwrap_or(0));
            values.truncate(len);
            values
        } else {
            array.iter().copied().collect()
        };
        Self { values: values.into(), n_features }
    }

    /// Rows copied from a view of an array.
    #[must_use]
    pub fn from_view<D: Data<Elem = T>>(array: &ArrayBase<D, Ix2>) -> Self {
        Self { values: array.iter().copied().collect::<Vec<T>>().into(), n_features: array.ncols() }
    }

    /// Number of rows.
    #[must_use]
    pub fn n_samples(&self) -> usize {
        self.values.len().checked_div(self.n_features).unwrap_or(0)
    }

    /// Values in a row.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// All values, row-major.
    #[must_use]
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// One row.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[T] {
        &self.values[row * self.n_features..(row + 1) * self.n_features]
    }

    /// The rows as an array, `(n_samples, n_features)`.
    #[must_use]
    pub fn view(&self) -> ArrayView2<'_, T> {
        let shape = (self.n_samples(), self.n_features);
        ArrayView2::from_shape(shape, self.values()).expect("whole rows are an invariant of Rows")
    }

    fn compact(&self) -> Self {
        Self { values: self.values.compact(), n_features: self.n_features }
    }

    fn gather(&self, rows: &[usize]) -> Self {
        let mut values = crate::buffer::take::<T>(rows.len() * self.n_features);
        let to = values.chunks_exact_mut(self.n_features.max(1));
        to.zip(rows).for_each(|(to, &row)| to.copy_from_slice(self.row(row)));
        Self { values: values.into(), n_features: self.n_features }
    }

    fn slice(&self, rows: Range<usize>) -> Self {
        let range = rows.start * self.n_features..rows.end * self.n_features;
        Self { values: self.values.slice(range), n_features: self.n_features }
    }
}

impl Records {
    /// Number of rows.
    #[must_use]
    pub fn n_samples(&self) -> usize {
        match self {
            Self::F32(rows) => rows.n_samples(),
            Self::F64(rows) => rows.n_samples(),
        }
    }

    /// Values in a row.
    #[must_use]
    pub fn n_features(&self) -> usize {
        match self {
            Self::F32(rows) => rows.n_features(),
            Self::F64(rows) => rows.n_features(),
        }
    }

    /// Element type.
    #[must_use]
    pub fn dtype(&self) -> Dtype {
        match self {
            Self::F32(_) => Dtype::F32,
            Self::F64(_) => Dtype::F64,
        }
    }

    /// The rows as `T`.
    ///
    /// # Errors
    /// [`ErrorKind::Dtype`] when they are of the other type: nothing is converted silently.
    pub fn as_rows<T: RecordElement>(&self) -> Result<&Rows<T>> {
        T::rows_of(self).ok_or_else(|| {
            let (expected, found) = (T::DTYPE.to_string(), self.dtype().to_string());
            ErrorKind::Dtype { expected, found }.into()
        })
    }

    /// The rows as an array, `(n_samples, n_features)`.
    ///
    /// # Errors
    /// As for [`as_rows`](Self::as_rows).
    pub fn view<T: RecordElement>(&self) -> Result<ArrayView2<'_, T>> {
        Ok(self.as_rows()?.view())
    }

    /// All values in double precision, row-major; `f32` values are converted exactly.
    #[must_use]
    pub fn to_f64(&self) -> Vec<f64> {
        match self {
            Self::F32(rows) => rows.values().iter().map(|&value| f64::from(value)).collect(),
            Self::F64(rows) => rows.values().to_vec(),
        }
    }

    fn compact(&self) -> Self {
        match self {
            Self::F32(rows) => Self::F32(rows.compact()),
            Self::F64(rows) => Self::F64(rows.compact()),
        }
    }

    fn gather(&self, rows: &[usize]) -> Self {
        match self {
            Self::F32(all) => Self::F32(all.gather(rows)),
            Self::F64(all) => Self::F64(all.gather(rows)),
        }
    }

    fn slice(&self, rows: Range<usize>) -> Self {
        match self {
            Self::F32(all) => Self::F32(all.slice(rows)),
            Self::F64(all) => Self::F64(all.slice(rows)),
        }
    }
}

impl<T: RecordElement> From<Array2<T>> for Records {
    fn from(array: Array2<T>) -> Self {
        T::into_records(Rows::from_array(array))
    }
}

impl Targets {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F64(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::Categories { codes, .. } => codes.len(),
        }
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their type.
    #[must_use]
    pub fn kind(&self) -> TargetKind {
        match self {
            Self::F64(_) => TargetKind::F64,
            Self::I64(_) => TargetKind::I64,
            Self::Categories { .. } => TargetKind::Categories,
        }
    }

    /// Targets from names, with their dictionary sorted.
    #[must_use]
    pub fn categories<S: AsRef<str>>(names: &[S]) -> Self {
        let mut sorted: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let position = |name: &str| sorted.partition_point(|other| *other < name) as u32;
        let codes: Vec<u32> = names.iter().map(|name| position(name.as_ref())).collect();
        let names = sorted.iter().map(|&name| name.to_owned()).collect();
        Self::Categories { codes: codes.into(), names }
    }

    /// Codes are positions in a dictionary that ascends.
    fn check_codes(&self) -> Result<()> {
        let Self::Categories { codes, names } = self else {
            return Ok(());
        };
        if !names.is_sorted_by(|name, next| name < next) {
            return Err(Error::format("category names in ascending order", "others"));
        }
        match codes.iter().max() {
            Some(&most) if most as usize >= names.len() => {
                Err(Error::format(format!("category codes below {}", names.len()), most))
            }
            _ => Ok(()),
        }
    }

    fn compact(&self) -> Self {
        match self {
            Self::F64(values) => Self::F64(values.compact()),
            Self::I64(values) => Self::I64(values.compact()),
            Self::Categories { codes, names } => {
                Self::Categories { codes: codes.compact(), names: Arc::clone(names) }
            }
        }
    }

    fn gather(&self, rows: &[usize]) -> Self {
        match self {
            Self::F64(values) => Self::F64(gathered(values, rows)),
            Self::I64(values) => Self::I64(gathered(values, rows)),
            Self::Categories { codes, names } => {
                Self::Categories { codes: gathered(codes, rows), names: Arc::clone(names) }
            }
        }
    }

    fn slice(&self, rows: Range<usize>) -> Self {
        match self {
            Self::F64(values) => Self::F64(values.slice(rows)),
            Self::I64(values) => Self::I64(values.slice(rows)),
            Self::Categories { codes, names } => {
                Self::Categories { codes: codes.slice(rows), names: Arc::clone(names) }
            }
        }
    }
}

fn gathered<T: Element>(values: &[T], rows: &[usize]) -> Shared<T> {
    rows.iter().map(|&row| values[row]).collect::<Vec<T>>().into()
}

impl Block {
    /// A block of records alone.
    #[must_use]
    pub fn new(records: impl Into<Records>) -> Self {
        Self { records: records.into(), targets: None, weights: None }
    }

    /// The same block with targets.
    #[must_use]
    pub fn with_targets(mut self, targets: Targets) -> Self {
        self.targets = Some(targets);
        self
    }

    /// The same block with weights.
    #[must_use]
    pub fn with_weights(mut self, weights: impl Into<Shared<f64>>) -> Self {
        self.weights = Some(weights.into());
        self
    }

    /// Number of rows.
    #[must_use]
    pub fn n_samples(&self) -> usize {
        self.records.n_samples()
    }

    /// Bytes of records, targets and weights.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let records = self.n_samples() * self.records.n_features() * self.records.dtype().size();
        let targets = self.targets.as_ref().map_or(0, |targets| match targets {
            Targets::F64(values) => values.len() * 8,
            Targets::I64(values) => values.len() * 8,
            Targets::Categories { codes, .. } => codes.len() * 4,
        });
        (records + targets + self.weights.as_ref().map_or(0, |weights| weights.len() * 8)) as u64
    }

    /// Some of its rows, sharing the memory.
    ///
    /// # Panics
    /// If the rows are not within the block.
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> Self {
        Self {
            records: self.records.slice(rows.clone()),
            targets: self.targets.as_ref().map(|targets| targets.slice(rows.clone())),
            weights: self.weights.as_ref().map(|weights| weights.slice(rows)),
        }
    }

    /// These of its rows, in this order, copied.
    ///
    /// # Panics
    /// If one is not within the block.
    #[must_use]
    pub fn gather(&self, rows: &[usize]) -> Self {
        Self {
            records: self.records.gather(rows),
            targets: self.targets.as_ref().map(|targets| targets.gather(rows)),
            weights: self.weights.as_ref().map(|weights| gathered(weights, rows)),
        }
    }

    /// The same block, without the rest of a larger one that it is a slice of.
    pub(crate) fn compact(&self) -> Self {
        Self {
            records: self.records.compact(),
            targets: self.targets.as_ref().map(Targets::compact),
            weights: self.weights.as_ref().map(Shared::compact),
        }
    }

    /// Checks the block against what was declared of it: element type, columns, rows (if
    /// `n_samples` is known), targets and weights.
    ///
    /// # Errors
    /// [`ErrorKind::Shape`], [`ErrorKind::Dtype`] or [`ErrorKind::Format`].
    pub fn check(&self, layout: &Layout, n_samples: Option<u64>) -> Result<()> {
        let same = |what: &str, expected: u64, found: u64| {
            if expected == found { Ok(()) } else { Err(Error::shape(what, expected, found)) }
        };
        if self.records.dtype() != layout.dtype {
            let (expected, found) = (layout.dtype.to_string(), self.records.dtype().to_string());
            return Err(ErrorKind::Dtype { expected, found }.into());
        }
        let rows = self.n_samples() as u64;
        same("features", layout.n_features as u64, self.records.n_features() as u64)?;
        same("rows", n_samples.unwrap_or(rows), rows)?;
        let kind = self.targets.as_ref().map(Targets::kind);
        if kind != layout.targets {
            let name = |kind: Option<TargetKind>| {
                kind.map_or("no targets".to_owned(), |kind| format!("targets {kind}"))
            };
            return Err(Error::format(name(layout.targets), name(kind)));
        }
        self.targets.as_ref().map_or(Ok(()), Targets::check_codes)?;
        same("targets", rows, self.targets.as_ref().map_or(rows, |targets| targets.len() as u64))?;
        if self.weights.is_some() != layout.weighted {
            let name = |weighted| if weighted { "weights" } else { "no weights" };
            return Err(Error::format(name(layout.weighted), name(self.weights.is_some())));
        }
        same("weights", rows, self.weights.as_ref().map_or(rows, |weights| weights.len() as u64))
    }
}

/// A block, or a slice of one, and where it lies in the dataset: what a job maps.
#[derive(Clone, Debug)]
pub struct BlockAt {
    /// The rows.
    pub block: Block,
    /// The block that they belong to.
    pub block_idx: usize,
    /// Position of their first row in the dataset.
    pub first_row: u64,
}

impl BlockAt {
    /// Says in an error which block and, if it is known, which row of the dataset it is
    /// about; `row` counts from the first row here.
    #[must_use]
    pub fn locate(&self, error: Error, row: Option<usize>) -> Error {
        let error = error.in_block(self.block_idx as u64);
        match row {
            Some(row) => error.at_row(self.first_row + row as u64),
            None => error,
        }
    }
}
