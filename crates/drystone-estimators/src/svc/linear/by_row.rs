//! Classes and decisions of rows, as functions that travel.

use std::sync::OnceLock;

use drystone_core::collect::ByRow;
use drystone_core::{Block, Layout, Result};
use serde::{Deserialize, Serialize};

use super::decision::Decider;
use super::model::LinearSvc;
use crate::archive::as_file;

/// A model, and its weights as rows want them, made when first needed.
#[derive(Serialize, Deserialize)]
struct Ready {
    #[serde(with = "as_file")]
    svc: LinearSvc,
    #[serde(skip)]
    decider: OnceLock<Decider>,
}

impl Ready {
    fn new(svc: &LinearSvc) -> Self {
        Self { svc: svc.clone(), decider: OnceLock::new() }
    }

    fn decider(&self) -> &Decider {
        self.decider.get_or_init(|| Decider::new(&self.svc))
    }

    fn check(&self, layout: &Layout) -> Result<()> {
        layout.check_width(self.svc.n_features())
    }
}

/// The position of each row's class.
#[derive(Serialize, Deserialize)]
pub(crate) struct Codes(Ready);

/// The decision function.
#[derive(Serialize, Deserialize)]
pub(crate) struct DecisionFunction(Ready);

impl Codes {
    pub fn new(svc: &LinearSvc) -> Self {
        Self(Ready::new(svc))
    }
}

impl DecisionFunction {
    pub fn new(svc: &LinearSvc) -> Self {
        Self(Ready::new(svc))
    }
}

impl ByRow for Codes {
    const NAME: &'static str = "linear_svc.codes/1";
    type Value = u32;

    fn check(&self, layout: &Layout) -> Result<()> {
        self.0.check(layout)
    }

    fn of_block(&self, block: &Block) -> Result<Vec<u32>> {
        self.0.decider().codes(block)
    }
}

impl ByRow for DecisionFunction {
    const NAME: &'static str = "linear_svc.decision_function/1";
    type Value = f64;

    fn check(&self, layout: &Layout) -> Result<()> {
        self.0.check(layout)
    }

    fn of_block(&self, block: &Block) -> Result<Vec<f64>> {
        self.0.decider().decisions(block)
    }

    fn width(&self) -> usize {
        self.0.svc.n_problems()
    }
}
