//! Classes of every type, and decisions that are what the weights say.

use drystone_core::{Block, Label, Targets};
use drystone_estimators::svc::LinearSvc;

use crate::support::{cut_into, fit, noisy};

#[test]
fn decisions_are_chains_over_columns() {
    for n_classes in [2, 4] {
        let block = noisy(200, 7, n_classes, 1);
        let model = fit(&LinearSvc::params(), &block);
        let found = model.decision_function(&cut_into(&block, 5)).compute().expect("numbers");
        let n_problems = if n_classes == 2 { 1 } else { n_classes as usize };
        assert_eq!(found.dim(), (200, n_problems));
        assert_eq!((model.coef().len(), model.intercept().len()), (n_problems * 7, n_problems));
        for (row, x) in block.records.to_f64().chunks_exact(7).enumerate() {
            for problem in 0..n_problems {
                let w = &model.coef()[problem * 7..][..7];
                let chain = x.iter().zip(w).fold(0.0, |sum: f64, (x, w)| x.mul_add(*w, sum));
                assert_eq!(found[(row, problem)], chain + model.intercept()[problem]);
            }
        }
        let codes = model.predict_codes(&cut_into(&block, 3)).compute().expect("codes");
        for (code, decisions) in codes.iter().zip(found.rows()) {
            let best = decisions.iter().enumerate().fold(0, |best, (class, decision)| {
                if *decision > decisions[best] { class } else { best }
            });
            let binary = usize::from(decisions[0] > 0.0);
            assert_eq!(*code as usize, if n_problems == 1 { binary } else { best });
        }
    }
}

#[test]
fn targets_of_every_type() {
    let block = noisy(300, 4, 3, 2);
    let Some(Targets::I64(codes)) = &block.targets else { panic!("integers") };
    let integers: Vec<i64> = codes.iter().map(|code| [-5, 2, 40][*code as usize]).collect();
    let reals: Vec<f64> = codes.iter().map(|code| [-0.5, 2.0, 7.25][*code as usize]).collect();
    let names = ["ant", "bee", "cow"].map(str::to_owned);
    let categories = Targets::Categories {
        codes: codes.iter().map(|code| *code as u32).collect::<Vec<_>>().into(),
        names: names.to_vec().into(),
    };
    let with = |targets: Targets| Block { targets: Some(targets), ..block.clone() };
    let by_integer = fit(&LinearSvc::params(), &with(Targets::I64(integers.into())));
    let by_real = fit(&LinearSvc::params(), &with(Targets::F64(reals.into())));
    let by_name = fit(&LinearSvc::params(), &with(categories));
    assert_eq!(by_integer.coef(), by_real.coef());
    assert_eq!(by_integer.coef(), by_name.coef());
    let data = cut_into(&block, 4);
    let codes = by_name.predict_codes(&data).compute().expect("codes");
    let found = by_name.predict::<String>(&data).expect("names").compute().expect("names");
    assert!(found.iter().zip(&codes).all(|(name, code)| *name == names[*code as usize]));
    let found = by_real.predict::<f64>(&data).expect("reals").compute().expect("reals");
    assert!(found.iter().zip(&codes).all(|(x, code)| *x == [-0.5, 2.0, 7.25][*code as usize]));
    let found = by_real.predict::<Label>(&data).expect("labels").compute().expect("labels");
    assert_eq!(found[0], by_real.classes()[codes[0] as usize]);
    assert_eq!(by_integer.classes(), [-5, 2, 40].map(Label::Integer));
}

#[test]
fn scores_are_weighted_shares() {
    let block = noisy(200, 3, 2, 3);
    let model = fit(&LinearSvc::params(), &block);
    let data = cut_into(&block, 3);
    let Some(Targets::I64(targets)) = &block.targets else { panic!("integers") };
    let found = model.predict::<i64>(&data).expect("it").compute().expect("labels");
    let share = found.iter().zip(targets.iter()).filter(|(a, b)| a == b).count() as f64 / 200.0;
    assert_eq!(model.score(&data).expect("a score"), share);
    assert!(share > 0.6);
}
