//! Rows of many features: a lane is an eighth of the features, so that rows are read as
//! they lie in memory and nothing is transposed.

use std::arch::x86_64::*;

use super::{Ahead, Framed, Nearest, ROWS, WIDTH};
use crate::screen::{Screen, WIDE, group_size};

/// Rows that are compared at a time: times three centroids, 12 sums.
const GROUP: usize = 4;

/// Vectors that are compared between two requests for rows ahead.
const STEPS_PER_FETCH: usize = 4;

/// Rows in the frame, one after the other, and zeros up to a whole vector.
pub(super) struct Tile(Vec<[__m256; GROUP]>);

/// The two nearest centroids of a group of rows so far.
#[derive(Clone, Copy)]
struct Best {
    best: __m128,
    second: __m128,
    index: __m128,
    squares: __m128,
}

impl Tile {
    #[target_feature(enable = "avx2,fma")]
    pub fn new(d: usize) -> Self {
        let n = if d < WIDE { 0 } else { d.div_ceil(WIDTH) };
        Self(vec![[_mm256_setzero_ps(); GROUP]; n])
    }

    /// Compares rows with every centroid.
    ///
    /// # Safety
    ///
    /// The machine has AVX2 and FMA; there are `screen.n_features` elements at each row.
    #[inline(never)]
    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn search<T: Framed>(
        &mut self,
        screen: &Screen<T>,
        all_rows: &[*const T; ROWS],
        next: &[*const T; ROWS],
    ) -> Nearest {
        let mut all = [[0.0_f32; ROWS]; 4];
        for (group, rows) in all_rows.chunks_exact(GROUP).enumerate() {
            let first = group * GROUP;
            // While this group is compared, the one after it is fetched.
            let following = if first + GROUP < ROWS { &all_rows[first + GROUP..] } else { next };
            // SAFETY: as the caller vouches.
            let found = unsafe { self.search_group(screen, rows, &following[..GROUP]) };
            for (all, of_group) in
                all.iter_mut().zip([found.best, found.second, found.index, found.squares])
            {
                // SAFETY: four of 32 values.
                unsafe { _mm_storeu_ps(all.as_mut_ptr().add(first), of_group) };
            }
        }
        let vectors = |values: &[f32; ROWS]| {
            // SAFETY: eight of 32 values each.
            std::array::from_fn(|i| unsafe { _mm256_loadu_ps(values.as_ptr().add(i * WIDTH)) })
        };
        let [best, second, index, squares] = &all;
        Nearest {
            best: vectors(best),
            second: vectors(second),
            index: vectors(index),
            squares: vectors(squares),
        }
    }

