//! The nearest centroid of most rows in single precision, and which rows it leaves open.
//!
//! A *screen* compares rows with centroids by `|c|^2/2 - x c` in `f32`, whatever the type
//! of the records, in a frame that is centred on the data; and it bounds what rounding may
//! have done, to the screen's own numbers and to those of [`nearest`](crate::nearest::nearest).
//! A row whose two nearest centroids are farther apart than that has the same label there;
//! the others, a few in a million on ordinary data, are left to it. So labels are those of
//! direct differences in double precision, for either type, at a quarter of the arithmetic.
//!
//! The bound is the textbook one for a chain of fused multiply-adds (N. Higham, *Accuracy
//! and Stability of Numerical Algorithms*, 2nd ed., 2002, section 3.1): with u = 2^-24,
//! m roundings and A = (|x| + max |c|)^2, two scores may be off by (m + 4) u A together,
//! and a squared distance of [`nearest`](crate::nearest::nearest) by (d + 2) roundings of
//! `f64`, relatively.
//!
//! Where numbers underflow no bound is relative: an operation in `f32` may be off by 2^-150
//! besides, one in `f64` by 2^-1075, and both are in the tolerance. Rows so far out that
//! squares might overflow, in either precision, are left open.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;

use crate::{Float, Isa};

/// From so many features on rows are compared as they lie in memory.
pub(crate) const WIDE: usize = 160;
/// Lanes of a row that is.
const LANES: usize = 8;

/// Rounding of `f32`, and of `f64`.
const UNIT: f64 = f32::EPSILON as f64 / 2.0;
const DOUBLE_UNIT: f64 = f64::EPSILON / 2.0;
/// Four times what an operation in `f32` that underflows may be off by: 2^-148.
const UNDERFLOW: f64 = 2.0 * f32::from_bits(1) as f64;

/// Coordinates in which the rows of a dataset are small: `(x - centre) * scale`.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    centre: Vec<f64>,
    scale: f64,
}

impl Frame {
    /// The frame of rows within a box: its middle becomes zero, its half diagonal at most 1.
    ///
    /// # Panics
    /// If the lengths differ.
    #[must_use]
    pub fn new(min: &[f64], max: &[f64]) -> Self {
        assert_eq!(min.len(), max.len(), "both corners of one box");
        let sides = || min.iter().zip(max);
        let halves = sides().map(|(min, max)| max / 2.0 - min / 2.0);
        // Single precision has room on both sides: the largest half side will do.
        let radius = halves.fold(0.0, f64::max) * (min.len().max(1) as f64).sqrt();
        Self {
            centre: sides().map(|(min, max)| min + (max - min) / 2.0).collect(),
            scale: inverse(radius),
        }
    }

    /// How many columns there are.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.centre.len()
    }

    /// What distances are multiplied by: a power of two.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.scale
    }
}

/// The largest power of two that is not above the inverse; 1 for 0.
fn inverse(radius: f64) -> f64 {
    if radius == 0.0 {
        return 1.0;
    }
    let exponent = ((radius.to_bits() >> 52) as i64 - 1023 + 1).clamp(-1000, 1000);
    f64::from_bits(((1023 - exponent) as u64) << 52)
}

/// Centroids, ready to be compared with rows.
#[derive(Clone, Debug)]
pub struct Screen<T> {
    n_features: usize,
    n_clusters: usize,
    /// The frame's scale, and its centre times that.
    scale: T,
    origin: Vec<T>,
    /// Centroids in the frame, negative, in groups of [`group_size`]: feature by feature,
    /// and of each feature the values of the group.
    packed: Vec<f32>,
    /// |c|^2 / 2.
    halves: Vec<f32>,
    /// max |c|^2.
    largest: f32,
    /// The tolerance for each unit of |x|^2 + max |c|^2, and what is added to it.
    slack: f32,
    floor: f32,
    /// What |x|^2 + max |c|^2 is at most for a row that is not left open.
    most: f32,
}

/// What a [`Screen`] finds, a value a row.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The nearest centroid, unless the row is left open.
    pub index: Vec<u32>,
    /// By how much the other centroids are farther, at least, in units of the frame;
    /// [`OPEN`] if the row is left open.
    pub gap: Vec<f32>,
    /// What the squared distance to the nearest centroid is at least, in units of the frame.
    pub low: Vec<f32>,
}

impl Found {
    /// Nothing is known of so many rows.
    pub fn leave_open(&mut self, n_rows: usize) {
        self.index.resize(n_rows, 0);
        self.gap.clear();
        self.gap.resize(n_rows, OPEN);
        self.low.clear();
        self.low.resize(n_rows, 0.0);
    }
}

/// The gap of a row that is left open.
pub const OPEN: f32 = f32::NEG_INFINITY;

/// Centroids that are compared at a time: threes, then one or two pairs.
pub(crate) fn group_size(left: usize) -> usize {
    match left {
        1 => 1,
        2 | 4 => 2,
        _ => 3,
    }
}

