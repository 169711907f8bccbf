//! Rows that are far out, or far from 0: where sums of products lose what they are about.

use drystone_core::ChunkedDataset;
use drystone_estimators::svc::{Gamma, Kernel, Status, Svc};
use drystone_kernels::math::exp;

use crate::support::{Rows, two_classes};

/// Two classes, with a column multiplied, moved, or a sentinel in every tenth row.
fn changed(change: impl Fn(usize, usize, f64) -> f64) -> Rows {
    let mut rows = two_classes();
    for ((row, column), value) in rows.records.indexed_iter_mut() {
        *value = change(row, column, *value);
    }
    rows
}

fn cases() -> Vec<(&'static str, Rows, Gamma)> {
    vec![
        ("scaled up", changed(|_, _, x| x * 1e4), Gamma::Value(1.0)),
        ("scaled up more", changed(|_, _, x| x * 1e9), Gamma::Value(1.0)),
        ("moved", changed(|_, _, x| x + 1e9), Gamma::Auto),
        ("wide", changed(|_, _, x| x), Gamma::Value(1e20)),
        ("an outlier", changed(|row, _, x| if row == 3 { 1e15 } else { x }), Gamma::Auto),
        (
            "sentinels",
            changed(|row, column, x| if row % 10 == 5 && column == 0 { 1e8 } else { x }),
            Gamma::Value(0.5),
        ),
    ]
}

/// The dual and primal objectives and the decisions, by differences, one row after the other.
fn naive(model: &Svc, rows: &Rows, c: f64) -> (f64, f64, Vec<f64>) {
    let coefs: Vec<f64> = model.dual_coef().to_vec();
    let row = |row: usize| rows.records.row(row);
    let kernel = |a: usize, b: usize| {
        let square: f64 = row(a).iter().zip(row(b)).map(|(x, y)| (x - y).powi(2)).sum();
        exp(-model.gamma() * square)
    };
    let support: Vec<usize> = model.support().iter().map(|&row| row as usize).collect();
    let sum = |at: usize| -> f64 {
        support.iter().zip(&coefs).map(|(&row, coef)| coef * kernel(at, row)).sum()
    };
    let decisions: Vec<f64> =
        (0..rows.n_samples()).map(|at| sum(at) + model.intercept()[0]).collect();
    let square: f64 = support.iter().zip(&coefs).map(|(&row, coef)| coef * sum(row)).sum();
    let linear: f64 = coefs.iter().map(|coef| coef.abs()).sum();
    let hinge = |(decision, &target): (&f64, &i64)| {
        (1.0 - decision * if target == 0 { -1.0 } else { 1.0 }).max(0.0)
    };
    let loss: f64 = decisions.iter().zip(&rows.targets).map(hinge).sum();
    (linear - square / 2.0, square / 2.0 + c * loss, decisions)
}

fn check_predictions(model: &Svc, data: &ChunkedDataset, wanted: &[f64], name: &str) {
    let decisions = model.decision_function(data).compute().expect("decisions");
    let classes =
        model.predict::<i64>(data).and_then(|classes| classes.compute()).expect("classes");
    for ((&decision, &class), &wanted) in decisions.iter().zip(&classes).zip(wanted) {
        assert_eq!(class, i64::from(decision > 0.0), "{name}: {decision}");
        assert!((decision - wanted).abs() <= 1e-6, "{name}: {decision}, naively {wanted}");
    }
}

#[test]
fn certificates_and_predictions_are_those_of_differences() {
    for (name, rows, gamma) in cases() {
        let data = rows.cut(37);
        let model = Svc::params().gamma(gamma).fit(&data).expect("a model");
        assert_eq!(model.status(), Status::Converged, "{name}");
        let (dual, primal, decisions) = naive(&model, &rows, 1.0);
        let found = &model.certificates()[0];
        assert!((found.dual_objective - dual).abs() <= 1e-6 * dual.abs(), "{name}: {dual}");
        assert!((found.primal_objective - primal).abs() <= 1e-6 * primal, "{name}: {primal}");
        check_predictions(&model, &data, &decisions, name);
        let again = Svc::from_bytes(&model.to_bytes().expect("bytes")).expect("the same model");
        check_predictions(&again, &data, &decisions, name);
        let whole = Svc::params().gamma(gamma).fit(&rows.cut(1000)).expect("a model");
        assert_eq!(whole.sha256().expect("a hash"), model.sha256().expect("a hash"), "{name}");
    }
}

/// A constant column of the size of a date in milliseconds leaves no digits for the others.
#[test]
fn a_dot_product_that_lost_its_digits_is_no_proof() {
    for constant in [1e12, 7e15, 1e30] {
        let rows = changed(|_, column, x| if column == 0 { constant } else { x });
        let data = rows.cut(100);
        let model = Svc::params().kernel(Kernel::Linear).max_iter(20_000).fit(&data);
        let model = model.expect("a model");
        assert!(!model.converged() && model.status() != Status::Converged, "{constant}");
    }
    let poly = Kernel::Poly { degree: 3, coef0: 1e30 };
    let model = Svc::params().kernel(poly).max_iter(20_000).fit(&two_classes().cut(100));
    assert!(!model.expect("a model").converged());
}

#[test]
fn a_tolerance_below_rounding_ends() {
    for tol in [1e-16, 1e-300] {
        let model = Svc::params().tol(tol).fit(&two_classes().cut(100)).expect("a model");
        assert_eq!(model.status(), Status::Stalled, "{tol}");
        assert!(model.certificates()[0].max_kkt_violation < 1e-9, "{tol}");
    }
}

#[test]
fn decisions_beyond_the_range_of_numbers_are_errors() {
    let model = Svc::params().kernel(Kernel::Poly { degree: 3, coef0: 0.0 });
    let model = model.fit(&two_classes().cut(100)).expect("a model");
    let rows = changed(|row, _, x| if row == 120 { 1e160 } else { x });
    let data = rows.cut(100);
    let found = model.predict::<i64>(&data).and_then(|classes| classes.compute());
    let error = found.expect_err("a decision that is none").to_string();
    assert!(error.starts_with("block 1, row 120: expected a row within the range"), "{error}");
    assert!(model.decision_function(&data).compute().is_err());
}
