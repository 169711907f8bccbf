//! The pass of a min-max scaler: the least and the greatest value of each column.

use drystone_core::wire::raw;
use drystone_core::{BlockAt, Job, Layout, Partial, Result};
use serde::{Deserialize, Serialize};

use super::rows::{for_each_row, widen};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Extremes {
    pub n_features: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ExtremesPartial {
    pub n_samples: u64,
    #[serde(with = "raw")]
    pub min: Vec<f64>,
    #[serde(with = "raw")]
    pub max: Vec<f64>,
}

impl Partial for ExtremesPartial {
    fn merge(&mut self, other: Self) {
        self.n_samples += other.n_samples;
        self.min.iter_mut().zip(other.min).for_each(|(min, other)| *min = min.min(other));
        self.max.iter_mut().zip(other.max).for_each(|(max, other)| *max = max.max(other));
    }
}

impl Job for Extremes {
    const NAME: &'static str = "preprocessing.extremes/1";
    type State = ();
    type Partial = ExtremesPartial;

    fn check(&self, layout: &Layout) -> Result<()> {
        layout.check_width(self.n_features)
    }

    fn empty(&self) -> ExtremesPartial {
        ExtremesPartial {
            n_samples: 0,
            min: vec![f64::INFINITY; self.n_features],
            max: vec![f64::NEG_INFINITY; self.n_features],
        }
    }

    fn map(&self, rows: &BlockAt, (): &mut (), into: &mut ExtremesPartial) -> Result<()> {
        for_each_row(rows, self.n_features, |_, values| {
            into.n_samples += 1;
            widen(&mut into.min, &mut into.max, values);
        })
    }
}
