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

/// Rows whose chains run side by side, since each waits for its own last step.
const CHAINS: usize = 4;

#[inline(always)]
pub(super) fn own_distance<T: Float>(
    records: &[T],
    n_features: usize,
    centroids: &[T],
    index: &[u32],
    out: &mut [f64],
) {
    let d = n_features;
    let centroid = |c: u32| &centroids[c as usize * d..][..d];
    let n_grouped = index.len() - index.len() % CHAINS;
    for first in (0..n_grouped).step_by(CHAINS) {
        let mut sums = [0.0; CHAINS];
        let mut pairs = [(&records[..0], &centroids[..0]); CHAINS];
        for (i, pair) in pairs.iter_mut().enumerate() {
            *pair = (&records[(first + i) * d..][..d], centroid(index[first + i]));
        }
        for j in 0..d {
            for (sum, (row, centroid)) in sums.iter_mut().zip(&pairs) {
                let diff = row[j].to_f64() - centroid[j].to_f64();
                *sum = diff.mul_add(diff, *sum);
            }
        }
        out[first..first + CHAINS].copy_from_slice(&sums);
    }
    for row in n_grouped..index.len() {
        out[row] = chain(&records[row * d..][..d], centroid(index[row]), T::to_f64);
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
