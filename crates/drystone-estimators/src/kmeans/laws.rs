//! The laws of the seam for the jobs of KMeans.

use drystone_core::block::RecordElement;
use drystone_core::{Block, ChunkedDataset, Rows, laws::check_job};

use super::element::Real;
use super::lloyd::{self, Centroids, Lloyd, Range};
use super::plus_plus::{Chosen, PlusPlus};
use super::relocate::Farthest;
use super::round::{Group, Restart, SeedRound, Task};
use super::scan::Scan;
use super::score::Score;

const N_FEATURES: usize = 2;

/// Seven blocks, one of them without rows; zeros of both signs and equal rows.
fn dataset<T: RecordElement>(weighted: bool) -> ChunkedDataset {
    let value = |at: usize| match at % 11 {
        0 => -0.0,
        1 => 0.0,
        _ => ((at * 7919) % 97) as f64 / 8.0 - 5.0,
    };
    let block = |(idx, n_rows): (usize, &usize)| {
        let values = (0..n_rows * N_FEATURES).map(|at| T::from_f64(value(idx * 37 + at)));
        let rows = Rows::new(values.collect(), N_FEATURES).expect("whole rows");
        let block = Block::new(T::into_records(rows));
        let weights: Vec<f64> = (0..*n_rows).map(|row| ((idx + row) % 4) as f64 / 3.0).collect();
        if weighted { block.with_weights(weights) } else { block }
    };
    let blocks = [9, 1, 0, 17, 4, 300, 2].iter().enumerate().map(block);
    ChunkedDataset::from_resident(blocks.collect()).expect("blocks")
}

fn both<T: Real>(check: impl Fn(&ChunkedDataset)) {
    check(&dataset::<T>(false));
    check(&dataset::<T>(true));
}

fn values<T: Real>(values: &[f64]) -> Vec<T> {
    values.iter().map(|&value| T::from_f64(value)).collect()
}

fn centroids<T: Real>() -> Centroids<T> {
    Centroids(values(&[-3.0, 1.0, 2.0, 2.0, 5.0, -1.0]))
}

fn scan<T: Real>() {
    both::<T>(|data| {
        check_job(&Scan { n_features: N_FEATURES, seeds: vec![1, 2], n_draws: 5 }, data);
        check_job(&Scan { n_features: N_FEATURES, seeds: vec![1], n_draws: 0 }, data);
    });
}

fn seed_round<T: Real>() {
    let groups = || vec![Group(values::<T>(&[0.0, 0.0])), Group(values(&[1.0, 2.0, 4.0, -4.0]))];
    let restart = |task: Task| Restart { seed: 3, groups: groups(), task };
    let tasks = [Task::Draw(4), Task::Weigh, Task::Rest, Task::Draw(1)];
    let job = SeedRound {
        n_features: N_FEATURES,
        unit: 1.0 / 128.0,
        weight_unit: (1_u64 << 60) as f64,
        round: 2,
        max_candidates: 70_000,
        restarts: tasks.map(restart).into(),
    };
    both::<T>(|data| check_job(&job, data));
}

fn plus_plus<T: Real>() {
    let chosen = |trials: &[f64]| Chosen {
        seed: 4,
        centroids: values::<T>(&[0.0, 0.0, 1.0, 3.0]),
        trials: values(trials),
    };
    let job = PlusPlus {
        n_features: N_FEATURES,
        unit: 1.0 / 128.0,
        round: 2,
        n_trials: 3,
        restarts: vec![chosen(&[]), chosen(&[1.0, 1.0, -2.0, 2.0])],
    };
    both::<T>(|data| check_job(&job, data));
}

fn lloyd<T: Real>() {
    let range = Range { low: vec![-8.0; 2], high: vec![8.0; 2], max_weight: 1.0 };
    let tasks = |drifts: &[f64], costs| {
        let few = Centroids(values(&[0.0, 0.0]));
        vec![
            lloyd::Task { restart: 0, centroids: centroids::<T>(), drifts: drifts.to_vec(), costs },
            lloyd::Task { restart: 3, centroids: few, drifts: vec![], costs: !costs },
        ]
    };
    for (drifts, costs) in [(&[][..], true), (&[0.0, 0.25, 1.0][..], false)] {
        let (range, restarts) = (range.clone(), tasks(drifts, costs));
        let job = Lloyd { n_features: N_FEATURES, range, step: 3, restarts };
        both::<T>(|data| check_job(&job, data));
    }
}

fn farthest_and_score<T: Real>() {
    both::<T>(|data| {
        check_job(
            &Farthest { n_features: N_FEATURES, centroids: centroids::<T>(), n_rows: 6 },
            data,
        );
        check_job(&Score { n_features: N_FEATURES, centroids: centroids::<T>() }, data);
    });
}

#[test]
fn jobs_keep_the_laws() {
    scan::<f32>();
    scan::<f64>();
    seed_round::<f32>();
    seed_round::<f64>();
    plus_plus::<f32>();
    plus_plus::<f64>();
    lloyd::<f32>();
    lloyd::<f64>();
    farthest_and_score::<f32>();
    farthest_and_score::<f64>();
}
