//! What is wrong, and where, in words.

use drystone_core::{Block, CancelToken, Error, ErrorKind, Targets};
use drystone_estimators::svc::calibrated::{Sigmoid, couple};
use drystone_estimators::svc::{Calibrated, CalibratedParams, Gamma, Svc};
use ndarray::Array2;

use crate::support::{cut_into, whole};

/// Rows of these classes, whose values vary.
fn block(classes: &[i64]) -> Block {
    let value = |(row, column)| ((row * (3 + column)) % 7) as f64;
    let records = Array2::from_shape_fn((classes.len(), 2), value);
    Block::new(records).with_targets(Targets::I64(classes.to_vec().into()))
}

fn params() -> CalibratedParams<'static> {
    Calibrated::params(Svc::params())
}

fn error(params: CalibratedParams<'_>, block: &Block) -> Error {
    params.fit(&cut_into(block, 2, true)).map(|_| ()).expect_err("an error")
}

fn says(params: CalibratedParams<'_>, block: &Block, text: &str) {
    assert_eq!(error(params, block).to_string(), text);
}

#[test]
fn too_few_rows_for_the_folds() {
    let mut classes = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 2, 2, 2];
    says(
        params(),
        &block(&classes),
        "parameter `folds` must be at most the number of rows of each class: class 2 has 3, found 5",
    );
    says(params().folds(1), &block(&classes), "parameter `folds` must be at least 2, found 1");
    assert!(params().folds(3).fit(&whole(&block(&classes))).is_ok());
    classes[0] = 2;
    let weights = vec![1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
    says(
        params().folds(3),
        &block(&classes).with_weights(weights),
        "parameter `folds` must be at most the number of rows of each class: class 1 has 2, found 3",
    );
}

#[test]
fn what_the_svc_refuses_is_refused() {
    let good = block(&[0, 1].repeat(10));
    let svc = |params| Calibrated::params(params);
    says(svc(Svc::params().c(0.0)), &good, "parameter `c` must be above 0 and finite, found 0");
    says(
        svc(Svc::params().gamma(Gamma::Value(f64::NAN))),
        &good,
        "parameter `gamma` must be above 0 and finite, found NaN",
    );
    says(params(), &block(&[7; 8]), "expected targets of at least two classes, found class 7 only");
    let none = Block { targets: None, ..good.clone() };
    let found = error(params(), &none);
    assert!(
        found.to_string().ends_with("targets: the class of each row, found no targets"),
        "{found}"
    );
    assert!(matches!(error(params(), &block(&[])).kind(), ErrorKind::Empty { .. }));
}

#[test]
fn bad_numbers_are_located() {
    let mut records = Array2::from_shape_fn((20, 2), |(row, column)| (row + column) as f64);
    records[[17, 1]] = f64::INFINITY;
    let targets = block(&[0, 1].repeat(10)).targets.expect("targets");
    let bad = Block::new(records).with_targets(targets);
    says(params(), &bad, "block 1, row 17, column 1: expected a finite number, found inf");
    let weights = [vec![1.0; 19], vec![-1.0]].concat();
    let bad = block(&[0, 1].repeat(10)).with_weights(weights);
    let text = "block 1, row 19: expected a finite sample weight of at least 0, found -1";
    says(params(), &bad, text);
}

#[test]
fn other_data_are_refused_when_predicting() {
    let data = whole(&block(&[0, 1].repeat(10)));
    let model = params().fit(&data).expect("a model");
    let wide = whole(&Block::new(Array2::<f64>::zeros((3, 4))));
    let error = model.predict_proba(&wide).compute().expect_err("another width");
    assert_eq!(error.to_string(), "block 0: expected 2 features, found 4");
    let error = model.predict::<String>(&data).map(|_| ()).expect_err("classes are integers");
    assert_eq!(error.to_string(), "expected names data, found class 0");
    let mut records = Array2::zeros((3, 2));
    records[[2, 0]] = f64::NAN;
    let error = model.predict::<i64>(&records).expect("integers").compute().expect_err("NaN");
    assert_eq!(error.to_string(), "block 0, row 2, column 0: expected a finite number, found NaN");
}

#[test]
fn a_cancelled_calibration_has_no_result() {
    let token = CancelToken::new();
    token.cancel();
    let params = Calibrated::params(Svc::params().cancel(&token));
    let error = error(params, &block(&[0, 1].repeat(10)));
    assert!(matches!(error.kind(), ErrorKind::Stopped { .. }), "{error}");
}

#[test]
fn sigmoids_and_couplings_say_what_is_wrong() {
    let text = |error: Error| error.to_string();
    let found = Sigmoid::fit(&[1.0, f64::NAN], &[0.0]).map_err(text);
    assert_eq!(found, Err("row 1: expected a finite number, found NaN".to_owned()));
    let found = Sigmoid::fit(&[], &[0.0]).map_err(text);
    assert_eq!(found, Err("a sigmoid needs decisions of rows of both classes".to_owned()));
    let found = Sigmoid::fit_weighted((&[1.0], &[1.0, 1.0]), (&[0.0], &[1.0])).map_err(text);
    assert_eq!(found, Err("expected 1 weights, found 2".to_owned()));
    let found = Sigmoid::fit_weighted((&[1.0], &[-1.0]), (&[0.0], &[1.0])).map_err(text);
    let wanted = "row 0: expected a finite sample weight of at least 0, found -1";
    assert_eq!(found, Err(wanted.to_owned()));
    let found = couple(3, &[0.5]).map_err(text);
    assert_eq!(found, Err("expected 3 pairwise probabilities, found 1".to_owned()));
    let found = couple(2, &[f64::NAN]).map_err(text);
    assert_eq!(found, Err("column 0: expected a finite number, found NaN".to_owned()));
}
