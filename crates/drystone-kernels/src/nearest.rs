//! The centroid nearest to each row, by direct differences: what a label is.
//!
//! Not the expanded form `|x|^2 - 2xc + |c|^2`, which cancels; and no pruning:
//! every row is compared with every centroid. [`screen`](crate::screen) finds most labels
//! with less work.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod scalar;

use crate::Isa;

/// What [`nearest`] reads and writes; the lengths have been checked.
pub(crate) struct Problem<'a> {
    pub(crate) records: &'a [f64],
    pub(crate) n_features: usize,
    pub(crate) centroids: &'a [f64],
    pub(crate) best: &'a mut [f64],
    pub(crate) index: &'a mut [u32],
}

/// Finds for each row the nearest centroid and the squared distance to it.
///
/// `records` is (n_samples, n_features) and `centroids` (n_clusters, n_features),
/// both row-major; `best` and `index` have n_samples entries and are overwritten.
///
/// A squared distance is one chain in feature order:
/// from `acc = 0`, `diff = x[j] - c[j]; acc = fma(diff, diff, acc)`. `best` is the
/// smallest and `index` the lowest index that attains it. The bits are the same
/// on every [`Isa`]. A distance that is NaN or infinite is never smaller: a row
/// that has no finite distance gets infinity and index 0.
///
/// # Panics
///
/// If `n_features` or the number of centroids is zero, or the lengths disagree.
///
/// # Performance
///
/// O(n_samples n_clusters n_features), one pass over `records`; one allocation
/// of some 16 KiB, so rows are best given by the hundred.
///
/// # Examples
///
/// ```
/// use drystone_kernels::{Isa, nearest::nearest};
/// let centroids = [0.0, 0.0, 10.0, 0.0];
/// let (mut best, mut index) = ([0.0; 2], [0; 2]);
/// nearest(Isa::best(), &[1.0, 2.0, 9.0, 0.0], 2, &centroids, &mut best, &mut index);
/// assert_eq!((best, index), ([5.0, 1.0], [0, 1]));
/// ```
pub fn nearest(
    isa: Isa,
    records: &[f64],
    n_features: usize,
    centroids: &[f64],
    best: &mut [f64],
    index: &mut [u32],
) {
    check_lengths(records, n_features, centroids, index.len());
    assert_eq!(best.len(), index.len(), "one best distance per row");
    let mut problem = Problem { records, n_features, centroids, best, index };
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 if Isa::available().contains(&isa) => {
            // SAFETY: this machine has AVX2 and FMA.
            unsafe { avx2::nearest(&mut problem) }
        }
        _ => scalar::nearest(&mut problem),
    }
}

fn check_lengths(records: &[f64], n_features: usize, centroids: &[f64], n_rows: usize) {
    assert!(n_features > 0, "at least one feature");
    assert!(!centroids.is_empty(), "at least one centroid");
    assert_eq!(centroids.len() % n_features, 0, "whole centroids");
    assert_eq!(Some(records.len()), n_rows.checked_mul(n_features), "whole rows");
}

#[cfg(test)]
mod tests;
