//! The `kmeans` example on real files, and on the same rows in every form.

use drystone::prelude::*;
use ndarray::{Array2, s};

use super::support::{Workdir, dataset_path, eighths, in_memory};

/// Least known inertia, by scikit-learn with hundreds of restarts (`datasets/README.md`).
const S1_BEST: f64 = 8.91765e12;
const A3_BEST: f64 = 2.89374e10;

#[test]
fn real_files() {
    let cases = [
        ("s1.txt", "--clusters 15 --n-init 10", (5000, 2), Some((S1_BEST, 1e-3))),
        ("s1.txt", "--clusters 15 --n-init 10 --columns y,x", (5000, 2), Some((S1_BEST, 1e-3))),
        ("a3.txt", "--clusters 50 --n-init 3", (7500, 2), Some((A3_BEST, 2e-2))),
        ("a3.txt", "--clusters 50 --n-init 3 --delimiter space --header no", (7500, 2), None),
        ("spambase.data", "--clusters 5 --columns 0-56", (4601, 57), None),
        ("spambase.data", "--clusters 5 --columns 0-56 --target 57", (4601, 57), None),
    ];
    let directory = Workdir::new();
    for (file, flags, shape, best) in cases {
        let json = directory.json(&format!("--input {} {flags}", dataset_path(file)));
        let found = (json["n_samples"].as_u64(), json["n_features"].as_u64());
        assert_eq!(found, (Some(shape.0), Some(shape.1)), "{file} {flags}");
        assert_eq!(json["adjusted_rand"].is_number(), flags.contains("--target"), "{json}");
        if let Some((best, tolerance)) = best {
            let inertia = json["inertia"].as_f64().expect("a number");
            assert!((inertia / best - 1.0).abs() < tolerance, "{file} {flags}: {inertia}");
        }
    }
}

/// Rows as CSV with a header, among columns that are not asked for and are no numbers.
fn csv(rows: ndarray::ArrayView2<'_, f64>) -> String {
    let mut text = String::from("name,x,y,empty,z\n");
    for (idx, row) in rows.rows().into_iter().enumerate() {
        text += &format!("\"row, {idx}\",{},{},,{}\n", row[0], row[1], row[2]);
    }
    text
}

/// Six parts of unequal sizes, as CSV and as `.npy`, and a seventh that is not asked for.
fn write_parts(directory: &Workdir, rows: &Array2<f64>) {
    let cuts = [0, 100, 101, 400, 650, 900, rows.nrows()];
    for (part, cut) in (1..).zip(cuts.windows(2)) {
        let rows = rows.slice(s![cut[0]..cut[1], ..]);
        directory.write(&format!("part-{part}.csv"), csv(rows));
        directory.write(&format!("npy/part-{part}.npy"), "");
        npy::write(directory.path(&format!("npy/part-{part}.npy")), &rows).expect("a file");
    }
    directory.write("part-7.csv", "not,numbers\nat,all\n");
    npy::write(directory.path("all.npy"), rows).expect("a file");
}

#[test]
fn the_same_rows_in_every_form_give_the_same_model() {
    let directory = Workdir::new();
    let rows = eighths(1000);
    write_parts(&directory, &rows);
    let model = KMeans::params(4).seed(3).fit(&in_memory(rows)).expect("a model");
    let expected = model.sha256().expect("a hash");
    let forms = [
        "--input part-[1-6].csv --columns x,y,z",
        "--input part-[1-6].csv --columns 1-2,4",
        "--input ./part-[1-6].csv --columns x,y,z --block-rows 77 --memory-budget 0",
        "--input part-?.csv --columns x,y,z --header yes --delimiter ,",
        "--input npy",
        "--input npy/*.npy --block-rows 130",
        "--input all.npy",
        "--input all.npy --block-rows 1000000 --memory-budget 0",
    ];
    std::fs::remove_file(directory.path("part-7.csv")).expect("a file");
    for form in forms {
        let json = directory.json(&format!("{form} --clusters 4 --seed 3"));
        assert_eq!(json["model_sha256"], *expected, "{form}");
    }
}

#[test]
fn a_pattern_takes_the_files_that_it_names() {
    let directory = Workdir::new();
    write_parts(&directory, &eighths(1000));
    let json = directory.json("--input part-[2-4].csv --columns x,y,z --clusters 4");
    assert_eq!(json["n_samples"], 550);
}

/// scikit-learn's integers and f32 of the same rows: the type of a file is its own.
#[test]
fn single_precision_files_stay_so() {
    let directory = Workdir::new();
    let rows = eighths(500);
    npy::write(directory.path("f32.npy"), &rows.mapv(|value| value as f32)).expect("a file");
    directory.write("all.csv", csv(rows.view()));
    let from_npy = directory.json("--input f32.npy --clusters 4");
    let from_csv = directory.json("--input all.csv --clusters 4 --columns x,y,z --dtype f32");
    assert_eq!(from_npy["dtype"], "f32");
    assert_eq!(from_csv["model_sha256"], from_npy["model_sha256"]);
}

#[test]
fn missing_values_matter_only_where_they_are_asked_for() {
    let directory = Workdir::new();
    directory.write("gaps.csv", "x,y,z\n1,,4\n2,NaN,4\n9,?,5\n10,7,5\n");
    let json = directory.json("--input gaps.csv --clusters 2 --columns x --target z");
    assert_eq!((json["adjusted_rand"].as_f64(), json["inertia"].as_f64()), (Some(1.0), Some(1.0)));
    let refused = directory.run("--input gaps.csv --clusters 2 --columns x,y");
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("line 2, block 0, column 1 (\"y\"): a value is missing"));
}

#[test]
fn weights_count_as_rows() {
    let directory = Workdir::new();
    directory.write("weighted.csv", "x,w\n1,3\n2,1\n9,2\n50,0\n");
    directory.write("repeated.csv", "x\n1\n1\n1\n2\n9\n9\n");
    let weighted = directory.json("--input weighted.csv --clusters 2 --columns x --weights w");
    let repeated = directory.json("--input repeated.csv --clusters 2");
    assert_eq!(weighted["inertia"], 0.75);
    assert_eq!(weighted["inertia"], repeated["inertia"]);
}
