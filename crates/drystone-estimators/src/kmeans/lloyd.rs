//! One of Lloyd's iterations for all restarts: assign each row to its nearest centroid,
//! and sum up rows, costs and labels by cluster. One pass, no matrix of distances.

use drystone_core::wire::{exact_sums, raw};
use drystone_core::{BlockAt, Dtype, Error, ErrorKind, Job, Layout, Partial, Result};
use drystone_kernels::limbs::{Accumulator, ClusterSums, OutOfRange, Scales};
use drystone_kernels::nearest::{nearest, own_distance};
use drystone_kernels::{ExactSum, Isa};
use serde::{Deserialize, Serialize};

use super::element::{
    Real, TILE_ROWS, changed, check_job, named, records_of, sound, weight_of, whole_rows,
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub(crate) struct Lloyd<T> {
    pub n_features: usize,
    /// What bounds the integers that rows are summed as.
    pub range: Range,
    /// Column positions to take the spread around, in the first iteration.
    #[serde(with = "raw")]
    pub spread_around: Vec<f64>,
    /// Centroids of each restart, `(n_clusters, n_features)`.
    pub restarts: Vec<Centroids<T>>,
}

/// The largest magnitudes in the data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Range {
    #[serde(with = "raw")]
    pub max_abs: Vec<f64>,
    /// Widths of the columns, of the rows of positive weight.
    #[serde(with = "raw")]
    pub width: Vec<f64>,
    pub max_weight: f64,
}

impl Range {
    pub fn scales<T: Real>(&self) -> Scales {
        Scales::new::<T>(&self.max_abs, self.max_weight)
    }

