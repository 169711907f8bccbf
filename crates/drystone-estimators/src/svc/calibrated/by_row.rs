//! Probabilities and classes of rows, as functions that travel.

use drystone_core::collect::ByRow;
use drystone_core::{Block, Layout, Result};
use serde::{Deserialize, Serialize};

use super::Calibrated;
use crate::archive::as_file;
use crate::svc::Svc;

/// The probability of each class.
#[derive(Serialize, Deserialize)]
pub(crate) struct Probabilities {
    #[serde(with = "as_file")]
    model: Calibrated<Svc>,
}

/// The position of each row's most probable class.
#[derive(Serialize, Deserialize)]
pub(crate) struct Codes {
    #[serde(with = "as_file")]
    model: Calibrated<Svc>,
}

impl Probabilities {
    pub fn new(model: &Calibrated<Svc>) -> Self {
        model.model.decider();
        Self { model: model.clone() }
    }
}

impl Codes {
    pub fn new(model: &Calibrated<Svc>) -> Self {
        model.model.decider();
        Self { model: model.clone() }
    }
}

impl ByRow for Probabilities {
    const NAME: &'static str = "svc.probabilities/1";
    type Value = f64;

    fn check(&self, layout: &Layout) -> Result<()> {
        layout.check_width(self.model.svc().n_features())
    }

    fn of_block(&self, block: &Block) -> Result<Vec<f64>> {
        self.model.probabilities_of(block)
    }

    fn width(&self) -> usize {
        self.model.classes().len()
    }
}

impl ByRow for Codes {
    const NAME: &'static str = "svc.most_probable/1";
    type Value = u32;

    fn check(&self, layout: &Layout) -> Result<()> {
        layout.check_width(self.model.svc().n_features())
    }

    fn of_block(&self, block: &Block) -> Result<Vec<u32>> {
        self.model.codes_of(block)
    }
}