impl<T: Float> Screen<T> {
    /// A screen of centroids, (n_clusters, n_features) row-major.
    ///
    /// # Panics
    /// If there are no columns or no centroids, or the lengths disagree.
    #[must_use]
    pub fn new(centroids: &[T], frame: &Frame) -> Self {
        let n_features = frame.n_features();
        assert!(n_features > 0 && !centroids.is_empty(), "some columns and centroids");
        assert_eq!(centroids.len() % n_features, 0, "whole centroids");
        let n_clusters = centroids.len() / n_features;
        // The origin is rounded to the rows' type: it is the rounded one that is used.
        let origin: Vec<T> = frame.centre.iter().map(|&x| T::from_f64(x * frame.scale)).collect();
        let framed: Vec<f64> = centroids
            .chunks_exact(n_features)
            .flat_map(|row| row.iter().zip(&origin))
            .map(|(c, origin)| c.to_f64().mul_add(frame.scale, -origin.to_f64()))
            .collect();
        let squares: Vec<f64> =
            framed.chunks_exact(n_features).map(|c| c.iter().map(|c| c * c).sum()).collect();
        let largest = squares.iter().copied().fold(0.0, f64::max);
        Self {
            n_features,
            n_clusters,
            scale: T::from_f64(frame.scale),
            origin,
            packed: pack(&framed, n_features),
            halves: squares.iter().map(|square| (square / 2.0) as f32).collect(),
            largest: (largest * 1.0001) as f32,
            slack: slack(n_features),
            floor: floor(n_features, frame.scale),
            most: most(frame.scale),
        }
    }

    /// How many centroids there are.
    #[must_use]
    pub fn n_clusters(&self) -> usize {
        self.n_clusters
    }

    /// By how much more than it drifted a gap must be left for the label to be the same:
    /// what rounding may do to the distances that [`nearest`](crate::nearest::nearest)
    /// compares, of rows within the frame's box.
    ///
    /// Two distances that differ by m have squares that differ by m (D1 + D2), which is at
    /// least m^2: the second part is for squares that underflow.
    #[must_use]
    pub fn margin(&self) -> f64 {
        let direct = (self.n_features + 2) as f64 * DOUBLE_UNIT;
        let underflow = underflow(self.n_features).sqrt() * self.scale.to_f64();
        2.1 * direct * (1.0 + f64::from(self.largest).sqrt()) + underflow
    }

    /// Compares some rows of `records` (n_samples, n_features), row-major, with all
    /// centroids, and overwrites `found` with a value for each of `rows`.
    ///
    /// # Panics
    /// If the lengths disagree, or a row is not below n_samples.
    pub fn search(&self, isa: Isa, records: &[T], rows: &[u32], found: &mut Found) {
        assert_eq!(records.len() % self.n_features, 0, "whole rows");
        let n_samples = records.len() / self.n_features;
        // Without an early end, so that it is done in vectors.
        let within = rows.iter().fold(true, |within, &row| within & ((row as usize) < n_samples));
        assert!(within, "rows of the records");
        found.leave_open(rows.len());
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 if Isa::available().contains(&isa) => {
                // SAFETY: this machine has AVX2 and FMA; the rows are within the records.
                unsafe { T::screen_avx2(self, records, rows, found) }
            }
            // Without vectors the direct search is as fast.
            _ => {}
        }
    }
}

/// The centroids in groups, negative: of each group value by value, or eight by eight where
/// rows are wide, the values of all its centroids.
fn pack(framed: &[f64], n_features: usize) -> Vec<f32> {
    let lanes = if n_features < WIDE { 1 } else { LANES };
    let mut packed =
        Vec::with_capacity(framed.len() / n_features * n_features.next_multiple_of(lanes));
    let mut rest = framed;
    while !rest.is_empty() {
        let (group, others) = rest.split_at(group_size(rest.len() / n_features) * n_features);
        for first in (0..n_features).step_by(lanes) {
            for centroid in group.chunks_exact(n_features) {
                let values = (first..first + lanes).map(|at| centroid.get(at).copied());
                packed.extend(values.map(|value| -value.unwrap_or(0.0) as f32));
            }
        }
        rest = others;
    }
    packed
}

/// See the module's documentation; A is at most 2 (|x|^2 + max |c|^2), and there is some
/// room for the few roundings in the bounds themselves.
fn slack(n_features: usize) -> f32 {
    let chain = if n_features < WIDE { n_features } else { n_features.div_ceil(LANES) };
    let screened = (chain + 12) as f64 * UNIT;
    let direct = (n_features + 2) as f64 * DOUBLE_UNIT;
    // Where the textbook's bound does not hold, nothing is certain.
    if screened > 1e-3 || direct > 1e-3 {
        f32::INFINITY
    } else {
        (2.04 * (screened + direct)) as f32
    }
}

/// What underflow may do to two scores, or to half of a squared distance, in units of the
/// frame.
///
/// Each of the d products of a score may be off by e = 2^-150, and so may the half square it
/// starts with; each coordinate of a row and of a centroid, times the other one: e sqrt(d)
/// (|x| + |c|), which is at most e (d / 2 + |x|^2 + |c|^2), and that square is nothing beside
/// the slack. So a score is off by e (3 d / 2 + 1), |x|^2 in the same way by 2 d e, and the
/// last few operations by e each: no more than 4 e (d + 1) for two scores, and for half of
/// 2 s + |x|^2. What the direct search loses is in its own units.
fn floor(n_features: usize, scale: f64) -> f32 {
    let screened = (n_features + 1) as f64 * UNDERFLOW;
    let direct = underflow(n_features) * scale * scale;
    (screened + direct) as f32
}

/// Twice what underflow may do to a squared distance in `f64`: d products, 2^-1075 each.
fn underflow(n_features: usize) -> f64 {
    (n_features + 1) as f64 * f64::from_bits(1)
}

/// Up to here nothing overflows in `f32`, nor do the squared distances of the direct search:
/// |x - c|^2 is at most 2 (|x|^2 + |c|^2), so 2^127 here and 2^1021 there.
fn most(scale: f64) -> f32 {
    let direct = scale * 2.0_f64.powi(510);
    (direct * direct).min(2.0_f64.powi(126)) as f32
}

#[cfg(test)]
mod tests;
