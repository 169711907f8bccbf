//! The `kmeans` example as its user sees it: JSON, table, help, plan and files.

use drystone::Records;
use drystone::prelude::*;
use ndarray::Array2;
use serde_json::Value;

use super::support::{Holds, TINY, Workdir, eighths, is_peak_rss, is_sha256, without_numbers};

/// Every field of the JSON object, and what its value must be.
const FIELDS: [(&str, Holds); 21] = [
    ("adjusted_rand", |value| value.as_f64() == Some(1.0)),
    ("blocks_read", |value| value == 4),
    ("converged", |value| value == true),
    ("dtype", |value| value == "f64"),
    ("inertia", |value| value.as_f64().is_some_and(|value| value > 0.0)),
    ("init_cost", |value| value.as_f64().is_some_and(|value| value > 0.0)),
    ("isa", Value::is_string),
    ("labels_head", |value| value.as_array().is_some_and(|labels| labels.len() == 10)),
    ("model_sha256", |value| value.as_str().is_some_and(is_sha256)),
    ("n_candidates", |value| value.as_u64().is_some_and(|value| value >= 5)),
    ("n_clusters", |value| value == 5),
    ("n_features", |value| value == 6),
    ("n_iter", |value| value.as_u64().is_some_and(|value| value >= 1)),
    ("n_samples", |value| value == 12_000),
    ("passes", |value| value.as_u64().is_some_and(|value| value >= 8)),
    ("peak_rss_bytes", is_peak_rss),
    ("resumed_steps", |value| value == 0),
    ("seconds", are_seconds),
    ("state_bytes", |value| value.as_u64().is_some_and(|value| value >= 12_000)),
    ("status", |value| value == "labels_unchanged"),
    ("threads", |value| value == 2),
];

fn are_seconds(value: &Value) -> bool {
    let second = |name: &str| value[name].as_f64().unwrap_or(f64::NAN);
    let (init, lloyd, total) = (second("init"), second("lloyd"), second("total"));
    init > 0.0 && lloyd > 0.0 && (init + lloyd - total).abs() < 1e-6
}

#[test]
fn json_has_every_field() {
    let json = Workdir::new().json(&format!("{TINY} --seed 1 --threads 2"));
    let names: Vec<&str> = json.as_object().expect("an object").keys().map(|key| &**key).collect();
    assert_eq!(names, FIELDS.map(|(name, _)| name));
    for (name, holds) in FIELDS {
        assert!(holds(&json[name]), "{name}: {}", json[name]);
    }
}

#[test]
fn the_table() {
    let args = format!("{TINY} --seed 1 --threads 2");
    let output = Workdir::new().run_with_isa(&args, Some("scalar"));
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    insta::assert_snapshot!(without_numbers(&output.stdout));
}

#[test]
fn help() {
    let output = Workdir::new().run("--help");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    insta::assert_snapshot!(output.stdout);
}

#[test]
fn explain() {
    let output = Workdir::new().run(&format!("{TINY} --explain --threads 2 --memory-budget 100MB"));
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    insta::assert_snapshot!(output.stdout);
}

/// The deck's flags; its 10 rows a round are few for 8 clusters, which is its point.
#[test]
fn the_literal_call_of_the_deck() {
    let deck = "--clusters 8 --oversampling-rows 10 --init-max-iter 3";
    let json = Workdir::new().json(&format!("--blocks 2 --block-rows 2000 {deck}"));
    assert_eq!((json["n_clusters"].as_u64(), json["n_features"].as_u64()), (Some(8), Some(20)));
    let n_candidates = json["n_candidates"].as_u64().expect("k-means||");
    assert!((8..80).contains(&n_candidates), "{n_candidates}");
}

#[test]
fn ways_to_seed_and_to_store() {
    let directory = Workdir::new();
    let plain = directory.json(TINY)["inertia"].as_f64().expect("a number");
    let cases = [
        ("--dtype f32", "f32", true),
        ("--dtype f64", "f64", true),
        ("--init plusplus", "f64", true),
        ("--init random", "f64", false),
        ("--init random --n-init 9", "f64", true),
        ("--n-init 3", "f64", true),
        ("--tol 0 --max-iter 1000", "f64", true),
    ];
    for (flags, dtype, finds_the_blobs) in cases {
        let json = directory.json(&format!("{TINY} {flags}"));
        assert_eq!(json["dtype"], dtype, "{flags}");
        assert_eq!(json["converged"], true, "{flags}");
        let inertia = json["inertia"].as_f64().expect("a number");
        assert!(inertia > 0.999 * plain, "{flags}: {inertia}, {plain}");
        assert!(!finds_the_blobs || inertia < 1.001 * plain, "{flags}: {inertia}, {plain}");
    }
    let random = directory.json(&format!("{TINY} --init random"));
    assert!(random["n_candidates"].is_null(), "{random}");
}

