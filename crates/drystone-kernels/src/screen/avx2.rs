//! The screen with AVX2. Rows of few features are compared with a lane for each row, long
//! ones with a lane for each eighth of their features.

mod narrow;
mod wide;

use std::arch::x86_64::*;

use super::{Found, OPEN, Screen, WIDE};
use crate::Float;

/// Rows of a tile.
const ROWS: usize = VECTORS * WIDTH;
const VECTORS: usize = 4;
/// Lanes of a vector.
const WIDTH: usize = 8;
/// Bytes that memory is fetched in.
const CACHE_LINE: usize = 64;

/// A value for each row of a tile.
type Feature = [__m256; VECTORS];

/// Loads rows into the frame.
pub(crate) trait Framed: Float {
    /// Four elements of each of two rows times `scale`, less those of `origin`, in single
    /// precision.
    ///
    /// # Safety
    ///
    /// The machine has AVX2 and FMA; there are as many elements at all three.
    unsafe fn load(from: [*const Self; 2], scale: Self, origin: *const Self) -> __m256;

    /// The same of eight elements of one row.
    ///
    /// # Safety
    ///
    /// The machine has AVX2 and FMA; there are as many elements at both.
    unsafe fn load_row(from: *const Self, scale: Self, origin: *const Self) -> __m256;
}

/// The two nearest centroids of each row of a tile so far.
struct Nearest {
    best: Feature,
    second: Feature,
    index: Feature,
    /// |x|^2.
    squares: Feature,
}

/// Finds the nearest centroids of some rows.
///
/// # Safety
///
/// The machine has AVX2 and FMA, and the rows are within the records.
#[target_feature(enable = "avx2,fma")]
pub(crate) unsafe fn search<T: Framed>(
    screen: &Screen<T>,
    records: &[T],
    rows: &[u32],
    found: &mut Found,
) {
    let d = screen.n_features;
    let mut current = [records.as_ptr(); ROWS];
    let mut next = current;
    locate(records, d, &rows[..rows.len().min(ROWS)], &mut next);
    let (mut narrow, mut wide) = (narrow::Tile::new(d), wide::Tile::new(d));
    for (tile, rows_of_tile) in rows.chunks(ROWS).enumerate() {
        std::mem::swap(&mut current, &mut next);
        let ahead = rows.chunks(ROWS).nth(tile + 1).unwrap_or_default();
        locate(records, d, ahead, &mut next);
        if ahead.is_empty() {
            // Only asked for: the rows of the next call often follow.
            next = current.map(|row| row.wrapping_add(ROWS * d));
        }
        // SAFETY: within the records, as the caller vouches.
        let nearest = unsafe {
            if d >= WIDE {
                wide.search(screen, &current, &next)
            } else {
                narrow.search(screen, &current, &next)
            }
        };
        let at = tile * ROWS..tile * ROWS + rows_of_tile.len();
        let index = &mut found.index[at.clone()];
        store(screen, &nearest, index, &mut found.gap[at.clone()], &mut found.low[at]);
    }
}

/// Where the rows of a tile are; the last one stands for those that are missing.
fn locate<T>(records: &[T], d: usize, rows: &[u32], at: &mut [*const T; ROWS]) {
    let mut pointer = records.as_ptr();
    for (idx, at) in at.iter_mut().enumerate() {
        if let Some(&row) = rows.get(idx) {
            pointer = records[row as usize * d..].as_ptr();
        }
        *at = pointer;
    }
}

/// The rows of the next tile, asked for little by little while this one is compared: the
/// pauses between tiles are too long for the processor to see a pattern, and it has room
/// for few requests at a time.
struct Ahead<'a, T> {
    rows: std::slice::Iter<'a, *const T>,
    row_bytes: usize,
    /// What is left of the row at hand.
    row: *const u8,
    left: usize,
    /// Lines to fetch in each step.
    pace: usize,
}

