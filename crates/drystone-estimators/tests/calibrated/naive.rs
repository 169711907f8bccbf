//! Against oracles that are slow and plain.

use drystone_core::ChunkedDataset;
use drystone_core::label::Coded;
use drystone_estimators::model_selection::StratifiedKFold;
use drystone_estimators::svc::calibrated::{Sigmoid, couple};
use drystone_estimators::svc::{Calibrated, DecisionShape, Gamma, Kernel, Svc, SvcParams};
use proptest::prelude::*;

use crate::support::{cut_into, digits, heart, whole};

/// The iteration of LIBSVM's `multiclass_probability`, until it moves no more.
fn iterated(n: usize, pairwise: &[f64]) -> Vec<f64> {
    let position = |i: usize, j: usize| i * (2 * n - i - 1) / 2 + j - i - 1;
    let r = |i: usize, j: usize| {
        if i < j { pairwise[position(i, j)] } else { 1.0 - pairwise[position(j, i)] }
    };
    let others = |i: usize| (0..n).filter(move |j| *j != i);
    let squares = |i: usize| others(i).map(|j| r(j, i) * r(j, i)).sum::<f64>();
    let entry = |i: usize, j: usize| if i == j { squares(i) } else { -r(j, i) * r(i, j) };
    let mut p = vec![1.0 / n as f64; n];
    for _ in 0..100_000 {
        let mut most = 0.0_f64;
        for t in 0..n {
            let qp: Vec<f64> = (0..n).map(|i| (0..n).map(|j| entry(i, j) * p[j]).sum()).collect();
            let pqp: f64 = p.iter().zip(&qp).map(|(p, qp)| p * qp).sum();
            let step = (pqp - qp[t]) / entry(t, t);
            most = most.max(step.abs());
            p[t] += step;
            p.iter_mut().for_each(|p| *p /= 1.0 + step);
        }
        if most < 1e-14 {
            break;
        }
    }
    p
}

/// Fits a sigmoid, and checks that its loss has no slope, in units of the widest decision.
fn check_flat(positive: &[f64], negative: &[f64]) -> Sigmoid {
    let found = Sigmoid::fit(positive, negative).expect("a sigmoid");
    let (n, m) = (positive.len() as f64, negative.len() as f64);
    let widest = positive.iter().chain(negative).fold(1.0, |most: f64, f| most.max(f.abs()));
    let slope = |decisions: &[f64], wanted: f64, power: i32| -> f64 {
        let of_row = |f: &f64| (wanted - found.probability(*f)) * (f / widest).powi(power);
        decisions.iter().map(of_row).sum()
    };
    for power in [0, 1] {
        let of_positive = slope(positive, (n + 1.0) / (n + 2.0), power);
        let sum = of_positive + slope(negative, 1.0 / (m + 2.0), power);
        assert!(sum.abs() < 1e-9 * (n + m), "{found:?}: {sum}");
    }
    found
}

#[test]
fn sigmoids_of_odd_decisions_are_optima_too() {
    let even = |n: usize, from: f64, width: f64| -> Vec<f64> {
        (0..n).map(|row| from + width * row as f64 / n as f64).collect()
    };
    check_flat(&even(3, 1.0, 0.0), &even(20_000, -0.01, 0.0));
    check_flat(&even(3, 1e6, 1.0), &even(20_000, -1e-3, 1e-3));
    check_flat(&even(30_000, -1.0, 1e-4), &even(40_000, -1.0, 2e-4));
    check_flat(&even(17_000, 5.0, 1e9), &even(2, -5.0, 1.0));
    check_flat(&even(50, 1e140, 1e140), &even(60, -1e140, 1.5e140));
    check_flat(&even(50, 1e-300, 1e-300), &even(60, -1e-300, 1.5e-300));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn coupling_is_what_libsvm_iterates_to(
        n in 2_usize..6, pairwise in prop::collection::vec(0.02_f64..0.98, 10),
    ) {
        let pairwise = &pairwise[..n * (n - 1) / 2];
        let found = couple(n, pairwise).expect("probabilities");
        for (found, wanted) in found.iter().zip(iterated(n, pairwise)) {
            prop_assert!((found - wanted).abs() < 1e-9, "{} {}", found, wanted);
        }
    }

    #[test]
    fn a_sigmoid_has_no_slope_at_its_optimum_and_no_order(
        positive in prop::collection::vec(-3.0_f64..4.0, 1..40),
        negative in prop::collection::vec(-4.0_f64..3.0, 1..40),
    ) {
        let found = check_flat(&positive, &negative);
        let reversed = |side: &[f64]| side.iter().rev().copied().collect::<Vec<f64>>();
        let again = Sigmoid::fit(&reversed(&positive), &reversed(&negative)).expect("a sigmoid");
        prop_assert_eq!(again, found);
    }

    #[test]
    fn a_row_of_weight_two_counts_twice(
        rows in prop::collection::vec((-3.0_f64..3.0, 0_u8..4), 4..30),
    ) {
        let weight = |row: &(f64, u8)| f64::from(row.1);
        let decisions: Vec<f64> = rows.iter().map(|row| row.0).collect();
        let weights: Vec<f64> = rows.iter().map(weight).collect();
        let repeated = rows.iter().flat_map(|row| vec![row.0; row.1.into()]).collect::<Vec<f64>>();
        prop_assume!(!repeated.is_empty());
        let negative = [-1.0, 0.5, 0.25];
        let weighted = Sigmoid::fit_weighted((&decisions, &weights), (&negative, &[1.0; 3]));
        let wanted = Sigmoid::fit(&repeated, &negative).expect("a sigmoid");
        let found = weighted.expect("a sigmoid");
        prop_assert!((found.a - wanted.a).abs() < 1e-9 * wanted.a.abs().max(1.0));
        prop_assert!((found.b - wanted.b).abs() < 1e-9 * wanted.b.abs().max(1.0));
    }
}