    /// Compares the rows of a group with every centroid.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn search_group<T: Framed>(
        &mut self,
        screen: &Screen<T>,
        rows: &[*const T],
        following: &[*const T],
    ) -> Best {
        // SAFETY: as the caller vouches.
        let squares = unsafe { self.fill(screen, rows) };
        let infinity = _mm_set1_ps(f32::INFINITY);
        let mut found = Best { best: infinity, second: infinity, index: _mm_setzero_ps(), squares };
        let n_steps = screen.n_clusters.div_ceil(3) * self.0.len() / STEPS_PER_FETCH;
        let mut ahead = Ahead::new(following, screen.n_features, n_steps.max(1));
        let mut first = 0;
        while first < screen.n_clusters {
            let size = group_size(screen.n_clusters - first);
            match size {
                1 => found.update(first, self.scores::<T, 1>(screen, first, &mut ahead)),
                2 => found.update(first, self.scores::<T, 2>(screen, first, &mut ahead)),
                _ => found.update(first, self.scores::<T, 3>(screen, first, &mut ahead)),
            }
            first += size;
        }
        found
    }

    /// Brings rows into the frame; returns their squares.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn fill<T: Framed>(&mut self, screen: &Screen<T>, rows: &[*const T]) -> __m128 {
        let d = screen.n_features;
        let mut squares = [_mm256_setzero_ps(); GROUP];
        for (i, vectors) in self.0.iter_mut().enumerate() {
            let from = i * WIDTH;
            for ((&row, x), square) in rows.iter().zip(vectors).zip(&mut squares) {
                *x = if from + WIDTH <= d {
                    // SAFETY: eight elements of the row and of the origin from here on.
                    unsafe {
                        T::load_row(row.add(from), screen.scale, screen.origin.as_ptr().add(from))
                    }
                } else {
                    // SAFETY: the last elements of the row.
                    let rest = unsafe { std::slice::from_raw_parts(row.add(from), d - from) };
                    last(screen, rest, from)
                };
                *square = _mm256_fmadd_ps(*x, *x, *square);
            }
        }
        add_lanes(&squares)
    }

    /// The scores of `C` centroids from `first` on, a lane a row.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn scores<T, const C: usize>(
        &self,
        screen: &Screen<T>,
        first: usize,
        ahead: &mut Ahead<'_, T>,
    ) -> [__m128; C] {
        let group = &screen.packed[first * self.0.len() * WIDTH..][..C * self.0.len() * WIDTH];
        let mut sums = [[_mm256_setzero_ps(); GROUP]; C];
        let steps = self.0.chunks(STEPS_PER_FETCH).zip(group.chunks(STEPS_PER_FETCH * C * WIDTH));
        for (rows, centroids) in steps {
            ahead.fetch();
            for (x, centroids) in rows.iter().zip(centroids.chunks_exact(C * WIDTH)) {
                multiply(x, centroids, &mut sums);
            }
        }
        let mut scores = [_mm_setzero_ps(); C];
        let halves = &screen.halves[first..first + C];
        for ((score, sums), half) in scores.iter_mut().zip(&sums).zip(halves) {
            *score = _mm_add_ps(_mm_set1_ps(*half), add_lanes(sums));
        }
        scores
    }
}

/// Adds the products of eight features of the rows and of `C` centroids.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn multiply<const C: usize>(
    x: &[__m256; GROUP],
    centroids: &[f32],
    sums: &mut [[__m256; GROUP]; C],
) {
    let mut c = [_mm256_setzero_ps(); C];
    for (idx, c) in c.iter_mut().enumerate() {
        let values = &centroids[idx * WIDTH..][..WIDTH];
        // SAFETY: eight values.
        *c = unsafe { _mm256_loadu_ps(values.as_ptr()) };
    }
    for row in 0..GROUP {
        for (c, sums) in c.iter().zip(sums.iter_mut()) {
            sums[row] = _mm256_fmadd_ps(x[row], *c, sums[row]);
        }
    }
}

/// What is left of a row that ends within a vector, and zeros.
#[cold]
#[target_feature(enable = "avx2,fma")]
fn last<T: Framed>(screen: &Screen<T>, rest: &[T], from: usize) -> __m256 {
    let mut values = [0.0_f32; WIDTH];
    let scale = screen.scale.to_f64();
    for ((value, x), origin) in values.iter_mut().zip(rest).zip(&screen.origin[from..]) {
        *value = x.to_f64().mul_add(scale, -origin.to_f64()) as f32;
    }
    // SAFETY: eight values.
    unsafe { _mm256_loadu_ps(values.as_ptr()) }
}

/// The sum of the lanes of each vector.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn add_lanes(vectors: &[__m256; GROUP]) -> __m128 {
    let [a, b, c, d] = *vectors;
    let halves = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    _mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps::<1>(halves))
}

impl Best {
    /// Takes in centroids from `first` on.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn update<const C: usize>(&mut self, first: usize, scores: [__m128; C]) {
        for (c, score) in scores.into_iter().enumerate() {
            let less = _mm_cmplt_ps(score, self.best);
            let number = _mm_castsi128_ps(_mm_set1_epi32((first + c) as i32));
            self.index = _mm_blendv_ps(self.index, number, less);
            self.second = _mm_min_ps(self.second, _mm_max_ps(score, self.best));
            self.best = _mm_min_ps(score, self.best);
        }
    }
}
