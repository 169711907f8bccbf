//! The nearest centroid with AVX2: a lane is a row.

use super::{Problem, scalar};
use crate::Float;

/// [`scalar::own_distance`], with a multiply-add that is one instruction.
#[target_feature(enable = "avx2,fma")]
pub(super) fn own_distance<T: Float>(
    records: &[T],
    n_features: usize,
    centroids: &[T],
    index: &[u32],
    out: &mut [f64],
) {
    scalar::own_distance(records, n_features, centroids, index, out);
}

#[target_feature(enable = "avx2,fma")]
pub(crate) fn nearest<T: Float>(problem: &mut Problem<'_, T>) {
    scalar::nearest(problem);
}
