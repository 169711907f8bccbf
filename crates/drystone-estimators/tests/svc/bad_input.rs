//! Bad parameters and data: typed errors that say what and where.

use drystone_core::{Block, ChunkedDataset, Targets};
use drystone_estimators::svc::{ClassWeight, Gamma, Kernel, Svc, SvcParams};
use ndarray::{Array2, array};

use crate::support::{Rows, two_classes};

fn text(params: &SvcParams<'_>, data: &ChunkedDataset) -> String {
    params.fit(data).expect_err("it is bad").to_string()
}

fn small() -> Rows {
    Rows::new(array![[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0]], vec![0, 0, 1, 1])
}

#[test]
fn parameters() {
    let data = small().cut(2);
    let poly = |degree, coef0| Kernel::Poly { degree, coef0 };
    let cases = [
        (Svc::params().c(0.0), "parameter `c` must be above 0 and finite, found 0"),
        (Svc::params().c(-1.0), "parameter `c` must be above 0 and finite, found -1"),
        (Svc::params().c(f64::NAN), "parameter `c` must be above 0 and finite, found NaN"),
        (Svc::params().tol(0.0), "parameter `tol` must be above 0 and finite, found 0"),
        (Svc::params().max_iter(0), "parameter `max_iter` must be at least 1, found 0"),
        (
            Svc::params().gamma(Gamma::Value(-2.0)),
            "parameter `gamma` must be above 0 and finite, found -2",
        ),
        (
            Svc::params().kernel(poly(0, 0.0)),
            "parameter `degree` must be between 1 and 32, found 0",
        ),
        (
            Svc::params().kernel(poly(2, f64::INFINITY)),
            "parameter `coef0` must be finite, found inf",
        ),
        (
            Svc::params().class_weight(ClassWeight::Given(vec![1.0])),
            "parameter `class_weight` must be a factor for each of 2 classes, found 1",
        ),
        (
            Svc::params().class_weight(ClassWeight::Given(vec![1.0, 0.0])),
            "parameter `class_weight` must be above 0 and finite for each class, found 0",
        ),
    ];
    for (params, wanted) in cases {
        assert_eq!(text(&params, &data), wanted);
    }
}

#[test]
fn one_class_only() {
    let rows = Rows::new(array![[0.0], [1.0]], vec![7, 7]);
    let wanted = "expected targets of at least two classes, found class 7 only";
    assert_eq!(text(&Svc::params(), &rows.cut(1)), wanted);
}

#[test]
fn no_targets_and_no_rows() {
    let without = ChunkedDataset::from_resident(vec![Block::new(array![[0.0]])]).expect("data");
    let wanted = "expected a dataset with targets: the class of each row, found no targets";
    assert_eq!(text(&Svc::params(), &without), wanted);
    let none = Rows::new(Array2::zeros((0, 2)), vec![]).cut(5);
    assert_eq!(text(&Svc::params(), &none), "the dataset has no rows");
}

#[test]
fn a_class_may_be_absent_from_blocks() {
    let rows = two_classes();
    let mut order: Vec<usize> = (0..rows.n_samples()).collect();
    order.sort_by_key(|&row| rows.targets[row]);
    let sorted = rows.select(&order);
    let model = Svc::params().fit(&sorted.cut(20)).expect("a model");
    assert!(model.converged());
}

#[test]
fn numbers_that_are_none() {
    let mut rows = small();
    rows.records[(2, 1)] = f64::NAN;
    let wanted = "block 1, row 2, column 1: expected a finite number, found NaN";
    assert_eq!(text(&Svc::params(), &rows.cut(2)), wanted);
    let block = Block::new(array![[0.0], [1.0]]);
    let block = block.with_targets(Targets::F64(vec![0.0, f64::INFINITY].into()));
    let data = ChunkedDataset::from_resident(vec![block]).expect("data");
    let wanted = "block 0, row 1, column \"target\": expected a finite number, found inf";
    assert_eq!(text(&Svc::params(), &data), wanted);
    let mut rows = small();
    rows.weights = Some(vec![1.0, 1.0, -1.0, 1.0]);
    let wanted = "block 0, row 2: expected a finite sample weight of at least 0, found -1";
    assert_eq!(text(&Svc::params(), &rows.cut(4)), wanted);
}

#[test]
fn a_class_without_weight() {
    let mut rows = small();
    rows.weights = Some(vec![1.0, 1.0, 0.0, 0.0]);
    let wanted = "no row of class 1 has a positive weight";
    assert_eq!(text(&Svc::params(), &rows.cut(4)), wanted);
}

#[test]
fn data_that_do_not_vary() {
    let rows = Rows::new(Array2::from_elem((4, 2), 3.0), vec![0, 1, 0, 1]);
    let wanted = "parameter `gamma` must be a number: \"scale\" needs data that vary, found \
                  \"scale\" of data with a variance of 0e0";
    assert_eq!(text(&Svc::params(), &rows.cut(2)), wanted);
    // With a gamma there is an optimum, though it tells nothing apart.
    let model = Svc::params().gamma(Gamma::Auto).fit(&rows.cut(2)).expect("a model");
    assert!(model.converged());
}

#[test]
fn numbers_too_large_for_the_kernel() {
    let rows = Rows::new(array![[1e80], [-1e80]], vec![0, 1]);
    let error = text(&Svc::params().kernel(Kernel::Linear), &rows.cut(2));
    assert!(error.contains("products stay below 1e150: scale them"), "{error}");
}

#[test]
fn large_numbers_are_taken_in_double_precision() {
    // Squares that single precision cannot hold.
    let mut rows = two_classes();
    rows.records *= 1e25;
    let model = Svc::params().kernel(Kernel::Linear).c(1e-50).fit(&rows.cut(100)).expect("a model");
    let small = Svc::params().kernel(Kernel::Linear).fit(&two_classes().cut(100)).expect("a model");
    assert!(model.converged());
    let (a, b) = (model.certificates()[0], small.certificates()[0]);
    assert!((a.dual_objective * 1e50 / b.dual_objective - 1.0).abs() < 1e-3, "{a:?} {b:?}");
}

#[test]
fn too_many_classes() {
    let targets: Vec<i64> = (0..257).collect();
    let records = Array2::from_shape_fn((257, 1), |(row, _)| row as f64);
    let error = text(&Svc::params(), &Rows::new(records, targets).cut(100));
    assert!(
        error.contains("(are the targets real numbers?) is 257, over the limit of 256"),
        "{error}"
    );
}

#[test]
fn data_that_do_not_fit_the_model() {
    let data = two_classes().cut(100);
    let model = Svc::params().fit(&data).expect("a model");
    let narrow = small().cut(4);
    let error = model.predict::<i64>(&narrow).expect("lazy").compute().expect_err("two columns");
    assert_eq!(error.to_string(), "block 0: expected 3 features, found 2");
    let mut rows = two_classes();
    rows.records[(150, 2)] = f64::INFINITY;
    let error = model.decision_function(&rows.cut(100)).compute().expect_err("infinite");
    let wanted = "block 1, row 150, column 2: expected a finite number, found inf";
    assert_eq!(error.to_string(), wanted);
    let mut other = two_classes();
    other.targets[5] = 9;
    assert!(model.score(&other.cut(100)).expect("a score") < 1.0);
    let error = Svc::params().certify(&model, &other.cut(100)).expect_err("another class");
    assert!(error.to_string().contains("the data that the model was fitted to"), "{error}");
}
