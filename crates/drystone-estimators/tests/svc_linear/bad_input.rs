//! What cannot be fitted is a typed error that says where.

use std::sync::atomic::{AtomicUsize, Ordering};

use drystone_core::{Block, ChunkedDataset, ErrorKind, Inline, Records, Rows, Targets};
use drystone_estimators::svc::{ClassWeight, LinearSvc, LinearSvcParams, Loss};
use linfa::ParamGuard;
use ndarray::{Array2, array};

use crate::support::{LOSSES, cut_into, noisy};

fn error(params: &LinearSvcParams<'_>, data: &ChunkedDataset) -> drystone_core::Error {
    params.fit(data).map(|_| ()).expect_err("no model")
}

fn plain(loss: Loss, data: &ChunkedDataset) -> drystone_core::Error {
    error(&LinearSvc::params().loss(loss), data)
}

#[test]
fn parameters() {
    let data = cut_into(&noisy(30, 2, 2, 1), 2);
    let params = LinearSvc::params;
    for (params, name) in [
        (params().c(0.0), "c"),
        (params().c(-1.0), "c"),
        (params().c(f64::NAN), "c"),
        (params().c(f64::INFINITY), "c"),
        (params().c(1e200), "c"),
        (params().tol(0.0), "tol"),
        (params().tol(f64::NAN), "tol"),
        (params().max_iter(0), "max_iter"),
        (params().class_weight(ClassWeight::Given(vec![1.0])), "class_weight"),
        (params().class_weight(ClassWeight::Given(vec![1.0, 0.0])), "class_weight"),
    ] {
        let error = error(&params, &data);
        let ErrorKind::Parameter { name: found, .. } = error.kind() else { panic!("{error}") };
        assert_eq!(found, name, "{error}");
    }
    assert!(params().c(-1.0).check_ref().is_err() && params().check().is_ok());
}

#[test]
fn targets() {
    for loss in LOSSES {
        let records = || Array2::from_shape_fn((4, 2), |(row, column)| (row + column) as f64);
        let one = Block::new(records()).with_targets(Targets::I64(vec![5; 4].into()));
        let found = plain(loss, &cut_into(&one, 2));
        assert!(found.to_string().contains("class 5 only"), "{found}");
        let found = plain(loss, &cut_into(&Block::new(records()), 2));
        assert!(matches!(found.kind(), ErrorKind::Format { .. }), "{found}");
        let nan = Targets::F64(vec![0.0, 1.0, f64::NAN, 1.0].into());
        let found = plain(loss, &cut_into(&Block::new(records()).with_targets(nan), 2));
        assert_eq!((found.location().block, found.location().row), (Some(1), Some(2)), "{found}");
    }
}

#[test]
fn records_and_weights() {
    for loss in LOSSES {
        for bad in [f64::NAN, f64::INFINITY] {
            let mut records = Array2::from_shape_fn((9, 3), |(row, column)| (row * column) as f64);
            records[(7, 1)] = bad;
            let targets = Targets::I64((0..9).map(|row| row % 2).collect::<Vec<_>>().into());
            let found = plain(loss, &cut_into(&Block::new(records).with_targets(targets), 3));
            assert!(matches!(found.kind(), ErrorKind::NotFinite { .. }), "{found}");
            let place = found.location();
            assert_eq!((place.block, place.row, place.column), (Some(2), Some(7), Some(1)));
        }
        let mut weights = vec![1.0; 30];
        weights[20] = -1.0;
        let found = plain(loss, &cut_into(&noisy(30, 2, 2, 1).with_weights(weights), 3));
        assert!(matches!(found.kind(), ErrorKind::Weight { .. }), "{found}");
        assert_eq!(found.location().row, Some(20));
        let huge = array![[1e90], [-1e90]];
        let block = Block::new(huge).with_targets(Targets::I64(vec![0, 1].into()));
        assert!(matches!(plain(loss, &cut_into(&block, 1)).kind(), ErrorKind::Range { .. }));
    }
}

#[test]
fn a_class_without_weight_and_no_rows() {
    let targets = Targets::I64(vec![0, 1, 0, 1].into());
    let block = Block::new(Array2::<f64>::ones((4, 1))).with_targets(targets);
    let weightless = block.clone().with_weights(vec![1.0, 0.0, 1.0, 0.0]);
    let found = plain(Loss::SquaredHinge, &cut_into(&weightless, 1));
    assert!(matches!(found.kind(), ErrorKind::Empty { .. }), "{found}");
    let none = cut_into(&block.slice(0..0), 1);
    assert!(matches!(plain(Loss::Hinge, &none).kind(), ErrorKind::Empty { .. }));
}

#[test]
fn too_many_columns_for_the_hinge() {
    let block = noisy(20, 1024, 2, 1);
    let found = plain(Loss::Hinge, &cut_into(&block, 1));
    assert!(matches!(found.kind(), ErrorKind::Limit { .. }), "{found}");
    assert!(LinearSvc::params().fit(&cut_into(&block, 1)).expect("a model").converged());
}

/// Fits what is another block from the second reading on.
fn changing(first: &Block, then: &Block) -> drystone_core::Error {
    let (reads, blocks) = (AtomicUsize::new(0), [first.clone(), then.clone()]);
    let layout = cut_into(first, 1).layout().clone();
    let data = ChunkedDataset::from_blocks(layout, move |_| {
        Ok(blocks[reads.fetch_add(1, Ordering::Relaxed).min(1)].clone())
    });
    let inline = Inline::new(0);
    error(&LinearSvc::params().on(&inline), &data)
}

#[test]
fn a_source_that_changes() {
    let block = noisy(50, 2, 2, 1);
    let values = block.records.to_f64().iter().map(|value| 4.0 * value).collect();
    let larger = Records::F64(Rows::new(values, 2).expect("rows"));
    let larger = Block { records: larger, ..block.clone() };
    let found = changing(&block, &larger);
    assert!(matches!(found.kind(), ErrorKind::SourceChanged { .. }), "{found}");
    let others = block.clone().with_targets(Targets::I64(vec![9; 50].into()));
    assert!(changing(&block, &others).to_string().contains("target 9"));
    let (light, heavy) = (vec![1.0; 50], vec![3.0; 50]);
    let found = changing(&block.clone().with_weights(light), &block.with_weights(heavy));
    assert!(matches!(found.kind(), ErrorKind::SourceChanged { .. }), "{found}");
}

#[test]
fn predictions() {
    let block = noisy(40, 3, 2, 1);
    let model = LinearSvc::params().fit(&cut_into(&block, 1)).expect("a model");
    let wider = cut_into(&noisy(10, 4, 2, 1), 2);
    let found = model.predict::<i64>(&wider).expect("lazy").compute().expect_err("another width");
    assert!(matches!(found.kind(), ErrorKind::Shape { .. }), "{found}");
    let mut records = Array2::<f64>::zeros((6, 3));
    records[(5, 2)] = f64::NAN;
    let data = cut_into(&Block::new(records), 2);
    let found = model.decision_function(&data).compute().expect_err("NaN");
    let place = found.location();
    assert_eq!((place.block, place.row, place.column), (Some(1), Some(5), Some(2)), "{found}");
    assert!(matches!(
        model.predict::<String>(&data).map(|_| ()).expect_err("integers").kind(),
        ErrorKind::Dtype { .. }
    ));
}
