//! Against scikit-learn's KMeans from the same centroids: `datasets/golden/kmeans.json`,
//! made by the script beside it.

use drystone_core::block::RecordElement;
use drystone_core::{ChunkedDataset, Records, input};
use drystone_estimators::kmeans::Status;
use drystone_estimators::{Init, KMeans};
use ndarray::{Array2, Axis};
use serde_json::Value;

use crate::support::{dataset, read_text, to_block};

fn cases() -> Vec<Value> {
    let text = std::fs::read_to_string(dataset("golden/kmeans.json")).expect("golden values");
    let json: Value = serde_json::from_str(&text).expect("JSON");
    json["cases"].as_array().expect("cases").clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("numbers").iter().map(|x| x.as_f64().expect("a number")).collect()
}

fn to_dataset<T: RecordElement>(records: &Array2<f64>, weights: Option<&[f64]>) -> ChunkedDataset {
    input::cut(to_block::<T>(records, weights), 777).expect("a dataset")
}

fn fit(case: &Value) -> (KMeans, Vec<u32>) {
    let records = read_text(case["file"].as_str().expect("a file"));
    let init: Vec<usize> =
        numbers(&case["init_rows"]).into_iter().map(|row| row as usize).collect();
    let init = records.select(Axis(0), &init);
    let weights: Option<Vec<f64>> = case["sample_weight"].as_str().map(|rule| {
        assert_eq!(rule, "row % 5");
        (0..records.nrows()).map(|row| (row % 5) as f64).collect()
    });
    let (data, init) = match case["dtype"].as_str() {
        Some("float32") => (
            to_dataset::<f32>(&records, weights.as_deref()),
            Init::centroids(init.mapv(|value| value as f32)),
        ),
        _ => (to_dataset::<f64>(&records, weights.as_deref()), Init::centroids(init)),
    };
    let params = &case["params"];
    let k = params["k"].as_u64().expect("k") as usize;
    let max_iter = params["max_iter"].as_u64().expect("max_iter") as usize;
    let params = KMeans::params(k).init(init).tol(0.0).max_iter(max_iter);
    let (model, labels) = params.fit_predict(&data).expect("a model");
    (model, labels.compute().expect("labels").to_vec())
}

#[test]
fn agrees_with_scikit_learn_from_the_same_centroids() {
    let cases = cases();
    assert!(cases.len() >= 8, "golden cases are missing");
    for case in &cases {
        let name = case["name"].as_str().expect("a name");
        let (model, labels) = fit(case);
        let is_f32 = matches!(model.centroids(), Records::F32(_));
        let tolerance = if is_f32 { 1e-6 } else { 1e-12 };
        let inertia = case["inertia_fsum"].as_f64().expect("inertia");
        let error = (model.inertia() - inertia).abs() / inertia;
        assert!(error < tolerance, "{name}: inertia {} is not {inertia}", model.inertia());

        let wanted: Vec<f64> =
            case["centroids"].as_array().expect("rows").iter().flat_map(numbers).collect();
        let found = model.centroids().to_f64();
        let largest = wanted.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        for (found, wanted) in found.iter().zip(&wanted) {
            let error = (found - wanted).abs() / largest;
            assert!(error < tolerance, "{name}: centroid value {found} is not {wanted}");
        }
        let counts: Vec<u64> = numbers(&case["counts"]).into_iter().map(|n| n as u64).collect();
        assert_eq!(model.cluster_counts(), counts, "{name}");
        let head: Vec<u32> = numbers(&case["labels_head"]).into_iter().map(|n| n as u32).collect();
        assert_eq!(labels[..head.len()], head, "{name}");
        let sum: u64 = (1..).zip(&labels).map(|(row, &label)| row * (u64::from(label) + 1)).sum();
        assert_eq!(sum, case["labels_sum"].as_u64().expect("a sum"), "{name}");

        let n_iter = case["n_iter"].as_u64().expect("n_iter") as usize;
        if case["sample_weight"].is_null() {
            assert_eq!(model.n_iter(), n_iter, "{name}");
        } else {
            // There rows of zero weight delay convergence.
            assert!(model.n_iter() <= n_iter, "{name}");
        }
        let stopped = name.contains("max_iter");
        let status = if stopped { Status::MaxIter } else { Status::LabelsUnchanged };
        assert_eq!(model.status(), status, "{name}");
    }
}
