//! Sums of rows by cluster with AVX2: a lane is a column.

use std::arch::x86_64::*;

use crate::Float;

use super::accumulator::Pending;
use super::scales::Columns;

/// Columns per vector.
const LANES: usize = 4;

/// The sign bit, which alone is not part of a magnitude.
const SIGN: f64 = -0.0;

/// Elements that four at a time become a vector of `f64`.
pub(crate) trait Load: Float {
    /// Four elements.
    ///
    /// # Safety
    ///
    /// The machine has AVX2, and `from` four elements.
    unsafe fn load(from: *const Self) -> __m256d;

    /// The first `n` elements, at most three, and zeros.
    ///
    /// # Safety
    ///
    /// The machine has AVX2, and `from` has `n` elements.
    unsafe fn load_first(from: *const Self, n: usize) -> __m256d;
}

/// Adds rows times `sign` to their clusters; whether all values were in range.
#[target_feature(enable = "avx2,fma")]
pub(crate) fn add_rows<T: Load>(
    pending: &mut Pending,
    records: &[T],
    weights: Option<&[f64]>,
    index: &[u32],
    sign: f64,
) -> bool {
    match weights {
        // An unweighted row has weight one, which its range must allow as well.
        None if sign < 0.0 => add_weighted(pending, records, std::iter::repeat(sign), index),
        None => {
            let weight_in_range = pending.scales.weight.bound >= 1.0;
            add_unweighted(pending, records, index) && weight_in_range
        }
        Some(weights) => {
            add_weighted(pending, records, weights.iter().map(|weight| sign * weight), index)
        }
    }
}

#[target_feature(enable = "avx2,fma")]
fn add_unweighted<T: Load>(pending: &mut Pending, records: &[T], index: &[u32]) -> bool {
    let rows = records.chunks_exact(pending.scales.n_features());
    let mut in_range = all_in_range();
    for (row, &cluster) in rows.zip(index) {
        let cluster = cluster as usize;
        let row_in_range = add_row(pending, row, |x| x, cluster);
        in_range = _mm256_and_pd(in_range, row_in_range);
        pending.count_row(cluster);
    }
    _mm256_movemask_pd(in_range) == 0b1111
}

#[target_feature(enable = "avx2,fma")]
fn add_weighted<T: Load>(
    pending: &mut Pending,
    records: &[T],
    weights: impl Iterator<Item = f64>,
    index: &[u32],
) -> bool {
    let weight_bound = pending.scales.weight.bound;
    let rows = records.chunks_exact(pending.scales.n_features());
    let (mut in_range, mut weights_in_range) = (all_in_range(), true);
    for ((row, weight), &cluster) in rows.zip(weights).zip(index) {
        let cluster = cluster as usize;
        let factor = _mm256_set1_pd(weight);
        let row_in_range = add_row(pending, row, |x| _mm256_mul_pd(factor, x), cluster);
        in_range = _mm256_and_pd(in_range, row_in_range);
        weights_in_range &= weight.abs() <= weight_bound;
        pending.add_weight(cluster, weight);
        pending.count_row(cluster);
    }
    weights_in_range && _mm256_movemask_pd(in_range) == 0b1111
}

/// Adds a row's limbs to those of a cluster; which lanes were in range.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn add_row<T: Load>(
    pending: &mut Pending,
    row: &[T],
    weigh: impl Fn(__m256d) -> __m256d,
    cluster: usize,
) -> __m256d {
    let stride = pending.scales.stride();
    let sums = &mut pending.limbs[cluster * T::LIMBS * stride..][..T::LIMBS * stride];
    let columns = &pending.scales.columns;
    let [high, low] = &columns.magic;
    assert!(row.len() <= stride && stride == columns.bound.len());
    assert!(high.len() == stride && low.len() == stride);
    let mut in_range = all_in_range();
    let whole = row.len() - row.len() % LANES;
    for column in (0..whole).step_by(LANES) {
        // SAFETY: AVX2 as in the caller; the row has four more elements.
        let value = unsafe { T::load(row.as_ptr().add(column)) };
        // SAFETY: AVX2 as in the caller; column + 4 <= stride.
        let lanes = unsafe { add_limbs::<T>(sums, columns, column, weigh(value)) };
        in_range = _mm256_and_pd(in_range, lanes);
    }
    if whole < row.len() {
        // SAFETY: AVX2 as in the caller; these are the row's last elements.
        let value = unsafe { T::load_first(row.as_ptr().add(whole), row.len() - whole) };
        // SAFETY: AVX2 as in the caller; the stride is a multiple of 4.
        let lanes = unsafe { add_limbs::<T>(sums, columns, whole, weigh(value)) };
        in_range = _mm256_and_pd(in_range, lanes);
    }
    in_range
}

