//! What the generators reject, with which words; hostile descriptions.

use drystone_core::{BlockRows, Description, Dtype, ErrorKind, wire};
use drystone_sources::generate::{Blobs, Classification, PerFeature};
use ndarray::{Array2, arr2};
use proptest::prelude::*;

use crate::{golden, registry};

fn blobs() -> Blobs {
    Blobs::new(100, 2)
}

fn made() -> Classification {
    Classification::new(100, 20)
}

fn check_blobs(blobs: Blobs, message: &str) {
    assert_eq!(blobs.check().expect_err(message).to_string(), message);
}

fn check_made(made: Classification, message: &str) {
    assert_eq!(made.check().expect_err(message).to_string(), message);
}

#[test]
fn blobs_that_make_no_sense() {
    let points = arr2(&[[0.0, 1.0], [2.0, 3.0]]);
    check_blobs(Blobs::new(0, 2), "parameter `n_samples` must be at least 1, found 0");
    check_blobs(Blobs::new(5, 0), "parameter `n_features` must be at least 1, found 0");
    check_blobs(blobs().block_rows(0), "parameter `block_rows` must be at least 1, found 0");
    check_blobs(blobs().centers(0), "parameter `centers` must be at least 1, found 0");
    check_blobs(blobs().sizes(vec![]), "parameter `centers` must be at least 1, found 0");
    check_blobs(
        blobs().sizes(vec![3, 4]),
        "parameter `sizes` must be sizes that sum to n_samples = 100, found the sum 7",
    );
    check_blobs(
        blobs().sizes(vec![u64::MAX, 101]),
        "parameter `sizes` must be sizes that sum to n_samples = 100, found the sum more than 2^64",
    );
    check_blobs(
        blobs().sizes(vec![50, 50]).centers(3),
        "parameter `sizes` must be one size for each of 3 centres, found 2 sizes",
    );
    check_blobs(
        Blobs::new(5, 3).center_points(points.clone()),
        "parameter `center_points` must be points of 3 features, found of 2",
    );
    check_blobs(
        blobs().center_points(arr2(&[[0.0, f64::NAN]])),
        "parameter `center_points` must be finite, found NaN",
    );
    check_blobs(
        blobs().center_points(points).center_box(0.0, 1.0),
        "parameter `center_box` must be unset when centres are given, found [0, 1]",
    );
    check_blobs(
        blobs().center_points(Array2::zeros((0, 2))),
        "parameter `centers` must be at least 1, found 0",
    );
    for std in [-1.0, f64::NAN, f64::INFINITY] {
        let expected = "must be finite and at least 0, found";
        check_blobs(blobs().cluster_std(std), &format!("parameter `cluster_std` {expected} {std}"));
        let stds = vec![1.0, std, 1.0];
        check_blobs(
            blobs().cluster_stds(stds),
            &format!("parameter `cluster_stds` {expected} {std}"),
        );
    }
    check_blobs(
        blobs().cluster_stds(vec![1.0, 2.0]),
        "parameter `cluster_stds` must be one for each of 3 centres, found 2 values",
    );
    for (lo, hi) in [(1.0, -1.0), (f64::NEG_INFINITY, 1.0), (0.0, f64::NAN), (-1e308, 1e308)] {
        let expected = "two ascending finite numbers at a finite distance";
        let message = format!("parameter `center_box` must be {expected}, found [{lo}, {hi}]");
        check_blobs(blobs().center_box(lo, hi), &message);
    }
    check_blobs(
        blobs().cluster_std(1e38).dtype(Dtype::F32),
        "parameter `centers and cluster_std` must be such that all values are finite as f32, \
         found values of up to 9e38",
    );
}

