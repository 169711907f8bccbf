//! What a fit says about its optimum is true.

use drystone_core::Inline;
use drystone_estimators::svc::{LinearSvc, Loss};

use crate::support::{LOSSES, cut_into, difference, fit, noisy, objective};

#[test]
fn objectives_are_those_of_the_weights() {
    for loss in LOSSES {
        for n_classes in [2, 3] {
            let block = noisy(600, 4, n_classes, 1);
            let model = fit(&LinearSvc::params().c(0.3).loss(loss), &block);
            let sum: f64 = model.certificates().iter().map(|one| one.primal_objective).sum();
            let naive = objective(&model, &block, loss, |_, _| 0.3);
            assert!((sum - naive).abs() < 1e-10 * naive, "{sum} {naive}");
        }
    }
}

#[test]
fn no_weights_nearby_are_better_than_the_gap_allows() {
    let block = noisy(500, 3, 2, 2);
    for loss in LOSSES {
        let model = fit(&LinearSvc::params().loss(loss).tol(1e-6), &block);
        let certificate = model.certificates()[0];
        assert!(certificate.converged && certificate.duality_gap() >= -1e-12);
        let bytes = model.to_bytes().expect("bytes");
        assert!(bytes.len() < 4096);
        let wider = fit(&LinearSvc::params().loss(loss).tol(1e-10), &block);
        let better = wider.certificates()[0];
        assert!(certificate.dual_objective <= better.primal_objective * (1.0 + 1e-12));
        assert!(better.dual_objective <= certificate.primal_objective * (1.0 + 1e-12));
        assert!(difference(model.coef(), wider.coef()) < 1e-2);
    }
}

#[test]
fn the_gradient_of_the_squared_hinge_vanishes() {
    let block = noisy(800, 5, 3, 3);
    let model = fit(&LinearSvc::params().tol(1e-10), &block);
    for certificate in model.certificates() {
        assert!(certificate.gradient_norm < 1e-6, "{certificate:?}");
    }
    let hinge = fit(&LinearSvc::params().loss(Loss::Hinge), &block);
    assert!(hinge.certificates().iter().all(|one| one.gradient_norm == 0.0));
}

#[test]
fn wide_data_are_solved_by_conjugate_gradients() {
    let wide = noisy(150, 530, 2, 4);
    let model = fit(&LinearSvc::params().c(0.01).tol(1e-8), &wide);
    let certificate = model.certificates()[0];
    assert!(model.converged() && certificate.duality_gap() < 1e-8, "{certificate:?}");
    let naive = objective(&model, &wide, Loss::SquaredHinge, |_, _| 0.01);
    assert!((certificate.primal_objective - naive).abs() < 1e-10 * naive);
    let few = noisy(60, 520, 2, 5);
    let hinge = fit(&LinearSvc::params().c(0.01).loss(Loss::Hinge).tol(1e-6), &few);
    assert!(hinge.converged(), "{:?}", hinge.certificates());
}

#[test]
fn numbers_of_very_different_sizes() {
    let mut block = noisy(1000, 4, 2, 6);
    let mut values = block.records.to_f64();
    for row in values.chunks_exact_mut(4) {
        row[0] *= 1e6;
        row[1] *= 1e-6;
        row[2] += 1e4;
    }
    let rows = drystone_core::Rows::new(values, 4).expect("rows");
    block.records = drystone_core::Records::F64(rows);
    for loss in LOSSES {
        for c in [1e-6, 1.0, 1e4] {
            let params = LinearSvc::params().c(c).loss(loss).tol(1e-6);
            let model = fit(&params, &block);
            assert!(model.converged(), "{loss:?} {c}: {:?}", model.certificates());
            let naive = objective(&model, &block, loss, |_, _| c);
            let found = model.certificates()[0].primal_objective;
            assert!((naive - found).abs() < 1e-7 * naive, "{naive} {found}");
        }
    }
}

#[test]
fn classes_that_are_apart_and_columns_without_use() {
    let records = ndarray::array![[1.0, 0.0, 2.0], [2.0, 0.0, 4.0], [-1.0, 0.0, -2.0]];
    let targets = drystone_core::Targets::I64(vec![7, 7, -3].into());
    let block = drystone_core::Block::new(records).with_targets(targets);
    let inline = Inline::default();
    for loss in LOSSES {
        let data = cut_into(&block, 2);
        let params = LinearSvc::params().c(100.0).loss(loss).tol(1e-8).on(&inline);
        let model = params.fit(&data).expect("a model");
        assert!(model.converged() && model.coef()[1] == 0.0, "{:?}", model.coef());
        assert!((model.coef()[2] - 2.0 * model.coef()[0]).abs() < 1e-6);
        assert_eq!(model.predict::<i64>(&data).unwrap().compute().unwrap().to_vec(), [7, 7, -3]);
    }
}
