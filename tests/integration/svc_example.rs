//! The `svc` example as its user sees it: JSON, tables, help, files, and what users get wrong.

use std::fmt::Write;

use drystone::kernels::math::ln;
use drystone::prelude::*;
use drystone::{Label, Records};
use ndarray::{Array2, Ix2};
use serde_json::Value;

use super::support::{
    Holds, Workdir, before_usage, in_memory, is_peak_rss, is_sha256, last_line, without_numbers,
};

/// Generated data that a debug build fits in a tenth of a second.
const TINY: &str = "--n 600";

/// Three classes, and so three problems.
const THREE: &str = "--n 600 --d 5 --informative 3 --classes 3";

/// Every field of the JSON object, and what its value must be.
const FIELDS: [(&str, Holds); 24] = [
    ("classes", |value| *value == serde_json::json!([0, 1])),
    ("converged", |value| value == true),
    ("dual_objective", |value| value.as_f64().is_some_and(|value| value > 0.0)),
    ("duality_gap", |value| value.as_f64().is_some_and(|value| (0.0..1e-3).contains(&value))),
    ("gamma", |value| value.as_f64().is_some_and(|value| value > 0.0)),
    ("isa", Value::is_string),
    ("kernel", |value| value == "rbf"),
    ("log_loss", Value::is_null),
    ("max_kkt_violation", |value| value.as_f64().is_some_and(|value| value <= 1e-3)),
    ("model_sha256", |value| value.as_str().is_some_and(is_sha256)),
    ("n_features", |value| value == 4),
    ("n_iter", |value| value.as_u64().is_some_and(|value| value >= 10)),
    ("n_samples", |value| value == 480),
    ("n_support", |value| value.as_array().is_some_and(|classes| classes.len() == 2)),
    ("pairs", |value| value.as_array().is_some_and(|pairs| pairs.len() == 1)),
    ("passes", |value| value.as_u64().is_some_and(|value| value >= 5)),
    ("peak_rss_bytes", is_peak_rss),
    ("predict_rows", |value| value == 120),
    ("primal_objective", |value| value.as_f64().is_some_and(|value| value > 0.0)),
    ("resumed_steps", |value| value == 0),
    ("seconds", |value| ["fit", "predict"].iter().all(|name| value[name].as_f64() > Some(0.0))),
    ("status", |value| value == "converged"),
    ("test_accuracy", |value| value.as_f64().is_some_and(|value| value > 0.9)),
    ("threads", |value| value == 2),
];

#[test]
fn json_has_every_field() {
    let json = Workdir::of("svc").json(&format!("{TINY} --threads 2"));
    let mut names: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
    names.push("train_accuracy");
    let found: Vec<&str> = json.as_object().expect("an object").keys().map(|key| &**key).collect();
    assert_eq!(found, names);
    for (name, holds) in FIELDS {
        assert!(holds(&json[name]), "{name}: {}", json[name]);
    }
    assert!(json["train_accuracy"].as_f64() > Some(0.9), "{json}");
}

#[test]
fn several_classes_are_sums_and_the_largest() {
    let json = Workdir::of("svc").json(THREE);
    let pairs = json["pairs"].as_array().expect("problems");
    assert_eq!(pairs.len(), 3);
    let of = |name: &str| -> Vec<f64> {
        pairs.iter().map(|pair| pair[name].as_f64().expect("a number")).collect()
    };
    for name in ["dual_objective", "primal_objective", "n_iter"] {
        let sum = of(name).iter().sum::<f64>();
        let found = json[name].as_f64().expect("a number");
        assert!((sum - found).abs() <= 1e-12 * sum, "{name}: {sum}, {found}");
    }
    let largest = of("max_kkt_violation").into_iter().fold(0.0, f64::max);
    assert_eq!(json["max_kkt_violation"].as_f64(), Some(largest));
    let [gap, primal, dual] = ["duality_gap", "primal_objective", "dual_objective"]
        .map(|name| json[name].as_f64().expect("a number"));
    assert_eq!(gap, (primal - dual) / primal.max(1.0), "of the sums beside it");
    let classes: Vec<&Value> = pairs.iter().map(|pair| &pair["classes"]).collect();
    assert_eq!(classes, [&serde_json::json!([0, 1]), &[0, 2].into(), &[1, 2].into()]);
}

