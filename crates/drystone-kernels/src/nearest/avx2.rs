//! The nearest centroid with AVX2: a lane is a row, so that each distance is
//! the same chain as in scalar code, whatever the width.

use std::arch::x86_64::*;
use std::ops::Range;
use std::sync::atomic::{Ordering, compiler_fence};

use super::Problem;

/// Vectors of rows in a tile, and centroids that they are compared with at a
/// time: 8 accumulators, and as many registers for what goes into them.
const VECTORS: usize = 4;
const CENTROIDS: usize = 2;

/// Rows of a vector, and features that are transposed at a time.
const WIDTH: usize = 4;
const BLOCK: usize = 4;

/// Bytes that memory is fetched in.
const CACHE_LINE: usize = 64;

/// Features per tile: 14 KiB of rows, so that they stay in the first-level cache
/// along with the centroids. Longer rows carry their sums from tile to tile.
const FEATURES: usize = 112;

/// Some features of some rows, feature-major.
type Tile = [[__m256d; VECTORS]];

/// What one call allocates.
struct Scratch {
    tile: Vec<[__m256d; VECTORS]>,
    /// For each centroid, the sums over the features of earlier tiles.
    carried: Vec<[__m256d; VECTORS]>,
}

/// The nearest centroids of a tile's rows so far.
struct Nearest {
    best: [__m256d; VECTORS],
    index: [__m256d; VECTORS],
}

/// The nearest centroids, some rows at a time.
#[target_feature(enable = "avx2,fma")]
pub(super) fn nearest(problem: &mut Problem<'_>) {
    let (d, n_rows) = (problem.n_features, VECTORS * WIDTH);
    let zeros = [_mm256_setzero_pd(); VECTORS];
    let carry = d > FEATURES;
    let n_carried = problem.centroids.len() / d * usize::from(carry);
    let mut scratch =
        Scratch { tile: vec![zeros; d.min(FEATURES)], carried: vec![zeros; n_carried] };
    let best = problem.best.chunks_mut(n_rows);
    let index = problem.index.chunks_mut(n_rows);
    let records = problem.records.chunks(n_rows * d);
    let ahead = records.clone().skip(1).chain([&[][..]]);
    for (((records, ahead), best), index) in records.zip(ahead).zip(best).zip(index) {
        if !carry {
            prefetch(ahead);
        }
        let found = if carry {
            search::<true>(&mut scratch, records, d, problem.centroids)
        } else {
            search::<false>(&mut scratch, records, d, problem.centroids)
        };
        store(&found, best, index);
    }
}

/// Asks for the rows of the next tile while this one is compared: the pauses between
/// tiles are too long for the processor to see the pattern.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn prefetch(records: &[f64]) {
    for line in records.chunks(CACHE_LINE / size_of::<f64>()) {
        _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast());
    }
}

/// Compares some rows with every centroid; `CARRY` if they have more features
/// than a tile. On its own for the sake of register allocation, as [`fill`] is.
#[inline(never)]
#[target_feature(enable = "avx2,fma")]
fn search<const CARRY: bool>(
    scratch: &mut Scratch,
    records: &[f64],
    d: usize,
    centroids: &[f64],
) -> Nearest {
    let mut found = Nearest {
        best: [_mm256_set1_pd(f64::INFINITY); VECTORS],
        index: [_mm256_setzero_pd(); VECTORS],
    };
    let n_clusters = centroids.len() / d;
    let n_grouped = n_clusters - n_clusters % CENTROIDS;
    for start in (0..d).step_by(FEATURES) {
        let features = start..d.min(start + FEATURES);
        fill(&mut scratch.tile[..features.len()], records, d, start);
        for first in (0..n_grouped).step_by(CENTROIDS) {
            let group = &centroids[first * d..][..CENTROIDS * d];
            compare::<CENTROIDS, CARRY>(scratch, group, &features, first, &mut found);
        }
        for first in n_grouped..n_clusters {
            let centroid = &centroids[first * d..][..d];
            compare::<1, CARRY>(scratch, centroid, &features, first, &mut found);
        }
    }
    found
}

/// Adds a tile to the squared distances to `C` centroids, of which `first` is the
/// index of the first; they are complete with the last feature.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn compare<const C: usize, const CARRY: bool>(
    scratch: &mut Scratch,
    centroids: &[f64],
    features: &Range<usize>,
    first: usize,
    found: &mut Nearest,
) {
    let d = centroids.len() / C;
    let tile = &scratch.tile[..features.len()];
    let mut sums = [[_mm256_setzero_pd(); VECTORS]; C];
    if CARRY && features.start > 0 {
        sums.copy_from_slice(&scratch.carried[first..first + C]);
    }
    add_tile(tile, centroids, features.start, &mut sums);
    if CARRY && features.end < d {
        scratch.carried[first..first + C].copy_from_slice(&sums);
    } else {
        found.update(first as u32, &sums);
    }
}

/// Adds the squared differences of a tile, from feature `start` on, and `C` centroids.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn add_tile<const C: usize>(
    tile: &Tile,
    centroids: &[f64],
    start: usize,
    sums: &mut [[__m256d; VECTORS]; C],
) {
    let (n, d) = (tile.len(), centroids.len() / C);
    assert!(centroids.len() == C * d && start + n <= d);
    let values = centroids[start..].as_ptr();
    for i in 0..n {
        // SAFETY: AVX2 and FMA as in the caller; i < n, and start + i < d.
        unsafe { add_feature(tile.as_ptr().add(i), values.add(i), d, sums) }
    }
}

