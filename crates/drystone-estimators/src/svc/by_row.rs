//! Classes and decisions of rows, as functions that travel.

use drystone_core::collect::ByRow;
use drystone_core::{Block, Layout, Result};
use serde::{Deserialize, Serialize};

use super::model::Svc;
use crate::archive::as_file;

/// The position of each row's class.
#[derive(Serialize, Deserialize)]
pub(crate) struct Codes {
    #[serde(with = "as_file")]
    svc: Svc,
}

/// The decision function.
#[derive(Serialize, Deserialize)]
pub(crate) struct DecisionFunction {
    #[serde(with = "as_file")]
    svc: Svc,
}

impl Codes {
    pub fn new(svc: &Svc) -> Self {
        svc.decider();
        Self { svc: svc.clone() }
    }
}

impl DecisionFunction {
    pub fn new(svc: &Svc) -> Self {
        svc.decider();
        Self { svc: svc.clone() }
    }
}

impl ByRow for Codes {
    const NAME: &'static str = "svc.codes/1";
    type Value = u32;

    fn check(&self, layout: &Layout) -> Result<()> {
        layout.check_width(self.svc.n_features())
    }

    fn of_block(&self, block: &Block) -> Result<Vec<u32>> {
        self.svc.codes_of(block)
    }
}

impl ByRow for DecisionFunction {
    const NAME: &'static str = "svc.decision_function/1";
    type Value = f64;

    fn check(&self, layout: &Layout) -> Result<()> {
        layout.check_width(self.svc.n_features())
    }

    fn of_block(&self, block: &Block) -> Result<Vec<f64>> {
        self.svc.decisions_of(block)
    }

    fn width(&self) -> usize {
        self.svc.n_decisions()
    }
}
