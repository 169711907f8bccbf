//! The second pass of a standard scaler: weighted squares of differences from the means.

use drystone_core::wire::{exact_sums, raw};
use drystone_core::{BlockAt, Job, Layout, Partial, Result};
use drystone_kernels::ExactSum;
use serde::{Deserialize, Serialize};

use super::rows::for_each_row;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Spread {
    #[serde(with = "raw")]
    pub center: Vec<f64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SpreadPartial {
    #[serde(with = "exact_sums")]
    sums: Vec<ExactSum>,
}

impl SpreadPartial {
    pub fn sum(&self, column: usize) -> f64 {
        self.sums[column].value()
    }
}

impl Partial for SpreadPartial {
    fn merge(&mut self, other: Self) {
        self.sums.iter_mut().zip(&other.sums).for_each(|(sum, other)| sum.merge(other));
    }
}

impl Job for Spread {
    const NAME: &'static str = "preprocessing.spread/1";
    type State = ();
    type Partial = SpreadPartial;

    fn check(&self, layout: &Layout) -> Result<()> {
        layout.check_width(self.center.len())
    }

    fn empty(&self) -> SpreadPartial {
        SpreadPartial { sums: vec![ExactSum::new(); self.center.len()] }
    }

    fn map(&self, rows: &BlockAt, (): &mut (), into: &mut SpreadPartial) -> Result<()> {
        for_each_row(rows, self.center.len(), |weight, values| {
            if weight == 0.0 {
                return;
            }
            let columns = values.iter().zip(&self.center).zip(&mut into.sums);
            columns.for_each(|((value, center), sum)| {
                let difference = value - center;
                sum.add(weight * (difference * difference));
            });
        })
    }
}
