//! Which classes are taken for which.

use std::collections::{BTreeMap, BTreeSet};

use drystone_core::{Block, ChunkedDataset, ErrorKind, Label, Result};
use drystone_kernels::ExactSum;
use ndarray::{Array2, ArrayView2};

use super::compared::{Compared, no_rows};
use super::predicted::Predicted;

/// Most classes of a matrix: its exact sums take up to 552 MB then.
const MAX_CLASSES: usize = 1000;

/// The weight of the rows of each class that are predicted to be of each class; their number
/// where rows have no weights.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfusionMatrix {
    classes: Vec<Label>,
    weights: Array2<f64>,
}

impl ConfusionMatrix {
    /// The classes that targets or predictions have, ascending.
    #[must_use]
    pub fn classes(&self) -> &[Label] {
        &self.classes
    }

    /// The weights, `(n_classes, n_classes)`: a row for each class of targets, a column for
    /// each of predictions, in the order of [`classes`](Self::classes).
    #[must_use]
    pub fn weights(&self) -> ArrayView2<'_, f64> {
        self.weights.view()
    }

    /// The weight of the rows of class `target` that are predicted to be of class `predicted`;
    /// 0 for classes that do not occur.
    #[must_use]
    pub fn weight(&self, target: &Label, predicted: &Label) -> f64 {
        let position = |label| self.classes.binary_search(label);
        match (position(target), position(predicted)) {
            (Ok(target), Ok(predicted)) => self.weights[(target, predicted)],
            _ => 0.0,
        }
    }
}

/// For each class, how its rows are predicted. The dataset's weights count; 1 for rows without.
///
/// Classes are compared by value, as [`Label`] says. One pass over the data, on all cores. Each
/// entry is summed exactly before it is rounded.
///
/// ```
/// use drystone_core::{Block, ChunkedArray, ChunkedDataset, Label, Targets};
/// use drystone_estimators::metrics::confusion_matrix;
/// use ndarray::array;
/// let targets = Targets::categories(&["cat", "dog", "dog"]);
/// let block = Block::new(array![[0.0], [1.0], [2.0]]).with_targets(targets);
/// let data = ChunkedDataset::from_resident(vec![block])?;
/// let names = || ["cat", "cat", "dog"].map(String::from).to_vec();
/// let predicted = ChunkedArray::new(&data, move |_| Ok(names().into()));
/// let matrix = confusion_matrix(&data, &predicted)?;
/// assert_eq!(matrix.classes(), ["cat", "dog"].map(Label::from));
/// assert_eq!(matrix.weights(), array![[1.0, 0.0], [1.0, 1.0]]);
/// # Ok::<(), drystone_core::Error>(())
/// ```
///
/// # Errors
/// As for [`accuracy`](super::accuracy); [`Limit`](ErrorKind::Limit) for over 1,000 classes.
///
/// # References
/// scikit-learn, `sklearn.metrics.confusion_matrix`.
pub fn confusion_matrix(
    data: &ChunkedDataset,
    predicted: &impl Predicted,
) -> Result<ConfusionMatrix> {
    let of_block = |block: &Block| {
        let compared = Compared::new(block, predicted)?;
        check_classes(compared.labels.len())?;
        Ok(Table::of(&compared))
    };
    data.fold_blocks(Table::default, of_block, Table::merged)?.matrix()
}

fn check_classes(found: usize) -> Result<()> {
    if found <= MAX_CLASSES {
        return Ok(());
    }
    let what = "the number of classes of a confusion matrix".to_owned();
    Err(ErrorKind::Limit { what, limit: MAX_CLASSES as u64, found: found as u64 }.into())
}

/// The entries that are not empty; none of them once there are too many classes.
#[derive(Default)]
struct Table {
    classes: BTreeSet<Label>,
    entries: BTreeMap<(Label, Label), ExactSum>,
    too_many: Option<usize>,
}

impl Table {
    fn of(compared: &Compared) -> Self {
        let mut sums: BTreeMap<(u32, u32), ExactSum> = BTreeMap::new();
        for (target, predicted, weight) in compared.rows() {
            sums.entry((target, predicted)).or_default().add(weight);
        }
        let label = |code: u32| compared.labels[code as usize].clone();
        let entries = sums.into_iter().map(|((target, predicted), sum)| {
            let pair = (label(target), label(predicted));
            (pair, sum)
        });
        let (classes, entries) = (compared.labels.iter().cloned().collect(), entries.collect());
        Self { classes, entries, too_many: None }
    }

    fn merged(mut self, other: Self) -> Self {
        self.classes.extend(other.classes);
        self.too_many = self.too_many.max(other.too_many);
        if self.classes.len() > MAX_CLASSES || self.too_many.is_some() {
            let too_many = self.too_many.max(Some(self.classes.len()));
            return Self { too_many, ..Self::default() };
        }
        for (pair, sum) in other.entries {
            self.entries.entry(pair).or_default().merge(&sum);
        }
        self
    }

    fn matrix(self) -> Result<ConfusionMatrix> {
        check_classes(self.too_many.unwrap_or(0))?;
        let classes: Vec<Label> = self.classes.into_iter().collect();
        let position = |label: &Label| classes.partition_point(|other| other < label);
        let mut weights = Array2::zeros((classes.len(), classes.len()));
        let mut all = ExactSum::new();
        for ((target, predicted), sum) in self.entries {
            weights[(position(&target), position(&predicted))] = sum.value();
            all.merge(&sum);
        }
        if all.value() == 0.0 { Err(no_rows()) } else { Ok(ConfusionMatrix { classes, weights }) }
    }
}
