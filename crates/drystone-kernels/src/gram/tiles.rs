//! Rows as the kernels want them: in tiles, feature by feature.

use super::Map;
use super::real::Real;

/// Rows of a tile.
pub const TILE_ROWS: usize = 32;

/// Prepared rows in tiles of [`TILE_ROWS`]: within a tile, the values of the first feature
/// of all rows come first. The last tile is filled up with rows of zeros.
#[derive(Clone, Debug, Default)]
pub struct Tiles<T> {
    values: Vec<[T; TILE_ROWS]>,
    offsets: Vec<[T; TILE_ROWS]>,
    n_features: usize,
    n_rows: usize,
}

impl<T: Real> Tiles<T> {
    /// No rows yet.
    #[must_use]
    pub fn new(n_features: usize) -> Self {
        Self { values: Vec::new(), offsets: Vec::new(), n_features, n_rows: 0 }
    }

    /// Forgets the rows, but not the memory.
    pub fn clear(&mut self) {
        self.values.clear();
        self.offsets.clear();
        self.n_rows = 0;
    }

    /// Makes room for so many rows in all.
    pub fn reserve(&mut self, n_rows: usize) {
        let tiles = n_rows.div_ceil(TILE_ROWS);
        self.values.reserve((tiles * self.n_features).saturating_sub(self.values.len()));
        self.offsets.reserve(tiles.saturating_sub(self.offsets.len()));
    }

    /// Adds a prepared row, and what the map gives as its [`offset`](Map::offset).
    ///
    /// # Panics
    ///
    /// If it is not of `n_features` values.
    pub fn push(&mut self, row: &[T], map: Map) {
        assert_eq!(row.len(), self.n_features, "a value a feature");
        let (tile, lane) = (self.n_rows / TILE_ROWS, self.n_rows % TILE_ROWS);
        if lane == 0 {
            let zeros = [T::default(); TILE_ROWS];
            self.values.resize((tile + 1) * self.n_features, zeros);
            self.offsets.push(zeros);
        }
        let runs = &mut self.values[tile * self.n_features..];
        runs.iter_mut().zip(row).for_each(|(run, &value)| run[lane] = value);
        self.offsets[tile][lane] = map.offset(row);
        self.n_rows += 1;
    }

    /// Values in a row.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Number of rows.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Number of tiles, the last of which may be in part zeros.
    #[must_use]
    pub fn n_tiles(&self) -> usize {
        self.n_rows.div_ceil(TILE_ROWS)
    }

    /// A tile: a run of values a feature, and the offsets.
    #[inline(always)]
    pub(super) fn tile(&self, tile: usize) -> (&[[T; TILE_ROWS]], &[T; TILE_ROWS]) {
        let runs = &self.values[tile * self.n_features..(tile + 1) * self.n_features];
        (runs, &self.offsets[tile])
    }
}
