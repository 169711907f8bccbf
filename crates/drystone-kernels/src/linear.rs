//! What a linear model asks of many rows: dot products with a few vectors, and sums of rows,
//! of their squares or of their outer products, each times a coefficient.
//!
//! Rows are loaded into a [`Tile`] first: in double precision, scaled by powers of two so that
//! no value is beyond 1 (see [`Frame`]), with a constant 1 at the end that stands for the
//! intercept.
//!
//! - A dot product is one chain of fused multiply-adds, over columns in order.
//! - A sum is of integers: each term is rounded once, to a multiple of 2^-50 of a power of two
//!   that bounds the terms. So the order of rows does not matter, and a row that was added with
//!   some coefficient is taken out, to the bit, by adding it with the negative one.
//!
//! The rounding is done by the addition of a constant in whose binade the unit is the last
//! place; the bits of the result then count units, and are added as integers. It costs no more
//! than an ordinary sum. Nothing here chooses what to compute: that is the estimator's.

mod dots;
mod sums;
mod tile;

pub use dots::{Vectors, dots};
pub use sums::{Pick, Shape, Sums};
pub use tile::{Frame, Tile};

/// Numbers that are handled together: rows are filled up to whole lanes.
const LANES: usize = 4;

#[cfg(test)]
mod tests;
