//! Rows in double precision, scaled, and filled up to whole lanes.

use crate::Float;

use super::LANES;

/// Powers of two by which columns are multiplied, so that no value is beyond 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    scales: Vec<f64>,
}

impl Frame {
    /// The frame of columns whose values have at most these magnitudes.
    #[must_use]
    pub fn new(max_abs: &[f64]) -> Self {
        Self { scales: max_abs.iter().map(|&most| inverse(most)).collect() }
    }

    /// The frame that leaves so many columns as they are.
    #[must_use]
    pub fn identity(n_features: usize) -> Self {
        Self { scales: vec![1.0; n_features] }
    }

    /// A frame from its [`scales`](Self::scales).
    #[must_use]
    pub fn from_scales(scales: Vec<f64>) -> Self {
        Self { scales }
    }

    /// The factor of each column.
    #[must_use]
    pub fn scales(&self) -> &[f64] {
        &self.scales
    }

    /// The factor of a column, or of the constant after the last one.
    #[must_use]
    pub fn scale(&self, column: usize) -> f64 {
        self.scales.get(column).copied().unwrap_or(1.0)
    }

    /// How many columns there are; the constant is not counted.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.scales.len()
    }

    /// Numbers of a row in a tile: its columns, the constant, and zeros.
    #[must_use]
    pub fn stride(&self) -> usize {
        (self.scales.len() + 1).next_multiple_of(LANES)
    }
}

/// The largest power of two that brings a magnitude to at most 1; 1 for 0.
fn inverse(most: f64) -> f64 {
    if most == 0.0 {
        return 1.0;
    }
    let exponent = (most.to_bits() >> 52) as i64 - 1023;
    let is_power = most.to_bits() << 12 == 0;
    let exponent = (exponent + i64::from(!is_power)).clamp(-1000, 1000);
    f64::from_bits(((1023 - exponent) as u64) << 52)
}

/// Some rows in a [`Frame`].
#[derive(Clone, Debug)]
pub struct Tile {
    stride: usize,
    n_rows: usize,
    /// Rows of `stride` numbers, a whole number of lanes of them.
    values: Vec<f64>,
}

impl Tile {
    /// A tile without rows.
    #[must_use]
    pub fn new(frame: &Frame) -> Self {
        Self { stride: frame.stride(), n_rows: 0, values: Vec::new() }
    }

    /// Replaces the rows by `records`, (n_rows, n_features) row-major. Says whether all values
    /// are within the frame: numbers, and not beyond 1 when they are scaled.
    ///
    /// # Panics
    /// If the frame is of another width, or the records are no whole rows.
    pub fn load<T: Float>(&mut self, frame: &Frame, records: &[T]) -> bool {
        assert_eq!(frame.stride(), self.stride, "a frame of the tile's width");
        let d = frame.n_features();
        assert!(d > 0 && records.len().is_multiple_of(d), "whole rows");
        self.n_rows = records.len() / d;
        self.values.clear();
        self.values.resize(self.n_rows.next_multiple_of(LANES) * self.stride, 0.0);
        let mut within = true;
        for (to, from) in self.values.chunks_exact_mut(self.stride).zip(records.chunks_exact(d)) {
            for ((to, from), scale) in to.iter_mut().zip(from).zip(&frame.scales) {
                *to = from.to_f64() * scale;
                within &= to.abs() <= 1.0;
            }
            to[d] = 1.0;
        }
        within
    }

    /// How many rows there are.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Numbers of a row.
    #[must_use]
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// The numbers of a row: its columns, the constant, and zeros.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f64] {
        assert!(row < self.n_rows, "a row of the tile");
        &self.values[row * self.stride..][..self.stride]
    }

    /// All rows, with those of zeros that fill up the last lanes.
    pub(super) fn values(&self) -> &[f64] {
        &self.values
    }
}
