//! Sums over rows that do not depend on their order.

use crate::Isa;

use super::{LANES, Tile};

/// Terms have so many bits below the power of two that bounds them.
const BITS: i32 = 50;
/// Terms that 63 bits hold, whatever their signs.
const MAX_PENDING: usize = 1 << 12;

/// A row of a tile, and what it is multiplied with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pick {
    /// The row.
    pub row: u32,
    /// The coefficient.
    pub coef: f64,
}

/// What is added up of a row x.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// x: a number a column.
    Rows,
    /// The squares of x: a number a column.
    Squares,
    /// The outer product of x with itself, its upper half: for each column `j`, the products
    /// with the columns from `j` rounded down to a multiple of 4.
    Outer,
}

impl Shape {
    /// How many numbers there are, of rows of so many.
    #[must_use]
    pub fn len(self, stride: usize) -> usize {
        match self {
            Self::Rows | Self::Squares => stride,
            Self::Outer => Self::outer_start(stride, stride),
        }
    }

    /// Where the product of two columns, `j <= k`, is among those of [`Outer`](Self::Outer).
    #[must_use]
    pub fn outer_at(stride: usize, j: usize, k: usize) -> usize {
        Self::outer_start(stride, j) + k - j / LANES * LANES
    }

    /// Numbers before those of column `j`.
    fn outer_start(stride: usize, j: usize) -> usize {
        let (whole, rest) = (j / LANES, j % LANES);
        let before = LANES * whole * stride - LANES * LANES * (whole * whole.saturating_sub(1) / 2);
        before + rest * (stride - whole * LANES)
    }
}

/// Sums in progress; one for each thread and what is summed up.
///
/// The result is the same integers whatever the order of the rows, how they are split into
/// calls and tiles, and on every [`Isa`].
///
/// # Performance
/// For rows of s numbers in a tile, s / 4 vector operations of each kind (fused multiply-add,
/// integer addition) a row, or s / 2 times as many for outer products.
#[derive(Clone, Debug)]
pub struct Sums {
    shape: Shape,
    bound: f64,
    /// Adding it rounds to units.
    magic: f64,
    n_pending: usize,
    pending: Vec<i64>,
    padded: Vec<Pick>,
}

impl Sums {
    /// Sums of rows of `stride` numbers, none of them beyond 1, times coefficients that are
    /// not beyond `bound`.
    ///
    /// # Panics
    /// If the bound is not between 1e-250 and 1e250.
    #[must_use]
    pub fn new(shape: Shape, stride: usize, bound: f64) -> Self {
        assert!((1e-250..1e250).contains(&bound), "a bound in the range of double precision");
        let bound = power_above(bound);
        let pending = vec![0; shape.len(stride)];
        Self { shape, bound, magic: 6.0 * bound, n_pending: 0, pending, padded: Vec::new() }
    }

    /// What an integer stands for.
    #[must_use]
    pub fn unit(&self) -> f64 {
        self.bound / (1_u64 << BITS) as f64
    }

    /// The largest magnitude of a coefficient.
    #[must_use]
    pub fn bound(&self) -> f64 {
        self.bound
    }

    /// Adds rows times their coefficients; `totals` take in what is too much to be pending.
    /// Says whether all coefficients are within the bound; if not, the sums are lost.
    ///
    /// # Panics
    /// If the rows or the totals are of another width, or there is no such row.
    pub fn add(&mut self, isa: Isa, tile: &Tile, picks: &[Pick], totals: &mut [i128]) -> bool {
        assert_eq!(self.shape.len(tile.stride()), self.pending.len(), "rows of one width");
        assert!(picks.iter().all(|pick| (pick.row as usize) < tile.n_rows()), "rows of the tile");
        for picks in picks.chunks(MAX_PENDING - LANES) {
            if self.n_pending + picks.len().next_multiple_of(LANES) > MAX_PENDING {
                self.flush(totals);
            }
            self.padded.clear();
            self.padded.extend_from_slice(picks);
            self.padded.resize(picks.len().next_multiple_of(LANES), Pick::default());
            self.n_pending += self.padded.len();
            self.add_padded(isa, tile);
        }
        picks.iter().fold(true, |within, pick| within & (pick.coef.abs() <= self.bound))
    }

