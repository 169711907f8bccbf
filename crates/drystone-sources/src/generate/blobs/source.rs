//! The blocks of [`Blobs`].

use std::sync::Arc;

use drystone_core::registry::Opener;
use drystone_core::{Block, BlockSource, Description, Layout, Result, rng, wire};
use ndarray::Array2;
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::Uniform;

use super::{Blobs, Centers, KIND};
use crate::generate::normals::{MAX_NORMAL, Normals};
use crate::generate::order::Order;
use crate::generate::{purpose, tiles};

/// What [`Blobs`] makes when its parameters are valid.
#[derive(Clone, Debug)]
pub struct BlobsSource {
    params: Blobs,
    layout: Layout,
    centers: Array2<f64>,
    stds: Vec<f64>,
    order: Order,
}

impl BlobsSource {
    pub(super) fn new(mut params: Blobs) -> Result<Self> {
        params.size.check()?;
        let n_centers = params.check_n_centers()?;
        let n_values = (n_centers as u64).checked_mul(params.size.n_features as u64);
        params.size.check_kept("the number of coordinates of centres", n_values)?;
        let stds = params.check_stds(n_centers)?;
        let sizes = params.check_sizes(n_centers)?;
        let centers = params.make_centers(n_centers)?;
        let largest = |values: &[f64]| values.iter().fold(0.0, |max: f64, v| max.max(v.abs()));
        let reach = largest(centers.as_slice().unwrap_or_default()) + MAX_NORMAL * largest(&stds);
        params.size.check_range("centers and cluster_std", reach)?;
        let order = match params.shuffle {
            true => Order::shuffled(&sizes, params.seed, purpose::BLOBS_ROWS),
            false => Order::sorted(&sizes),
        };
        let layout = params.size.layout();
        Ok(Self { params, layout, centers, stds, order })
    }

    /// The centres of the clusters, `(n_centers, n_features)`.
    #[must_use]
    pub fn centers(&self) -> &Array2<f64> {
        &self.centers
    }
}

impl Blobs {
    fn make_centers(&self, n_centers: usize) -> Result<Array2<f64>> {
        let shape = (n_centers, self.size.n_features);
        if let Centers::Given { values, .. } = &self.centers {
            let points = Array2::from_shape_vec(shape, values.clone());
            return Ok(points.expect("check_points has seen that they fill whole rows"));
        }
        let (lo, hi) = self.check_box()?;
        let mut stream = rng::stream(self.seed, purpose::BLOBS_CENTERS);
        let unit = Array2::random_using(shape, Uniform::new(0.0, 1.0), &mut stream);
        Ok(unit.mapv_into(|u: f64| lo + (hi - lo) * u))
    }
}

/// Turns standard normal values, row by row, into points about the rows' centres.
///
/// Two roundings per value: Rust fuses no multiplication with an addition by itself, so
/// they are the same on every machine.
fn place(values: &mut [f64], chosen: &[u64], centers: &[f64], stds: &[f64], n_features: usize) {
    for (row, &center) in values.chunks_exact_mut(n_features).zip(chosen) {
        let (center, std) = (center as usize, stds[center as usize]);
        let center = &centers[center * n_features..][..n_features];
        row.iter_mut().zip(center).for_each(|(value, center)| *value = center + std * *value);
    }
}

impl BlockSource for BlobsSource {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        let rows = self.layout.rows.rows_of(block_idx).unwrap_or(0..0);
        let (n_features, mut next) = (self.layout.n_features, rows.start);
        let position = next * n_features as u64;
        let mut noise = Normals::new(self.params.seed, purpose::BLOBS_NOISE, position);
        let centers = self.centers.as_slice().unwrap_or_default();
        let mut chosen = vec![0; tiles::tile_rows(n_features)];
        tiles::block(&self.layout, (rows.end - rows.start) as usize, |values, targets| {
            let chosen = &mut chosen[..targets.len()];
            self.order.fill(next, chosen);
            noise.fill(values);
            place(values, chosen, centers, &self.stds, n_features);
            targets.iter_mut().zip(chosen).for_each(|(target, center)| *target = *center as i64);
            next += targets.len() as u64;
        })
    }

    fn describe(&self) -> Option<Description> {
        let body = wire::encode(&self.params).ok()?;
        Some(Description { kind: KIND.to_owned(), body })
    }
}

pub(in crate::generate) fn open(body: &[u8], _: &Opener<'_>) -> Result<Arc<dyn BlockSource>> {
    Ok(Arc::new(wire::decode::<Blobs>(body)?.check()?))
}
