//! Squared distances of rows to centroids that are known, in double precision.

use crate::{Float, Isa};

/// Partial sums of a distance: four vectors of four.
const LANES: usize = 16;

/// The squared Euclidean distance in double precision, of either type of records.
///
/// Column `j` goes to partial sum `j % 16`, in order, as `diff = x[j] - c[j]; acc =
/// fma(diff, diff, acc)` of the exactly converted values; the partial sums are then added
/// as a tree. The bits are those of [`distances`] on every [`Isa`].
///
/// # Panics
///
/// If the lengths differ.
///
/// # Examples
///
/// ```
/// assert_eq!(drystone_kernels::distance::distance(&[1.0_f32, 2.0], &[0.0, 0.0]), 5.0);
/// ```
#[must_use]
pub fn distance<T: Float>(a: &[T], b: &[T]) -> f64 {
    assert_eq!(a.len(), b.len(), "two rows of one dataset");
    scalar(a, b)
}

/// Finds the [`distance`] of some rows, each to a centroid of its own.
///
/// `records` is (n_samples, n_features) and `centroids` (n_clusters, n_features), both
/// row-major; `rows` names rows of the records, and `index` and `out` have as many entries.
///
/// # Panics
///
/// If `n_features` is zero, the lengths disagree, a row is not below n_samples or an index
/// not below n_clusters.
///
/// # Examples
///
/// ```
/// use drystone_kernels::{Isa, distance::distances};
/// let mut out = [0.0; 2];
/// distances(Isa::best(), &[1.0_f32, 4.0], 1, &[0, 1], &[0.0, 7.0], &[0, 1], &mut out);
/// assert_eq!(out, [1.0, 9.0]);
/// ```
pub fn distances<T: Float>(
    isa: Isa,
    records: &[T],
    n_features: usize,
    rows: &[u32],
    centroids: &[T],
    index: &[u32],
    out: &mut [f64],
) {
    assert!(n_features > 0, "at least one feature");
    assert!(rows.len() == index.len() && rows.len() == out.len(), "one distance a row");
    let pairs = rows.iter().zip(index).map(|(&row, &centroid)| {
        let at = |idx: u32| idx as usize * n_features..(idx as usize + 1) * n_features;
        (&records[at(row)], &centroids[at(centroid)])
    });
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 if Isa::available().contains(&isa) => {
            // SAFETY: this machine has AVX2 and FMA.
            unsafe { T::distances_avx2(pairs, out) }
        }
        _ => out
            .iter_mut()
            .zip(pairs)
            .for_each(|(out, (row, centroid))| *out = scalar(row, centroid)),
    }
}

fn scalar<T: Float>(a: &[T], b: &[T]) -> f64 {
    let mut sums = [0.0_f64; LANES];
    for (a, b) in a.chunks(LANES).zip(b.chunks(LANES)) {
        for ((sum, x), c) in sums.iter_mut().zip(a).zip(b) {
            let diff = x.to_f64() - c.to_f64();
            *sum = diff.mul_add(diff, *sum);
        }
    }
    let lane = |i: usize| (sums[i] + sums[i + 4]) + (sums[i + 8] + sums[i + 12]);
    (lane(0) + lane(2)) + (lane(1) + lane(3))
}

/// The same with AVX2.
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2 {
    use std::arch::x86_64::*;

    use super::LANES;
    use crate::limbs::avx2::Load;

    /// Columns of a vector.
    const WIDTH: usize = 4;

    #[target_feature(enable = "avx2,fma")]
    pub(crate) fn distances<'a, T: Load>(
        pairs: impl Iterator<Item = (&'a [T], &'a [T])>,
        out: &mut [f64],
    ) {
        out.iter_mut().zip(pairs).for_each(|(out, (row, centroid))| *out = distance(row, centroid));
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn distance<T: Load>(a: &[T], b: &[T]) -> f64 {
        let mut sums = [_mm256_setzero_pd(); LANES / WIDTH];
        let n = a.len().min(b.len());
        let whole = n - n % LANES;
        for first in (0..whole).step_by(LANES) {
            for (vector, sum) in sums.iter_mut().enumerate() {
                // SAFETY: AVX2 as in the caller; four more elements of both.
                *sum = unsafe { add(a, b, first + vector * WIDTH, *sum) };
            }
        }
        let rest = n - whole;
        for (vector, sum) in sums.iter_mut().enumerate().take(rest / WIDTH) {
            // SAFETY: as above.
            *sum = unsafe { add(a, b, whole + vector * WIDTH, *sum) };
        }
        if !rest.is_multiple_of(WIDTH) {
            let (vector, left) = (rest / WIDTH, rest % WIDTH);
            // SAFETY: AVX2 as in the caller; `left` elements of both. The others are zeros,
            // whose difference adds nothing.
            sums[vector] = unsafe {
                let x = T::load_first(a.as_ptr().add(n - left), left);
                let c = T::load_first(b.as_ptr().add(n - left), left);
                let diff = _mm256_sub_pd(x, c);
                _mm256_fmadd_pd(diff, diff, sums[vector])
            };
        }
        let lanes = _mm256_add_pd(_mm256_add_pd(sums[0], sums[1]), _mm256_add_pd(sums[2], sums[3]));
        let (low, high) = (_mm256_castpd256_pd128(lanes), _mm256_extractf128_pd::<1>(lanes));
        let pair = _mm_add_pd(low, high);
        _mm_cvtsd_f64(_mm_add_sd(pair, _mm_unpackhi_pd(pair, pair)))
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn add<T: Load>(a: &[T], b: &[T], column: usize, sum: __m256d) -> __m256d {
        // SAFETY: AVX2 as in the caller, which vouches for four elements.
        unsafe {
            let diff =
                _mm256_sub_pd(T::load(a.as_ptr().add(column)), T::load(b.as_ptr().add(column)));
            _mm256_fmadd_pd(diff, diff, sum)
        }
    }
}

#[cfg(test)]
mod tests;
