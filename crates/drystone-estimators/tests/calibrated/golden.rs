//! Against optima found elsewhere: `datasets/golden/calibrated.json`, made by the script
//! beside it.

use drystone_estimators::svc::calibrated::{Sigmoid, couple};
use serde_json::Value;

use crate::support::dataset;

fn cases(of: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(dataset("golden/calibrated.json")).expect("golden values");
    let golden: Value = serde_json::from_str(&text).expect("JSON");
    golden[of].as_array().expect("cases").clone()
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("numbers").iter().map(number).collect()
}

fn fitted(case: &Value) -> Sigmoid {
    let (positive, negative) = (numbers(&case["positive"]), numbers(&case["negative"]));
    let fitted = match &case["weights"][0] {
        Value::Null => Sigmoid::fit(&positive, &negative),
        first => {
            let weights = [numbers(first), numbers(&case["weights"][1])];
            Sigmoid::fit_weighted((&positive, &weights[0]), (&negative, &weights[1]))
        }
    };
    fitted.expect("a sigmoid")
}

#[test]
fn sigmoids_are_the_optima() {
    let cases = cases("sigmoids");
    assert_eq!(cases.len(), 12);
    for case in cases {
        let (found, wanted) =
            (fitted(&case), Sigmoid { a: number(&case["a"]), b: number(&case["b"]) });
        let decisions = [numbers(&case["positive"]), numbers(&case["negative"])].concat();
        let widest = decisions.iter().fold(0.0, |most: f64, f| most.max(f.abs()));
        // What an error of a parameter makes of the argument of the exponential.
        let size = 1.0 + (wanted.a * widest).abs();
        let error = ((found.a - wanted.a) * widest).abs().max((found.b - wanted.b).abs()) / size;
        assert!(error < 1e-10, "{}: {found:?}, not {wanted:?}", case["name"]);
        for decision in decisions {
            let error = found.probability(decision) - wanted.probability(decision);
            assert!(error.abs() < 1e-10, "{}: at {decision}", case["name"]);
        }
    }
}

#[test]
fn sigmoids_are_near_scikit_learn() {
    for case in cases("sigmoids") {
        let (found, theirs) = (fitted(&case), numbers(&case["scikit_learn"]));
        // Their gradient is small before a single step where decisions are 1e-9.
        if case["name"] != "small" {
            let near =
                |found: f64, theirs: f64| (found - theirs).abs() < 1e-4 * found.abs().max(1e-3);
            assert!(near(found.a, theirs[0]) && near(found.b, theirs[1]), "{}", case["name"]);
        }
    }
}

#[test]
fn couplings_solve_the_linear_system() {
    let cases = cases("couplings");
    assert_eq!(cases.len(), 8);
    for case in cases {
        let n_classes = case["n_classes"].as_u64().expect("a count") as usize;
        let found = couple(n_classes, &numbers(&case["pairwise"])).expect("probabilities");
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-14, "{}", case["name"]);
        for (found, wanted) in found.iter().zip(numbers(&case["p"])) {
            assert!((found - wanted).abs() < 1e-10, "{}: {found}, not {wanted}", case["name"]);
        }
    }
}
