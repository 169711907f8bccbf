//! Labels of rows and their distances to the centroids, as functions that travel.

use drystone_core::collect::ByRow;
use drystone_core::executor::SLICE_ROWS;
use drystone_core::{Block, Error, ErrorKind, Layout, Records, Result};
use drystone_kernels::Isa;
use drystone_kernels::distance::distances;
use serde::{Deserialize, Serialize};

use super::assign::Assigner;
use super::element::{Real, batch_rows};
use super::model::KMeans;
use crate::archive::as_file;

/// Distances that are found at a time, at most: 16 MiB of them.
const SLICE_DISTANCES: usize = 2 << 20;

/// The index of each row's nearest centroid.
#[derive(Serialize, Deserialize)]
pub(crate) struct Labels {
    #[serde(with = "as_file")]
    model: KMeans,
}

/// The distances of each row to all centroids.
#[derive(Serialize, Deserialize)]
pub(crate) struct Distances {
    #[serde(with = "as_file")]
    model: KMeans,
}

impl Labels {
    pub fn new(model: &KMeans) -> Self {
        Self { model: model.clone() }
    }
}

impl Distances {
    pub fn new(model: &KMeans) -> Self {
        Self { model: model.clone() }
    }
}

impl ByRow for Labels {
    const NAME: &'static str = "kmeans.labels/1";
    type Value = u32;

    fn check(&self, layout: &Layout) -> Result<()> {
        check(&self.model, layout)
    }

    fn of_block(&self, block: &Block) -> Result<Vec<u32>> {
        match &self.model.centroids {
            Records::F32(rows) => labels(block, rows.values(), rows.n_features()),
            Records::F64(rows) => labels(block, rows.values(), rows.n_features()),
        }
    }
}

impl ByRow for Distances {
    const NAME: &'static str = "kmeans.distances/1";
    type Value = f64;

    fn check(&self, layout: &Layout) -> Result<()> {
        check(&self.model, layout)
    }

    fn of_block(&self, block: &Block) -> Result<Vec<f64>> {
        match &self.model.centroids {
            Records::F32(rows) => all_distances(block, rows.values(), rows.n_features()),
            Records::F64(rows) => all_distances(block, rows.values(), rows.n_features()),
        }
    }

    fn width(&self) -> usize {
        self.model.n_clusters()
    }

    fn slice_rows(&self) -> usize {
        SLICE_ROWS.min(SLICE_DISTANCES / self.width().max(1)).max(1)
    }
}

fn check(model: &KMeans, layout: &Layout) -> Result<()> {
    layout.check_width(model.n_features())?;
    if layout.dtype == model.centroids.dtype() {
        return Ok(());
    }
    let (expected, found) = (model.centroids.dtype().to_string(), layout.dtype.to_string());
    Err(ErrorKind::Dtype { expected, found }.into())
}

fn records_of<T: Real>(block: &Block, n_features: usize) -> Result<&[T]> {
    let found = block.records.n_features();
    if found != n_features {
        return Err(Error::shape("features", n_features as u64, found as u64));
    }
    Ok(block.records.as_rows::<T>()?.values())
}

fn labels<T: Real>(block: &Block, centroids: &[T], n_features: usize) -> Result<Vec<u32>> {
    let records = records_of::<T>(block, n_features)?;
    let mut labels = Vec::with_capacity(block.n_samples());
    let mut assigner = Assigner::of_centroids(n_features, centroids);
    for records in records.chunks(batch_rows::<T>(n_features) * n_features) {
        let rows: Vec<u32> = (0..(records.len() / n_features) as u32).collect();
        let found = assigner.assign(records, &rows);
        labels.extend(&found.map_err(|none| no_distance(labels.len() + none.row))?.index);
    }
    Ok(labels)
}

/// The row is counted from the block's first.
fn no_distance(row: usize) -> Error {
    let expected = "finite rows within the range of the element type";
    Error::format(expected, "one at an infinite or undefined distance").at_row(row as u64)
}

fn all_distances<T: Real>(block: &Block, centroids: &[T], n_features: usize) -> Result<Vec<f64>> {
    let records = records_of::<T>(block, n_features)?;
    let n_clusters = centroids.len() / n_features;
    let index: Vec<u32> = (0..n_clusters as u32).collect();
    let same = vec![0; n_clusters];
    let mut all = vec![0.0; block.n_samples() * n_clusters];
    let rows = records.chunks_exact(n_features).zip(all.chunks_exact_mut(n_clusters));
    for (idx, (row, out)) in rows.enumerate() {
        distances(Isa::best(), row, n_features, &same, centroids, &index, out);
        if !out.iter().all(|d2| d2.is_finite()) {
            return Err(no_distance(idx));
        }
        out.iter_mut().for_each(|d2| *d2 = d2.sqrt());
    }
    Ok(all)
}
