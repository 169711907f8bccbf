//! Predictions that an executor computes where the blocks are have the bits of those that are
//! computed here, and fail where those fail.

use drystone_core::observe::Silent;
use drystone_core::{
    Block, CancelToken, ChunkedArray, ChunkedDataset, Control, Dtype, ErrorKind, Executor, Inline,
    Label, Session, Threads,
};
use drystone_estimators::KMeans;
use drystone_estimators::preprocessing::StandardScaler;
use drystone_estimators::svc::{Calibrated, DecisionShape, LinearSvc, Svc};
use drystone_sources::csv;
use drystone_sources::generate::{Blobs, Classification};
use ndarray::{Array, RemoveAxis, array};

use crate::support::children;

fn executors() -> Vec<(&'static str, Box<dyn Executor>)> {
    vec![
        ("inline", Box::new(Inline::default())),
        ("three threads", Box::new(Threads::new(3).expect("threads"))),
        ("two processes", Box::new(children(2))),
    ]
}

/// The same values from each executor, and in other blocks.
fn check<T, D>(
    executors: &[(&str, Box<dyn Executor>)],
    data: &ChunkedDataset,
    predict: impl Fn(&ChunkedDataset) -> ChunkedArray<T, D>,
    bits: impl Fn(&T) -> u64,
) where
    T: Clone + Send + Sync + 'static,
    D: RemoveAxis + 'static,
{
    let bits = |array: Array<T, D>| array.map(&bits);
    let wanted = bits(predict(data).compute().expect("values"));
    assert_eq!(wanted.shape()[0] as u64, data.n_samples().expect("known rows"));
    let part = bits(predict(data).slice(33..190).compute().expect("values"));
    for (name, executor) in executors {
        for data in [data.clone(), data.rechunk(97), data.rechunk(1000)] {
            let array = predict(&data);
            let found = bits(array.compute_on(&**executor).expect(name));
            assert!(found == wanted, "{name}: {data}");
            let found = bits(array.slice(33..190).compute_on(&**executor).expect(name));
            assert!(found == part, "{name}: {data}");
        }
    }
}

fn number(value: &f64) -> u64 {
    value.to_bits()
}

fn code(value: &u32) -> u64 {
    u64::from(*value)
}

#[test]
fn kmeans() {
    let executors = executors();
    for dtype in [Dtype::F32, Dtype::F64] {
        let blobs = Blobs::new(700, 3).centers(4).seed(2).block_rows(150).dtype(dtype);
        let data = blobs.dataset();
        let model = KMeans::params(5).fit(&data).expect("a model");
        check(&executors, &data, |data| model.predict(data), code);
        check(&executors, &data, |data| model.transform(data), number);
        let scaler = StandardScaler::params().fit(&data).expect("a scaler");
        check(&executors, &data, |data| model.predict(&scaler.transform(data)), code);
    }
}

fn classes(n_classes: usize) -> ChunkedDataset {
    let data = Classification::new(400, 6).n_informative(4).n_classes(n_classes).seed(3);
    data.block_rows(120).dataset()
}

#[test]
fn svc() {
    let executors = executors();
    for (n_classes, shape) in
        [(2, DecisionShape::OneVsRest), (3, DecisionShape::OneVsRest), (3, DecisionShape::OneVsOne)]
    {
        let data = classes(n_classes);
        let model = Svc::params().decision_function_shape(shape).fit(&data).expect("a model");
        check(&executors, &data, |data| model.predict_codes(data), code);
        check(&executors, &data, |data| model.decision_function(data), number);
        let predict = |data: &ChunkedDataset| model.predict::<i64>(data).expect("integers");
        check(&executors, &data, predict, |class| *class as u64);
        let labels = model.predict::<Label>(&data).expect("labels");
        let found = labels.compute_on(&children(2)).expect("labels");
        assert_eq!(found, labels.compute().expect("labels"));
    }
}

#[test]
fn linear_svc() {
    let executors = executors();
    for n_classes in [2, 3] {
        let data = classes(n_classes);
        let model = LinearSvc::params().fit(&data).expect("a model");
        check(&executors, &data, |data| model.decision_function(data), number);
        let predict = |data: &ChunkedDataset| model.predict::<i64>(data).expect("integers");
        check(&executors, &data, predict, |class| *class as u64);
    }
}

#[test]
fn probabilities() {
    let executors = executors();
    for n_classes in [2, 3] {
        let data = classes(n_classes);
        let model = Calibrated::params(Svc::params()).fit(&data).expect("a model");
        check(&executors, &data, |data| model.predict_proba(data), number);
        let predict = |data: &ChunkedDataset| model.predict::<i64>(data).expect("integers");
        check(&executors, &data, predict, |class| *class as u64);
    }
}

