//! The state of seeding: for each row the squared distance to the nearest centroid so
//! far, and which that is.
//!
//! Squared distances are kept as `f32` multiples of a power of two that follows from the
//! data's range, in every mode, so that kept and restored state agree to the bit.

use std::ops::Range;

use drystone_core::{BlockAt, Result};
use drystone_kernels::Isa;
use drystone_kernels::distance::distances;

use super::assign::Assigner;
use super::element::{Real, batch_rows, records_of};

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
    pub fn new(n_rows: usize, n_values: usize) -> Self {
        if n_values <= 1 << 16 { Self::U16(vec![0; n_rows]) } else { Self::U32(vec![0; n_rows]) }
    }

    /// Bytes of one index below `n_values`.
    pub fn bytes(n_values: usize) -> usize {
        if n_values <= 1 << 16 { 2 } else { 4 }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::U16(index) => index.len(),
            Self::U32(index) => index.len(),
        }
    }

    pub fn set(&mut self, row: usize, value: u32) {
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

    /// Overwrites `into` with the indices of some rows.
    pub fn copy_into(&self, rows: Range<usize>, into: &mut Vec<u32>) {
        into.clear();
        match self {
            Self::U16(index) => into.extend(index[rows].iter().map(|&index| u32::from(index))),
            Self::U32(index) => into.extend_from_slice(&index[rows]),
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
        let records = records_of::<T>(rows, n_features)?;
        let mut assigner = Assigner::of_centroids(n_features, group);
        // From units of the frame to those of `d2`; distances are rounded, by less than this.
        let factor = assigner.unit_of_squares() * unit * (1.0 - 1e-6);
        let least = |low: f32| (f64::from(low) * factor) as f32;
        let all: Vec<u32> = (0..self.d2.len() as u32).collect();
        let (mut nearer, mut index, mut d2) = (Vec::new(), Vec::new(), Vec::new());
        for batch in all.chunks(batch_rows::<T>(n_features)) {
            let found = assigner.assign(records, batch).map_err(|none| none.in_slice(rows))?;
            // Most rows of most rounds are not nearer to any of the group.
            let may_be_nearer =
                |place: usize| least(found.low[place]) < self.d2[batch[place] as usize];
            nearer.clear();
            index.clear();
            for place in (0..batch.len()).filter(|&place| may_be_nearer(place)) {
                nearer.push(batch[place]);
                index.push(found.index[place]);
            }
            d2.resize(nearer.len(), 0.0);
            distances(Isa::best(), records, n_features, &nearer, group, &index, &mut d2);
            for ((&row, &idx), &d2) in nearer.iter().zip(&index).zip(&d2) {
                let d2 = scaled(d2, unit);
                if d2 < self.d2[row as usize] {
                    self.d2[row as usize] = d2;
                    self.index.set(row as usize, first as u32 + idx);
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