/// The report of a run that succeeds and says nothing else, numbers aside.
fn report(args: &str) -> String {
    let output = Workdir::of("svc").run_with_isa(&format!("{args} --threads 2"), Some("scalar"));
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    // Columns are as wide as numbers are.
    let lines = without_numbers(&output.stdout);
    lines.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
}

#[test]
fn the_table() {
    insta::assert_snapshot!(report(TINY));
}

#[test]
fn the_table_of_several_classes() {
    insta::assert_snapshot!(report(THREE));
}

#[test]
fn the_table_of_a_fit_that_did_not_converge() {
    insta::assert_snapshot!(report(&format!("{TINY} --max-iter 5 --gamma 0.5")));
    let several = report(&format!("{THREE} --max-iter 5 --kernel sigmoid"));
    let marked = |line: &&str| line.ends_with("none # # not converged");
    assert_eq!(several.lines().filter(marked).count(), 4, "{several}");
}

#[test]
fn the_table_of_a_kernel_that_is_not_convex() {
    insta::assert_snapshot!(report(&format!("{TINY} --kernel sigmoid --gamma auto --coef0 -1")));
}

#[test]
fn the_table_with_probabilities() {
    insta::assert_snapshot!(report(&format!("{TINY} --calibrate")));
    let doubtful = report(&format!("{TINY} --calibrate --max-iter 5"));
    assert!(doubtful.contains("from # folds, not all of which converged"), "{doubtful}");
}

#[test]
fn the_plan() {
    insta::assert_snapshot!(report(&format!("{TINY} --explain --memory-budget 1MiB")));
}

#[test]
fn help() {
    let output = Workdir::of("svc").run("--help");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    insta::assert_snapshot!(output.stdout);
}

#[test]
fn kernels_and_costs() {
    let directory = Workdir::of("svc");
    let cases = [
        ("--kernel linear", "linear"),
        ("--kernel poly --degree 2 --coef0 1 --gamma auto", "poly(degree=2, coef0=1)"),
        ("--kernel sigmoid --gamma 0.05", "sigmoid(coef0=0)"),
        ("--gamma 0.5 --c 10 --class-weight balanced", "rbf"),
        ("--tol 1e-2", "rbf"),
    ];
    for (flags, kernel) in cases {
        let json = directory.json(&format!("{TINY} {flags}"));
        assert_eq!(
            (json["kernel"].as_str(), json["converged"].as_bool()),
            (Some(kernel), Some(true))
        );
        assert!(json["test_accuracy"].as_f64() > Some(0.8), "{flags}: {json}");
        assert_eq!(json["duality_gap"].is_null(), kernel.starts_with("sigmoid"), "{flags}");
        assert_eq!(json["gamma"].is_null(), kernel == "linear", "{flags}");
    }
    let stopped = directory.json(&format!("{TINY} --max-iter 5"));
    assert_eq!((&stopped["converged"], &stopped["status"]), (&false.into(), &"max_iter".into()));
    assert!(stopped["duality_gap"].as_f64() > Some(1e-3), "{stopped}");
}

#[test]
fn neither_blocks_nor_threads_nor_memory_change_the_model() {
    let directory = Workdir::of("svc");
    let plain = directory.json(TINY);
    for flags in ["--block-rows 77 --threads 1", "--memory-budget 0", "--memory-budget 1MiB"] {
        let json = directory.json(&format!("{TINY} {flags}"));
        for field in ["model_sha256", "test_accuracy", "train_accuracy", "n_iter"] {
            assert_eq!(json[field], plain[field], "{flags}: {field}");
        }
    }
}

/// The rows of one dataset in each format: `x.libsvm`, `x.csv`, `x.npy` with `y.npy`.
fn write_files(directory: &Workdir, name: &str, n: u64, seed: u64) {
    let data = generate::Classification::new(n, 4).seed(seed).dataset().compute().expect("rows");
    let rows = data.records.view::<f64>().expect("doubles");
    let Some(Targets::I64(targets)) = &data.targets else { panic!("{:?}", data.targets) };
    let (mut libsvm, mut csv) = (String::new(), String::from("a,b,c,d,class\n"));
    for (row, class) in rows.rows().into_iter().zip(targets.iter()) {
        let fields = (1..).zip(row).map(|(index, value)| format!(" {index}:{value}"));
        writeln!(libsvm, "{class}{}", fields.collect::<String>()).expect("text");
        row.iter().for_each(|value| write!(csv, "{value},").expect("text"));
        writeln!(csv, "{class}").expect("text");
    }
    directory.write(&format!("{name}.libsvm"), &libsvm);
    directory.write(&format!("{name}.txt"), &libsvm);
    directory.write(&format!("{name}.csv"), &csv);
    npy::write(directory.path(&format!("{name}.npy")), &rows).expect("a file");
    let column = Array2::from_shape_vec((targets.len(), 1), targets.to_vec()).expect("a column");
    npy::write(directory.path(&format!("{name}-y.npy")), &column).expect("a file");
}

