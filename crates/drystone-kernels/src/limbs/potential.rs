//! What the cost of an assignment takes from the sums of its clusters.

use crate::{ExactSum, Float};

use super::sums::scale;
use super::{ClusterSums, Scales};

impl ClusterSums {
    /// Adds `sign` times the potential of centroids to `into`, exactly: the sum over the
    /// clusters of 2 c S - W |c|^2, of the cluster's centroid c, sum S and weight W.
    ///
    /// The cost of the rows about their centroids is Q less the potential, where Q, the
    /// weighted squares of the rows themselves, is the same for every assignment: two of
    /// them differ in cost by the difference of their potentials, which cancels without
    /// loss, since nothing is rounded before the end.
    ///
    /// `centroids` is (n_clusters, n_features), row-major. Their squares and those of the rows,
    /// times the weights, must not overflow.
    ///
    /// # Panics
    ///
    /// If the lengths disagree.
    pub fn add_potential<T: Float>(
        &self,
        centroids: &[T],
        scales: &Scales,
        sign: f64,
        into: &mut ExactSum,
    ) {
        assert_eq!(centroids.len(), self.sums().len(), "one centroid a cluster");
        let d = self.n_features();
        for (cluster, centroid) in centroids.chunks_exact(d).enumerate() {
            let exponent = scales.weight_unit_exponent();
            let weight = pieces(self.weights()[cluster]).map(|piece| scale(piece, exponent));
            for (column, c) in centroid.iter().enumerate() {
                let c = c.to_f64();
                let [square, rest] = product(c, c);
                for piece in weight.into_iter().filter(|&piece| piece != 0.0) {
                    into.extend(product(-sign * square, piece));
                    into.extend(product(-sign * rest, piece));
                }
                let exponent = scales.unit_exponent(column);
                let sum = pieces(self.sums()[cluster * d + column]);
                for piece in sum.into_iter().filter(|&piece| piece != 0.0) {
                    into.extend(product(2.0 * sign * c, scale(piece, exponent)));
                }
            }
        }
    }

    /// The sums of all clusters together, as one.
    #[must_use]
    pub fn total(&self) -> Self {
        let d = self.n_features();
        let mut total = Self::new(1, d);
        for (at, &sum) in self.sums().iter().enumerate() {
            total.sums[at % d] = total.sums[at % d].wrapping_add(sum);
        }
        total.weights[0] = self.weights().iter().fold(0, |all, &weight| all.wrapping_add(weight));
        total.counts[0] = self.counts().iter().sum();
        total
    }
}

/// An integer as numbers that add up to it exactly.
fn pieces(integer: i128) -> [f64; 3] {
    let high = integer as f64;
    let rest = integer.wrapping_sub(high as i128);
    let middle = rest as f64;
    [high, middle, rest.wrapping_sub(middle as i128) as f64]
}

/// A product as its rounded value and what that lacks.
fn product(a: f64, b: f64) -> [f64; 2] {
    let rounded = a * b;
    [rounded, a.mul_add(b, -rounded)]
}
