//! Against scikit-learn's LinearSVC (LIBLINEAR): `datasets/golden/linear_svc.json`, made by the
//! script beside it.

use drystone_core::{Block, Rows, Targets};
use drystone_estimators::svc::{ClassWeight, LinearSvc, Loss};
use drystone_sources::{csv, libsvm};
use ndarray::Array2;
use serde_json::Value;

use crate::support::{cut_into, dataset, difference, model_codes, objective};

fn numbers(value: &Value) -> Vec<f64> {
    match value.as_array() {
        Some(values) => values.iter().flat_map(numbers).collect(),
        None => vec![value.as_f64().expect("a number")],
    }
}

/// As `load` of the script: spambase standardised, pendigits divided by 100.
fn load(file: &str) -> Block {
    if file == "spambase.data" {
        return spambase();
    }
    let data = libsvm::open(dataset(file)).dataset().expect("a dataset");
    let blocks: Vec<Block> = (0..data.n_blocks()).map(|idx| data.read(idx).expect("it")).collect();
    let d = data.n_features();
    let unit = if file == "pendigits" { 100.0 } else { 1.0 };
    let values = blocks.iter().flat_map(|block| block.records.to_f64()).map(|x| x / unit);
    let rows = Rows::new(values.collect(), d).expect("rows");
    let targets: Vec<f64> = blocks.iter().flat_map(reals).collect();
    Block::new(drystone_core::Records::F64(rows)).with_targets(Targets::F64(targets.into()))
}

fn reals(block: &Block) -> Vec<f64> {
    match block.targets.as_ref().expect("targets") {
        Targets::F64(values) => values.to_vec(),
        Targets::I64(values) => values.iter().map(|&value| value as f64).collect(),
        Targets::Categories { .. } => panic!("numbers"),
    }
}

fn spambase() -> Block {
    let data = csv::open(dataset("spambase.data")).dataset().expect("a dataset");
    let blocks = (0..data.n_blocks()).map(|idx| data.read(idx).expect("a block"));
    let values: Vec<f64> = blocks.flat_map(|block| block.records.to_f64()).collect();
    let all = Array2::from_shape_vec((4601, 58), values).expect("58 columns");
    let (mut records, targets) = (all.slice(ndarray::s![.., ..57]).to_owned(), all.column(57));
    for mut column in records.columns_mut() {
        let mean = column.iter().sum::<f64>() / 4601.0;
        let variance = column.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 4601.0;
        column.mapv_inplace(|x| (x - mean) / variance.sqrt());
    }
    Block::new(records).with_targets(Targets::F64(targets.to_vec().into()))
}

fn check(case: &Value) {
    let name = case["name"].as_str().expect("a name");
    let mut block = load(case["file"].as_str().expect("a file"));
    let n = block.n_samples();
    let is = |field: &str| case[field].as_bool().expect("a truth");
    let weight = |row: usize| if is("weighted") { (row % 4) as f64 / 2.0 } else { 1.0 };
    if is("weighted") {
        block = block.with_weights((0..n).map(weight).collect::<Vec<_>>());
    }
    let loss = match case["loss"].as_str() {
        Some("hinge") => Loss::Hinge,
        _ => Loss::SquaredHinge,
    };
    let class_weight = if is("balanced") { ClassWeight::Balanced } else { ClassWeight::Uniform };
    let c = case["c"].as_f64().expect("C");
    let params = LinearSvc::params().c(c).loss(loss).tol(1e-9).class_weight(class_weight);
    let model = params.fit(&cut_into(&block, 5)).expect("a model");
    assert!(model.converged(), "{name}: {:?} {:?}", model.status(), model.certificates());

    let codes = model_codes(&model, &block);
    let n_classes = model.n_classes();
    let balanced = |class: usize| {
        let rows = codes.iter().filter(|&&code| code == class).count();
        if is("balanced") { n as f64 / (n_classes * rows) as f64 } else { 1.0 }
    };
    let factors: Vec<f64> = (0..n_classes).map(balanced).collect();
    let cost = |problem: usize, row: usize| {
        let counts = n_classes == 2 || codes[row] == problem;
        c * weight(row) * if counts { factors[codes[row]] } else { 1.0 }
    };
    let found = objective(&model, &block, loss, cost);
    let sum: f64 = model.certificates().iter().map(|one| one.primal_objective).sum();
    assert!((found - sum).abs() <= 1e-10 * found, "{name}: {found}, certified {sum}");
    let wanted = case["objective"].as_f64().expect("an objective");
    // Coordinate descent may stop short of the optimum, but cannot be below it.
    assert!(found <= wanted * (1.0 + 1e-8), "{name}: {found}, LIBLINEAR {wanted}");
    if is("converged") {
        assert!((found - wanted).abs() <= 1e-6 * wanted, "{name}: {found}, LIBLINEAR {wanted}");
        let coef = difference(model.coef(), &numbers(&case["coef"]));
        assert!(coef < 1e-3, "{name}: coef differ by {coef}");
        let data = cut_into(&block, 2);
        let decisions = model.decision_function(&data).slice(0..5).compute().expect("numbers");
        let decisions: Vec<f64> = decisions.iter().copied().collect();
        let off = difference(&decisions, &numbers(&case["decisions_head"]));
        assert!(off < 1e-3, "{name}: decisions differ by {off}");
        let unweighted = Block { weights: None, ..block.clone() };
        let accuracy = model.score(&cut_into(&unweighted, 1)).expect("a score");
        let wanted = case["accuracy"].as_f64().expect("an accuracy");
        assert!((accuracy - wanted).abs() < 2e-3, "{name}: accuracy {accuracy} {wanted}");
    }
}

#[test]
fn agrees_with_scikit_learn() {
    let text = std::fs::read_to_string(dataset("golden/linear_svc.json")).expect("golden values");
    let json: Value = serde_json::from_str(&text).expect("JSON");
    let cases = json["cases"].as_array().expect("cases");
    assert!(cases.len() >= 16, "golden cases are missing");
    cases.iter().for_each(check);
}
