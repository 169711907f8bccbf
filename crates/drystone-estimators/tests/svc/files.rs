//! Models as files.

use drystone_core::ErrorKind;
use drystone_estimators::svc::{Kernel, Svc};
use proptest::prelude::*;

use crate::support::{lattice, two_classes};

fn model() -> Svc {
    Svc::params().c(3.0).fit(&lattice().cut(100)).expect("a model")
}

#[test]
fn a_model_comes_back_to_the_bit() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("model.safetensors");
    let data = lattice().cut(100);
    let sigmoid = Kernel::Sigmoid { coef0: 0.25 };
    for model in [model(), Svc::params().kernel(sigmoid).fit(&data).expect("a model")] {
        model.save(&path).expect("a file");
        let loaded = Svc::load(&path).expect("a model");
        assert_eq!(loaded.sha256().expect("a hash"), model.sha256().expect("a hash"));
        assert_eq!(loaded.recipe(), model.recipe());
        assert_eq!(loaded.certificates(), model.certificates());
        let decisions = |model: &Svc| model.decision_function(&data).compute().expect("decisions");
        assert_eq!(decisions(&loaded), decisions(&model));
    }
}

#[test]
fn single_precision_rows_come_back() {
    let model = Svc::params().fit(&two_classes().cut_as::<f32>(100)).expect("a model");
    let loaded = Svc::from_bytes(&model.to_bytes().expect("bytes")).expect("a model");
    assert_eq!(loaded.support_vectors(), model.support_vectors());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_flipped_bit_is_found_out(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let mut bytes = two_class_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(Svc::from_bytes(&bytes).is_err());
    }

    #[test]
    fn what_is_cut_off_is_found_out(at in any::<prop::sample::Index>()) {
        let bytes = two_class_bytes();
        let error = Svc::from_bytes(&bytes[..at.index(bytes.len())]).err();
        let is_format = matches!(error.expect("an error").kind(), ErrorKind::Format { .. });
        prop_assert!(is_format);
    }
}

fn two_class_bytes() -> Vec<u8> {
    static BYTES: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    let make = || {
        let model = Svc::params().fit(&two_classes().cut(100)).expect("a model");
        model.to_bytes().expect("bytes")
    };
    BYTES.get_or_init(make).clone()
}

#[test]
fn other_files_are_refused() {
    let error = Svc::load("no/such/file").expect_err("no file");
    assert!(error.to_string().starts_with("no/such/file: cannot read the model: "), "{error}");
    let kmeans = drystone_estimators::KMeans::params(2).fit(&two_classes().cut(100));
    let bytes = kmeans.expect("a model").to_bytes().expect("bytes");
    let error = Svc::from_bytes(&bytes).expect_err("another model");
    assert_eq!(error.to_string(), "expected drystone.svc 1, found drystone.kmeans 1");
}
