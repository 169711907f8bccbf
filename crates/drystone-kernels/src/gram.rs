//! Sums of kernel functions: for each of many rows, the sum over some other rows, the
//! supports, of a coefficient times the kernel of the two. The hot loop of a support vector
//! machine, in training and in prediction.
//!
//! No matrix of kernel values is made: a tile of rows meets a few supports at a time, and
//! what they come to is added up at once. Rows are prepared first (see [`Map`]), so that
//! every kernel is a function of one number t, a dot product or minus half a squared distance:
//!
//! - t is one chain of fused multiply-adds, over features in order, in the type of the
//!   prepared rows: of their products, or of their differences;
//! - the function is evaluated in that type, by operations that round in one way only;
//! - the sum is one chain of fused multiply-adds in double precision, over supports in order.
//!
//! So a row's sum depends neither on the rows beside it nor on the instruction set.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
mod map;
pub(crate) mod real;
mod sparse;
#[cfg(test)]
mod tests;
mod tiles;
pub(crate) mod vector;

pub use map::Map;
pub use real::Real;
pub use sparse::Sparse;
pub use tiles::{TILE_ROWS, Tiles};

use crate::Isa;
use map::minus_half_square;
use vector::Vector;

/// Vectors of rows that meet some supports at a time; how many depends on the type.
const VECTORS: usize = 4;

/// Rows, row-major and prepared, with what each adds to t.
#[derive(Clone, Copy, Debug)]
pub struct Supports<'a, T> {
    /// `(n_supports, n_features)`.
    pub rows: &'a [T],
    /// The [`Map::offset`] of each.
    pub offsets: &'a [T],
    /// The same rows, if most of their values are 0.
    pub sparse: Option<&'a Sparse<T>>,
}

/// Adds to `out` what the supports come to: for each of `rows`, and each of `n_outputs`,
/// the sum over supports of `coefs[support * n_outputs + output] * kernel(row, support)`.
///
/// `out` has for each tile of rows `n_outputs` runs of [`TILE_ROWS`] numbers.
///
/// # Panics
///
/// If the lengths disagree.
///
/// # Examples
///
/// ```
/// use drystone_kernels::{Isa, gram::{accumulate, Map, Supports, Tiles, TILE_ROWS}};
/// let mut rows = Tiles::<f64>::new(2);
/// rows.push(&[1.0, 2.0], Map::Identity);
/// let supports = Supports { rows: &[3.0, 4.0], offsets: &[0.0], sparse: None };
/// let mut out = [0.0; TILE_ROWS];
/// accumulate(Isa::best(), Map::Identity, &rows, supports, &[0.5], 1, &mut out);
/// assert_eq!(out[0], 0.5 * (1.0 * 3.0 + 2.0 * 4.0));
/// ```
pub fn accumulate<T: Real>(
    isa: Isa,
    map: Map,
    rows: &Tiles<T>,
    supports: Supports<'_, T>,
    coefs: &[f64],
    n_outputs: usize,
    out: &mut [f64],
) {
    let n_supports = supports.offsets.len();
    assert_eq!(coefs.len(), n_supports * n_outputs, "a coefficient a support and output");
    assert_eq!(out.len(), rows.n_tiles() * n_outputs * TILE_ROWS, "a sum a row and output");
    T::add_up(isa, &Task::new(map, rows, supports), &mut Sums { coefs, n_outputs, out });
}

/// The kernel of each support and each row: `(n_supports, n_rows)`, row-major, the rows
/// filled up to whole tiles.
///
/// # Panics
///
/// If the lengths disagree.
///
/// # Examples
///
/// ```
/// use drystone_kernels::{Isa, gram::{values, Map, Supports, Tiles, TILE_ROWS}};
/// let mut rows = Tiles::<f64>::new(1);
/// rows.push(&[5.0], Map::Identity);
/// let supports = Supports { rows: &[3.0, 4.0], offsets: &[0.0, 0.0], sparse: None };
/// let mut out = [0.0; 2 * TILE_ROWS];
/// values(Isa::best(), Map::Identity, &rows, supports, &mut out);
/// assert_eq!((out[0], out[TILE_ROWS]), (15.0, 20.0));
/// ```
pub fn values<T: Real>(
    isa: Isa,
    map: Map,
    rows: &Tiles<T>,
    supports: Supports<'_, T>,
    out: &mut [T],
) {
    let stride = rows.n_tiles() * TILE_ROWS;
    assert_eq!(out.len(), supports.offsets.len() * stride, "a value a support and row");
    T::write(isa, &Task::new(map, rows, supports), &mut Matrix { stride, out });
}

