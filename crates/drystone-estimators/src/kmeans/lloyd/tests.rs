//! Which rows an iteration looks at.

use drystone_core::{Block, BlockAt, Job};
use ndarray::Array2;

use super::{Centroids, Lloyd, Range, Task};

/// Two groups of rows far apart, and one row in the middle between them.
fn rows(spoilt: &[usize]) -> BlockAt {
    let value = |row: usize, column: usize| match row {
        100 => 0.01,
        row if spoilt.contains(&row) => f64::NAN,
        row if row % 2 == 0 => 5.0 + 0.01 * (row + column) as f64,
        row => -5.0 - 0.01 * (row + column) as f64,
    };
    let block = Block::new(Array2::from_shape_fn((201, 10), |(row, column)| value(row, column)));
    BlockAt { block, block_idx: 0, first_row: 0 }
}

fn job(step: u64, drifts: Vec<f64>) -> Lloyd<f64> {
    let centroids: Vec<f64> = (0..20).map(|at| if at < 10 { 5.0 } else { -5.0 }).collect();
    let range = Range { low: vec![-8.0; 10], high: vec![8.0; 10], max_weight: 1.0 };
    let task = Task { restart: 0, centroids: Centroids(centroids), drifts, costs: false };
    Lloyd { n_features: 10, range, step, restarts: vec![task] }
}

/// Rows that are spoilt between two steps: an error tells that one of them was read.
#[test]
fn rows_far_from_any_border_are_not_read_again() {
    if drystone_kernels::Isa::best() == drystone_kernels::Isa::Scalar {
        return;
    }
    let run = |spoilt: &[usize], drift: f64, pruning: bool| {
        let drifts = |drift: f64| if pruning { vec![drift; 2] } else { vec![] };
        let (first, second) = (job(0, drifts(0.0)), job(1, drifts(drift)));
        let (mut state, mut partials) = (Vec::new(), [first.empty(), second.empty()]);
        first.map(&rows(&[]), &mut state, &mut partials[0]).expect("a step");
        second.map(&rows(spoilt), &mut state, &mut partials[1]).map(|()| {
            assert_eq!(partials[0].labels, partials[1].labels);
            assert_eq!(partials[0].sums[0].0, partials[1].sums[0].0);
        })
    };
    let all_but_one: Vec<usize> = (0..201).filter(|&row| row != 100).collect();
    run(&all_but_one, 0.01, true).expect("only the row in the middle is read");
    run(&[100], 0.01, true).expect("a row that is not spoilt");
    run(&[7], 3.0, true).expect_err("centroids that moved this far change labels");
    run(&[7], 0.0, false).expect_err("without pruning all rows are read");
    run(&[7], f64::NAN, true).expect_err("a drift that is not known skips nothing");
}