#[test]
fn a_fit_goes_on_from_its_own_centroids() {
    let directory = Workdir::new();
    let first = directory.json(&format!("{TINY} --out model.safetensors"));
    let model = KMeans::load(directory.path("model.safetensors")).expect("a model");
    let Records::F64(centroids) = model.centroids() else { panic!("{:?}", model.centroids()) };
    npy::write(directory.path("centroids.npy"), &centroids.view()).expect("a file");
    let second = directory.json(&format!("{TINY} --init-centroids centroids.npy"));
    assert_eq!(second["inertia"], first["inertia"]);
    assert_eq!(second["n_iter"], 1);
    assert!(second["n_candidates"].is_null());
}

#[test]
fn a_model_keeps_its_hash_in_a_file() {
    let directory = Workdir::new();
    for dtype in ["f32", "f64"] {
        let json = directory.json(&format!("{TINY} --dtype {dtype} --out model.safetensors"));
        let model = KMeans::load(directory.path("model.safetensors")).expect("a model");
        assert_eq!(json["model_sha256"], *model.sha256().expect("a hash"));
        assert_eq!(json["inertia"], model.inertia());
    }
}

#[test]
fn labels_in_a_file_are_those_of_the_model() {
    let directory = Workdir::new();
    npy::write(directory.path("x.npy"), &eighths(1000)).expect("a file");
    let results = "--labels-out y.npy --out model.safetensors";
    let json = directory.json(&format!("--input x.npy --clusters 4 --block-rows 300 {results}"));

    let data = npy::open(directory.path("x.npy")).targets(directory.path("y.npy"));
    let data = data.dataset().expect("as many labels as rows");
    let block = data.read(0).expect("a block");
    let Some(Targets::I64(written)) = &block.targets else { panic!("{:?}", block.targets) };
    let model = KMeans::load(directory.path("model.safetensors")).expect("a model");
    let predicted = model.predict(&data).compute().expect("labels");
    assert!(
        written.iter().eq(predicted
            .iter()
            .map(|&label| i64::from(label))
            .collect::<Vec<_>>()
            .iter())
    );
    let head: Vec<u32> = serde_json::from_value(json["labels_head"].clone()).expect("labels");
    assert_eq!(head, predicted.as_slice().expect("labels")[..10]);
}

#[test]
fn a_picture_of_rows_and_centroids() {
    let directory = Workdir::new();
    npy::write(directory.path("line.npy"), &Array2::from_shape_fn((50, 1), |(row, _)| row as f64))
        .expect("a file");
    for (data, n_clusters, n_rows) in [(TINY, 5, 4 * 600), ("--input line.npy --clusters 3", 3, 50)]
    {
        directory.json(&format!("{data} --plot out.svg"));
        let svg = std::fs::read_to_string(directory.path("out.svg")).expect("a picture");
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        // Each centroid is a cross of two lines on a white disc.
        assert_eq!(svg.matches("<circle").count(), n_rows + n_clusters);
        let crosses = svg.matches("stroke-width=\"2\"").count();
        assert_eq!(crosses, 2 * n_clusters);
    }
    let table = directory.run(&format!("{TINY} --plot out.svg"));
    assert!(table.stdout.ends_with("picture: out.svg\n"), "{}", table.stdout);
}

/// Files are checked before the fit; what only writing can tell is told after the report.
#[test]
fn a_result_that_cannot_be_written_takes_no_other_along() {
    let directory = Workdir::new();
    let name = "n".repeat(300);
    for flag in ["--out", "--labels-out", "--plot"] {
        let output = directory.run(&format!("{TINY} --json {flag} {name}"));
        assert_eq!(output.status.code(), Some(1), "{flag}: {output:?}");
        let json: Value = serde_json::from_str(&output.stdout).expect("one JSON object");
        assert_eq!(json["n_samples"], 12_000);
        assert!(output.stderr.starts_with(&format!("error: {name}: cannot ")), "{output:?}");
    }
}
