//! The costs of iterations that add up no distances.
//!
//! The first iteration sums up the rows' costs themselves, and so does the last. Between
//! them an iteration costs what the first did, less the difference that its sums tell
//! ([`ClusterSums::add_potential`]): its error is that of the first cost, some 2^-53 of it.

use drystone_kernels::limbs::{ClusterSums, Scales};
use drystone_kernels::{ExactSum, Float};

/// What is the same in all iterations of a fit.
#[derive(Clone, Debug)]
pub(crate) struct Costs {
    scales: Scales,
    /// Weighted squares of the rows.
    squares: ExactSum,
}

impl Costs {
    /// From the first iteration: the cost of its centroids, and the sums of their rows.
    pub fn new<T: Float>(cost: f64, centroids: &[T], sums: &ClusterSums, scales: &Scales) -> Self {
        let mut squares = ExactSum::new();
        squares.add(cost);
        sums.add_potential(centroids, scales, 1.0, &mut squares);
        Self { scales: scales.clone(), squares }
    }

    /// The cost of centroids, given the sums of the rows that they are nearest to.
    pub fn of<T: Float>(&self, centroids: &[T], sums: &ClusterSums) -> f64 {
        let mut cost = self.squares.clone();
        sums.add_potential(centroids, &self.scales, -1.0, &mut cost);
        let cost = cost.value();
        // Rounding may leave less than nothing. What is not a number stays so: `Bounds` sees
        // to it that it does not come to that.
        if cost < 0.0 { 0.0 } else { cost }
    }

    /// The mean variance of the columns, weighted as the rows are.
    pub fn mean_variance(&self, sums: &ClusterSums) -> f64 {
        let (total, d) = (sums.total(), sums.n_features());
        let means: Vec<f64> = (0..d).map(|column| total.mean(0, column, &self.scales)).collect();
        self.of(&means, &total) / total.weight_of(0, &self.scales) / d as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use drystone_kernels::Isa;
    use drystone_kernels::distance::distance;
    use drystone_kernels::limbs::Accumulator;

    fn cost(records: &[f64], centroids: &[f64], index: &[u32], weights: &[f64]) -> f64 {
        let rows = records.chunks(2).zip(index).zip(weights);
        rows.map(|((row, &idx), w)| w * distance(row, &centroids[idx as usize * 2..][..2])).sum()
    }

    /// Far from zero, close together, weighted, and once as large as squares may be.
    #[test]
    fn later_costs_follow_from_the_first() {
        for (far, spread) in [(0.0, 1.0), (1e6, 1.0), (1e148, 1e144), (0.0, 1e-140)] {
            let records: Vec<f64> =
                (0..200).map(|i| far + spread * f64::from((i * 37) % 101) / 25.0).collect();
            let weights: Vec<f64> = (0..100).map(|i| f64::from(i % 5) / 3.0).collect();
            let scales = Scales::new::<f64>(&[far + 5.0 * spread; 2], 2.0);
            let sums = |index: &[u32]| {
                let (mut accumulator, mut sums) =
                    (Accumulator::new(3, &scales), ClusterSums::new(3, 2));
                accumulator.add(Isa::best(), &records, Some(&weights), index).expect("in range");
                accumulator.flush_into(&mut sums).expect("in range");
                sums
            };
            let first: Vec<u32> = (0..100).map(|i| i % 3).collect();
            let later: Vec<u32> = (0..100).map(|i| i % 2).collect();
            let centroids = |shift: f64| -> Vec<f64> {
                (0..6).map(|i| far + spread * (f64::from(i) * 0.7 + shift)).collect()
            };
            let before = cost(&records, &centroids(0.0), &first, &weights);
            let costs = Costs::new(before, &centroids(0.0), &sums(&first), &scales);
            let expected = cost(&records, &centroids(-0.4), &later, &weights);
            let found = costs.of(&centroids(-0.4), &sums(&later));
            assert!((found / expected - 1.0).abs() < 1e-9, "{far}: {found} {expected}");
            let tight = far == 0.0 && spread == 1.0;
            assert!(!tight || (found / expected - 1.0).abs() < 1e-13, "{found} {expected}");
            assert!(costs.mean_variance(&sums(&later)) > 0.0);
        }
    }
}
