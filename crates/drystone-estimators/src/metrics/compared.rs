//! The targets and predictions of a block, in codes of one list of classes.

use drystone_core::buffer::Shared;
use drystone_core::label::Coded;
use drystone_core::{Block, Error, ErrorKind, Label, Result};

use super::predicted::Predicted;

pub(super) struct Compared {
    /// The classes of targets and predictions, ascending.
    pub labels: Vec<Label>,
    targets: Vec<u32>,
    predicted: Vec<u32>,
    weights: Option<Shared<f64>>,
}

impl Compared {
    pub fn new(block: &Block, predicted: &impl Predicted) -> Result<Self> {
        let targets = classes(block)?;
        let predicted = predicted.classes_of(block)?;
        check_rows("predictions", block, predicted.codes.len())?;
        check_weights(block)?;
        let mut labels = [targets.labels.clone(), predicted.labels.clone()].concat();
        labels.sort_unstable();
        labels.dedup();
        let (targets, predicted) = (recoded(targets, &labels), recoded(predicted, &labels));
        Ok(Self { labels, targets, predicted, weights: block.weights.clone() })
    }

    /// Target, prediction and weight of each row.
    pub fn rows(&self) -> impl Iterator<Item = (u32, u32, f64)> + '_ {
        let weight = |row: usize| self.weights.as_ref().map_or(1.0, |weights| weights[row]);
        let pairs = self.targets.iter().zip(&self.predicted).enumerate();
        pairs.map(move |(row, (&target, &predicted))| (target, predicted, weight(row)))
    }
}

/// The classes of a block's targets.
pub(super) fn classes(block: &Block) -> Result<Coded> {
    let Some(targets) = &block.targets else {
        return Err(Error::format("targets to compare with", "no targets"));
    };
    check_rows("targets", block, targets.len())?;
    Coded::of(targets)
}

pub(super) fn check_rows(what: &str, block: &Block, found: usize) -> Result<()> {
    let expected = block.n_samples();
    if found == expected {
        return Ok(());
    }
    Err(Error::shape(what, expected as u64, found as u64))
}

pub(super) fn check_weights(block: &Block) -> Result<()> {
    let weights = block.weights.as_deref().unwrap_or_default();
    match weights.iter().position(|&weight| !(weight >= 0.0 && weight.is_finite())) {
        Some(row) => {
            let error: Error = ErrorKind::Weight { found: weights[row].to_string() }.into();
            Err(error.at_row(row as u64))
        }
        None => Ok(()),
    }
}

/// # Errors
/// When sums of weights have left the range of numbers.
pub(super) fn finite(value: f64) -> Result<f64> {
    if value.is_finite() {
        return Ok(value);
    }
    Err(Error::format("weights whose sums and products are finite", "a metric that is not"))
}

pub(super) fn no_rows() -> Error {
    ErrorKind::Empty { what: "there are no rows of positive weight to compare".into() }.into()
}

/// Codes in a list that has all labels.
fn recoded(coded: Coded, labels: &[Label]) -> Vec<u32> {
    let position = |label: &Label| labels.partition_point(|other| other < label) as u32;
    let positions: Vec<u32> = coded.labels.iter().map(position).collect();
    coded.codes.into_iter().map(|code| positions[code as usize]).collect()
}