#[test]
fn each_format_gives_the_same_model() {
    let directory = Workdir::of("svc");
    write_files(&directory, "x", 400, 3);
    write_files(&directory, "t", 100, 3);
    let cases = [
        ("--input x.csv --target class", "--test t.csv"),
        ("--input x.csv --target-column 4", "--test t.csv"),
        ("--input x.libsvm", "--test t.libsvm"),
        ("--input x.txt --format libsvm", "--test t.txt"),
        ("--input x.npy --targets x-y.npy", "--test t.npy --test-targets t-y.npy"),
    ];
    let generated = directory.json("--n 400 --seed 3 --test-size 0.25");
    let mut wholes = Vec::new();
    for (input, test) in cases {
        let split = directory.json(&format!("{input} --seed 3 --test-size 0.25"));
        for field in ["model_sha256", "test_accuracy", "n_samples", "predict_rows"] {
            assert_eq!(split[field], generated[field], "{input}: {field}");
        }
        let whole = directory.json(&format!("{input} {test}"));
        assert_eq!((&whole["n_samples"], &whole["predict_rows"]), (&400.into(), &100.into()));
        wholes.push((whole["model_sha256"].clone(), whole["test_accuracy"].clone()));
    }
    wholes.dedup();
    assert_eq!(wholes.len(), 1, "{wholes:?}");
}

/// The targets of a dataset in memory are predictions in a file.
fn written(directory: &Workdir, rows: &str, predictions: &str) -> Targets {
    let data = npy::open(directory.path(rows)).targets(directory.path(predictions)).dataset();
    let block = data.and_then(|data| data.compute()).expect("as many predictions as rows");
    block.targets.expect("predictions")
}

#[test]
fn predictions_and_decisions_in_files_are_those_of_the_model() {
    let directory = Workdir::of("svc");
    write_files(&directory, "x", 400, 3);
    write_files(&directory, "t", 100, 3);
    let files = "--input x.npy --targets x-y.npy --test t.npy --test-targets t-y.npy";
    let results = "--predictions-out y.npy --decision-out d.npy --out model.safetensors";
    let json = directory.json(&format!("{files} {results} --block-rows 30"));

    let model = Svc::load(directory.path("model.safetensors")).expect("a model");
    assert_eq!(json["model_sha256"], *model.sha256().expect("a hash"));
    let test = npy::open(directory.path("t.npy")).dataset().expect("rows");
    let predicted = model.predict::<i64>(&test).and_then(|rows| rows.compute()).expect("classes");
    let Targets::I64(found) = written(&directory, "t.npy", "y.npy") else { panic!("integers") };
    assert_eq!(found.to_vec(), predicted.to_vec());
    let decisions = model.decision_function(&test).compute().expect("numbers");
    let Ok(Records::F64(found)) = npy::read_array(directory.path("d.npy")) else { panic!("f64") };
    assert_eq!(found.view(), decisions.into_dimensionality::<Ix2>().expect("a column"));
    let positive = found.values().iter().map(|&decision| i64::from(decision > 0.0));
    assert_eq!(positive.collect::<Vec<_>>(), predicted.to_vec());
}

