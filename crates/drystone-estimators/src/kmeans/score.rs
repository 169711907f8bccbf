//! The cost of given centroids on a dataset: one pass.

use drystone_core::wire::exact_sums;
use drystone_core::{BlockAt, Job, Layout, Partial, Result};
use drystone_kernels::ExactSum;
use serde::{Deserialize, Serialize};

use super::assign::Assignments;
use super::element::{Real, check_job, named, records_of};
use super::lloyd::Centroids;
use crate::rows::weight_of;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub(crate) struct Score<T> {
    pub n_features: usize,
    pub centroids: Centroids<T>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ScorePartial {
    #[serde(with = "exact_sums")]
    cost: Vec<ExactSum>,
}

impl ScorePartial {
    pub fn cost(&self) -> f64 {
        self.cost[0].value()
    }
}

impl Partial for ScorePartial {
    fn merge(&mut self, other: Self) {
        self.cost[0].merge(&other.cost[0]);
    }
}

impl<T: Real> Job for Score<T> {
    const NAME: &'static str = named(T::DTYPE, "kmeans.score.f32/1", "kmeans.score.f64/1");
    type State = ();
    type Partial = ScorePartial;

    fn check(&self, layout: &Layout) -> Result<()> {
        check_job(layout, self.n_features, 1)?;
        self.centroids.check(self.n_features)
    }

    fn empty(&self) -> ScorePartial {
        ScorePartial { cost: vec![ExactSum::new()] }
    }

    fn map(&self, rows: &BlockAt, (): &mut (), into: &mut ScorePartial) -> Result<()> {
        let records = records_of::<T>(rows, self.n_features)?;
        let weights = rows.block.weights.as_deref();
        let mut batches = Assignments::new(records, self.n_features, &self.centroids.0);
        while let Some(batch) = batches.next().map_err(|none| none.in_slice(rows))? {
            for (row, d2) in (batch.first_row..).zip(batch.d2) {
                into.cost[0].add(weight_of(weights, row) * d2);
            }
        }
        Ok(())
    }
}
