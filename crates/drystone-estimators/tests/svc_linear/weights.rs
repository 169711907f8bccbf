//! Sample weights, class weights and their meaning.

use drystone_core::{Block, Records, Rows, Targets};
use drystone_estimators::svc::{ClassWeight, LinearSvc, LinearSvcParams};

use crate::support::{LOSSES, difference, fit, noisy};

/// Some rows of a block.
fn rows(block: &Block, rows: &[usize]) -> Block {
    let (values, d) = (block.records.to_f64(), block.records.n_features());
    let picked = rows.iter().flat_map(|&row| values[row * d..][..d].to_vec()).collect();
    let Some(Targets::I64(targets)) = &block.targets else { panic!("integers") };
    let targets: Vec<i64> = rows.iter().map(|&row| targets[row]).collect();
    Block::new(Records::F64(Rows::new(picked, d).expect("rows")))
        .with_targets(Targets::I64(targets.into()))
}

fn assert_near(params: &LinearSvcParams<'_>, a: &Block, b: &Block) {
    let (a, b) = (fit(params, a), fit(params, b));
    assert!(a.converged() && b.converged());
    assert!(difference(a.coef(), b.coef()) < 1e-6, "{:?} {:?}", a.coef(), b.coef());
    assert!(difference(a.intercept(), b.intercept()) < 1e-6);
}

#[test]
fn a_row_twice_is_a_row_of_weight_2_and_none_of_weight_0() {
    for n_classes in [2, 3] {
        let block = noisy(300, 3, n_classes, 1);
        let order: Vec<usize> = (0..300).flat_map(|row| vec![row; row % 3]).collect();
        let repeated = rows(&block, &order);
        let weights: Vec<f64> = (0..300).map(|row| (row % 3) as f64).collect();
        let weighted = block.with_weights(weights);
        for loss in LOSSES {
            let params = LinearSvc::params().loss(loss).tol(1e-13);
            let params = if loss == LOSSES[1] { params.tol(1e-11) } else { params };
            assert_near(&params, &repeated, &weighted);
        }
    }
}

#[test]
fn the_order_of_rows_does_not_matter_much() {
    let block = noisy(400, 4, 2, 2);
    let turned: Vec<usize> = (0..400).map(|row| (row * 7 + 100) % 400).collect();
    let params = LinearSvc::params().tol(1e-12);
    let (a, b) = (fit(&params, &block), fit(&params, &rows(&block, &turned)));
    assert_eq!(a.coef(), b.coef(), "sums do not depend on the order of rows");
}

#[test]
fn class_weights_multiply_c() {
    let block = noisy(300, 3, 2, 3);
    let Some(Targets::I64(targets)) = &block.targets else { panic!("integers") };
    let weights: Vec<f64> = targets.iter().map(|&class| [0.5, 3.0][class as usize]).collect();
    let weighted = block.clone().with_weights(weights);
    for loss in LOSSES {
        let params = LinearSvc::params().loss(loss).tol(1e-11);
        let given = params.clone().class_weight(ClassWeight::Given(vec![0.5, 3.0]));
        let (a, b) = (fit(&given, &block), fit(&params, &weighted));
        assert!(difference(a.coef(), b.coef()) < 1e-6);
    }
}
