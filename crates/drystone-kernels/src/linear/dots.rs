//! Dot products of rows with a few vectors.

use crate::Isa;

use super::{LANES, Tile};

/// Vectors that rows are multiplied with, a lane each.
#[derive(Clone, Debug)]
pub struct Vectors {
    n_vectors: usize,
    stride: usize,
    /// For each group of four vectors, column by column, their four numbers.
    packed: Vec<f64>,
}

impl Vectors {
    /// Vectors in the frame of the rows; each has a number a column and one for the constant.
    #[must_use]
    pub fn new(stride: usize, vectors: &[Vec<f64>]) -> Self {
        let mut packed = Vec::with_capacity(vectors.len().next_multiple_of(LANES) * stride);
        for group in vectors.chunks(LANES) {
            for column in 0..stride {
                let lane = |lane: usize| group.get(lane).and_then(|vector| vector.get(column));
                packed.extend((0..LANES).map(|at| lane(at).copied().unwrap_or(0.0)));
            }
        }
        Self { n_vectors: vectors.len(), stride, packed }
    }

    /// How many there are.
    #[must_use]
    pub fn n_vectors(&self) -> usize {
        self.n_vectors
    }
}

/// The dot product of each row with each vector: overwrites `out`, (n_vectors, n_rows).
///
/// # Panics
/// If the vectors are of another width.
///
/// # Examples
/// ```
/// use drystone_kernels::{Isa, linear::{Frame, Tile, Vectors, dots}};
/// let frame = Frame::identity(2);
/// let mut tile = Tile::new(&frame);
/// tile.load(&frame, &[0.5, 0.25]);
/// let mut out = Vec::new();
/// dots(Isa::best(), &tile, &Vectors::new(frame.stride(), &[vec![2.0, 4.0, 10.0]]), &mut out);
/// assert_eq!(out, [0.5 * 2.0 + 0.25 * 4.0 + 10.0]);
/// ```
pub fn dots(isa: Isa, tile: &Tile, vectors: &Vectors, out: &mut Vec<f64>) {
    assert_eq!(tile.stride(), vectors.stride, "vectors of the rows' width");
    out.clear();
    out.resize(tile.n_rows() * vectors.n_vectors, 0.0);
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 if Isa::available().contains(&isa) => {
            // SAFETY: this machine has AVX2 and FMA.
            unsafe { run_avx2(tile, vectors, out) }
        }
        _ => run(tile, vectors, out),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2(tile: &Tile, vectors: &Vectors, out: &mut [f64]) {
    run(tile, vectors, out);
}

#[inline(always)]
fn run(tile: &Tile, vectors: &Vectors, out: &mut [f64]) {
    let (n_rows, stride) = (tile.n_rows(), tile.stride());
    for (group, packed) in vectors.packed.chunks_exact(stride * LANES).enumerate() {
        let lanes = LANES.min(vectors.n_vectors - group * LANES);
        for (first, rows) in tile.values().chunks_exact(stride * LANES).enumerate() {
            let sums = meet(rows, packed, stride);
            for lane in 0..lanes {
                let out = &mut out[(group * LANES + lane) * n_rows + first * LANES..];
                let n = LANES.min(n_rows - first * LANES);
                for (out, sums) in out[..n].iter_mut().zip(&sums) {
                    *out = sums[lane];
                }
            }
        }
    }
}

/// Four rows and four vectors.
#[inline(always)]
fn meet(rows: &[f64], packed: &[f64], stride: usize) -> [[f64; LANES]; LANES] {
    let mut sums = [[0.0_f64; LANES]; LANES];
    let (a, rest) = rows.split_at(stride);
    let (b, rest) = rest.split_at(stride);
    let (c, d) = rest.split_at(stride);
    let values = a.iter().zip(b).zip(c).zip(d);
    for ((((a, b), c), d), weights) in values.zip(packed.as_chunks::<LANES>().0) {
        for (sums, x) in sums.iter_mut().zip([a, b, c, d]) {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = x.mul_add(*weight, *sum);
            }
        }
    }
    sums
}