#[test]
fn errors_say_the_same_place() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("rows.csv");
    let line = |row: usize| if row == 37 { "1e200,0\n".to_owned() } else { format!("{row},1\n") };
    std::fs::write(&path, (0..50).map(line).collect::<String>()).expect("a file");
    let data = csv::open(&path).block_bytes(90).dataset().expect("data");
    let data = data.scan().expect("rows");
    let good = Blobs::new(60, 2).centers(3).dataset();
    let model = KMeans::params(3).fit(&good).expect("a model");
    let wanted = model.predict(&data).compute().expect_err("it is far out").to_string();
    assert!(wanted.starts_with("block 1, row 37: "), "{wanted}");
    for (name, executor) in executors() {
        for found in [
            model.predict(&data).compute_on(&*executor).map(|_| ()),
            model.transform(&data).compute_on(&*executor).map(|_| ()),
        ] {
            assert_eq!(found.expect_err(name).to_string(), wanted, "{name}");
        }
        let wide = Blobs::new(60, 3).dataset();
        let error = model.predict(&wide).compute_on(&*executor).expect_err(name);
        assert_eq!(error.to_string(), "expected 2 features, found 3");
        let single = Blobs::new(60, 2).dtype(Dtype::F32).dataset();
        let error = model.predict(&single).compute_on(&*executor).expect_err(name);
        assert_eq!(error.to_string(), "expected f64 data, found f32");
    }
}

#[test]
fn what_is_of_closures_stays_here() {
    let data = Blobs::new(700, 2).centers(3).block_rows(150).dataset();
    let first = |block: &Block| Ok(block.records.view::<f64>()?.column(0).to_owned());
    let array = ChunkedArray::new(&data, first);
    let wanted = array.compute().expect("values");
    assert_eq!(array.compute_on(&Threads::new(3).expect("threads")).expect("values"), wanted);
    let error = array.compute_on(&children(1)).expect_err("code does not travel");
    assert!(matches!(error.kind(), ErrorKind::NotDescribed { .. }), "{error}");
    let model = KMeans::params(3).fit(&data).expect("a model");
    let here = data.persist().expect("blocks");
    let error = model.predict(&here).compute_on(&children(1)).expect_err("data do not travel");
    assert!(matches!(error.kind(), ErrorKind::NotDescribed { .. }), "{error}");
}

#[test]
fn rows_of_no_number_are_found_in_an_svc() {
    let data = classes(2);
    let model = LinearSvc::params().fit(&data).expect("a model");
    let spoilt = array![[0.0, 0.0, 0.0, 0.0, 0.0, f64::NAN]];
    let array = model.predict::<i64>(&spoilt).expect("integers");
    let error = array.compute_on(&Inline::default()).expect_err("it is not finite").to_string();
    assert_eq!(error, array.compute().expect_err("it is not finite").to_string());
    assert!(error.starts_with("block 0, row 0, column 5: "), "{error}");
}

#[test]
fn nothing_has_no_values() {
    let data = Blobs::new(60, 2).centers(3).dataset();
    let model = KMeans::params(3).fit(&data).expect("a model");
    let none = data.slice(5..5);
    for (name, executor) in executors() {
        let labels = model.predict(&none).compute_on(&*executor).expect(name);
        assert_eq!(labels, model.predict(&none).compute().expect(name));
        let distances = model.transform(&none).compute_on(&*executor).expect(name);
        assert_eq!(distances, model.transform(&none).compute().expect(name));
    }
}

#[test]
fn blocks_that_a_fit_has_kept_are_not_read_again() {
    let data = Blobs::new(700, 2).centers(3).block_rows(150).dataset();
    let threads = Threads::new(2).expect("threads").memory_budget(1 << 20);
    let model = KMeans::params(3).on(&threads).fit(&data).expect("a model");
    let control = Control::default();
    let session = Session::new(&threads, &Silent, &control);
    for _ in 0..2 {
        let labels = model.predict(&data).compute_in(&session).expect("labels");
        assert_eq!(labels, model.predict(&data).compute().expect("labels"));
    }
    assert_eq!((session.passes(), session.blocks_read()), (2, 0));
}

#[test]
fn a_prediction_can_be_cancelled() {
    let data = Blobs::new(700, 2).centers(3).block_rows(150).dataset();
    let model = KMeans::params(3).fit(&data).expect("a model");
    let cancel = CancelToken::new();
    cancel.cancel();
    let control = Control::new(cancel, None);
    for (name, executor) in executors() {
        let session = Session::new(&*executor, &Silent, &control);
        let error = model.predict(&data).compute_in(&session).expect_err(name);
        assert!(matches!(error.kind(), ErrorKind::Stopped { .. }), "{name}: {error}");
    }
}
