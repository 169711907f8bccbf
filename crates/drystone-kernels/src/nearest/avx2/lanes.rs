//! What the search needs of a 256-bit vector: four `f64` or eight `f32`.

use std::arch::x86_64::*;

use crate::Float;

/// Features that are transposed at a time.
pub(super) const BLOCK: usize = 4;

/// A vector of rows' values of one feature.
///
/// # Safety
///
/// Types that implement it are plain arrays of `WIDTH` elements, and every
/// method needs a machine with AVX2 and FMA.
pub(crate) unsafe trait Lanes: Copy {
    /// What a lane holds.
    type Element: Float;
    /// How many lanes there are.
    const WIDTH: usize;

    /// The value in every lane.
    unsafe fn splat(value: Self::Element) -> Self;

    /// `sum + (self - c)^2`, the square and the sum rounded once.
    unsafe fn add_squared_difference(self, c: Self, sum: Self) -> Self;

    /// Where `self` is less than `best`, it becomes `best`, and `centroid` the
    /// `index`, whose lanes hold integers.
    unsafe fn keep_less(self, centroid: u32, best: &mut Self, index: &mut Self);

    /// The integer in a lane of an `index`.
    fn index_of(lane: Self::Element) -> u32;

    /// Transposes `BLOCK` features of `WIDTH` rows, `stride` elements apart, into
    /// the given vector of each feature.
    unsafe fn transpose<const R: usize>(
        from: *const Self::Element,
        stride: usize,
        features: &mut [[Self; R]],
        vector: usize,
    );
}

/// The elements of vectors.
pub(super) fn elements<V: Lanes>(vectors: &[V]) -> &[V::Element] {
    // SAFETY: a vector is an array of WIDTH elements.
    unsafe { std::slice::from_raw_parts(vectors.as_ptr().cast(), vectors.len() * V::WIDTH) }
}

/// The elements of vectors, to be written.
pub(super) fn elements_mut<V: Lanes>(vectors: &mut [V]) -> &mut [V::Element] {
    let n = vectors.len() * V::WIDTH;
    // SAFETY: a vector is an array of WIDTH elements.
    unsafe { std::slice::from_raw_parts_mut(vectors.as_mut_ptr().cast(), n) }
}

// SAFETY: four f64.
unsafe impl Lanes for __m256d {
    type Element = f64;
    const WIDTH: usize = 4;

    #[inline(always)]
    unsafe fn splat(value: f64) -> Self {
        // SAFETY: the caller vouches for AVX2 and FMA.
        unsafe { _mm256_set1_pd(value) }
    }

    #[inline(always)]
    unsafe fn add_squared_difference(self, c: Self, sum: Self) -> Self {
        // SAFETY: the caller vouches for AVX2 and FMA.
        unsafe {
            let diff = _mm256_sub_pd(self, c);
            _mm256_fmadd_pd(diff, diff, sum)
        }
    }

    #[inline(always)]
    unsafe fn keep_less(self, centroid: u32, best: &mut Self, index: &mut Self) {
        // SAFETY: the caller vouches for AVX2 and FMA.
        unsafe {
            let less = _mm256_cmp_pd::<_CMP_LT_OQ>(self, *best);
            let centroid = _mm256_castsi256_pd(_mm256_set1_epi64x(i64::from(centroid)));
            *index = _mm256_blendv_pd(*index, centroid, less);
            // The second operand, if they are equal or one is NaN.
            *best = _mm256_min_pd(self, *best);
        }
    }

    #[inline(always)]
    fn index_of(lane: f64) -> u32 {
        lane.to_bits() as u32
    }

    #[inline(always)]
    unsafe fn transpose<const R: usize>(
        from: *const f64,
        stride: usize,
        features: &mut [[Self; R]],
        vector: usize,
    ) {
        // SAFETY: the caller vouches for AVX2 and for four rows of four elements.
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
}

// SAFETY: eight f32.
unsafe impl Lanes for __m256 {
    type Element = f32;
    const WIDTH: usize = 8;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: the caller vouches for AVX2 and FMA.
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn add_squared_difference(self, c: Self, sum: Self) -> Self {
        // SAFETY: the caller vouches for AVX2 and FMA.
        unsafe {
            let diff = _mm256_sub_ps(self, c);
            _mm256_fmadd_ps(diff, diff, sum)
        }
    }

    #[inline(always)]
    unsafe fn keep_less(self, centroid: u32, best: &mut Self, index: &mut Self) {
        // SAFETY: the caller vouches for AVX2 and FMA.
        unsafe {
            let less = _mm256_cmp_ps::<_CMP_LT_OQ>(self, *best);
            let centroid = _mm256_castsi256_ps(_mm256_set1_epi32(centroid as i32));
            *index = _mm256_blendv_ps(*index, centroid, less);
            // The second operand, if they are equal or one is NaN.
            *best = _mm256_min_ps(self, *best);
        }
    }

    #[inline(always)]
    fn index_of(lane: f32) -> u32 {
        lane.to_bits()
    }

    #[inline(always)]
    unsafe fn transpose<const R: usize>(
        from: *const f32,
        stride: usize,
        features: &mut [[Self; R]],
        vector: usize,
    ) {
        // SAFETY: the caller vouches for AVX2 and for eight rows of four elements.
        unsafe {
            // Rows `row` and `row + 4`.
            let halves = |row: usize| {
                let low = _mm_loadu_ps(from.add(row * stride));
                let high = _mm_loadu_ps(from.add((row + 4) * stride));
                _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(low), high)
            };
            let rows = [halves(0), halves(1), halves(2), halves(3)];
            for (feature, x) in features.iter_mut().zip(transpose_4x4(rows)) {
                feature[vector] = x;
            }
        }
    }
}

/// Transposes the 4x4 block in each half of four vectors.
#[inline(always)]
unsafe fn transpose_4x4(rows: [__m256; 4]) -> [__m256; 4] {
    let [a, b, c, d] = rows;
    // SAFETY: the caller vouches for AVX2.
    unsafe {
        let (ab_low, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
        let (cd_low, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
        [
            _mm256_shuffle_ps::<0b01_00_01_00>(ab_low, cd_low),
            _mm256_shuffle_ps::<0b11_10_11_10>(ab_low, cd_low),
            _mm256_shuffle_ps::<0b01_00_01_00>(ab_high, cd_high),
            _mm256_shuffle_ps::<0b11_10_11_10>(ab_high, cd_high),
        ]
    }
}
