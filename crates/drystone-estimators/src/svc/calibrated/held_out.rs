//! The pass over the rows of a fold: how the model that was fitted without them decides.

use std::collections::BTreeMap;

use drystone_core::wire::raw;
use drystone_core::{BlockAt, Error, Job, Layout, Partial, Result};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde::{Deserialize, Serialize};

use super::Sigmoid;
use crate::svc::Svc;

/// Decides rows by a model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct HeldOut {
    #[serde(with = "as_file")]
    svc: Svc,
}

/// Rows that were decided, by the position of the first of each slice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct HeldOutPartial {
    runs: BTreeMap<u64, Run>,
}

/// Rows that follow each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Run {
    /// The class of each row.
    #[serde(with = "raw")]
    codes: Vec<u32>,
    /// Those that tell a row's class from another, `(n_rows, n_classes - 1)`.
    #[serde(with = "raw")]
    decisions: Vec<f64>,
    /// None if all are 1.
    #[serde(with = "raw")]
    weights: Vec<f64>,
}

impl Partial for HeldOutPartial {
    fn merge(&mut self, other: Self) {
        self.runs.extend(other.runs);
    }
}

impl HeldOut {
    pub fn new(svc: Svc) -> Self {
        Self { svc }
    }

    pub fn svc(&self) -> &Svc {
        &self.svc
    }

    fn run(&self, rows: &BlockAt) -> Result<Run> {
        let block = &rows.block;
        let codes = self.svc.classes.codes_of(block)?;
        let decisions = self.svc.pairwise_decisions()(block)?;
        let n_classes = self.svc.n_classes();
        let n_pairs = n_classes * (n_classes - 1) / 2;
        let mut own = Vec::with_capacity(codes.len() * (n_classes - 1));
        for (&code, decisions) in codes.iter().zip(decisions.chunks_exact(n_pairs)) {
            let others = (0..n_classes).filter(|other| *other != code as usize);
            own.extend(others.map(|other| decisions[pair(n_classes, code as usize, other)]));
        }
        let weights = block.weights.as_deref().unwrap_or_default().to_vec();
        Ok(Run { codes, decisions: own, weights })
    }
}

/// The position of two classes among all two classes.
fn pair(n_classes: usize, class: usize, other: usize) -> usize {
    let (first, second) = (class.min(other), class.max(other));
    first * (2 * n_classes - first - 1) / 2 + second - first - 1
}

impl Job for HeldOut {
    const NAME: &'static str = "svc.held_out/1";
    type State = ();
    type Partial = HeldOutPartial;

    fn check(&self, layout: &Layout) -> Result<()> {
        layout.check_width(self.svc.n_features())
    }

    fn empty(&self) -> HeldOutPartial {
        HeldOutPartial::default()
    }

    fn map(&self, rows: &BlockAt, (): &mut (), into: &mut HeldOutPartial) -> Result<()> {
        let located = |error: Error| rows.locate(error.moved_down(rows.first_row), None);
        let run = self.run(rows).map_err(located)?;
        if !run.codes.is_empty() {
            into.runs.insert(rows.first_row, run);
        }
        Ok(())
    }
}

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

/// A model travels as its file, which is checked when it arrives.
mod as_file {
    use drystone_core::wire::bytes;
    use serde::{Deserializer, Serializer, de, ser};

    use crate::svc::Svc;

    pub fn serialize<S: Serializer>(svc: &Svc, to: S) -> Result<S::Ok, S::Error> {
        bytes::serialize(&svc.to_bytes().map_err(ser::Error::custom)?, to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Svc, D::Error> {
        let found: Vec<u8> = bytes::deserialize(from)?;
        Svc::from_bytes(&found).map_err(de::Error::custom)
    }
}