#[test]
fn probabilities_in_files_are_those_of_the_model() {
    let directory = Workdir::of("svc");
    write_files(&directory, "x", 400, 3);
    write_files(&directory, "t", 100, 3);
    let files = "--input x.npy --targets x-y.npy --test t.npy --test-targets t-y.npy";
    let results = "--calibrate --probabilities-out p.npy --out model.safetensors";
    let json = directory.json(&format!("{files} {results}"));

    let model = Calibrated::load(directory.path("model.safetensors")).expect("a model");
    assert_eq!(json["model_sha256"], *model.sha256().expect("a hash"));
    let test = npy::open(directory.path("t.npy")).dataset().expect("rows");
    let wanted = model.predict_proba(&test).compute().expect("probabilities");
    let Ok(Records::F64(found)) = npy::read_array(directory.path("p.npy")) else { panic!("f64") };
    assert_eq!(found.view(), wanted);

    let Targets::I64(targets) = written(&directory, "t.npy", "t-y.npy") else { panic!("classes") };
    let surprise = targets.iter().zip(wanted.rows()).map(|(&class, row)| -ln(row[class as usize]));
    let mean = surprise.sum::<f64>() / 100.0;
    let found = json["log_loss"].as_f64().expect("a number");
    assert!((mean - found).abs() < 1e-12 && found < 0.5, "{mean} {found}");

    // The SVC is the same, and so are its predictions; other seeds make other folds.
    let plain = directory.json(files);
    for field in ["test_accuracy", "train_accuracy", "n_support", "dual_objective", "n_iter"] {
        assert_eq!(json[field], plain[field], "{field}");
    }
    let other = directory.json(&format!("{files} --calibrate --seed 1"));
    assert_eq!(other["dual_objective"], json["dual_objective"]);
    assert_ne!(other["model_sha256"], json["model_sha256"]);
}

#[test]
fn predictions_of_names_and_real_numbers() {
    let directory = Workdir::of("svc");
    let line = |row: usize, names: [&str; 3]| {
        format!("{}.{},{},{}\n", row % 3 * 10, row % 7, row % 5, names[row % 3])
    };
    let file = |names: [&str; 3]| (0..60).map(|row| line(row, names)).collect::<String>();
    directory.write("names.csv", "x,y,class\n".to_owned() + &file(["b", "a", "c"]));
    directory.write("reals.csv", "x,y,class\n".to_owned() + &file(["0.5", "-2", "1"]));
    let rows = Array2::from_shape_fn((60, 1), |(row, _)| row as f64);
    npy::write(directory.path("rows.npy"), &rows).expect("a file");
    let results = "--predictions-out y.npy --decision-out d.npy";

    let names = "--input names.csv --test names.csv --target class";
    let json = directory.json(&format!("{names} {results}"));
    assert_eq!(json["classes"], serde_json::json!(["a", "b", "c"]));
    assert_eq!(json["test_accuracy"], 1.0);
    let Targets::I64(codes) = written(&directory, "rows.npy", "y.npy") else { panic!("codes") };
    assert_eq!(codes.to_vec(), [1, 0, 2].repeat(20));
    let decisions = npy::read_array(directory.path("d.npy")).expect("numbers");
    assert_eq!((decisions.n_samples(), decisions.n_features()), (60, 3));

    let reals = "--input reals.csv --test reals.csv --target class";
    let json = directory.json(&format!("{reals} {results}"));
    assert_eq!(json["classes"], serde_json::json!([-2, 0.5, 1]));
    let Targets::F64(classes) = written(&directory, "rows.npy", "y.npy") else { panic!("reals") };
    assert_eq!(classes.to_vec(), [0.5, -2.0, 1.0].repeat(20));
}

#[test]
fn a_picture_of_regions_and_rows() {
    let directory = Workdir::of("svc");
    let line = (0..50).map(|row| format!("{},{}\n", row, i64::from(row > 20)));
    directory.write("line.csv", "x,class\n".to_owned() + &line.collect::<String>());
    let mean = "have the 2 other columns at the mean";
    let cases = [
        (TINY, 480, "column ", Some(mean)),
        ("--n 600 --d 2 --informative 2", 480, ">column 1<", None),
        ("--input line.csv --target class", 40, ">x<", None),
    ];
    // Without spaces, which the lines of a label in the file have around it.
    let dense = |text: &str| text.replace(['\n', ' '], "");
    for (data, n_rows, name, mean) in cases {
        let json = directory.json(&format!("{data} --plot out.svg"));
        let svg = std::fs::read_to_string(directory.path("out.svg")).expect("a picture");
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        assert_eq!(svg.matches("r=\"2\"").count(), n_rows, "{data}");
        assert_eq!(svg.matches("r=\"4\"").count(), 2, "the legend: {data}");
        assert!(svg.matches("<rect").count() > 160, "{data}");
        let svg = dense(&svg);
        assert!(svg.contains(&dense(name)), "{data}");
        assert_eq!(svg.contains(&dense("at the mean")), mean.is_some(), "{data}");
        assert!(mean.is_none_or(|mean| svg.contains(&dense(mean))), "{data}");
        let right = format!("{:.2} % of", json["test_accuracy"].as_f64().expect("a share") * 100.0);
        assert!(svg.contains(&dense(&right)), "{right}");
    }
    let table = directory.run(&format!("{TINY} --plot out.svg"));
    assert!(table.stdout.ends_with("\npicture: out.svg\n"), "{}", table.stdout);
    std::fs::create_dir(directory.path("target")).expect("a directory");
    let table = directory.run(TINY);
    assert!(table.stdout.ends_with("\npicture: target/svc.svg\n"), "{}", table.stdout);
    assert!(directory.path("target/svc.svg").is_file());
}

