//! Against one row and support after the other, and the functions' definitions.

use super::*;
use crate::Float;
use crate::math::exp;
use crate::normal::mix;
use proptest::prelude::*;

/// Whole numbers of eighths in [-2, 2): most t are exact. One in `share` is not 0.
fn values_of<T: Float>(seed: u64, n: usize, share: u64) -> Vec<T> {
    let value =
        |bits: u64| if bits >> 32 & 7 < 8 / share { (bits % 32) as f64 / 8.0 - 2.0 } else { 0.0 };
    (0..n).map(|at| T::from_f64(value(mix(&[seed, at as u64])))).collect()
}

fn values<T: Float>(seed: u64, n: usize) -> Vec<T> {
    values_of(seed, n, 1)
}

const MAPS: [Map; 6] = [
    Map::Identity,
    Map::Exp2,
    Map::Exp2OfDifferences,
    Map::Power { coef0: 0.5, degree: 3 },
    Map::Power { coef0: 0.0, degree: 0 },
    Map::Tanh { coef0: -0.25 },
];

struct Case<T> {
    rows: Vec<T>,
    supports: Vec<T>,
    coefs: Vec<f64>,
    d: usize,
    n_outputs: usize,
}

impl<T: Real> Case<T> {
    fn new(seed: u64, n_rows: usize, n_supports: usize, d: usize, n_outputs: usize) -> Self {
        Self {
            rows: values(seed, n_rows * d),
            supports: values_of(seed + 1, n_supports * d, [1, 4][(seed % 2) as usize]),
            coefs: values(seed + 2, n_supports * n_outputs),
            d,
            n_outputs,
        }
    }

    fn tiles(&self, map: Map) -> Tiles<T> {
        let mut tiles = Tiles::new(self.d);
        self.rows.chunks_exact(self.d).for_each(|row| tiles.push(row, map));
        tiles
    }

    fn offsets(&self, map: Map) -> Vec<T> {
        self.supports.chunks_exact(self.d).map(|row| map.offset(row)).collect()
    }

    fn supports<'a>(&'a self, offsets: &'a [T], sparse: &'a Option<Sparse<T>>) -> Supports<'a, T> {
        Supports { rows: &self.supports, offsets, sparse: sparse.as_ref() }
    }

    fn sums(&self, isa: Isa, map: Map, sparse: &Option<Sparse<T>>) -> Vec<f64> {
        let tiles = self.tiles(map);
        let offsets = self.offsets(map);
        let mut out = vec![1.0; tiles.n_tiles() * self.n_outputs * TILE_ROWS];
        let supports = self.supports(&offsets, sparse);
        accumulate(isa, map, &tiles, supports, &self.coefs, self.n_outputs, &mut out);
        let at = |row: usize, output: usize| {
            out[(row / TILE_ROWS * self.n_outputs + output) * TILE_ROWS + row % TILE_ROWS]
        };
        let rows = 0..self.rows.len() / self.d;
        rows.flat_map(|row| (0..self.n_outputs).map(move |output| at(row, output))).collect()
    }

    /// The matrix has the kernel of each pair.
    fn check_values(&self, map: Map, sparse: &Option<Sparse<T>>) {
        let (tiles, offsets) = (self.tiles(map), self.offsets(map));
        let stride = tiles.n_tiles() * TILE_ROWS;
        for &isa in Isa::available() {
            let mut out = vec![T::default(); offsets.len() * stride];
            let supports = self.supports(&offsets, sparse);
            super::values(isa, map, &tiles, supports, &mut out);
            for (s, support) in self.supports.chunks_exact(self.d).enumerate() {
                for (r, row) in self.rows.chunks_exact(self.d).enumerate() {
                    let kernel = map.kernel(row, map.offset(row), support, offsets[s]);
                    assert_eq!(out[s * stride + r], kernel, "{map:?} on {isa}");
                }
            }
        }
    }

    /// One row, support and output after the other.
    fn naive(&self, map: Map) -> Vec<f64> {
        let offsets = self.offsets(map);
        let mut sums = Vec::new();
        for row in self.rows.chunks_exact(self.d) {
            for output in 0..self.n_outputs {
                let mut sum = 1.0;
                for (s, support) in self.supports.chunks_exact(self.d).enumerate() {
                    let kernel = map.kernel(row, map.offset(row), support, offsets[s]);
                    sum = self.coefs[s * self.n_outputs + output].mul_add(kernel.to_f64(), sum);
                }
                sums.push(sum);
            }
        }
        sums
    }
}

