//! The blocks of [`Classification`].

use std::sync::Arc;

use drystone_core::registry::Opener;
use drystone_core::{Block, BlockSource, Description, Layout, Result, rng, wire};
use drystone_kernels::normal::mix;

use super::header::{Column, FeatureKind, Header};
use super::{Classification, KIND};
use crate::generate::normals::Normals;
use crate::generate::order::Order;
use crate::generate::{purpose, tiles};

/// What [`Classification`] makes when its parameters are valid.
#[derive(Clone, Debug)]
pub struct ClassificationSource {
    params: Classification,
    layout: Layout,
    header: Header,
    order: Order,
}

impl ClassificationSource {
    pub(super) fn new(mut params: Classification) -> Result<Self> {
        params.check_sizes()?;
        params.check_reals()?;
        let sizes = params.cluster_sizes(&params.check_weights()?);
        let header = Header::new(&params)?;
        let order = match params.shuffle {
            true => Order::shuffled(&sizes, params.seed, purpose::CLASS_ROWS),
            false => Order::sorted(&sizes),
        };
        let layout = params.size.layout();
        Ok(Self { params, layout, header, order })
    }

    /// What each column is, `(n_features,)`, in the order of the records.
    #[must_use]
    pub fn feature_kinds(&self) -> &[FeatureKind] {
        &self.header.kinds
    }

    /// The class of a row of this cluster, redrawn for some.
    fn class(&self, row: u64, cluster: u64) -> i64 {
        let (n_classes, seed) = (self.params.n_classes, self.params.seed);
        // Uniform in (0, 1], so that `flip_y` 0 redraws none and 1 redraws all.
        if rng::row_uniform(seed, purpose::CLASS_FLIP, row) <= self.params.flip_y {
            let bits = mix(&[seed, purpose::CLASS_FLIP_TO, row]);
            return ((u128::from(bits) * n_classes as u128) >> 64) as i64;
        }
        (cluster % n_classes as u64) as i64
    }
}

/// Makes tile after tile of one block.
struct Maker<'a> {
    source: &'a ClassificationSource,
    next: u64,
    informative: Normals,
    useless: Normals,
    /// The clusters of a tile's rows.
    clusters: Vec<u64>,
    /// Standard normal numbers for a tile: for informative and for useless features.
    z: Vec<f64>,
    noise: Vec<f64>,
    /// The informative and redundant features of one row.
    row: Vec<f64>,
}

impl<'a> Maker<'a> {
    fn new(source: &'a ClassificationSource, first: u64, n_rows: usize) -> Self {
        let (params, seed) = (&source.params, source.params.seed);
        let rows = tiles::tile_rows(params.size.n_features).min(n_rows);
        let (n_informative, n_useless) = (params.n_informative, source.header.useless.len());
        let normals = |purpose, width| Normals::new(seed, purpose, first * width as u64);
        Self {
            source,
            next: first,
            informative: normals(purpose::CLASS_INFORMATIVE, n_informative),
            useless: normals(purpose::CLASS_USELESS, n_useless),
            clusters: vec![0; rows],
            z: vec![0.0; rows * n_informative],
            noise: vec![0.0; rows * n_useless],
            row: vec![0.0; n_informative + params.n_redundant],
        }
    }

    fn tile(&mut self, values: &mut [f64], targets: &mut [i64]) {
        let source = self.source;
        let n_informative = source.params.n_informative;
        let n_useless = source.header.useless.len();
        let z = &mut self.z[..targets.len() * n_informative];
        let noise = &mut self.noise[..targets.len() * n_useless];
        let clusters = &mut self.clusters[..targets.len()];
        source.order.fill(self.next, clusters);
        self.informative.fill(z);
        self.useless.fill(noise);
        let rows = values.chunks_exact_mut(source.layout.n_features).zip(targets).zip(clusters);
        for (i, ((out, target), &mut cluster)) in rows.enumerate() {
            *target = source.class(self.next + i as u64, cluster);
            let z = &z[i * n_informative..][..n_informative];
            source.header.useful_features(cluster as usize, z, &mut self.row);
            put(&source.header.useful, |column| self.row[column.from], out);
            let noise = &noise[i * n_useless..][..n_useless];
            put(&source.header.useless, |column| noise[column.from], out);
        }
        self.next += (values.len() / source.layout.n_features) as u64;
    }
}

impl Header {
    /// The informative features of a row of this cluster, then the redundant ones.
    fn useful_features(&self, cluster: usize, z: &[f64], row: &mut [f64]) {
        let n_informative = z.len();
        let (informative, redundant) = row.split_at_mut(n_informative);
        let centroids = self.centroids.as_slice().unwrap_or_default();
        informative.copy_from_slice(&centroids[cluster * n_informative..][..n_informative]);
        let mixing = self.mixing.as_slice().unwrap_or_default();
        let mixing = &mixing[cluster * n_informative * n_informative..];
        add_product(z, mixing, informative);
        redundant.fill(0.0);
        add_product(informative, self.redundant.as_slice().unwrap_or_default(), redundant);
    }
}

/// Adds `x` times a row-major matrix, `(x.len(), out.len())`: row by row of the matrix, so
/// that the order of the additions is fixed and the inner loop has no dependencies.
fn add_product(x: &[f64], matrix: &[f64], out: &mut [f64]) {
    if out.is_empty() {
        return;
    }
    for (&x, row) in x.iter().zip(matrix.chunks_exact(out.len())) {
        out.iter_mut().zip(row).for_each(|(out, a)| *out += x * a);
    }
}

/// Shifts, scales and puts into place some of a row's columns.
#[inline]
fn put(columns: &[Column], value: impl Fn(&Column) -> f64, out: &mut [f64]) {
    for column in columns {
        out[column.to] = (value(column) + column.shift) * column.scale;
    }
}

impl BlockSource for ClassificationSource {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        let rows = self.layout.rows.rows_of(block_idx).unwrap_or(0..0);
        let n_rows = (rows.end - rows.start) as usize;
        let mut maker = Maker::new(self, rows.start, n_rows);
        tiles::block(&self.layout, n_rows, |values, targets| maker.tile(values, targets))
    }

    fn describe(&self) -> Option<Description> {
        let body = wire::encode(&self.params).ok()?;
        Some(Description { kind: KIND.to_owned(), body })
    }
}

pub(in crate::generate) fn open(body: &[u8], _: &Opener<'_>) -> Result<Arc<dyn BlockSource>> {
    Ok(Arc::new(wire::decode::<Classification>(body)?.check()?))
}