/// The model is written before rows are scored, which may fail.
#[test]
fn held_out_rows_that_cannot_be_scored_take_no_model_along() {
    let directory = Workdir::of("svc");
    write_files(&directory, "x", 100, 3);
    directory.write("bad.csv", "a,b,c,d,class\n1,2,3,4,0\n1,2,nan,4,1\n");
    let files = "--input x.csv --test bad.csv --target class --out model.safetensors";
    let output = directory.run(files);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let model = Svc::load(directory.path("model.safetensors")).expect("a model");
    assert_eq!(model.classes(), [Label::Integer(0), Label::Integer(1)]);
}

/// Runs each case; gives command lines and errors as text.
fn refusals(directory: &Workdir, code: i32, cases: &[&str]) -> String {
    let mut text = String::new();
    for case in cases {
        let output = directory.run(case);
        let stderr = directory.redact(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{case}: {stderr}");
        assert!(!stderr.contains("panicked"), "{case}: {stderr}");
        assert!(!output.stdout.contains("accuracy"), "{case}: a report: {}", output.stdout);
        let error = if code == 1 { last_line(&stderr) } else { before_usage(&stderr) };
        assert!(error.starts_with("error: "), "{case}: {stderr}");
        writeln!(text, "svc {case}\n    {error}").expect("text");
    }
    text
}

#[test]
fn flags_that_clap_refuses() {
    let cases = [
        "--gamma wide",
        "--gamma=",
        "--kernel cubic",
        "--format xls",
        "--input x --format xls",
        "--class-weight heavy",
        "--c much",
        "--degree -1",
        "--max-iter -1",
        "--test x.csv",
        "--targets y.npy",
        "--target class",
        "--input x.csv --n 100",
        "--input x.csv --class-sep 2",
        "--input x.csv --test t.csv --test-size 0.5",
        "--input x.npy --test-targets y.npy",
        "--probabilities-out p.npy",
        "--explain --json",
    ];
    insta::assert_snapshot!(refusals(&Workdir::of("svc"), 2, &cases));
}

#[test]
#[cfg(unix)]
fn flags_out_of_range() {
    let cases = [
        "--gamma 0",
        "--gamma -1",
        "--gamma nan",
        "--gamma 1e300",
        "--c 0",
        "--c inf",
        "--tol 0",
        "--tol nan",
        "--max-iter 0",
        "--kernel poly --degree 0",
        "--kernel poly --degree 33",
        "--kernel poly --coef0 nan",
        "--degree 2",
        "--coef0 1",
        "--kernel linear --gamma 1",
        "--kernel sigmoid --degree 2",
        "--n 0",
        "--n 1",
        "--d 0",
        "--d 1",
        "--informative 0",
        "--informative 5",
        "--classes 1",
        "--classes 9",
        "--class-sep nan",
        "--test-size 0",
        "--test-size 1",
        "--test-size 1.5",
        "--test-size nan",
        "--block-rows 0",
        "--threads 0",
        "--memory-budget foo",
        "--out no/such/model",
        "--predictions-out no/such/y.npy",
        "--decision-out /",
        "--plot no/such/picture.svg",
        "--calibrate --probabilities-out no/such/p.npy",
        "--calibrate --n 7",
        "--predictions-out same.npy --decision-out ./same.npy",
    ];
    insta::assert_snapshot!(refusals(&Workdir::of("svc"), 1, &cases));
}

#[test]
#[cfg(unix)]
fn bad_files() {
    let directory = Workdir::of("svc");
    write_files(&directory, "x", 50, 3);
    directory.write("one.csv", "x,class\n1,7\n2,7\n3,7\n4,7\n5,7\n");
    directory.write("same.csv", "x,class\n1,0\n1,1\n1,0\n1,1\n1,0\n");
    directory.write("narrow.csv", "a,b,class\n1,2,0\n");
    directory.write("nan.csv", "x,class\n1,0\n2,1\nNaN,0\n");
    directory.write("narrow.libsvm", "0 1:1 2:2\n1 1:3\n");
    directory.write("wide.libsvm", "0 1:1 2:2\n1 7:3\n");
    directory.write("bad.libsvm", "0 1:1 2:2\n1 3:3 2:2\n");
    directory.write("one.libsvm", "1 1:1 2:2\n1 1:3\n1 2:3\n");
    directory.write("x.dat", "1 1:1\n");
    npy::write(directory.path("wide.npy"), &Array2::<f64>::zeros((50, 7))).expect("a file");
    npy::write(directory.path("short-y.npy"), &Array2::<f64>::zeros((49, 1))).expect("a file");
    npy::write(directory.path("wide-y.npy"), &Array2::<f64>::zeros((50, 2))).expect("a file");
    let cases = [
        "--input nowhere.csv --target class",
        "--input nowhere.libsvm",
        "--input nowhere.npy --targets x-y.npy",
        "--input x.npy --targets nowhere.npy",
        "--input x.csv --target class --test nowhere.csv",
        "--input x.dat",
        "--input x.dat --format csv --target 7",
        "--input nowhere",
        "--input x.csv",
        "--input x.csv --target nope",
        "--input x.npy",
        "--input x.npy --targets x-y.npy --test x.npy",
        "--input x.npy --targets short-y.npy",
        "--input x.npy --targets wide-y.npy",
        "--input x.npy --targets x-y.npy --target 3",
        "--input x.libsvm --target 3",
        "--input x.libsvm --targets x-y.npy",
        "--input x.libsvm --test x.libsvm --test-targets x-y.npy",
        "--input x.libsvm --n-features 3",
        "--input x.libsvm --n-features 0",
        "--input x.csv --target class --n-features 3",
        "--input one.csv --target class",
        "--input one.libsvm",
        "--input same.csv --target class",
        "--input nan.csv --target class",
        "--input bad.libsvm",
        "--input x.csv --target class --test narrow.csv",
        "--input narrow.libsvm --test wide.libsvm",
        "--input narrow.libsvm --test bad.libsvm",
        "--input x.npy --targets x-y.npy --test wide.npy --test-targets x-y.npy",
        "--input x.csv --target class --test-size 0.999",
        "--input x.csv --target class --out x.csv",
        "--input x.npy --targets x-y.npy --predictions-out x-y.npy",
        "--input x.csv --target class --test x.libsvm --decision-out x.libsvm",
    ];
    insta::assert_snapshot!(refusals(&directory, 1, &cases));
    // A file to test on may be narrower where zeros are left out.
    let json = directory.json("--input wide.libsvm --test narrow.libsvm");
    assert_eq!(json["n_features"], 7);
}

#[test]
fn held_out_rows_are_those_of_the_library() {
    let directory = Workdir::of("svc");
    let rows = Array2::from_shape_fn((40, 2), |(row, column)| ((row * 7 + column * 3) % 11) as f64);
    npy::write(directory.path("x.npy"), &rows).expect("a file");
    let classes = Array2::from_shape_fn((40, 1), |(row, _)| (row % 2) as i64);
    npy::write(directory.path("y.npy"), &classes).expect("a file");
    let json = directory.json("--input x.npy --targets y.npy --seed 5 --test-size 0.3");
    let targets = Targets::I64(classes.iter().copied().collect::<Vec<_>>().into());
    let block = in_memory(rows).compute().expect("rows").with_targets(targets);
    let data = ChunkedDataset::from_resident(vec![block]).expect("a dataset");
    let (train, test) = model_selection::train_test_split(&data, 0.3, 5).expect("two parts");
    let model = Svc::params().fit(&train).expect("a model");
    assert_eq!(json["model_sha256"], *model.sha256().expect("a hash"));
    assert_eq!(json["test_accuracy"], model.score(&test).expect("a share"));
}
