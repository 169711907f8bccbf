//! Classes: the distinct values of targets, in ascending order.

use std::collections::BTreeMap;

use drystone_core::label::Coded;
use drystone_core::{Block, BlockAt, ChunkedArray, Error, ErrorKind, Label, Result};
use ndarray::Ix1;
use serde::{Deserialize, Serialize};

/// Most classes: one-vs-one has a problem for each two of them.
pub(crate) const MAX_CLASSES: usize = 256;

/// The classes that a model tells apart, ascending.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Classes(pub Vec<Label>);

/// Rows of a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rows {
    pub n_samples: u64,
    /// Those of positive weight.
    pub n_weighty: u64,
}

/// A type that predicted classes can be had in: `i64`, `f64`, `String`, or [`Label`] for any.
pub trait PredictedLabel: Clone + Send + Sync + 'static {
    /// The type, as errors name it.
    const NAME: &'static str;

    /// The value that stands for a class, if it is of this type.
    fn from_label(label: &Label) -> Option<Self>;
}

impl PredictedLabel for i64 {
    const NAME: &'static str = "integers";

    fn from_label(label: &Label) -> Option<Self> {
        if let Label::Integer(value) = label { Some(*value) } else { None }
    }
}

impl PredictedLabel for f64 {
    const NAME: &'static str = "real numbers";

    fn from_label(label: &Label) -> Option<Self> {
        match label {
            Label::Integer(value) => Some(*value as Self),
            Label::Real(value) => Some(*value),
            Label::Name(_) => None,
        }
    }
}

impl PredictedLabel for String {
    const NAME: &'static str = "names";

    fn from_label(label: &Label) -> Option<Self> {
        if let Label::Name(name) = label { Some(name.clone()) } else { None }
    }
}

impl PredictedLabel for Label {
    const NAME: &'static str = "labels";

    fn from_label(label: &Label) -> Option<Self> {
        Some(label.clone())
    }
}

/// Labels for the positions among the classes, which may come from another process.
pub(crate) fn labels_of<L: PredictedLabel>(
    codes: &ChunkedArray<u32, Ix1>,
    labels: Vec<L>,
) -> ChunkedArray<L, Ix1> {
    codes.try_map(move |&code| {
        labels.get(code as usize).cloned().ok_or_else(|| {
            Error::format(format!("one of {} classes", labels.len()), format!("class {code}"))
        })
    })
}

/// The problems of so many classes, in LIBSVM's order: (0, 1), (0, 2), ...
pub(crate) fn pairs(n_classes: u32) -> impl Iterator<Item = (u32, u32)> {
    (0..n_classes).flat_map(move |a| (a + 1..n_classes).map(move |b| (a, b)))
}

impl Classes {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether they are in order, none twice: for classes that came from a file.
    pub fn is_ascending(&self) -> bool {
        self.0.is_sorted_by(|a, b| a < b)
    }

    /// The classes as values of a type.
    ///
    /// # Errors
    /// [`ErrorKind::Dtype`] when one is not of this type.
    pub fn values<L: PredictedLabel>(&self) -> Result<Vec<L>> {
        let value = |label: &Label| {
            L::from_label(label).ok_or_else(|| {
                let (expected, found) = (L::NAME.to_owned(), format!("class {label}"));
                ErrorKind::Dtype { expected, found }.into()
            })
        };
        self.0.iter().map(value).collect()
    }

    /// The position of each row's target among the classes.
    ///
    /// # Errors
    /// When there are no targets, and for one that is not among the classes, with its row.
    pub fn codes(&self, rows: &BlockAt) -> Result<Vec<u32>> {
        self.codes_of(&rows.block)
            .map_err(|error| rows.locate(error.moved_down(rows.first_row), None))
    }

    /// The same for a block; rows are counted from its first.
    pub fn codes_of(&self, block: &Block) -> Result<Vec<u32>> {
        let Coded { labels, codes } = coded(block)?;
        let position = |label: &Label| self.0.binary_search(label).ok().map(|code| code as u32);
        let positions: Vec<Option<u32>> = labels.iter().map(position).collect();
        let code = |(row, code): (usize, u32)| {
            positions[code as usize].ok_or_else(|| {
                let expected = format!("one of the {} classes that were seen", self.len());
                let found = format!("target {}", labels[code as usize]);
                Error::format(expected, found).at_row(row as u64)
            })
        };
        codes.into_iter().enumerate().map(code).collect()
    }
}

fn coded(block: &Block) -> Result<Coded> {
    let expected = "targets: the class of each row";
    let targets = block.targets.as_ref().ok_or_else(|| Error::format(expected, "no targets"))?;
    Coded::of(targets).map_err(|error| error.in_column_named("target"))
}

/// The classes of some rows, and how many rows each has.
///
/// # Errors
/// As for [`Classes::codes_of`]; [`ErrorKind::Limit`] for more than [`MAX_CLASSES`].
pub(crate) fn count(block: &Block, weights: &[f64]) -> Result<BTreeMap<Label, Rows>> {
    let Coded { labels, codes } = coded(block)?;
    check_number(labels.len())?;
    let mut rows = vec![Rows::default(); labels.len()];
    for (row, code) in codes.into_iter().enumerate() {
        let rows = &mut rows[code as usize];
        rows.n_samples += 1;
        rows.n_weighty += u64::from(weights.get(row).is_none_or(|&weight| weight > 0.0));
    }
    Ok(labels.into_iter().zip(rows).collect())
}

pub(crate) fn check_number(found: usize) -> Result<()> {
    if found <= MAX_CLASSES {
        return Ok(());
    }
    let what = "the number of classes (are the targets real numbers?)".to_owned();
    Err(ErrorKind::Limit { what, limit: MAX_CLASSES as u64, found: found as u64 }.into())
}
