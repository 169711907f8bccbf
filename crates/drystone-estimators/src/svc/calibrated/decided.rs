//! The decisions of all rows, each by a model that did not know it, for each two classes.

use drystone_core::Result;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::Sigmoid;
use super::held_out::{HeldOutPartial, pair};

/// The decisions of rows of one class against another, with the rows' weights.
#[derive(Clone, Debug, Default)]
struct Scores {
    decisions: Vec<f64>,
    /// None if all are 1.
    weights: Vec<f64>,
}

impl Scores {
    fn add(&mut self, decision: f64, weight: Option<f64>) {
        self.decisions.push(decision);
        self.weights.extend(weight);
    }

    fn as_slices(&self) -> (&[f64], &[f64]) {
        (&self.decisions, &self.weights)
    }
}

/// The decisions of all folds.
pub(super) struct Decided {
    n_classes: usize,
    /// For each two classes, those of rows that positive decisions speak for, and the others.
    pairs: Vec<[Scores; 2]>,
}

impl Decided {
    pub fn new(n_classes: usize) -> Self {
        let pairs = vec![Default::default(); n_classes * (n_classes - 1) / 2];
        Self { n_classes, pairs }
    }

    pub fn take_in(&mut self, found: HeldOutPartial) {
        let others = self.n_classes - 1;
        for run in found.runs.into_values() {
            let rows = run.codes.iter().zip(run.decisions.chunks_exact(others));
            for (row, (&code, decisions)) in rows.enumerate() {
                let weight = run.weights.get(row).copied();
                if weight != Some(0.0) {
                    self.add(code as usize, weight, decisions);
                }
            }
        }
    }

    fn add(&mut self, class: usize, weight: Option<f64>, decisions: &[f64]) {
        let others = (0..self.n_classes).filter(|other| *other != class);
        for (other, &decision) in others.zip(decisions) {
            // With two classes, positive speaks for the second.
            let is_positive = (class < other) != (self.n_classes == 2);
            let scores = &mut self.pairs[pair(self.n_classes, class, other)];
            scores[usize::from(!is_positive)].add(decision, weight);
        }
    }

    /// The sigmoid of each two classes.
    pub fn sigmoids(&self) -> Result<Vec<Sigmoid>> {
        let sigmoid = |[positive, negative]: &[Scores; 2]| match positive.weights.is_empty() {
            true => Sigmoid::fit(&positive.decisions, &negative.decisions),
            false => Sigmoid::fit_weighted(positive.as_slices(), negative.as_slices()),
        };
        self.pairs.par_iter().map(sigmoid).collect()
    }
}
