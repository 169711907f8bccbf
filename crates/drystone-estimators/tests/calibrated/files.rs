//! Files: one canonical form, and nothing else is read.

use drystone_core::ErrorKind;
use drystone_estimators::svc::{Calibrated, Svc};
use proptest::prelude::*;

use crate::support::{digits, heart, whole};

fn models() -> [Calibrated<Svc>; 2] {
    [heart(), digits(100)].map(|block| {
        let params = Calibrated::params(Svc::params()).folds(2).seed(1 << 60);
        params.fit(&whole(&block)).expect("a model")
    })
}

#[test]
fn what_is_saved_is_loaded() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("model.safetensors");
    for model in models() {
        model.save(&path).expect("a file");
        let again = Calibrated::load(&path).expect("a model");
        assert_eq!(again.sha256().expect("a hash"), model.sha256().expect("a hash"));
        assert_eq!(again.sigmoids(), model.sigmoids());
        assert_eq!((again.folds(), again.seed()), (2, 1 << 60));
        assert_eq!(again.converged(), model.converged());
        let data = whole(&if model.classes().len() == 2 { heart() } else { digits(100) });
        let probabilities = |model: &Calibrated<Svc>| model.predict_proba(&data).compute();
        let wanted = probabilities(&model).expect("probabilities");
        assert_eq!(probabilities(&again).expect("probabilities"), wanted);
    }
}

#[test]
fn other_files_are_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("model.safetensors");
    let [model, _] = models();
    model.svc().save(&path).expect("a file");
    let error = Calibrated::load(&path).expect_err("an SVC alone");
    assert!(matches!(error.kind(), ErrorKind::Format { .. }), "{error}");
    assert_eq!(error.location().file.as_deref(), Some(path.as_path()));
    let error = Svc::from_bytes(&model.to_bytes().expect("bytes")).expect_err("more than an SVC");
    assert!(matches!(error.kind(), ErrorKind::Format { .. }), "{error}");
    let error = Calibrated::load(directory.path().join("none")).expect_err("no file");
    assert!(matches!(error.kind(), ErrorKind::Io { .. }), "{error}");
}

#[test]
fn damaged_files_are_refused() {
    let bytes = models()[0].to_bytes().expect("bytes");
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(200));
    let place = (0..bytes.len(), 0_u32..8);
    let check = |(at, bit): (usize, u32)| {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << bit;
        prop_assert!(Calibrated::from_bytes(&damaged).is_err());
        prop_assert!(Calibrated::from_bytes(&bytes[..at]).is_err());
        Ok(())
    };
    runner.run(&place, check).expect("errors");
}
