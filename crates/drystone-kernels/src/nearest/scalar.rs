//! The nearest centroid in portable Rust: what every other version must equal.

use super::Problem;
use crate::Float;

pub(super) fn nearest<T: Float>(problem: &mut Problem<'_, T>) {
    let d = problem.n_features;
    let results = problem.best.iter_mut().zip(problem.index.iter_mut());
    for (row, (best, index)) in problem.records.chunks_exact(d).zip(results) {
        (*best, *index) = (T::INFINITY, 0);
        for (centroid, c) in problem.centroids.chunks_exact(d).zip(0..) {
            let squared = chain(row, centroid, |x| x);
            if squared < *best {
                (*best, *index) = (squared, c);
            }
        }
    }
}

#[inline(always)]
pub(super) fn own_distance<T: Float>(
    records: &[T],
    n_features: usize,
    centroids: &[T],
    index: &[u32],
    out: &mut [f64],
) {
    let rows = records.chunks_exact(n_features);
    for ((row, &c), out) in rows.zip(index).zip(out) {
        let centroid = &centroids[c as usize * n_features..][..n_features];
        *out = chain(row, centroid, T::to_f64);
    }
}

/// The squared distance, in the type that `convert` gives: one chain of fused
/// multiply-adds in feature order.
#[inline(always)]
pub(super) fn chain<T: Float, U: Float + std::ops::Sub<Output = U>>(
    a: &[T],
    b: &[T],
    convert: impl Fn(T) -> U,
) -> U {
    a.iter().zip(b).fold(U::ZERO, |acc, (&x, &c)| {
        let diff = convert(x) - convert(c);
        diff.mul_add(diff, acc)
    })
}
