//! The nearest centroid in portable Rust: what every other version must equal.

use super::Problem;

pub(super) fn nearest(problem: &mut Problem<'_>) {
    let d = problem.n_features;
    let results = problem.best.iter_mut().zip(problem.index.iter_mut());
    for (row, (best, index)) in problem.records.chunks_exact(d).zip(results) {
        (*best, *index) = (f64::INFINITY, 0);
        for (centroid, c) in problem.centroids.chunks_exact(d).zip(0..) {
            let squared = chain(row, centroid);
            if squared < *best {
                (*best, *index) = (squared, c);
            }
        }
    }
}

/// The squared distance: one chain of fused multiply-adds in feature order.
fn chain(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |acc, (&x, &c)| {
        let diff = x - c;
        diff.mul_add(diff, acc)
    })
}
