//! The first pass: classes and their rows, column means and extremes, bad numbers.

use std::collections::BTreeMap;

use drystone_core::column::{Moments, MomentsPartial};
use drystone_core::{BlockAt, Error, ErrorKind, Job, Label, Layout, Partial, Records, Result};
use serde::{Deserialize, Serialize};

use super::classes::{Rows, check_number, count};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Survey {
    pub n_features: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SurveyPartial {
    pub moments: MomentsPartial,
    pub classes: BTreeMap<Label, Rows>,
    pub max_weight: f64,
}

impl SurveyPartial {
    fn add_classes(&mut self, more: BTreeMap<Label, Rows>) {
        for (label, more) in more {
            let rows = self.classes.entry(label).or_default();
            rows.n_samples += more.n_samples;
            rows.n_weighty += more.n_weighty;
        }
    }
}

impl Partial for SurveyPartial {
    fn merge(&mut self, other: Self) {
        self.moments.merge(other.moments);
        self.max_weight = self.max_weight.max(other.max_weight);
        self.add_classes(other.classes);
    }
}

impl Job for Survey {
    const NAME: &'static str = "svc.survey/1";
    type State = ();
    type Partial = SurveyPartial;

    fn check(&self, layout: &Layout) -> Result<()> {
        layout.check_width(self.n_features)
    }

    fn empty(&self) -> SurveyPartial {
        SurveyPartial {
            moments: Moments { n_features: self.n_features }.empty(),
            classes: BTreeMap::new(),
            max_weight: 0.0,
        }
    }

    fn map(&self, rows: &BlockAt, (): &mut (), into: &mut SurveyPartial) -> Result<()> {
        let located = |error: Error| rows.locate(error.moved_down(rows.first_row), None);
        check_records(&rows.block.records).map_err(located)?;
        let weights = rows.block.weights.as_deref().unwrap_or_default();
        for (row, &weight) in weights.iter().enumerate() {
            if !(weight >= 0.0 && weight.is_finite()) {
                let error: Error = ErrorKind::Weight { found: weight.to_string() }.into();
                return Err(rows.locate(error, Some(row)));
            }
        }
        let largest = if rows.block.weights.is_some() { 0.0 } else { 1.0 };
        into.max_weight = weights.iter().fold(into.max_weight.max(largest), |a, &b| a.max(b));
        into.add_classes(count(&rows.block, weights).map_err(located)?);
        check_number(into.classes.len())?;
        Moments { n_features: self.n_features }.map(rows, &mut (), &mut into.moments)
    }
}

/// # Errors
/// [`ErrorKind::NotFinite`] for the first number that is not finite, with its row, counted
/// from the first of these, and column.
pub(crate) fn check_records(records: &Records) -> Result<()> {
    let found = match records {
        Records::F32(records) => not_finite(records.values().iter().map(|&x| f64::from(x))),
        Records::F64(records) => not_finite(records.values().iter().copied()),
    };
    let Some((at, found)) = found else { return Ok(()) };
    let n_features = records.n_features();
    let error: Error = ErrorKind::NotFinite { found: found.to_string() }.into();
    Err(error.at_row((at / n_features) as u64).at_column((at % n_features) as u64))
}

fn not_finite(mut values: impl Iterator<Item = f64>) -> Option<(usize, f64)> {
    values.by_ref().enumerate().find(|(_, value)| !value.is_finite())
}