fn check<T: Real>(seed: u64, shape: [usize; 4]) {
    let [n_rows, n_supports, d, n_outputs] = shape;
    let case = Case::<T>::new(seed, n_rows, n_supports, d, n_outputs);
    for map in MAPS {
        let naive = case.naive(map);
        for sparse in [None, Sparse::of(&case.supports, d)] {
            case.check_values(map, &sparse);
            for &isa in Isa::available() {
                let sums = case.sums(isa, map, &sparse);
                assert_eq!(sums, naive, "{map:?} on {isa}, {shape:?}, {sparse:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn sums_have_the_bits_of_one_after_the_other(
        seed in any::<u32>(), n_rows in 0_usize..70, n_supports in 0_usize..8,
        d in 1_usize..9, n_outputs in 1_usize..4,
    ) {
        check::<f32>(u64::from(seed), [n_rows, n_supports, d, n_outputs]);
        check::<f64>(u64::from(seed), [n_rows, n_supports, d, n_outputs]);
    }
}

/// The kernel of two numbers, which stand for rows.
fn of<T: Real>(map: Map, a: f64, b: f64) -> f64 {
    let (a, b) = ([T::from_f64(a)], [T::from_f64(b)]);
    map.kernel(&a, map.offset(&a), &b, map.offset(&b)).to_f64()
}

#[test]
fn kernels_are_near_their_definitions() {
    for step in 0..20_000 {
        let x = f64::from(step) / 1000.0;
        let gauss = exp(-x * x / 2.0 * std::f64::consts::LN_2);
        let (double, single) = (of::<f64>(Map::Exp2, x, 0.0), of::<f32>(Map::Exp2, x, 0.0));
        // An exponent of t is off by its rounding, so 2^t by as much relative to it.
        let off = (1.0 + x * x) * gauss;
        assert!((double - gauss).abs() <= 2.0_f64.powi(-51) * off, "2^-{x}^2/2 is {double}");
        let near = f64::from(x as f32);
        let gauss = exp(-near * near / 2.0 * std::f64::consts::LN_2);
        assert!(
            (single - gauss).abs() <= 2.0_f64.powi(-22) * off + 1e-37,
            "2^-{x}^2/2 is {single}"
        );
    }
    for step in -4000..4000 {
        let x = f64::from(step) / 100.0;
        let tanh = 1.0 - 2.0 / (exp(2.0 * x) + 1.0);
        let map = Map::Tanh { coef0: 0.0 };
        assert!((of::<f64>(map, x, 1.0) - tanh).abs() <= 2.0_f64.powi(-47), "tanh {x}");
        assert!((of::<f32>(map, x, 1.0) - tanh).abs() <= 2.0_f64.powi(-19), "tanh {x}");
    }
    assert_eq!(of::<f64>(Map::Power { coef0: 1.0, degree: 3 }, 2.0, 3.0), 343.0);
    assert_eq!(of::<f32>(Map::Power { coef0: 1.0, degree: 3 }, 2.0, 3.0), 343.0);
}

#[test]
fn far_rows_and_large_numbers_have_their_limits() {
    for far in [40.0, 1e3, 1e15] {
        assert!((0.0..1e-37).contains(&of::<f32>(Map::Exp2, far, 0.0)));
        assert!((0.0..1e-200).contains(&of::<f64>(Map::Exp2, far, 0.0)));
    }
    for (x, limit) in [(1e6, 1.0), (-1e6, -1.0)] {
        assert_eq!(of::<f32>(Map::Tanh { coef0: 0.0 }, x, 1.0), limit);
        assert_eq!(of::<f64>(Map::Tanh { coef0: 0.0 }, x, 1.0), limit);
    }
}

/// The sum of a far row's square and its products with another rounds above 0 easily.
#[test]
fn kernels_of_distances_are_never_above_one() {
    for scale in [1.0, 1e4, 1e8, 1e15, 1e30] {
        for (a, b) in [(1.1, 1.1), (1.1, 1.100_000_1), (-0.3, -0.3)] {
            let single = of::<f32>(Map::Exp2, a * scale, b * scale);
            let double = of::<f64>(Map::Exp2, a * scale, b * scale);
            assert!((0.0..=1.0).contains(&single) && (0.0..=1.0).contains(&double), "{scale}");
        }
        let same = of::<f64>(Map::Exp2OfDifferences, 1.1 * scale, 1.1 * scale);
        assert_eq!(same, 1.0, "{scale}");
    }
    let (a, b) = (1e9 + 1.0, 1e9);
    assert_eq!(of::<f64>(Map::Exp2OfDifferences, a, b), of::<f64>(Map::Exp2, 1.0, 0.0));
}

#[test]
fn the_kernel_of_a_row_with_itself_is_one() {
    let rows = values::<f64>(3, 7);
    assert_eq!(
        Map::Exp2.kernel(&rows, Map::Exp2.offset(&rows), &rows, Map::Exp2.offset(&rows)),
        1.0
    );
}

#[test]
fn kernels_are_symmetric() {
    let (a, b) = (values::<f32>(1, 9), values::<f32>(2, 9));
    for map in MAPS {
        let (x, y) = (map.offset(&a), map.offset(&b));
        assert_eq!(map.kernel(&a, x, &b, y), map.kernel(&b, y, &a, x), "{map:?}");
    }
}

#[test]
fn tiles_that_were_cleared_serve_again() {
    let mut tiles = Tiles::<f32>::new(2);
    (0..40).for_each(|_| tiles.push(&[9.0, 9.0], Map::Identity));
    tiles.clear();
    tiles.push(&[1.0, 2.0], Map::Identity);
    assert_eq!((tiles.n_rows(), tiles.n_tiles()), (1, 1));
    let mut out = [0.0; TILE_ROWS];
    let supports = Supports { rows: &[1.0, 1.0], offsets: &[0.0], sparse: None };
    accumulate(Isa::best(), Map::Identity, &tiles, supports, &[1.0], 1, &mut out);
    assert_eq!(out[..2], [3.0, 0.0]);
}

#[test]
fn rows_are_sparse_if_half_of_their_values_are_zeros() {
    let sparse = |rows: &[f64]| Sparse::of(rows, 2).map(|sparse| sparse.row(1).to_vec());
    assert_eq!(sparse(&[0.0, 1.0, 2.0, 0.0]), Some(vec![(0, 2.0)]));
    assert_eq!(sparse(&[3.0, 1.0, -0.0, 0.0]), Some(vec![]));
    assert_eq!(sparse(&[0.0, 1.0, 2.0, 3.0]), None);
}

#[test]
#[should_panic(expected = "a sparse row a support")]
fn other_sparse_rows_are_refused() {
    let (mut tiles, sparse) = (Tiles::<f64>::new(1), Sparse::of(&[0.0, 0.0], 1));
    tiles.push(&[1.0], Map::Identity);
    let supports = Supports { rows: &[0.0], offsets: &[0.0], sparse: sparse.as_ref() };
    accumulate(Isa::best(), Map::Identity, &tiles, supports, &[1.0], 1, &mut [0.0; TILE_ROWS]);
}