impl<'a, T> Ahead<'a, T> {
    /// Rows of `d` features, fetched within `n_steps`.
    fn new(rows: &'a [*const T], d: usize, n_steps: usize) -> Self {
        let row_bytes = d * size_of::<T>();
        let pace = (rows.len() * row_bytes.div_ceil(CACHE_LINE)).div_ceil(n_steps);
        Self { rows: rows.iter(), row_bytes, row: std::ptr::null(), left: 0, pace }
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn fetch(&mut self) {
        for _ in 0..self.pace {
            if self.left == 0 {
                let Some(row) = self.rows.next() else { return };
                (self.row, self.left) = (row.cast(), self.row_bytes);
            }
            _mm_prefetch::<_MM_HINT_T0>(self.row.cast());
            self.row = self.row.wrapping_add(CACHE_LINE);
            self.left = self.left.saturating_sub(CACHE_LINE);
        }
    }
}

/// Writes the results of the rows that exist.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn store<T>(
    screen: &Screen<T>,
    nearest: &Nearest,
    index: &mut [u32],
    gap: &mut [f32],
    low: &mut [f32],
) {
    let (mut indices, mut gaps, mut lows) = ([0_u32; ROWS], [0.0_f32; ROWS], [0.0_f32; ROWS]);
    let (slack, floor) = (_mm256_set1_ps(screen.slack), _mm256_set1_ps(screen.floor));
    let (largest, farthest) = (_mm256_set1_ps(screen.largest), _mm256_set1_ps(screen.most));
    let two = _mm256_set1_ps(2.0);
    let zero = _mm256_setzero_ps();
    for vector in 0..VECTORS {
        let (best, second) = (nearest.best[vector], nearest.second[vector]);
        let square = nearest.squares[vector];
        let size = _mm256_add_ps(square, largest);
        let tolerance = _mm256_fmadd_ps(slack, size, floor);
        let apart = _mm256_cmp_ps::<_CMP_GT_OQ>(_mm256_sub_ps(second, best), tolerance);
        let certain = _mm256_and_ps(apart, _mm256_cmp_ps::<_CMP_LE_OQ>(size, farthest));
        let base = _mm256_fmadd_ps(two, best, square);
        // The second operand, zero, where the first is not a number.
        let least = _mm256_max_ps(_mm256_fnmadd_ps(two, tolerance, base), zero);
        let most = _mm256_max_ps(_mm256_fmadd_ps(two, tolerance, base), zero);
        let other = _mm256_fmadd_ps(two, second, square);
        let other = _mm256_max_ps(_mm256_fnmadd_ps(two, tolerance, other), zero);
        // Square roots and their difference are rounded: by less than this.
        let down = _mm256_mul_ps(_mm256_set1_ps(1.0 - 1e-6), _mm256_sqrt_ps(other));
        let up = _mm256_mul_ps(_mm256_set1_ps(1.0 + 1e-6), _mm256_sqrt_ps(most));
        let found = _mm256_max_ps(_mm256_sub_ps(down, up), zero);
        let found = _mm256_blendv_ps(_mm256_set1_ps(OPEN), found, certain);
        let at = vector * WIDTH;
        // SAFETY: eight of 32 values.
        unsafe {
            _mm256_storeu_ps(indices.as_mut_ptr().add(at).cast(), nearest.index[vector]);
            _mm256_storeu_ps(gaps.as_mut_ptr().add(at), found);
            _mm256_storeu_ps(lows.as_mut_ptr().add(at), least);
        }
    }
    index.copy_from_slice(&indices[..index.len()]);
    gap.copy_from_slice(&gaps[..gap.len()]);
    low.copy_from_slice(&lows[..low.len()]);
}

impl Framed for f64 {
    #[inline(always)]
    unsafe fn load([low, high]: [*const f64; 2], scale: f64, origin: *const f64) -> __m256 {
        // SAFETY: the caller vouches for AVX2, FMA and four elements.
        unsafe {
            let (scale, origin) = (_mm256_set1_pd(scale), _mm256_loadu_pd(origin));
            let framed =
                |from| _mm256_cvtpd_ps(_mm256_fmsub_pd(_mm256_loadu_pd(from), scale, origin));
            _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(framed(low)), framed(high))
        }
    }

    #[inline(always)]
    unsafe fn load_row(from: *const f64, scale: f64, origin: *const f64) -> __m256 {
        // SAFETY: the caller vouches for AVX2, FMA and eight elements.
        unsafe {
            let scale = _mm256_set1_pd(scale);
            let framed = |at: usize| {
                let (x, origin) = (_mm256_loadu_pd(from.add(at)), _mm256_loadu_pd(origin.add(at)));
                _mm256_cvtpd_ps(_mm256_fmsub_pd(x, scale, origin))
            };
            _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(framed(0)), framed(4))
        }
    }
}

impl Framed for f32 {
    #[inline(always)]
    unsafe fn load([low, high]: [*const f32; 2], scale: f32, origin: *const f32) -> __m256 {
        // SAFETY: the caller vouches for AVX2, FMA and four elements.
        unsafe {
            let low = _mm256_castps128_ps256(_mm_loadu_ps(low));
            let rows = _mm256_insertf128_ps::<1>(low, _mm_loadu_ps(high));
            let origin = _mm256_broadcast_ps(&*origin.cast());
            _mm256_fmsub_ps(rows, _mm256_set1_ps(scale), origin)
        }
    }

    #[inline(always)]
    unsafe fn load_row(from: *const f32, scale: f32, origin: *const f32) -> __m256 {
        // SAFETY: the caller vouches for AVX2, FMA and eight elements.
        unsafe {
            let (x, origin) = (_mm256_loadu_ps(from), _mm256_loadu_ps(origin));
            _mm256_fmsub_ps(x, _mm256_set1_ps(scale), origin)
        }
    }
}
