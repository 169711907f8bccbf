//! What a certificate finds out: models that were tampered with.

use drystone_core::{Block, ChunkedDataset, Records, Targets, input};
use ndarray::Array2;

use super::super::{Certificate, Svc, SvcParams};

const TOL: f64 = 1e-4;

/// Two clouds that overlap.
fn data(n_classes: i64) -> ChunkedDataset {
    let value = |(row, column): (usize, usize)| ((row * 37 + column * 101) % 83) as f64 / 40.0;
    let records = Array2::from_shape_fn((300, 2), value);
    let class = |row: usize| {
        let side = i64::from(records[(row, 0)] + 0.3 * records[(row, 1)] > 1.2);
        (side + i64::from(row.is_multiple_of(9))) % n_classes
    };
    let targets = Targets::I64((0..300).map(class).collect::<Vec<_>>().into());
    input::cut(Block::new(records.clone()).with_targets(targets), 64).expect("a dataset")
}

fn params() -> SvcParams<'static> {
    Svc::params().c(5.0).tol(TOL)
}

fn fitted() -> (ChunkedDataset, Svc) {
    let data = data(2);
    let model = params().fit(&data).expect("a model");
    (data, model)
}

fn certify(model: &Svc, data: &ChunkedDataset) -> Certificate {
    params().certify(model, data).expect("a certificate")[0]
}

#[test]
fn a_sound_model_gets_its_own_certificate() {
    for n_classes in [2, 3] {
        let data = data(n_classes);
        let model = params().fit(&data).expect("a model");
        let again = params().certify(&model, &data).expect("certificates");
        for (again, own) in again.iter().zip(model.certificates()) {
            assert!(again.max_kkt_violation <= TOL);
            let off = again.primal_objective - own.primal_objective;
            assert!(off.abs() < 1e-9 * own.primal_objective, "{again:?} is not {own:?}");
            assert_eq!(again.dual_objective, own.dual_objective);
        }
    }
}

#[test]
fn a_corrupted_coefficient_is_caught() {
    let (data, mut model) = fitted();
    let sound = certify(&model, &data);
    model.dual_coef[3] *= 0.9;
    let found = certify(&model, &data);
    assert!(found.max_kkt_violation > 10.0 * TOL, "{found:?}");
    assert_ne!(found.dual_objective, sound.dual_objective);
}

#[test]
fn coefficients_out_of_range_are_caught() {
    let (data, mut model) = fitted();
    let n_first = model.n_support[0] as usize;
    // Two of different classes: their sum stays.
    model.dual_coef[0] -= 6.0;
    model.dual_coef[n_first] += 6.0;
    assert!(certify(&model, &data).max_kkt_violation >= 1.0);
}

#[test]
fn a_dropped_support_vector_is_caught() {
    let (data, mut model) = fitted();
    model.support.remove(1);
    model.dual_coef.remove(1);
    model.n_support[0] -= 1;
    let Records::F64(rows) = &model.support_vectors else { panic!("f64 rows") };
    let kept = [&rows.values()[..2], &rows.values()[4..]].concat();
    model.support_vectors = Records::F64(drystone_core::Rows::new(kept, 2).expect("rows"));
    assert!(certify(&model, &data).max_kkt_violation > 10.0 * TOL);
}

#[test]
fn a_wrong_intercept_is_caught() {
    let (data, mut model) = fitted();
    let sound = certify(&model, &data);
    model.intercept[0] += 0.05;
    let found = certify(&model, &data);
    assert!((found.max_kkt_violation - 0.05).abs() < 10.0 * TOL, "{found:?}");
    let gaps = (found.duality_gap().expect("convex"), sound.duality_gap().expect("convex"));
    assert!(gaps.0 > 10.0 * gaps.1.max(1e-9), "{gaps:?}");
}

#[test]
fn a_model_of_other_rows_is_refused() {
    let (data, model) = fitted();
    let error = params().certify(&model, &data.slice(0..100)).expect_err("fewer rows");
    assert!(error.to_string().contains("support vectors among the rows"), "{error}");
}