#[test]
fn classifications_that_make_no_sense() {
    check_made(Classification::new(0, 20), "parameter `n_samples` must be at least 1, found 0");
    check_made(
        Classification::new(100, 3),
        "parameter `n_features` must be at least n_informative + n_redundant + n_repeated = 4, found 3",
    );
    check_made(made().n_informative(0), "parameter `n_informative` must be at least 1, found 0");
    check_made(made().n_classes(0), "parameter `n_classes` must be at least 1, found 0");
    let message = "parameter `n_clusters_per_class` must be at least 1, found 0";
    check_made(made().n_clusters_per_class(0), message);
    let clusters = "parameter `n_classes * n_clusters_per_class` must be at most 2^n_informative";
    check_made(made().n_classes(3), &format!("{clusters} = 4, found 6"));
    let found = "found more than 2^64";
    check_made(made().n_classes(usize::MAX), &format!("{clusters} = 4, {found}"));
    for weights in [vec![], vec![0.2, 0.3, 0.5]] {
        let found = weights.len();
        let expected = "one for each of 2 classes, or without the last";
        let message = format!("parameter `weights` must be {expected}, found {found} values");
        check_made(made().weights(weights), &message);
    }
    for weight in [f64::NAN, -0.2, 1.2] {
        let message = format!("parameter `weights` must be within [0, 1], found {weight}");
        check_made(made().weights(vec![weight]), &message);
    }
    check_made(
        made().weights(vec![0.25, 0.5]),
        "parameter `weights` must be of sum 1, found the sum 0.75",
    );
    check_made(
        made().n_informative(3).n_classes(3).weights(vec![0.75, 0.5]),
        "parameter `weights` must be of sum at most 1 without the last, found the sum 1.25",
    );
    for flip_y in [-0.1, 1.1, f64::NAN] {
        let message = format!("parameter `flip_y` must be within [0, 1], found {flip_y}");
        check_made(made().flip_y(flip_y), &message);
    }
    for class_sep in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let message =
            format!("parameter `class_sep` must be finite and above 0, found {class_sep}");
        check_made(made().class_sep(class_sep), &message);
    }
    for scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let message = format!("parameter `scale` must be finite and above 0, found {scale}");
        check_made(made().scale(scale), &message);
        check_made(made().scale(vec![scale; 20]), &message);
    }
    check_made(made().shift(f64::NAN), "parameter `shift` must be finite, found NaN");
    check_made(
        made().shift(vec![1.0, 2.0]),
        "parameter `shift` must be one value, or one for each of 20 features, found 2 values",
    );
    let error = made().class_sep(1e300).scale(1e300).check().expect_err("values overflow");
    assert!(error.to_string().contains("such that all values are finite as f64"), "{error}");
    assert!(made().scale(PerFeature::Random).class_sep(1e300).dtype(Dtype::F32).check().is_err());
}

/// Accepted by scikit-learn and rejected here, or the other way round.
const DIFFERENT: &[&str] = &[
    // The error there is the list in place of a tuple.
    "make_blobs(center_box=[-1.0, 1.0])",
    // Sizes and an equal number of centres say the same thing twice, not two things.
    "make_blobs(n_samples=[3, 4], centers=2)",
    "make_blobs(n_samples=[0, 0])",
    "make_blobs(centers=[[0.0, 1.0, 2.0], [1.0, 1.0, 1.0]], n_features=7)",
    "make_blobs(center_box=(1.0, -1.0))",
    "make_classification(weights=[0.3, 0.3])",
    "make_classification(weights=[0.8, 0.6])",
    "make_classification(weights=[1.2, -0.2])",
    "make_classification(weights=[1.2])",
    "make_classification(scale=[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, \
     0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])",
    "make_classification(scale=[-1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, \
     -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0])",
];

#[test]
fn what_scikit_learn_rejects_is_rejected_and_else_accepted() {
    let (mut compared, mut different) = (0, 0);
    let mut compare = |case: &serde_json::Value, rejected: Option<bool>| {
        let Some(rejected) = rejected else { return };
        let call = case["call"].as_str().expect("a call");
        let as_there = rejected != case["error"].is_null();
        assert_eq!(as_there, !DIFFERENT.contains(&call), "{call}");
        compared += 1;
        different += usize::from(!as_there);
    };
    for case in golden::list(&golden::load("make_blobs")["outcomes"]) {
        compare(case, golden::blobs(&case["kwargs"]).map(|blobs| blobs.check().is_err()));
    }
    for case in golden::list(&golden::load("make_classification")["outcomes"]) {
        let made = golden::classification(&case["kwargs"]);
        compare(case, made.map(|made| made.check().is_err()));
    }
    assert_eq!(different, DIFFERENT.len());
    assert!(compared > 55, "only {compared} calls could be made here");
}