#[test]
fn decisions_that_do_not_differ_tell_how_many_there_are() {
    let sigmoid = Sigmoid::fit(&[3.0; 8], &[3.0; 2]).expect("a sigmoid");
    // The mean of Platt's targets: 8 times 9/10, 2 times 1/4.
    let wanted = (8.0 * 0.9 + 2.0 * 0.25) / 10.0;
    assert!((sigmoid.probability(3.0) - wanted).abs() < 1e-12, "{sigmoid:?}");
}

/// What calibration is, word by word.
fn sigmoids(data: &ChunkedDataset, params: &SvcParams<'_>, folds: u64, seed: u64) -> Vec<Sigmoid> {
    let model = params.fit(data).expect("a model");
    let n = model.n_classes();
    let params = params.clone().gamma(Gamma::Value(model.gamma()));
    let params = params.decision_function_shape(DecisionShape::OneVsOne);
    let mut sides = vec![(Vec::new(), Vec::new()); n * (n - 1) / 2];
    for (train, test) in StratifiedKFold::new(folds).shuffle(seed).split(data).expect("folds") {
        let of_fold = params.fit(&train).expect("a model");
        let decisions = of_fold.decision_function(&test).compute().expect("decisions");
        let targets = test.compute().expect("rows").targets.expect("targets");
        let codes = Coded::of(&targets).expect("classes").codes;
        for (row, code) in codes.into_iter().enumerate() {
            let pairs = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b)));
            for (pair, (a, b)) in pairs.enumerate() {
                let positive = if n == 2 { b } else { a };
                match code as usize {
                    code if code == positive => sides[pair].0.push(decisions[[row, pair]]),
                    code if code == a || code == b => sides[pair].1.push(decisions[[row, pair]]),
                    _ => {}
                }
            }
        }
    }
    sides.iter().map(|(p, n)| Sigmoid::fit(p, n).expect("a sigmoid")).collect()
}

fn check(data: &ChunkedDataset, params: SvcParams<'_>, folds: u64) {
    let model = Calibrated::params(params.clone()).folds(folds).seed(3).fit(data).expect("a model");
    let sigmoids = sigmoids(data, &params, folds, 3);
    assert_eq!(model.sigmoids(), sigmoids);
    let svc = params.clone().decision_function_shape(DecisionShape::OneVsOne).fit(data);
    let decisions = svc.expect("a model").decision_function(data).compute().expect("decisions");
    let found = model.predict_proba(data).compute().expect("probabilities");
    for (decisions, found) in decisions.rows().into_iter().zip(found.rows()) {
        let pairwise = decisions.iter().zip(&sigmoids).map(|(f, sigmoid)| sigmoid.probability(*f));
        let pairwise: Vec<f64> = pairwise.collect();
        let wanted = match &pairwise[..] {
            [second] => vec![1.0 - second, *second],
            pairwise => couple(model.classes().len(), pairwise).expect("probabilities"),
        };
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-14, "{found}, not {wanted}");
        }
    }
}

#[test]
fn two_classes_are_calibrated_word_by_word() {
    check(&whole(&heart()), Svc::params(), 5);
    check(&cut_into(&heart(), 3, true), Svc::params().kernel(Kernel::Linear).c(0.1), 2);
}

#[test]
fn many_classes_are_calibrated_word_by_word() {
    check(&cut_into(&digits(200), 3, true), Svc::params(), 3);
}
