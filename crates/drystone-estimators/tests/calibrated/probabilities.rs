//! What probabilities are good for.

use drystone_core::{Block, Label, Targets};
use drystone_estimators::svc::{Calibrated, CalibratedParams, PredictedLabel, Svc};
use drystone_kernels::math::ln;
use ndarray::Axis;

use crate::support::{cut_into, digits, heart, whole};

fn values(block: &Block) -> Vec<i64> {
    let Some(Targets::I64(values)) = &block.targets else { panic!("targets are integers") };
    values.to_vec()
}

fn named(block: Block) -> Block {
    let names: Vec<String> = values(&block).iter().map(|digit| format!("digit {digit}")).collect();
    block.with_targets(Targets::categories(&names))
}

fn halves(block: Block) -> Block {
    let values: Vec<f64> = values(&block).iter().map(|digit| *digit as f64 / 2.0).collect();
    block.with_targets(Targets::F64(values.into()))
}

#[test]
fn digits_are_told_apart_with_confidence() {
    let data = whole(&digits(1_200));
    let (train, test) = (data.slice(0..800), data.slice(800..1_200).rechunk(150));
    let model = Calibrated::params(Svc::params().c(10.0)).seed(2).fit(&train).expect("a model");
    assert!(model.converged());
    assert_eq!(model.sigmoids().len(), 45);
    assert!(model.sigmoids().iter().all(|sigmoid| sigmoid.a < 0.0));
    assert!(model.score(&test).expect("a score") > 0.95);

    let probabilities = model.predict_proba(&test).compute().expect("probabilities");
    assert_eq!(probabilities.dim(), (400, 10));
    let predicted = model.predict::<i64>(&test).expect("integers").compute().expect("classes");
    let targets = values(&test.compute().expect("rows"));
    let mut log_loss = 0.0;
    let rows = probabilities.axis_iter(Axis(0)).zip(&predicted).zip(targets);
    for ((row, &predicted), target) in rows {
        assert!((row.sum() - 1.0).abs() < 1e-12 && row.iter().all(|p| (0.0..=1.0).contains(p)));
        assert!(row.iter().all(|p| *p <= row[predicted as usize]));
        log_loss -= ln(row[target as usize]) / 400.0;
    }
    assert!(log_loss < 0.25, "{log_loss}");
}

fn as_many_as_said(block: &Block) {
    let data = cut_into(block, 4, true);
    let model = Calibrated::params(Svc::params()).fit(&data).expect("a model");
    let probabilities = model.predict_proba(&data).compute().expect("probabilities");
    let share = probabilities.column(1).mean().expect("rows");
    // 120 of 270 rows are of the second class.
    assert!((share - 120.0 / 270.0).abs() < 0.03, "{share}");
}

#[test]
fn two_classes_are_as_frequent_as_said() {
    as_many_as_said(&heart());
}

fn classes<L: PredictedLabel + std::fmt::Debug + PartialEq>(block: &Block, first: &[L]) {
    let data = whole(block);
    let model = Calibrated::params(Svc::params()).folds(2).fit(&data).expect("a model");
    let predicted = model.predict::<L>(&data).expect("classes");
    let predicted = predicted.slice(0..first.len() as u64).compute().expect("classes");
    assert_eq!(predicted.to_vec(), first);
}

#[test]
fn classes_are_of_the_type_of_the_targets() {
    // The first rows of the file are of the digits 8, 2, 1 and 4.
    let block = digits(200);
    classes(&block, &[8, 2, 1, 4]);
    classes(&block, &[8.0, 2.0, 1.0, 4.0]);
    classes(&block, &[Label::from(8), Label::from(2)]);
    classes(&halves(block.clone()), &[4.0, 1.0, 0.5, 2.0]);
    classes(&named(block), &["digit 8".to_owned(), "digit 2".to_owned()]);
}

#[test]
fn the_seed_of_the_svc_is_the_default() {
    let data = whole(&heart());
    let fit = |params: CalibratedParams<'_>| params.fit(&data).expect("a model");
    let model = fit(Calibrated::params(Svc::params().seed(9)));
    assert_eq!(model.seed(), 9);
    assert_eq!(model.folds(), 5);
    let same = fit(Calibrated::params(Svc::params()).seed(9));
    assert_eq!(model.sha256().expect("a hash"), same.sha256().expect("a hash"));
    let other = fit(Calibrated::params(Svc::params()).seed(10));
    assert_ne!(model.sigmoids(), other.sigmoids());
    assert_eq!(model.svc().sha256().expect("a hash"), other.svc().sha256().expect("a hash"));
}

#[test]
fn equal_weights_of_one_are_no_weights() {
    let block = heart();
    let weighted = block.clone().with_weights(vec![1.0; 270]);
    let fit = |block: &Block| {
        Calibrated::params(Svc::params()).fit(&cut_into(block, 2, true)).expect("a model")
    };
    assert_eq!(fit(&block).sha256().expect("a hash"), fit(&weighted).sha256().expect("a hash"));
    let weights: Vec<f64> = (0..270).map(|row| f64::from(row % 3)).collect();
    let model = fit(&block.with_weights(weights));
    assert!(model.converged() && model.sigmoids()[0].a < 0.0);
}

#[test]
fn a_fold_that_does_not_converge_is_told() {
    let params = Svc::params().max_iter(3);
    let model = Calibrated::params(params).fit(&whole(&heart())).expect("a model");
    assert!(!model.converged());
}