/// What becomes of kernel values.
trait Sink<T> {
    /// Takes the values of some vectors of rows, the first of which is `row`, with `S`
    /// supports, the first of which is `support`.
    fn take<V: Vector<Real = T>, const S: usize>(
        &mut self,
        row: usize,
        support: usize,
        values: [[V; S]; VECTORS],
    );
}

/// [`accumulate`].
pub struct Sums<'a> {
    coefs: &'a [f64],
    n_outputs: usize,
    out: &'a mut [f64],
}

impl<T> Sink<T> for Sums<'_> {
    #[inline(always)]
    fn take<V: Vector<Real = T>, const S: usize>(
        &mut self,
        row: usize,
        support: usize,
        values: [[V; S]; VECTORS],
    ) {
        for output in 0..self.n_outputs {
            let mut coefs = [0.0; S];
            for (s, coef) in coefs.iter_mut().enumerate() {
                *coef = self.coefs[(support + s) * self.n_outputs + output];
            }
            let run = (row / TILE_ROWS * self.n_outputs + output) * TILE_ROWS;
            let sums = &mut self.out[run + row % TILE_ROWS..][..VECTORS * V::LANES];
            for (vector, values) in values.iter().enumerate() {
                V::add_to(*values, coefs, &mut sums[vector * V::LANES..]);
            }
        }
    }
}

/// [`values`].
pub struct Matrix<'a, T> {
    stride: usize,
    out: &'a mut [T],
}

impl<T> Sink<T> for Matrix<'_, T> {
    #[inline(always)]
    fn take<V: Vector<Real = T>, const S: usize>(
        &mut self,
        row: usize,
        support: usize,
        values: [[V; S]; VECTORS],
    ) {
        for s in 0..S {
            let at = (support + s) * self.stride + row;
            for (vector, values) in values.iter().enumerate() {
                values[s].store(&mut self.out[at + vector * V::LANES..]);
            }
        }
    }
}

/// The values of supports, however they are kept.
trait Terms<T: Real> {
    /// Adds to `sums`, for some rows of a tile in vectors and for `S` supports, their products
    /// feature by feature. The tile has a run of values a feature.
    fn add<V: Vector<Real = T>, const S: usize>(
        &self,
        tile: &[[T; TILE_ROWS]],
        first_row: usize,
        first: usize,
        sums: &mut [[V; S]; VECTORS],
    );
}

/// `S` rows of `d` values each.
#[inline(always)]
fn rows_from<T, const S: usize>(values: &[T], first: usize, d: usize) -> [&[T]; S] {
    let mut rows = [&values[..0]; S];
    for (s, row) in rows.iter_mut().enumerate() {
        *row = &values[(first + s) * d..][..d];
    }
    rows
}

/// All values, row-major; not their products but [`minus_half_square`] of their differences.
struct Differences<'a, T>(&'a [T]);

impl<T: Real> Terms<T> for Differences<'_, T> {
    #[inline(always)]
    fn add<V: Vector<Real = T>, const S: usize>(
        &self,
        tile: &[[T; TILE_ROWS]],
        first_row: usize,
        first: usize,
        sums: &mut [[V; S]; VECTORS],
    ) {
        let supports: [&[T]; S] = rows_from(self.0, first, tile.len());
        for (feature, x) in tile.iter().enumerate() {
            for (vector, sums) in sums.iter_mut().enumerate() {
                let x = V::load(&x[first_row + vector * V::LANES..]);
                for (sum, support) in sums.iter_mut().zip(supports) {
                    *sum = minus_half_square(x - V::splat(support[feature]), *sum);
                }
            }
        }
    }
}

/// All values, row-major.
struct Dense<'a, T>(&'a [T]);