    /// Scales for weighted squared differences from a point within the range.
    pub fn spread_scales(&self) -> Scales {
        let squares: Vec<f64> = self.width.iter().map(|width| width * width).collect();
        Scales::new::<f64>(&squares, self.max_weight)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub(crate) struct Centroids<T>(#[serde(with = "raw")] pub Vec<T>);

impl<T> Centroids<T> {
    /// At least one, all of them whole.
    pub fn check(&self, n_features: usize) -> Result<()> {
        sound(!self.0.is_empty() && whole_rows(&self.0, n_features))
    }
}

/// What the rows of each cluster add up to, for each restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LloydPartial {
    #[serde(with = "exact_sums")]
    pub costs: Vec<ExactSum>,
    /// Sums of a hash of (row, label) over the rows of positive weight: equal only if
    /// the labels are.
    #[serde(with = "raw")]
    pub labels: Vec<u64>,
    pub sums: Vec<Sums>,
    /// Weighted squared differences of each column, as integers, if they were asked for.
    pub spread: Option<Sums>,
}

/// [`ClusterSums`] in a form that travels.
#[derive(Clone, Debug)]
pub(crate) struct Sums(pub ClusterSums);

#[derive(Serialize, Deserialize)]
struct WireSums {
    shape: (u64, u64),
    #[serde(with = "raw")]
    sums: Vec<i128>,
    #[serde(with = "raw")]
    weights: Vec<i128>,
    #[serde(with = "raw")]
    counts: Vec<u64>,
}

impl Serialize for Sums {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let sums = &self.0;
        let shape = (sums.n_clusters() as u64, sums.n_features() as u64);
        let (weights, counts) = (sums.weights().to_vec(), sums.counts().to_vec());
        WireSums { shape, sums: sums.sums().to_vec(), weights, counts }.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Sums {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let WireSums { shape: (k, d), sums, weights, counts } = WireSums::deserialize(from)?;
        let sums = ClusterSums::from_parts(k as usize, d as usize, sums, weights, counts);
        let sums = sums.ok_or_else(|| serde::de::Error::custom("sums of another shape"))?;
        Ok(Self(sums))
    }
}

impl Partial for LloydPartial {
    fn merge(&mut self, other: Self) {
        self.costs.iter_mut().zip(&other.costs).for_each(|(cost, other)| cost.merge(other));
        for (labels, other) in self.labels.iter_mut().zip(&other.labels) {
            *labels = labels.wrapping_add(*other);
        }
        self.sums.iter_mut().zip(&other.sums).for_each(|(sums, other)| sums.0.merge(&other.0));
        if let (Some(spread), Some(other)) = (&mut self.spread, &other.spread) {
            spread.0.merge(&other.0);
        }
    }
}

impl<T: Real> Job for Lloyd<T> {
    const NAME: &'static str = named(T::DTYPE, "kmeans.lloyd.f32/1", "kmeans.lloyd.f64/1");
    type State = ();
    type Partial = LloydPartial;

    fn check(&self, layout: &Layout) -> Result<()> {
        check_job(layout, self.n_features, self.restarts.len())?;
        let Range { max_abs, width, .. } = &self.range;
        let fits = |values: &[f64]| values.len() == self.n_features;
        let around = &self.spread_around;
        sound(fits(max_abs) && fits(width) && (around.is_empty() || fits(around)))?;
        self.restarts.iter().try_for_each(|centroids| centroids.check(self.n_features))
    }

    fn empty(&self) -> LloydPartial {
        let n_clusters = |centroids: &Centroids<T>| centroids.0.len() / self.n_features;
        let empty = |centroids| Sums(ClusterSums::new(n_clusters(centroids), self.n_features));
        let spread = !self.spread_around.is_empty();
        LloydPartial {
            costs: vec![ExactSum::new(); self.restarts.len()],
            labels: vec![0; self.restarts.len()],
            sums: self.restarts.iter().map(empty).collect(),
            spread: spread.then(|| Sums(ClusterSums::new(1, self.n_features))),
        }
    }

    fn map(&self, rows: &BlockAt, (): &mut (), into: &mut LloydPartial) -> Result<()> {
        let records = records_of::<T>(rows, self.n_features)?;
        let scales = self.range.scales::<T>();
        for (restart, centroids) in self.restarts.iter().enumerate() {
            let n_clusters = centroids.0.len() / self.n_features;
            let mut accumulator = Accumulator::new(n_clusters, &scales);
            let mut tiles = Assignments::new(rows, records, self.n_features, &centroids.0);
            let mut tally =
                Tally { cost: &mut into.costs[restart], labels: &mut into.labels[restart] };
            while let Some(tile) = tiles.next()? {
                tally.add(rows, &tile);
                let added = accumulator.add(Isa::best(), tile.records, tile.weights, tile.index);
                added.map_err(|beyond| out_of_range(rows, tile.first_row + beyond.row, &beyond))?;
            }
            let flushed = accumulator.flush_into(&mut into.sums[restart].0);
            flushed.map_err(|beyond| out_of_range(rows, beyond.row, &beyond))?;
        }
        match &mut into.spread {
            Some(spread) => self.add_spread(rows, records, &mut spread.0),
            None => Ok(()),
        }
    }
}

impl<T: Real> Lloyd<T> {
    fn add_spread(&self, rows: &BlockAt, records: &[T], into: &mut ClusterSums) -> Result<()> {
        let mut accumulator = Accumulator::<f64>::new(1, &self.range.spread_scales());
        let mut squares = Vec::new();
        let index = [0; TILE_ROWS];
        for (tile, records) in records.chunks(TILE_ROWS * self.n_features).enumerate() {
            squares.clear();
            for row in records.chunks_exact(self.n_features) {
                squares.extend(row.iter().zip(&self.spread_around).map(|(x, around)| {
                    let difference = x.to_f64() - around;
                    difference * difference
                }));
            }
            let index = &index[..squares.len() / self.n_features];
            let first = tile * TILE_ROWS;
            let weights = rows.block.weights.as_deref();
            let weights = weights.map(|weights| &weights[first..first + index.len()]);
            let added = accumulator.add(Isa::best(), &squares, weights, index);
            added.map_err(|beyond| out_of_range(rows, first + beyond.row, &beyond))?;
        }
        accumulator.flush_into(into).map_err(|beyond| out_of_range(rows, beyond.row, &beyond))
    }
}

/// A value beyond what the first pass saw.
fn out_of_range(rows: &BlockAt, row: usize, beyond: &OutOfRange) -> Error {
    let expected = format!("magnitudes of at most {}", beyond.bound);
    let kind = ErrorKind::SourceChanged { expected, found: beyond.value.to_string() };
    let error = rows.locate(kind.into(), Some(row));
    match beyond.column {
        Some(column) => error.at_column(column as u64),
        None => error,
    }
}

/// Assigns the rows of a slice to their nearest centroids, tile by tile.
pub(crate) struct Assignments<'a, T> {
    rows: &'a BlockAt,
    records: &'a [T],
    n_features: usize,
    centroids: &'a [T],
    next_row: usize,
    best: Vec<T>,
    index: Vec<u32>,
    d2: Vec<f64>,
}

/// Some rows, the centroid nearest to each, and the squared distance to it in double
/// precision.
pub(crate) struct Tile<'a, T> {
    pub first_row: usize,
    pub records: &'a [T],
    pub weights: Option<&'a [f64]>,
    pub index: &'a [u32],
    pub d2: &'a [f64],
}