    fn add_padded(&mut self, isa: Isa, tile: &Tile) {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 if Isa::available().contains(&isa) => {
                // SAFETY: this machine has AVX2 and FMA.
                unsafe { self.run_avx2(tile) }
            }
            _ => self.run(tile),
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn run_avx2(&mut self, tile: &Tile) {
        self.run(tile);
    }

    #[inline(always)]
    fn run(&mut self, tile: &Tile) {
        let (stride, values) = (tile.stride(), tile.values());
        for picks in self.padded.as_chunks::<LANES>().0 {
            let coefs = picks.map(|pick| pick.coef);
            let rows = picks.map(|pick| &values[pick.row as usize * stride..][..stride]);
            match self.shape {
                Shape::Rows => add_rows(&mut self.pending, rows, coefs, self.magic),
                Shape::Squares => add_squares(&mut self.pending, rows, coefs, self.magic),
                Shape::Outer => add_outer(&mut self.pending, rows, coefs, self.magic),
            }
        }
    }

    /// Adds what is pending to the totals: integers that count [units](Self::unit).
    ///
    /// # Panics
    /// If the totals are of another width.
    pub fn flush(&mut self, totals: &mut [i128]) {
        assert_eq!(totals.len(), self.pending.len(), "a total for each number");
        let offset = (self.magic.to_bits() as i64).wrapping_mul(self.n_pending as i64);
        for (total, pending) in totals.iter_mut().zip(&mut self.pending) {
            *total = total.wrapping_add(i128::from(pending.wrapping_sub(offset)));
            *pending = 0;
        }
        self.n_pending = 0;
    }
}

/// The least power of two that is not below.
fn power_above(bound: f64) -> f64 {
    let power = f64::from_bits(bound.to_bits() >> 52 << 52);
    if power < bound { 2.0 * power } else { power }
}

/// Adds `coef * x` of four rows to each number.
#[inline(always)]
fn add_rows(sums: &mut [i64], rows: [&[f64]; LANES], coefs: [f64; LANES], magic: f64) {
    let [a, b, c, d] = rows;
    let values = a.iter().zip(b).zip(c).zip(d);
    for (sum, (((a, b), c), d)) in sums.iter_mut().zip(values) {
        let mut all = *sum;
        for (x, coef) in [a, b, c, d].into_iter().zip(coefs) {
            all = all.wrapping_add(coef.mul_add(*x, magic).to_bits() as i64);
        }
        *sum = all;
    }
}

#[inline(always)]
fn add_squares(sums: &mut [i64], rows: [&[f64]; LANES], coefs: [f64; LANES], magic: f64) {
    let [a, b, c, d] = rows;
    let values = a.iter().zip(b).zip(c).zip(d);
    for (sum, (((a, b), c), d)) in sums.iter_mut().zip(values) {
        let mut all = *sum;
        for (x, coef) in [a, b, c, d].into_iter().zip(coefs) {
            all = all.wrapping_add((coef * x).mul_add(*x, magic).to_bits() as i64);
        }
        *sum = all;
    }
}

#[inline(always)]
fn add_outer(sums: &mut [i64], rows: [&[f64]; LANES], coefs: [f64; LANES], magic: f64) {
    let stride = rows[0].len();
    let mut rest = sums;
    for j in 0..stride {
        let first = j / LANES * LANES;
        let (sums, after) = rest.split_at_mut(stride - first);
        rest = after;
        let mut products = coefs;
        for (product, row) in products.iter_mut().zip(rows) {
            *product *= row[j];
        }
        add_rows(sums, rows.map(|row| &row[first..]), products, magic);
    }
}