impl<T: Real> Terms<T> for Dense<'_, T> {
    #[inline(always)]
    fn add<V: Vector<Real = T>, const S: usize>(
        &self,
        tile: &[[T; TILE_ROWS]],
        first_row: usize,
        first: usize,
        sums: &mut [[V; S]; VECTORS],
    ) {
        let supports: [&[T]; S] = rows_from(self.0, first, tile.len());
        for (feature, x) in tile.iter().enumerate() {
            for vector in 0..VECTORS {
                let x = V::load(&x[first_row + vector * V::LANES..]);
                for s in 0..S {
                    sums[vector][s] = x.fma(V::splat(supports[s][feature]), sums[vector][s]);
                }
            }
        }
    }
}

/// Rows and supports that meet.
pub struct Task<'a, T> {
    map: Map,
    rows: &'a Tiles<T>,
    supports: Supports<'a, T>,
}

impl<'a, T: Real> Task<'a, T> {
    fn new(map: Map, rows: &'a Tiles<T>, supports: Supports<'a, T>) -> Self {
        let n_values = supports.offsets.len() * rows.n_features();
        assert_eq!(supports.rows.len(), n_values, "a row a support");
        let n_sparse = supports.sparse.map(Sparse::n_rows);
        assert!(n_sparse.is_none_or(|n| n == supports.offsets.len()), "a sparse row a support");
        Self { map, rows, supports }
    }

    /// `G` supports at a time.
    fn run_on<S: Sink<T>, const G: usize>(&self, isa: Isa, sink: &mut S) {
        match self.supports.sparse {
            // What is 0 in a support may be a difference.
            _ if self.map == Map::Exp2OfDifferences => {
                self.run_with::<S, G>(isa, &Differences(self.supports.rows), sink);
            }
            // Each needs other features: there are no loads to share. Two at a time were not faster.
            Some(sparse) => self.run_with::<S, 1>(isa, sparse, sink),
            None => self.run_with::<S, G>(isa, &Dense(self.supports.rows), sink),
        }
    }

    fn run_with<S: Sink<T>, const G: usize>(&self, isa: Isa, terms: &impl Terms<T>, sink: &mut S) {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 if Isa::available().contains(&isa) => {
                // SAFETY: this machine has AVX2 and FMA.
                unsafe { avx2::run::<T, S, _, G>(self, terms, sink) }
            }
            _ => self.meet_all::<T, S, G>(terms, sink),
        }
    }

    #[inline(always)]
    fn meet_all<V: Vector<Real = T>, S: Sink<T>, const G: usize>(
        &self,
        terms: &impl Terms<T>,
        sink: &mut S,
    ) {
        let n_supports = self.supports.offsets.len();
        let grouped = n_supports - n_supports % G;
        for first_row in (0..self.rows.n_tiles() * TILE_ROWS).step_by(VECTORS * V::LANES) {
            for first in (0..grouped).step_by(G) {
                sink.take(first_row, first, self.meet::<V, G>(terms, first_row, first));
            }
            for first in grouped..n_supports {
                sink.take(first_row, first, self.meet::<V, 1>(terms, first_row, first));
            }
        }
    }

    /// The kernel of some rows and `S` supports.
    #[inline(always)]
    fn meet<V: Vector<Real = T>, const S: usize>(
        &self,
        terms: &impl Terms<T>,
        first_row: usize,
        first: usize,
    ) -> [[V; S]; VECTORS] {
        let (tile, row) = (first_row / TILE_ROWS, first_row % TILE_ROWS);
        let mut values = self.offsets::<V, S>(tile, row, first);
        terms.add::<V, S>(self.rows.tile(tile).0, row, first, &mut values);
        for vector in &mut values {
            for value in vector {
                *value = self.map.of(*value);
            }
        }
        values
    }

    /// What t starts from.
    #[inline(always)]
    fn offsets<V: Vector<Real = T>, const S: usize>(
        &self,
        tile: usize,
        first_row: usize,
        first: usize,
    ) -> [[V; S]; VECTORS] {
        let offsets = self.rows.tile(tile).1;
        let mut sums = [[V::splat(T::default()); S]; VECTORS];
        for (vector, sums) in sums.iter_mut().enumerate() {
            let offset = V::load(&offsets[first_row + vector * V::LANES..]);
            for (s, sum) in sums.iter_mut().enumerate() {
                *sum = offset + V::splat(self.supports.offsets[first + s]);
            }
        }
        sums
    }
}