#[test]
fn an_error_waits_until_something_is_read() {
    let data = blobs().cluster_std(-1.0).dtype(Dtype::F32).dataset();
    assert_eq!((data.n_features(), data.dtype()), (2, Dtype::F32));
    assert_eq!(data.layout().rows, BlockRows::Unknown { n_blocks: 1 });
    let found = data.mean().compute().expect_err("a parameter is not valid").to_string();
    assert_eq!(found, "block 0: parameter `cluster_std` must be finite and at least 0, found -1");
    assert!(made().flip_y(2.0).dataset().read(0).is_err());
    assert!(made().flip_y(2.0).try_dataset().is_err());
}

fn open(kind: &str, body: Vec<u8>) -> Result<(), drystone_core::Error> {
    registry().open_source(&Description { kind: kind.to_owned(), body }).map(drop)
}

#[test]
fn descriptions_of_monsters_are_refused_before_memory_is_taken() {
    let blobs = [
        Blobs::new(1 << 60, 2),
        Blobs::new(1, usize::MAX),
        Blobs::new(1 << 53, 1 << 24),
        Blobs::new(10, 1 << 20).centers(1 << 20),
        Blobs::new(10, 2).centers(usize::MAX),
    ];
    for blobs in blobs {
        let body = wire::encode(&blobs).expect("bytes");
        let error = open("generate.blobs/1", body).expect_err("too large");
        assert!(matches!(error.kind(), ErrorKind::Limit { .. }), "{error}");
    }
    let made = [
        Classification::new(1 << 60, 20),
        Classification::new(10, 1 << 24).n_informative(1 << 23),
        Classification::new(10, 100).n_informative(60).n_clusters_per_class(1 << 40),
    ];
    for made in made {
        let body = wire::encode(&made).expect("bytes");
        let error = open("generate.classification/1", body).expect_err("too large");
        assert!(matches!(error.kind(), ErrorKind::Limit { .. }), "{error}");
    }
}

#[test]
fn a_block_larger_than_the_memory_is_an_error() {
    let data = Blobs::new(1 << 45, 1000).block_rows(1 << 45).dataset();
    let error = data.read(0).expect_err("no machine has 281 PB");
    assert!(matches!(error.kind(), ErrorKind::Limit { .. }), "{error}");
}

#[test]
fn given_centres_that_do_not_fill_rows_are_refused() {
    let blobs = Blobs::new(10, 2).center_points(arr2(&[[1.0, 2.0], [3.0, 4.0]]));
    let body = wire::encode(&blobs).expect("bytes");
    let at = body.windows(8).position(|word| word == 32_u64.to_le_bytes()).expect("the length");
    let mut short = body.clone();
    short[at..at + 8].copy_from_slice(&24_u64.to_le_bytes());
    short.drain(at + 8 + 24..at + 8 + 32);
    assert!(open("generate.blobs/1", body).is_ok());
    let error = open("generate.blobs/1", short).expect_err("three values for two features");
    assert!(matches!(error.kind(), ErrorKind::Parameter { .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn damaged_descriptions_do_not_panic(at in 0_usize..400, byte: u8, cut in 0_usize..400) {
        let bodies = [
            ("generate.blobs/1", wire::encode(&blobs().sizes(vec![50, 50]))),
            ("generate.blobs/1", wire::encode(&blobs().center_points(arr2(&[[1.0, 2.0]])))),
            ("generate.classification/1", wire::encode(&made().weights(vec![0.5]).shift(vec![0.0; 20]))),
        ];
        for (kind, body) in bodies {
            let mut body = body.expect("bytes");
            let at = at % body.len();
            body[at] = byte;
            let _ = open(kind, body.clone());
            body.truncate(cut % body.len());
            prop_assert!(open(kind, body).is_err());
        }
    }
}
