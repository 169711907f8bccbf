//! Models as files: the same after a round trip, and nothing else is accepted.

use drystone_core::ErrorKind;
use drystone_estimators::svc::LinearSvc;

use crate::support::{LOSSES, cut_into, fit, noisy};

#[test]
fn models_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    for (loss, n_classes) in LOSSES.into_iter().flat_map(|loss| [(loss, 2), (loss, 3)]) {
        let block = noisy(200, 3, n_classes, 1);
        let model = fit(&LinearSvc::params().loss(loss), &block);
        let path = folder.path().join("model.safetensors");
        model.save(&path).expect("a file");
        let again = LinearSvc::load(&path).expect("a model");
        assert_eq!(again.sha256().expect("a hash"), model.sha256().expect("a hash"));
        assert_eq!((again.coef(), again.intercept()), (model.coef(), model.intercept()));
        assert_eq!(again.certificates(), model.certificates());
        assert_eq!((again.status(), again.recipe()), (model.status(), model.recipe()));
        let data = cut_into(&block, 2);
        let codes = |model: &LinearSvc| model.predict_codes(&data).compute().expect("codes");
        assert_eq!(codes(&again), codes(&model));
    }
}

#[test]
fn other_parameters_are_other_models() {
    let block = noisy(100, 2, 2, 1);
    let hash = |params| fit(&params, &block).sha256().expect("a hash");
    let plain = hash(LinearSvc::params());
    assert_eq!(hash(LinearSvc::params()), plain);
    assert_ne!(hash(LinearSvc::params().c(2.0)), plain);
    assert_ne!(hash(LinearSvc::params().tol(1e-6)), plain);
}

#[test]
fn damaged_files_are_refused() {
    let bytes = fit(&LinearSvc::params(), &noisy(100, 2, 3, 1)).to_bytes().expect("bytes");
    for at in (0..bytes.len()).step_by(3) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(LinearSvc::from_bytes(&damaged).is_err(), "byte {at}");
        assert!(LinearSvc::from_bytes(&bytes[..at]).is_err(), "cut at {at}");
    }
    let error = LinearSvc::load("/nowhere/model").expect_err("no file");
    assert!(matches!(error.kind(), ErrorKind::Io { .. }));
}
