//! Against scikit-learn: `datasets/golden/around.json`, made by the script beside it.

use std::path::{Path, PathBuf};

use drystone_core::ChunkedDataset;
use drystone_core::{Block, ChunkedArray, Label, Targets};
use drystone_estimators::metrics::{accuracy, confusion_matrix, log_loss, roc_auc};
use drystone_estimators::model_selection::{
    KFold, StratifiedKFold, TestSize, stratified_train_test_split, train_test_split,
};
use drystone_estimators::preprocessing::{MinMaxScaler, StandardScaler};
use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use serde_json::Value;

use crate::support::{cut_into, positions, values};

fn dataset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets").join(name)
}

fn golden() -> Value {
    let text = std::fs::read_to_string(dataset("golden/around.json")).expect("golden values");
    serde_json::from_str(&text).expect("JSON")
}

fn list(values: &Value) -> &[Value] {
    values.as_array().expect("a list")
}

fn floats(values: &Value) -> Vec<f64> {
    list(values).iter().map(|value| value.as_f64().expect("a number")).collect()
}

fn integers(values: &Value) -> Vec<u64> {
    list(values).iter().map(|value| value.as_u64().expect("a count")).collect()
}

fn matrix(values: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = list(values).iter().map(floats).collect();
    let shape = (rows.len(), rows[0].len());
    Array2::from_shape_vec(shape, rows.concat()).expect("rows of one width")
}

/// A file of `datasets/`, whose first line of words is skipped, or the rows themselves.
fn records(data: &Value) -> Array2<f64> {
    let Some(name) = data.as_str() else {
        return matrix(data);
    };
    let text = std::fs::read_to_string(dataset(name)).expect("a dataset");
    let row = |line: &str| -> Option<Vec<f64>> {
        line.split(',').map(|field| field.trim().parse().ok()).collect()
    };
    let rows: Vec<Vec<f64>> = text.lines().filter_map(row).collect();
    let shape = (rows.len(), rows[0].len());
    Array2::from_shape_vec(shape, rows.concat()).expect("rows of one width")
}

fn check_close(found: &[f64], wanted: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (found, wanted) in found.iter().zip(wanted) {
        let size = wanted.abs().max(1.0);
        assert!((found - wanted).abs() <= tolerance * size, "{what}: {found}, not {wanted}");
    }
}

fn check_optional(found: Option<&[f64]>, wanted: &Value, what: &str) {
    match found {
        Some(found) => check_close(found, &floats(wanted), 1e-12, what),
        None => assert!(wanted.is_null(), "{what}"),
    }
}

/// The first rows there and back are scikit-learn's.
fn check_scaled(there: &ChunkedDataset, back: &ChunkedDataset, case: &Value, tolerance: f64) {
    for (data, name) in [(there, "head"), (back, "back")] {
        let wanted = matrix(&case[name]);
        let head = data.slice(0..wanted.nrows() as u64).compute().expect("rows");
        let wanted: Vec<f64> = wanted.iter().copied().collect();
        check_close(&head.records.to_f64(), &wanted, tolerance, name);
    }
}

fn block(records: &Array2<f64>, dtype: &Value) -> Block {
    match dtype.as_str() {
        Some("float32") => Block::new(records.mapv(|value| value as f32)),
        _ => Block::new(records.clone()),
    }
}

#[test]
fn scalers() {
    for case in list(&golden()["scalers"]) {
        let records = records(&case["data"]);
        let block = block(&records, &case["dtype"]);
        let tolerance = if case["dtype"] == "float32" { 1e-6 } else { 1e-12 };
        for wanted in list(&case["standard"]) {
            let weights = (0..records.nrows()).map(|row| (row % 5) as f64).collect::<Vec<_>>();
            let block = match wanted["weighted"].as_bool() {
                Some(true) => block.clone().with_weights(weights),
                _ => block.clone(),
            };
            let data = cut_into(&block, 5);
            let flag = |name: &str| wanted["params"][name].as_bool().unwrap_or(true);
            let params = StandardScaler::params();
            let params = params.with_mean(flag("with_mean")).with_std(flag("with_std"));
            let scaler = params.fit(&data).expect("a scaler");
            check_close(scaler.mean(), &floats(&wanted["mean"]), 1e-12, "mean");
            check_optional(scaler.var(), &wanted["var"], "var");
            check_optional(scaler.scale(), &wanted["scale"], "scale");
            let there = scaler.transform(&data);
            let back = scaler.inverse_transform(&there);
            check_scaled(&there, &back, wanted, tolerance);
        }
        for wanted in list(&case["min_max"]) {
            let data = cut_into(&block, 5);
            let range = floats(&wanted["feature_range"]);
            let params = MinMaxScaler::params().feature_range(range[0], range[1]);
            let scaler = params.fit(&data).expect("a scaler");
            assert_eq!(scaler.data_min(), floats(&wanted["data_min"]));
            assert_eq!(scaler.data_max(), floats(&wanted["data_max"]));
            let there = scaler.transform(&data);
            let back = scaler.inverse_transform(&there);
            check_scaled(&there, &back, wanted, tolerance);
        }
    }
}

fn test_size(value: &Value) -> TestSize {
    match value.as_u64() {
        Some(rows) => TestSize::Rows(rows),
        None => TestSize::Fraction(value.as_f64().expect("a fraction")),
    }
}

