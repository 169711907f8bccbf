//! The state of seeding: for each row the squared distance to the nearest centroid so
//! far, and which that is.
//!
//! Squared distances are kept as `f32` multiples of a power of two that follows from the
//! data's range, in every mode, so that kept and restored state agree to the bit.

use drystone_core::{BlockAt, Result};
use drystone_kernels::Isa;
use drystone_kernels::nearest::nearest;

use super::element::{Real, TILE_ROWS, changed, records_of};

/// Squared distances and indices of the rows of a slice.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nearness {
    pub d2: Vec<f32>,
    pub index: Index,
}

/// Indices in as few bytes as their range needs.
#[derive(Clone, Debug)]
pub(crate) enum Index {
    U16(Vec<u16>),
    U32(Vec<u32>),
}

impl Default for Index {
    fn default() -> Self {
        Self::U16(Vec::new())
    }
}

impl Index {
    fn new(n_rows: usize, n_values: usize) -> Self {
        if n_values <= 1 << 16 { Self::U16(vec![0; n_rows]) } else { Self::U32(vec![0; n_rows]) }
    }

    /// Bytes of one index below `n_values`.
    pub fn bytes(n_values: usize) -> usize {
        if n_values <= 1 << 16 { 2 } else { 4 }
    }

    fn set(&mut self, row: usize, value: u32) {
        match self {
            Self::U16(index) => index[row] = value as u16,
            Self::U32(index) => index[row] = value,
        }
    }

    pub fn get(&self, row: usize) -> usize {
        match self {
            Self::U16(index) => usize::from(index[row]),
            Self::U32(index) => index[row] as usize,
        }
    }
}

impl Nearness {
    /// Rows that have no centroid yet; indices will be below `n_values`.
    pub fn new(n_rows: usize, n_values: usize) -> Self {
        Self { d2: vec![f32::INFINITY; n_rows], index: Index::new(n_rows, n_values) }
    }

    /// Takes in a group of centroids, which are numbered from `first`. A tie keeps the
    /// earlier one.
    pub fn update<T: Real>(
        &mut self,
        rows: &BlockAt,
        n_features: usize,
        group: &[T],
        first: usize,
        unit: f64,
    ) -> Result<()> {
        if group.is_empty() {
            return Ok(());
        }
        let mut tiles = DistanceTiles::new(rows, n_features, unit)?;
        while let Some(tile) = tiles.next(group)? {
            for (row, (&d2, &idx)) in (tile.first_row..).zip(tile.d2.iter().zip(tile.index)) {
                if d2 < self.d2[row] {
                    self.d2[row] = d2;
                    self.index.set(row, first as u32 + idx);
                }
            }
        }
        Ok(())
    }
}

/// Only the distance of equal rows is 0: beside one far outlier others must not vanish.
fn scaled(d2: f64, unit: f64) -> f32 {
    let scaled = (d2 * unit) as f32;
    if scaled == 0.0 && d2 > 0.0 { f32::from_bits(1) } else { scaled }
}

/// Goes over a slice tile by tile, with the scaled distance of each row to its nearest of
/// some centroids.
pub(crate) struct DistanceTiles<'a, T> {
    rows: &'a BlockAt,
    records: &'a [T],
    n_features: usize,
    unit: f64,
    next_row: usize,
    best: Vec<T>,
    index: Vec<u32>,
    d2: Vec<f32>,
}

/// Rows of a slice from `first_row` on: their scaled distances to the nearest of the
/// centroids, and which that is.
pub(crate) struct DistanceTile<'a> {
    pub first_row: usize,
    pub d2: &'a [f32],
    pub index: &'a [u32],
}

impl<'a, T: Real> DistanceTiles<'a, T> {
    pub fn new(rows: &'a BlockAt, n_features: usize, unit: f64) -> Result<Self> {
        let records = records_of::<T>(rows, n_features)?;
        let (best, index, d2) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { rows, records, n_features, unit, next_row: 0, best, index, d2 })
    }

    pub fn next(&mut self, centroids: &[T]) -> Result<Option<DistanceTile<'_>>> {
        let first = self.next_row;
        let n_rows = (self.records.len() / self.n_features - first).min(TILE_ROWS);
        if n_rows == 0 {
            return Ok(None);
        }
        self.next_row += n_rows;
        self.best.resize(n_rows, T::ZERO);
        self.index.resize(n_rows, 0);
        let tile = &self.records[first * self.n_features..self.next_row * self.n_features];
        let (best, index) = (&mut self.best, &mut self.index);
        nearest(Isa::best(), tile, self.n_features, centroids, best, index);
        if let Some(row) = best.iter().position(|best| !best.is_finite()) {
            return Err(changed(self.rows, first + row));
        }
        self.d2.clear();
        self.d2.extend(best.iter().map(|best| scaled(best.to_f64(), self.unit)));
        Ok(Some(DistanceTile { first_row: first, d2: &self.d2, index: &self.index }))
    }
}
