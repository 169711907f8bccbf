//! From weighted candidates to centroids: the best of several restarts of greedy
//! weighted k-means++ and Lloyd's iterations, in double precision and in sequence.
//!
//! There are some hundreds of candidates, so this costs little beside a pass over data.

use drystone_core::rng::stream;
use drystone_kernels::Isa;
use drystone_kernels::nearest::nearest;
use rand::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;

/// Restarts when they are cheap.
const RESTARTS: usize = 20;
/// Multiply-adds that all restarts together may cost, about: large problems get fewer.
const MAX_OPERATIONS: f64 = 4e9;
/// Lloyd's iterations of one restart at most.
const MAX_ITER: usize = 100;
/// Keeps the draws here apart from others of the same seed.
const PURPOSE: u64 = 0x7265_636c_7573_7465;

/// Candidates, `(n, n_features)`, and their weights, all positive.
pub(crate) struct Candidates<'a> {
    pub points: &'a [f64],
    pub weights: &'a [f64],
    pub n_features: usize,
}

/// `n_clusters` centroids, `(n_clusters, n_features)`. There must be at least as many
/// candidates; if there are just as many, they are the centroids.
pub(crate) fn recluster(candidates: &Candidates<'_>, n_clusters: usize, seed: u64) -> Vec<f64> {
    if candidates.weights.len() == n_clusters {
        return candidates.points.to_vec();
    }
    let mut rng = stream(seed, PURPOSE);
    let mut best: Option<(f64, Vec<f64>)> = None;
    for _ in 0..n_restarts(candidates, n_clusters) {
        let mut centroids = candidates.plus_plus(n_clusters, &mut rng);
        let cost = candidates.lloyd(&mut centroids);
        if best.as_ref().is_none_or(|(least, _)| cost < *least) {
            best = Some((cost, centroids));
        }
    }
    best.map(|(_, centroids)| centroids).unwrap_or_default()
}

/// A function of the sizes only.
fn n_restarts(candidates: &Candidates<'_>, n_clusters: usize) -> usize {
    let sizes = (candidates.points.len() * n_clusters) as f64;
    let each = sizes * (n_trials(n_clusters) + 20) as f64;
    ((MAX_OPERATIONS / each) as usize).clamp(1, RESTARTS)
}

/// 2 + ln k, rounded down, as in scikit-learn.
pub(crate) fn n_trials(n_clusters: usize) -> usize {
    2 + drystone_kernels::math::ln(n_clusters.max(1) as f64) as usize
}

impl Candidates<'_> {
    fn point(&self, idx: usize) -> &[f64] {
        &self.points[idx * self.n_features..(idx + 1) * self.n_features]
    }

    fn distances(&self, centroids: &[f64], d2: &mut [f64], index: &mut [u32]) {
        nearest(Isa::best(), self.points, self.n_features, centroids, d2, index);
    }

    /// Greedy k-means++: each centroid is the best of several draws.
    fn plus_plus(&self, n_clusters: usize, rng: &mut Xoshiro256PlusPlus) -> Vec<f64> {
        let n = self.weights.len();
        let first = draw(self.weights, rng);
        let mut centroids = self.point(first).to_vec();
        let (mut d2, mut index) = (vec![0.0; n], vec![0; n]);
        self.distances(&centroids, &mut d2, &mut index);
        while centroids.len() < n_clusters * self.n_features {
            let (chosen, with) = self.best_of_draws(&d2, n_trials(n_clusters), rng);
            centroids.extend_from_slice(self.point(chosen));
            d2 = with;
        }
        centroids
    }

    /// The draw that leaves the least cost, and the distances it leaves.
    fn best_of_draws(
        &self,
        d2: &[f64],
        n_trials: usize,
        rng: &mut Xoshiro256PlusPlus,
    ) -> (usize, Vec<f64>) {
        let chances: Vec<f64> = d2.iter().zip(self.weights).map(|(d2, w)| d2 * w).collect();
        let mut best = (0, Vec::new());
        let mut least = f64::INFINITY;
        let mut index = vec![0; d2.len()];
        for _ in 0..n_trials {
            let trial = draw(&chances, rng);
            let mut with = vec![0.0; d2.len()];
            self.distances(self.point(trial), &mut with, &mut index);
            with.iter_mut()
                .zip(d2)
                .for_each(|(with, &d2)| *with = if *with < d2 { *with } else { d2 });
            let cost = self.cost(&with);
            if cost < least {
                least = cost;
                best = (trial, with);
            }
        }
        best
    }

    /// Weighted Lloyd until no label changes; returns the cost.
    fn lloyd(&self, centroids: &mut [f64]) -> f64 {
        let n = self.weights.len();
        let (mut d2, mut index) = (vec![0.0; n], vec![0; n]);
        let mut before = vec![u32::MAX; n];
        for _ in 0..MAX_ITER {
            self.distances(centroids, &mut d2, &mut index);
            if index == before {
                break;
            }
            self.move_to_means(&index, centroids);
            before.copy_from_slice(&index);
        }
        self.distances(centroids, &mut d2, &mut index);
        self.cost(&d2)
    }

    /// A centroid without candidates stays where it is.
    fn move_to_means(&self, index: &[u32], centroids: &mut [f64]) {
        let mut sums = vec![0.0; centroids.len()];
        let mut totals = vec![0.0; centroids.len() / self.n_features];
        for (candidate, &cluster) in index.iter().enumerate() {
            let (cluster, weight) = (cluster as usize, self.weights[candidate]);
            totals[cluster] += weight;
            let sums = &mut sums[cluster * self.n_features..(cluster + 1) * self.n_features];
            sums.iter_mut().zip(self.point(candidate)).for_each(|(sum, x)| *sum += weight * x);
        }
        for (cluster, total) in totals.into_iter().enumerate().filter(|(_, total)| *total > 0.0) {
            let range = cluster * self.n_features..(cluster + 1) * self.n_features;
            let means = sums[range.clone()].iter().map(|sum| sum / total);
            centroids[range].iter_mut().zip(means).for_each(|(centroid, mean)| *centroid = mean);
        }
    }

    fn cost(&self, d2: &[f64]) -> f64 {
        d2.iter().zip(self.weights).map(|(d2, weight)| d2 * weight).sum()
    }
}

/// An index in proportion to its chance; the last possible one if all are zero.
fn draw(chances: &[f64], rng: &mut Xoshiro256PlusPlus) -> usize {
    let total: f64 = chances.iter().sum();
    let mut left = rng.r#gen::<f64>() * total;
    let mut last = 0;
    for (idx, &chance) in chances.iter().enumerate().filter(|(_, chance)| **chance > 0.0) {
        last = idx;
        left -= chance;
        if left < 0.0 {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heavy_groups_get_the_centroids() {
        let points = [0.0, 0.1, 10.0, 10.1, 20.0, 20.2];
        let weights = [1.0, 1.0, 1.0, 3.0, 1.0, 1.0];
        let candidates = Candidates { points: &points, weights: &weights, n_features: 1 };
        let mut centroids = recluster(&candidates, 3, 0);
        centroids.sort_by(f64::total_cmp);
        for (found, wanted) in centroids.iter().zip([0.05, 10.075, 20.1]) {
            assert!((found - wanted).abs() < 1e-12, "{found} is not {wanted}");
        }
    }

    #[test]
    fn trials_are_those_of_scikit_learn() {
        let pairs = [(1, 2), (2, 2), (3, 3), (8, 4), (50, 5), (1000, 8)];
        for (n_clusters, trials) in pairs {
            assert_eq!(n_trials(n_clusters), trials);
        }
    }
}
