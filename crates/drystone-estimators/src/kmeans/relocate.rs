//! Empty clusters take the rows that are farthest from their centroids: one extra pass,
//! only when there are any.

use drystone_core::{BlockAt, Job, Layout, Partial, Result};
use drystone_kernels::Isa;
use drystone_kernels::limbs::{ClusterSums, Scales};
use drystone_kernels::nearest::nearest;
use serde::{Deserialize, Serialize};

use super::assign::Assignments;
use super::element::{Real, check_job, named, records_of};
use super::lloyd::Centroids;
use crate::draws::{Drawn, Smallest};
use crate::rows::row_values;
use crate::rows::weight_of;

/// Finds the rows of positive weight that are farthest from their nearest centroid.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub(crate) struct Farthest<T> {
    pub n_features: usize,
    pub centroids: Centroids<T>,
    pub n_rows: usize,
}

/// The farthest rows: keys are negative squared distances.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FarthestPartial(pub Smallest);

impl Partial for FarthestPartial {
    fn merge(&mut self, other: Self) {
        self.0.merge(other.0);
    }
}

impl<T: Real> Job for Farthest<T> {
    const NAME: &'static str = named(T::DTYPE, "kmeans.farthest.f32/1", "kmeans.farthest.f64/1");
    type State = ();
    type Partial = FarthestPartial;

    fn check(&self, layout: &Layout) -> Result<()> {
        check_job(layout, self.n_features, 1)?;
        self.centroids.check(self.n_features)
    }

    fn empty(&self) -> FarthestPartial {
        FarthestPartial(Smallest::new(self.n_rows))
    }

    fn map(&self, rows: &BlockAt, (): &mut (), into: &mut FarthestPartial) -> Result<()> {
        let records = records_of::<T>(rows, self.n_features)?;
        let weights = rows.block.weights.as_deref();
        let mut batches = Assignments::new(records, self.n_features, &self.centroids.0);
        while let Some(batch) = batches.next().map_err(|none| none.in_slice(rows))? {
            for (row, &d2) in (batch.first_row..).zip(batch.d2) {
                let weight = weight_of(weights, row);
                if weight > 0.0 && d2 > 0.0 {
                    let values = || row_values(&rows.block.records, row);
                    into.0.offer(-d2, rows.first_row + row as u64, weight, values);
                }
            }
        }
        into.0.seal();
        Ok(())
    }
}

/// Clusters without weight.
pub(crate) fn empty_clusters(sums: &ClusterSums) -> Vec<usize> {
    (0..sums.n_clusters()).filter(|&cluster| sums.weights()[cluster] == 0).collect()
}

/// Moves one row to each empty cluster, the farthest to the first; a row that is all of
/// its cluster stays. Clusters for which no row is left remain empty.
pub(crate) fn relocate<T: Real>(
    sums: &mut ClusterSums,
    farthest: &[Drawn],
    centroids: &[T],
    scales: &Scales,
) {
    let n_features = sums.n_features();
    let doubles: Vec<f64> = centroids.iter().map(|c| c.to_f64()).collect();
    let mut empty = empty_clusters(sums).into_iter().peekable();
    for drawn in farthest {
        let Some(&cluster) = empty.peek() else { break };
        let row: Vec<T> = drawn.values.iter().map(|&value| T::from_f64(value)).collect();
        let (mut best, mut donor) = ([0.0], [0]);
        nearest(Isa::best(), &drawn.values, n_features, &doubles, &mut best, &mut donor);
        let donor = donor[0] as usize;
        // A source that changed may show a row of a cluster that had none.
        if sums.count(donor) == 0 || sums.remove_row(donor, &row, drawn.weight, scales).is_err() {
            continue;
        }
        let gave = sums.add_row(cluster, &row, drawn.weight, scales).is_ok();
        if gave && sums.weights()[donor] != 0 && sums.weights()[cluster] != 0 {
            empty.next();
            continue;
        }
        // Back again: the same values fit, and both steps undo each other exactly.
        if gave {
            let _ = sums.remove_row(cluster, &row, drawn.weight, scales);
        }
        let _ = sums.add_row(donor, &row, drawn.weight, scales);
    }
}
