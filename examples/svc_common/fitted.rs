//! What was fitted: an SVC, with probabilities if they were asked for.

use std::path::Path;

use drystone::metrics::log_loss;
use drystone::svc::SvcParams;
use drystone::{Calibrated, ChunkedDataset, Result, Svc};

pub enum Fitted {
    Svc(Svc),
    Calibrated(Calibrated<Svc>),
}

impl Fitted {
    pub fn fit(params: SvcParams<'_>, calibrate: bool, train: &ChunkedDataset) -> Result<Self> {
        match calibrate {
            true => Calibrated::params(params).fit(train).map(Self::Calibrated),
            false => params.fit(train).map(Self::Svc),
        }
    }

    pub fn svc(&self) -> &Svc {
        match self {
            Self::Svc(svc) => svc,
            Self::Calibrated(calibrated) => calibrated.svc(),
        }
    }

    pub fn calibrated(&self) -> Option<&Calibrated<Svc>> {
        match self {
            Self::Svc(_) => None,
            Self::Calibrated(calibrated) => Some(calibrated),
        }
    }

    pub fn save(&self, path: &Path) -> Result<()> {
        match self {
            Self::Svc(svc) => svc.save(path),
            Self::Calibrated(calibrated) => calibrated.save(path),
        }
    }

    pub fn sha256(&self) -> Result<String> {
        match self {
            Self::Svc(svc) => svc.sha256(),
            Self::Calibrated(calibrated) => calibrated.sha256(),
        }
    }

    /// How surprised the probabilities are by these rows.
    pub fn log_loss(&self, test: &ChunkedDataset) -> Result<Option<f64>> {
        let of = |calibrated: &Calibrated<Svc>| {
            log_loss(test, calibrated.classes(), &calibrated.predict_proba(test))
        };
        self.calibrated().map(of).transpose()
    }
}
