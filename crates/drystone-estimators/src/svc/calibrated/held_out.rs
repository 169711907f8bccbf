//! The pass over the rows of a fold: how the model that was fitted without them decides.

use std::collections::BTreeMap;

use drystone_core::wire::raw;
use drystone_core::{BlockAt, Error, Job, Layout, Partial, Result};
use serde::{Deserialize, Serialize};

use crate::archive::as_file;
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
    pub runs: BTreeMap<u64, Run>,
}

/// Rows that follow each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    /// The class of each row.
    #[serde(with = "raw")]
    pub codes: Vec<u32>,
    /// Those that tell a row's class from another, `(n_rows, n_classes - 1)`.
    #[serde(with = "raw")]
    pub decisions: Vec<f64>,
    /// None if all are 1.
    #[serde(with = "raw")]
    pub weights: Vec<f64>,
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
pub(super) fn pair(n_classes: usize, class: usize, other: usize) -> usize {
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
