//! Predictions and decisions against their definition, from the model's arrays alone.

#![allow(clippy::disallowed_methods, reason = "libm is what kernels are compared with")]

use drystone_core::{Block, ChunkedDataset, Label, Records, Targets};
use drystone_estimators::svc::{DecisionShape, Kernel, Svc, SvcParams};
use ndarray::Array2;

use crate::support::{lattice, load, two_classes};

/// The decision of each two classes, summed up one by one.
fn decisions(model: &Svc, records: &Array2<f64>) -> Vec<Vec<f64>> {
    let Records::F64(vectors) = model.support_vectors() else { panic!("f64 rows") };
    let n_support = model.support().len();
    let kernel = |row: usize, s: usize| {
        let (x, y) = (records.row(row), vectors.row(s));
        let dot: f64 = x.iter().zip(y).map(|(x, y)| x * y).sum();
        let square: f64 = x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum();
        match model.kernel() {
            Kernel::Linear => dot,
            Kernel::Rbf => (-model.gamma() * square).exp(),
            Kernel::Poly { degree, coef0 } => {
                model.gamma().mul_add(dot, coef0).powi(i32::try_from(degree).expect("small"))
            }
            Kernel::Sigmoid { coef0 } => model.gamma().mul_add(dot, coef0).tanh(),
        }
    };
    let mut ends = vec![0];
    model.n_support().iter().for_each(|n| ends.push(ends[ends.len() - 1] + *n as usize));
    let coef = |opponent: usize, s: usize| model.dual_coef()[opponent * n_support + s];
    let decision = |row: usize, a: usize, b: usize| -> f64 {
        let first = (ends[a]..ends[a + 1]).map(|s| coef(b - 1, s) * kernel(row, s));
        let second = (ends[b]..ends[b + 1]).map(|s| coef(a, s) * kernel(row, s));
        first.chain(second).sum()
    };
    let n_classes = model.n_classes();
    let pairs = (0..n_classes).flat_map(|a| (a + 1..n_classes).map(move |b| (a, b)));
    let pairs: Vec<(usize, usize)> = pairs.collect();
    let row = |row: usize| {
        let pairs = pairs.iter().zip(model.intercept());
        pairs.map(|(&(a, b), intercept)| decision(row, a, b) + intercept).collect()
    };
    (0..records.nrows()).map(row).collect()
}

fn check(params: &SvcParams<'_>, two: bool) {
    let rows = if two { two_classes() } else { lattice() };
    let data = rows.cut(77);
    let model = params.fit(&data).expect("a model");
    let wanted = decisions(&model, &rows.records);
    let found = model.decision_function(&data).compute().expect("decisions");
    let codes = model.predict_codes(&data).compute().expect("codes");
    for (row, wanted) in wanted.iter().enumerate() {
        for (found, wanted) in found.row(row).iter().zip(wanted) {
            let near = 1e-11 * (1.0 + wanted.abs()) * model.support().len() as f64;
            assert!((found - wanted).abs() < near, "row {row}: {found} is not {wanted}");
        }
        let code = if two {
            u32::from(found[(row, 0)] > 0.0)
        } else {
            let mut votes = [0; 3];
            for (pair, (a, b)) in [(0, 1), (0, 2), (1, 2)].into_iter().enumerate() {
                votes[if found[(row, pair)] > 0.0 { a } else { b }] += 1;
            }
            (0..3).rev().max_by_key(|&class| votes[class]).expect("a class") as u32
        };
        assert_eq!(codes[row], code, "row {row}");
    }
}

#[test]
fn decisions_are_sums_over_support_vectors_and_predictions_their_votes() {
    for kernel in [
        Kernel::Linear,
        Kernel::Rbf,
        Kernel::Poly { degree: 3, coef0: 0.5 },
        Kernel::Sigmoid { coef0: 0.1 },
    ] {
        let params = Svc::params().kernel(kernel);
        check(&params, true);
        check(&params.decision_function_shape(DecisionShape::OneVsOne), false);
    }
}

#[test]
fn one_against_the_rest_orders_classes_by_votes_and_confidence() {
    let data = lattice().cut(100);
    let model = Svc::params().c(10.0).fit(&data).expect("a model");
    let scores = model.decision_function(&data).compute().expect("scores");
    assert_eq!(scores.dim(), (600, 3));
    let codes = model.predict_codes(&data).compute().expect("codes");
    let mut n_agree = 0;
    for (row, &code) in codes.iter().enumerate() {
        let scores = scores.row(row);
        let best = (0..3).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).expect("a class");
        n_agree += usize::from(best as u32 == code);
        // Within half a vote of a whole number of votes.
        assert!(scores.iter().all(|score| (score - score.round()).abs() < 0.34));
    }
    // They differ only where votes are tied.
    assert!(n_agree > 590, "only {n_agree} agree");
}

#[test]
fn labels_come_back_as_they_were() {
    let rows = two_classes();
    let records = rows.records.clone();
    let names: Vec<&str> =
        rows.targets.iter().map(|&target| if target == 0 { "ham" } else { "spam" }).collect();
    let reals: Vec<f64> =
        rows.targets.iter().map(|&target| if target == 0 { -1.5 } else { 2.0 }).collect();
    let dataset = |targets| {
        let block = Block::new(records.clone()).with_targets(targets);
        ChunkedDataset::from_resident(vec![block]).expect("a dataset")
    };
    let named = dataset(Targets::categories(&names));
    let model = Svc::params().fit(&named).expect("a model");
    assert_eq!(model.classes(), [Label::from("ham"), Label::from("spam")]);
    let found = model.predict::<String>(&named).expect("names").compute().expect("names");
    let codes = model.predict_codes(&named).compute().expect("codes");
    for (name, code) in found.iter().zip(&codes) {
        assert_eq!(name, ["ham", "spam"][*code as usize]);
    }
    let error = model.predict::<i64>(&named).err().expect("no integers");
    assert_eq!(error.to_string(), "expected integers data, found class \"ham\"");

    let real = dataset(Targets::F64(reals.into()));
    let model = Svc::params().fit(&real).expect("a model");
    let found = model.predict::<f64>(&real).expect("numbers").compute().expect("numbers");
    assert!(found.iter().all(|&label| label == -1.5 || label == 2.0));
    assert!(model.score(&real).expect("a score") > 0.7);
}

#[test]
fn predictions_in_single_precision_are_those_of_double() {
    // The screen of `predict` against the signs of the decisions in double precision.
    let rows = load("spambase.data");
    let data = rows.cut(1000);
    for c in [0.1, 100.0] {
        let model = Svc::params().c(c).tol(0.01).fit(&data).expect("a model");
        let decisions = model.decision_function(&data).compute().expect("decisions");
        let codes = model.predict_codes(&data).compute().expect("codes");
        for (decision, &code) in decisions.iter().zip(&codes) {
            assert_eq!(u32::from(*decision > 0.0), code);
        }
    }
}