impl<'a, T: Real> Assignments<'a, T> {
    pub fn new(rows: &'a BlockAt, records: &'a [T], n_features: usize, centroids: &'a [T]) -> Self {
        let (best, index, d2) = (Vec::new(), Vec::new(), Vec::new());
        Self { rows, records, n_features, centroids, next_row: 0, best, index, d2 }
    }

    pub fn next(&mut self) -> Result<Option<Tile<'_, T>>> {
        let first_row = self.next_row;
        let n_rows = (self.records.len() / self.n_features - first_row).min(TILE_ROWS);
        if n_rows == 0 {
            return Ok(None);
        }
        self.next_row += n_rows;
        self.best.resize(n_rows, T::ZERO);
        self.index.resize(n_rows, 0);
        self.d2.resize(n_rows, 0.0);
        let records = &self.records[first_row * self.n_features..self.next_row * self.n_features];
        let (best, index, isa) = (&mut self.best, &mut self.index, Isa::best());
        nearest(isa, records, self.n_features, self.centroids, best, index);
        if let Some(row) = best.iter().position(|best| !best.is_finite()) {
            return Err(changed(self.rows, first_row + row));
        }
        match T::DTYPE {
            // The distances that were compared are in double precision already.
            Dtype::F64 => self.d2.iter_mut().zip(best).for_each(|(d2, best)| *d2 = best.to_f64()),
            Dtype::F32 => {
                let d2 = &mut self.d2;
                own_distance(isa, records, self.n_features, self.centroids, index, d2);
            }
        }
        let weights = self.rows.block.weights.as_deref();
        let weights = weights.map(|weights| &weights[first_row..self.next_row]);
        Ok(Some(Tile { first_row, records, weights, index: &self.index, d2: &self.d2 }))
    }
}

/// Scrambles a row and its label. Another label of the same row always gives another
/// value; several rows' changes cancel in the sum with a chance of about 2^-64.
#[inline]
fn label_hash(row: u64, label: u32) -> u64 {
    let both = row.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let both = both.wrapping_add((u64::from(label) + 1).wrapping_mul(0xd1b5_4a32_d192_ed03));
    let folded = (both ^ (both >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    folded ^ (folded >> 32)
}

/// Adds up weighted costs, exactly, and a hash of the labels.
pub(crate) struct Tally<'a> {
    pub cost: &'a mut ExactSum,
    pub labels: &'a mut u64,
}

impl Tally<'_> {
    pub fn add<T>(&mut self, rows: &BlockAt, tile: &Tile<'_, T>) {
        let first = rows.first_row + tile.first_row as u64;
        for (row, (&label, &d2)) in tile.index.iter().zip(tile.d2).enumerate() {
            let weight = weight_of(tile.weights, row);
            self.cost.add(weight * d2);
            if weight > 0.0 {
                *self.labels = self.labels.wrapping_add(label_hash(first + row as u64, label));
            }
        }
    }
}
