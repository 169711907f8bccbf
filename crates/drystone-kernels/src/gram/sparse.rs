//! Rows of which most values are 0.

use super::real::Real;
use super::vector::Vector;
use super::{TILE_ROWS, Terms, VECTORS};

/// The values of rows that are not 0, row after row, for rows that have few of them.
///
/// Only these are multiplied: what a 0 adds to a chain of multiply-adds is 0, so that a row's
/// sums have the same bits with and without.
#[derive(Clone, Debug, Default)]
pub struct Sparse<T> {
    /// Feature and value.
    entries: Vec<(u32, T)>,
    /// Where the entries of each row end.
    ends: Vec<usize>,
}

impl<T: Real> Sparse<T> {
    /// The values of `rows`, `(n_rows, n_features)`, row-major; `None` if more than half of
    /// them are not 0, since then it is quicker to multiply them all.
    ///
    /// # Panics
    ///
    /// If there are no features.
    #[must_use]
    pub fn of(rows: &[T], n_features: usize) -> Option<Self> {
        let zero = T::default();
        let n_entries = rows.iter().filter(|&&value| value != zero).count();
        if n_entries > rows.len() / 2 || u32::try_from(n_features).is_err() {
            return None;
        }
        let mut sparse = Self { entries: Vec::with_capacity(n_entries), ends: Vec::new() };
        for row in rows.chunks_exact(n_features) {
            let values = (0..).zip(row).filter(|(_, value)| **value != zero);
            sparse.entries.extend(values.map(|(feature, &value)| (feature, value)));
            sparse.ends.push(sparse.entries.len());
        }
        Some(sparse)
    }

    pub(super) fn n_rows(&self) -> usize {
        self.ends.len()
    }

    /// Features, ascending, and values.
    #[inline(always)]
    pub(super) fn row(&self, row: usize) -> &[(u32, T)] {
        let first = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.entries[first..self.ends[row]]
    }
}

impl<T: Real> Terms<T> for Sparse<T> {
    #[inline(always)]
    fn add<V: Vector<Real = T>, const S: usize>(
        &self,
        tile: &[[T; TILE_ROWS]],
        first_row: usize,
        first: usize,
        sums: &mut [[V; S]; VECTORS],
    ) {
        for s in 0..S {
            for &(feature, value) in self.row(first + s) {
                let (x, value) = (&tile[feature as usize], V::splat(value));
                for (vector, sums) in sums.iter_mut().enumerate() {
                    let x = V::load(&x[first_row + vector * V::LANES..]);
                    sums[s] = x.fma(value, sums[s]);
                }
            }
        }
    }
}
