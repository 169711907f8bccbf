//! Probabilities and predictions, row by row, lazily.

use drystone_core::label::Coded;
use drystone_core::{Block, ChunkedArray, ChunkedDataset, Result, ToChunked};
use ndarray::{Ix1, Ix2};

use super::by_row::{Codes, Probabilities};
use super::coupling::Coupling;
use super::{Calibrated, Sigmoid};
use crate::metrics::{Predicted, accuracy};
use crate::svc::classes::labels_of;
use crate::svc::{PredictedLabel, Svc};

impl Calibrated<Svc> {
    /// The probability of each class, `(n_samples, n_classes)`, lazily; rows sum to 1.
    ///
    /// Of two classes, the sigmoid's; of more, [`couple`](super::couple)d. Computing the array
    /// fails when the data are of another width or not finite, with block, row and column.
    pub fn predict_proba(&self, data: &ChunkedDataset) -> ChunkedArray<f64, Ix2> {
        ChunkedArray::by_row(data, Probabilities::new(self))
    }

    /// The most probable class of each row, lazily: as `i64`, `f64`, `String` or
    /// [`Label`](drystone_core::Label). Of equals, the first.
    ///
    /// It agrees with [`predict_proba`](Self::predict_proba), and so may not with the votes
    /// that `svc().predict()` counts.
    ///
    /// # Errors
    /// As for [`Svc::predict`].
    pub fn predict<L: PredictedLabel>(
        &self,
        data: &impl ToChunked,
    ) -> Result<ChunkedArray<L, Ix1>> {
        let codes = ChunkedArray::by_row(&data.to_chunked()?, Codes::new(self));
        Ok(labels_of(&codes, self.model.labels()?))
    }

    /// The share of rows whose class is the most probable, weighted as the rows are. One pass.
    ///
    /// # Errors
    /// As for [`Svc::score`].
    pub fn score(&self, data: &ChunkedDataset) -> Result<f64> {
        accuracy(data, self)
    }

    /// The probabilities of a block's rows, `(n_rows, n_classes)`, row-major.
    pub(super) fn probabilities_of(&self, block: &Block) -> Result<Vec<f64>> {
        let decisions = self.model.pairwise_decisions()(block)?;
        Ok(match self.sigmoids.as_slice() {
            [sigmoid] => of_two(sigmoid, &decisions),
            sigmoids => of_many(self.model.n_classes(), sigmoids, &decisions),
        })
    }

    /// The position of each row's most probable class.
    pub(super) fn codes_of(&self, block: &Block) -> Result<Vec<u32>> {
        let n_classes = self.model.n_classes();
        Ok(self.probabilities_of(block)?.chunks_exact(n_classes).map(most_probable).collect())
    }
}

/// A positive decision speaks for the second.
fn of_two(sigmoid: &Sigmoid, decisions: &[f64]) -> Vec<f64> {
    let row = |&decision: &f64| {
        let (second, first) = sigmoid.probabilities(decision);
        [first, second]
    };
    decisions.iter().flat_map(row).collect()
}

fn of_many(n_classes: usize, sigmoids: &[Sigmoid], decisions: &[f64]) -> Vec<f64> {
    let rows = decisions.chunks_exact(sigmoids.len());
    let mut out = Vec::with_capacity(rows.len() * n_classes);
    let mut coupling = Coupling::new(n_classes);
    let mut pairwise = Vec::with_capacity(sigmoids.len());
    for decisions in rows {
        pairwise.clear();
        let pairs = sigmoids.iter().zip(decisions);
        pairwise.extend(pairs.map(|(sigmoid, &decision)| sigmoid.probability(decision)));
        coupling.couple(&pairwise, &mut out);
    }
    out
}

fn most_probable(probabilities: &[f64]) -> u32 {
    let mut best = 0;
    for class in 1..probabilities.len() {
        if probabilities[class] > probabilities[best] {
            best = class;
        }
    }
    best as u32
}

impl Predicted for Calibrated<Svc> {
    fn classes_of(&self, block: &Block) -> Result<Coded> {
        Ok(Coded { labels: self.classes().to_vec(), codes: self.codes_of(block)? })
    }
}