/// Adds the limbs of four values: [`super::scales::Fixed::limb_bits_of`].
///
/// # Safety
///
/// The machine has AVX2; `column + 4` is within the stride of the arrays, and
/// `sums` has `T::LIMBS` strides.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn add_limbs<T: Float>(
    sums: &mut [i64],
    columns: &Columns,
    column: usize,
    value: __m256d,
) -> __m256d {
    let stride = columns.bound.len();
    // SAFETY: within the arrays, as the caller vouches.
    let (bound, magic) = unsafe {
        let magic = columns.magic[0].as_ptr().add(column);
        (_mm256_loadu_pd(columns.bound.as_ptr().add(column)), _mm256_loadu_pd(magic))
    };
    let high = _mm256_add_pd(value, magic);
    // SAFETY: within the first stride.
    unsafe { add_bits(sums.as_mut_ptr().add(column), high) };
    if T::LIMBS == 2 {
        let rest = _mm256_sub_pd(value, _mm256_sub_pd(high, magic));
        // SAFETY: within the array, and within the second stride.
        unsafe {
            let magic = _mm256_loadu_pd(columns.magic[1].as_ptr().add(column));
            add_bits(sums.as_mut_ptr().add(stride + column), _mm256_add_pd(rest, magic));
        }
    }
    let magnitude = _mm256_andnot_pd(_mm256_set1_pd(SIGN), value);
    _mm256_cmp_pd::<_CMP_LE_OQ>(magnitude, bound)
}

/// Adds the bits of four values to four sums.
///
/// # Safety
///
/// The machine has AVX2, and there are four sums.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn add_bits(sums: *mut i64, values: __m256d) {
    let sums: *mut __m256i = sums.cast();
    // SAFETY: four sums, as the caller vouches.
    unsafe {
        let sum = _mm256_add_epi64(_mm256_loadu_si256(sums), _mm256_castpd_si256(values));
        _mm256_storeu_si256(sums, sum);
    }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn all_in_range() -> __m256d {
    _mm256_castsi256_pd(_mm256_set1_epi64x(-1))
}

impl Load for f64 {
    #[inline(always)]
    unsafe fn load(from: *const f64) -> __m256d {
        // SAFETY: the caller vouches for AVX2 and four elements.
        unsafe { _mm256_loadu_pd(from) }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f64, n: usize) -> __m256d {
        const MASK: [i64; 6] = [-1, -1, -1, 0, 0, 0];
        // SAFETY: the caller vouches for AVX2 and n elements, 1 to 3 of them;
        // no more are read. From 3 - n there are n ones, and at least 4 in all.
        unsafe {
            let mask = _mm256_loadu_si256(MASK.as_ptr().add(3 - n).cast());
            _mm256_maskload_pd(from, mask)
        }
    }
}

impl Load for f32 {
    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m256d {
        // SAFETY: the caller vouches for AVX2 and four elements.
        unsafe { _mm256_cvtps_pd(_mm_loadu_ps(from)) }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, n: usize) -> __m256d {
        const MASK: [i32; 6] = [-1, -1, -1, 0, 0, 0];
        // SAFETY: the caller vouches for AVX2 and n elements, 1 to 3 of them;
        // no more are read. From 3 - n there are n ones, and at least 4 in all.
        unsafe {
            let mask = _mm_loadu_si128(MASK.as_ptr().add(3 - n).cast());
            _mm256_cvtps_pd(_mm_maskload_ps(from, mask))
        }
    }
}