#[test]
fn sizes() {
    for case in list(&golden()["sizes"]) {
        let n = case["n"].as_u64().expect("a count") as usize;
        let split = train_test_split(&cut_into(&positions(n), 3), test_size(&case["test_size"]), 1);
        if case["rows"].is_null() {
            assert!(split.is_err(), "{case}");
            continue;
        }
        let (train, test) = split.expect("a split");
        let found = [train, test].map(|part| values(&part).len() as u64);
        assert_eq!(found.to_vec(), integers(&case["rows"]), "{case}");
    }
}

#[test]
fn sizes_of_classes() {
    for case in list(&golden()["stratified_sizes"]) {
        let counts = integers(&case["counts"]);
        let class = |(class, &count): (usize, &u64)| vec![class as i64; count as usize];
        let targets: Vec<i64> = counts.iter().enumerate().flat_map(class).collect();
        let block = positions(targets.len()).with_targets(Targets::I64(targets.clone().into()));
        let (data, size) = (cut_into(&block, 4), test_size(&case["test_size"]));
        let (_, test) = stratified_train_test_split(&data, size, 8).expect("a split");
        let mut found = vec![0; counts.len()];
        values(&test).iter().for_each(|&row| found[targets[row as usize] as usize] += 1);
        assert_eq!(found, integers(&case["test"]), "{case}");
    }
}

fn targets(value: &Value) -> Targets {
    let values = list(value);
    if values[0].is_string() {
        let names: Vec<&str> = values.iter().map(|name| name.as_str().expect("a name")).collect();
        return Targets::categories(&names);
    }
    match values.iter().map(Value::as_i64).collect::<Option<Vec<i64>>>() {
        Some(integers) => Targets::I64(integers.into()),
        None => Targets::F64(floats(value).into()),
    }
}

#[test]
fn folds() {
    let golden = golden();
    for case in list(&golden["folds"]["plain"]) {
        let n = case["n"].as_u64().expect("a count") as usize;
        let folds = KFold::new(case["n_splits"].as_u64().expect("a count"));
        let folds = folds.split(&cut_into(&positions(n), 3)).expect("folds");
        let found: Vec<Vec<u64>> = folds.iter().map(|(_, test)| values(test)).collect();
        let wanted: Vec<Vec<u64>> = list(&case["test"]).iter().map(integers).collect();
        assert_eq!(found, wanted, "{case}");
    }
    for case in list(&golden["folds"]["stratified"]) {
        let targets = targets(&case["targets"]);
        let data = cut_into(&positions(targets.len()).with_targets(targets.clone()), 3);
        let folds = StratifiedKFold::new(case["n_splits"].as_u64().expect("a count"));
        let test = |folds: StratifiedKFold<'_>| -> Vec<Vec<u64>> {
            folds.split(&data).expect("folds").iter().map(|(_, test)| values(test)).collect()
        };
        let wanted: Vec<Vec<u64>> = list(&case["test"]).iter().map(integers).collect();
        assert_eq!(test(folds.clone()), wanted, "{case}");
        let coded = drystone_core::label::Coded::of(&targets).expect("classes");
        let sizes = list(&case["classes_when_shuffled"]).iter().map(integers);
        for (rows, wanted) in test(folds.shuffle(4)).into_iter().zip(sizes) {
            let mut found = vec![0; coded.labels.len()];
            rows.iter().for_each(|&row| found[coded.codes[row as usize] as usize] += 1);
            assert_eq!(found, wanted, "{case}");
        }
    }
}

/// A value for each row.
fn of_rows<T: Clone + Send + Sync + 'static>(
    data: &ChunkedDataset,
    values: Vec<T>,
) -> ChunkedArray<T, ndarray::Ix1> {
    ChunkedArray::new(data, move |block| {
        let rows = block.records.to_f64();
        Ok(rows.into_iter().map(|row| values[row as usize].clone()).collect::<Array1<T>>())
    })
}

#[test]
fn metrics() {
    for case in list(&golden()["metrics"]) {
        let weights = (!case["weights"].is_null()).then(|| floats(&case["weights"]));
        let data = |name: &str| {
            let targets = targets(&case[name]);
            let block = positions(targets.len()).with_targets(targets);
            let block = match &weights {
                Some(weights) => block.with_weights(weights.clone()),
                None => block,
            };
            cut_into(&block, 4)
        };
        let binary = data("binary");
        let area = roc_auc(&binary, &of_rows(&binary, floats(&case["scores"]))).expect("an area");
        check_close(&[area], &[case["roc_auc"].as_f64().expect("an area")], 1e-14, "roc_auc");
        let classes = data("targets");
        let predicted = of_rows(&classes, floats(&case["predicted"]));
        let share = accuracy(&classes, &predicted).expect("a share");
        check_close(&[share], &[case["accuracy"].as_f64().expect("a share")], 1e-14, "accuracy");
        let found = confusion_matrix(&classes, &predicted).expect("a matrix");
        let labels = list(&case["classes"]).iter().map(|class| class.as_i64().expect("a class"));
        assert_eq!(found.classes(), labels.map(Label::from).collect::<Vec<_>>());
        let weights: ArrayView2<'_, f64> = found.weights();
        assert_eq!(weights.slice(s![.., ..]), matrix(&case["confusion"]));
        let loss = log_loss(&classes, &[-1, 0, 1, 2].map(Label::from), &{
            let probabilities = matrix(&case["probabilities"]);
            ChunkedArray::new(&classes, move |block| {
                let rows: Vec<usize> =
                    block.records.to_f64().into_iter().map(|row| row as usize).collect();
                Ok(probabilities.select(Axis(0), &rows))
            })
        });
        let wanted = case["log_loss"].as_f64().expect("a loss");
        check_close(&[loss.expect("a loss")], &[wanted], 1e-14, "log_loss");
    }
}
