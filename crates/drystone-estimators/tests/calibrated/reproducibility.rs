//! The same bits, however the data are cut and whoever computes.

use drystone_core::{Block, Dtype, Inline, Threads};
use drystone_estimators::svc::calibrated::Sigmoid;
use drystone_estimators::svc::{Calibrated, Svc, SvcParams};
use drystone_sources::libsvm;

use crate::support::{children, cut_into, dataset, digits, rows, whole};

/// The model's hash, and the probabilities' bits from two cuts.
fn check(block: &Block) {
    let fit = |n_blocks, known| {
        let data = cut_into(block, n_blocks, known);
        let model = Calibrated::params(Svc::params()).folds(3).seed(5).fit(&data).expect("a model");
        let probabilities = model.predict_proba(&data).compute().expect("probabilities");
        (model.sha256().expect("a hash"), probabilities.mapv(f64::to_bits))
    };
    let wanted = fit(1, true);
    for n_blocks in [2, 7, 64] {
        assert_eq!(fit(n_blocks, true), wanted, "{n_blocks} blocks");
    }
    assert_eq!(fit(7, false), wanted, "unknown rows");
}

#[test]
fn blocks_do_not_matter() {
    check(&digits(150));
    check(&rows("heart_scale", 13, 270, Dtype::F32));
    let weights: Vec<f64> = (0..270).map(|row| f64::from(row % 3)).collect();
    check(&rows("heart_scale", 13, 270, Dtype::F64).with_weights(weights));
}

#[test]
fn executors_do_not_matter() {
    let file = || libsvm::open(dataset("heart_scale")).n_features(13).block_rows(50);
    let data = file().dataset().expect("a dataset");
    let hash = |params: SvcParams<'_>| {
        let model = Calibrated::params(params).folds(2).seed(1).fit(&data).expect("a model");
        model.sha256().expect("a hash")
    };
    let wanted = hash(Svc::params());
    for n in [1, 2, 5] {
        let threads = Threads::new(n).expect("threads");
        assert_eq!(hash(Svc::params().on(&threads)), wanted, "{n} threads");
    }
    assert_eq!(hash(Svc::params().on(&Inline::default())), wanted, "inline");
    assert_eq!(hash(Svc::params().on(&children(2))), wanted, "processes");
}

#[test]
fn values_of_a_seed_are_pinned() {
    // A change is value-breaking: say so in the CHANGELOG.
    let sigmoid = Sigmoid::fit(&[2.0, 1.0, 0.5, -0.2], &[-1.5, -1.0, 0.3]).expect("a sigmoid");
    assert_eq!((sigmoid.a, sigmoid.b), (-0.9617807837231401, -0.16421545769730142));
    let data = whole(&rows("heart_scale", 13, 270, Dtype::F64));
    let model = Calibrated::params(Svc::params()).seed(1).fit(&data).expect("a model");
    let Sigmoid { a, b } = model.sigmoids()[0];
    // Other folds would change more than what the SVC leaves open.
    assert!((a + 1.801_58).abs() < 1e-3 && (b + 0.074_03).abs() < 1e-3, "{a} {b}");
}
