//! The laws of the seam for the jobs of the linear SVC.

use std::sync::Arc;

use drystone_core::{Block, ChunkedDataset, Label, Targets, laws::check_job};
use ndarray::Array2;

use super::curve::Curve;
use super::evaluate::{Evaluate, Place, Task};
use super::nearest::{At, Nearest};
use super::products::{Along, Products};
use super::space::{Sides, Space};
use crate::svc::classes::Classes;

/// Six blocks, one of them without rows; zeros of both signs, weights of zero.
fn dataset(weighted: bool) -> ChunkedDataset {
    let block = |(idx, &n_rows): (usize, &usize)| {
        let value = |(row, column): (usize, usize)| match (idx + row + column) % 5 {
            0 => -0.0,
            1 => 0.0,
            n => (n * 7919 + row * 13 + column) as f64 / 3e4,
        };
        let block = Block::new(Array2::from_shape_fn((n_rows, 3), value));
        let targets: Vec<i64> = (0..n_rows).map(|row| (row % 3) as i64).collect();
        let block = block.with_targets(Targets::I64(targets.into()));
        let weights: Vec<f64> = (0..n_rows).map(|row| ((idx + row) % 4) as f64 / 3.0).collect();
        if weighted { block.with_weights(weights) } else { block }
    };
    let blocks = [9, 1, 0, 17, 400, 2].iter().enumerate().map(block);
    ChunkedDataset::from_resident(blocks.collect()).expect("blocks")
}

fn space(has_hessian: bool) -> Arc<Space> {
    let classes = Classes((0..3).map(Label::Integer).collect());
    Arc::new(Space::new(&[2.0, 2.0, 2.0], classes, 1.0, has_hessian))
}

#[test]
fn jobs_keep_the_laws() {
    let sides = |positive| Sides { positive, others: 0.7, own: 2.0 };
    let place = |w: [f64; 4], curve| Place { w: w.to_vec(), curve };
    let smooth = Curve::SmoothHinge { width: 0.7 };
    let here = place([0.3, -1.0, 2.0, 0.1], smooth);
    let there = place([0.1, 1.0, -2.0, 0.3], Curve::SquaredHinge);
    for (data, has_hessian) in
        [(dataset(false), true), (dataset(true), true), (dataset(true), false)]
    {
        let tasks = vec![
            Task { sides: sides(0), point: here.clone(), known: None },
            Task { sides: sides(1), point: there.clone(), known: Some(here.clone()) },
            Task { sides: sides(2), point: here.clone(), known: Some(there.clone()) },
        ];
        check_job(&Evaluate { space: space(has_hessian), tasks }, &data);
        let along = |point: &Place| Along {
            sides: sides(1),
            point: point.clone(),
            direction: vec![1.0, 0.1, -0.2, 3.0],
        };
        let tasks = vec![along(&here), along(&there)];
        check_job(&Products { space: space(has_hessian), tasks }, &data);
        let at = |positive| At { sides: sides(positive), w: here.w.clone() };
        let job = Nearest { space: space(has_hessian), n_rows: 5, tasks: vec![at(0), at(2)] };
        check_job(&job, &data);
    }
}
