//! Rows that an iteration leaves out change nothing but the time.

use drystone_core::{Block, Inline, StatePolicy};
use drystone_estimators::{Init, KMeans};
use ndarray::{Array2, Axis};
use proptest::prelude::*;
use rand::Rng;

use crate::support::{blobs, lazy, random, slices, to_block};

/// Data on which Lloyd's iterations go on for long: clusters that overlap, more of them
/// than there are centres, far from zero, with ties.
#[derive(Clone, Debug)]
struct Case {
    shape: (usize, usize),
    n_clusters: usize,
    is_f32: bool,
    weighted: bool,
    offset: f64,
    grid: bool,
    seed: u64,
}

fn cases() -> impl Strategy<Value = Case> {
    let sizes = (100_usize..1500, 2_usize..30, 2_usize..14);
    let offsets = prop::sample::select(&[0.0, 0.0, -3e3, 1e6][..]);
    (sizes, any::<[bool; 3]>(), offsets, any::<u64>()).prop_map(
        |((n, d, n_clusters), [is_f32, weighted, grid], offset, seed)| Case {
            shape: (n, d),
            n_clusters,
            is_f32,
            weighted,
            offset,
            grid,
            seed,
        },
    )
}

impl Case {
    fn records(&self) -> Array2<f64> {
        let records = blobs(self.shape, 4, 3.0, self.offset, self.seed);
        if self.grid { records.mapv(f64::round) } else { records }
    }

    fn block(&self) -> Block {
        let mut rng = random(self.seed ^ 5);
        let weight = |row| if row % 7 == 3 { 0.0 } else { rng.gen_range(0.2..5.0) };
        let weights: Option<Vec<f64>> =
            self.weighted.then(|| (0..self.shape.0).map(weight).collect());
        match self.is_f32 {
            true => to_block::<f32>(&self.records(), weights.as_deref()),
            false => to_block::<f64>(&self.records(), weights.as_deref()),
        }
    }

    /// Given centroids, some far out, so that clusters run empty and others move far.
    fn init(&self) -> Init {
        let first: Vec<usize> = (0..self.n_clusters).collect();
        let mut given = self.records().select(Axis(0), &first);
        given.row_mut(0).mapv_inplace(|value| value + 40.0);
        match self.is_f32 {
            true => Init::centroids(given.mapv(|value| value as f32)),
            false => Init::centroids(given),
        }
    }

    fn fit(&self, pruning: bool, policy: StatePolicy, cuts: &[usize]) -> KMeans {
        let data = lazy(slices(&self.block(), cuts), true);
        let inline = Inline::new(0).state_policy(policy);
        let params = KMeans::params(self.n_clusters).init(self.init()).tol(0.0).max_iter(40);
        params.pruning(pruning).on(&inline).fit(&data).expect("a model")
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn leaving_rows_out_changes_no_bit(case in cases()) {
        let all = case.fit(false, StatePolicy::Keep, &[]);
        let policies = [StatePolicy::Keep, StatePolicy::LoseSome { seed: case.seed }];
        for (policy, cuts) in policies.into_iter().zip([&[][..], &[33, 90]]) {
            let pruned = case.fit(true, policy, cuts);
            prop_assert_eq!(pruned.sha256().expect("a hash"), all.sha256().expect("a hash"));
            // The costs on the way follow from sums, which are exact as well.
            prop_assert_eq!(&pruned.history().iterations, &all.history().iterations);
        }
    }
}