/// Adds the squared differences in one feature.
///
/// # Safety
///
/// The machine has AVX2 and FMA; there are `C` values of centroids, `d` apart.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn add_feature<const C: usize>(
    x: *const [__m256d; VECTORS],
    centroids: *const f64,
    d: usize,
    sums: &mut [[__m256d; VECTORS]; C],
) {
    let mut c = [_mm256_setzero_pd(); C];
    for (centroid, c) in c.iter_mut().enumerate() {
        // SAFETY: `C` values, as the caller vouches.
        *c = _mm256_set1_pd(unsafe { *centroids.add(centroid * d) });
    }
    for vector in 0..VECTORS {
        // Keeps the compiler from loading every vector first: the loop is then
        // a tenth slower.
        compiler_fence(Ordering::SeqCst);
        // SAFETY: a row of the tile, as the caller vouches.
        let x = unsafe { (*x)[vector] };
        for (c, sums) in c.iter().zip(sums.iter_mut()) {
            let diff = _mm256_sub_pd(x, *c);
            sums[vector] = _mm256_fmadd_pd(diff, diff, sums[vector]);
        }
    }
}

/// Transposes features of the rows, from `start` on, into the tile; rows that
/// are missing become zeros.
#[inline(never)]
#[target_feature(enable = "avx2,fma")]
fn fill(tile: &mut Tile, records: &[f64], d: usize, start: usize) {
    let n_rows = VECTORS * WIDTH;
    let whole = records.len() == d * n_rows;
    let n_blocked = if whole { tile.len() - tile.len() % BLOCK } else { 0 };
    assert!(start + tile.len() <= d && records.len() <= d * n_rows);
    let (blocks, rest) = tile.split_at_mut(n_blocked);
    for (features, i) in blocks.chunks_exact_mut(BLOCK).zip((0..).step_by(BLOCK)) {
        for vector in 0..VECTORS {
            // SAFETY: AVX2 as in the caller; all rows are there, `d` apart, and
            // BLOCK features from start + i are within start + tile.len() <= d.
            unsafe {
                let from = records.as_ptr().add(vector * WIDTH * d + start + i);
                transpose(from, d, features, vector);
            }
        }
    }
    if !rest.is_empty() {
        let rows = records.chunks_exact(d).map(|row| &row[start + n_blocked..]);
        fill_singly(rest, rows);
    }
}

/// Copies the first features of each row into the tile; missing rows become zeros.
fn fill_singly<'a>(tile: &mut Tile, rows: impl Iterator<Item = &'a [f64]>) {
    let (n_features, n_rows) = (tile.len(), VECTORS * WIDTH);
    let tile = elements_mut(tile.as_flattened_mut());
    tile.fill(0.0);
    for (row, values) in rows.enumerate() {
        for (feature, &x) in values[..n_features].iter().enumerate() {
            tile[feature * n_rows + row] = x;
        }
    }
}

impl Nearest {
    /// Keeps what is nearer: the centroids from `first` on are at these distances.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn update<const C: usize>(&mut self, first: u32, squared: &[[__m256d; VECTORS]; C]) {
        for (centroid, squared) in squared.iter().enumerate() {
            for (vector, squared) in squared.iter().enumerate() {
                let (best, index) = (&mut self.best[vector], &mut self.index[vector]);
                keep_less(*squared, first + centroid as u32, best, index);
            }
        }
    }
}

/// Writes the results of the rows that exist.
fn store(found: &Nearest, best: &mut [f64], index: &mut [u32]) {
    let from = elements(&found.best);
    best.copy_from_slice(&from[..best.len()]);
    let from = elements(&found.index);
    for (to, &from) in index.iter_mut().zip(from) {
        *to = from.to_bits() as u32;
    }
}

/// Where `scores` are less than `best`, they become `best`, and `centroid` the `index`,
/// whose lanes hold integers.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn keep_less(scores: __m256d, centroid: u32, best: &mut __m256d, index: &mut __m256d) {
    let less = _mm256_cmp_pd::<_CMP_LT_OQ>(scores, *best);
    let centroid = _mm256_castsi256_pd(_mm256_set1_epi64x(i64::from(centroid)));
    *index = _mm256_blendv_pd(*index, centroid, less);
    // The second operand, if they are equal or one is NaN.
    *best = _mm256_min_pd(scores, *best);
}

/// Transposes `BLOCK` features of `WIDTH` rows, `stride` elements apart, into the given
/// vector of each feature.
///
/// # Safety
///
/// The machine has AVX2, and there are four rows of four elements.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn transpose(
    from: *const f64,
    stride: usize,
    features: &mut [[__m256d; VECTORS]],
    vector: usize,
) {
    // SAFETY: as the caller vouches.
    unsafe {
        // Two columns of rows `row` and `row + 2`.
        let halves = |row: usize, column: usize| {
            let low = _mm_loadu_pd(from.add(row * stride + column));
            let high = _mm_loadu_pd(from.add((row + 2) * stride + column));
            _mm256_insertf128_pd::<1>(_mm256_castpd128_pd256(low), high)
        };
        for column in [0, 2] {
            let (a, b) = (halves(0, column), halves(1, column));
            features[column][vector] = _mm256_unpacklo_pd(a, b);
            features[column + 1][vector] = _mm256_unpackhi_pd(a, b);
        }
    }
}

/// The elements of vectors.
fn elements(vectors: &[__m256d]) -> &[f64] {
    // SAFETY: a vector is an array of WIDTH elements.
    unsafe { std::slice::from_raw_parts(vectors.as_ptr().cast(), vectors.len() * WIDTH) }
}

/// The elements of vectors, to be written.
fn elements_mut(vectors: &mut [__m256d]) -> &mut [f64] {
    let n = vectors.len() * WIDTH;
    // SAFETY: a vector is an array of WIDTH elements.
    unsafe { std::slice::from_raw_parts_mut(vectors.as_mut_ptr().cast(), n) }
}
