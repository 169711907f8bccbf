//! The first pass of a standard scaler: weighted sums of columns, and whether they vary.

use drystone_core::wire::exact_sums;
use drystone_core::{BlockAt, Job, Layout, Partial, Result};
use drystone_kernels::ExactSum;
use serde::{Deserialize, Serialize};

use super::rows::{for_each_row, widen};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sums {
    pub n_features: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SumsPartial {
    pub n_samples: u64,
    /// Least and greatest value of each column in rows of positive weight.
    pub min: Vec<f64>,
    pub max: Vec<f64>,
    /// The sum of each column, then that of the weights.
    #[serde(with = "exact_sums")]
    sums: Vec<ExactSum>,
}

impl SumsPartial {
    pub fn total_weight(&self) -> f64 {
        self.sums[self.min.len()].value()
    }

    /// The weighted mean of a column; that of a column of one value is the value.
    pub fn mean(&self, column: usize) -> f64 {
        if self.is_single(column) {
            return self.min[column];
        }
        self.sums[column].value() / self.total_weight()
    }

    /// Whether all values of a column are the same.
    pub fn is_single(&self, column: usize) -> bool {
        self.min[column] == self.max[column]
    }
}

impl Partial for SumsPartial {
    fn merge(&mut self, other: Self) {
        self.n_samples += other.n_samples;
        self.min.iter_mut().zip(other.min).for_each(|(min, other)| *min = min.min(other));
        self.max.iter_mut().zip(other.max).for_each(|(max, other)| *max = max.max(other));
        self.sums.iter_mut().zip(&other.sums).for_each(|(sum, other)| sum.merge(other));
    }
}

impl Job for Sums {
    const NAME: &'static str = "preprocessing.sums/1";
    type State = ();
    type Partial = SumsPartial;

    fn check(&self, layout: &Layout) -> Result<()> {
        layout.check_width(self.n_features)
    }

    fn empty(&self) -> SumsPartial {
        SumsPartial {
            n_samples: 0,
            min: vec![f64::INFINITY; self.n_features],
            max: vec![f64::NEG_INFINITY; self.n_features],
            sums: vec![ExactSum::new(); self.n_features + 1],
        }
    }

    fn map(&self, rows: &BlockAt, (): &mut (), into: &mut SumsPartial) -> Result<()> {
        for_each_row(rows, self.n_features, |weight, values| {
            into.n_samples += 1;
            if weight == 0.0 {
                return;
            }
            widen(&mut into.min, &mut into.max, values);
            let sums = into.sums.iter_mut().zip(values);
            sums.for_each(|(sum, value)| sum.add(weight * value));
            into.sums[values.len()].add(weight);
        })
    }
}
