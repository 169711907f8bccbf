//! Model files: what was saved comes back, and whatever else is there is an error.

use std::sync::LazyLock;

use drystone_core::{ErrorKind, input};
use drystone_estimators::{Init, KMeans};
use ndarray::array;
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{blobs, labels, lazy, to_block};

/// The file of a small model.
static SMALL: LazyLock<Vec<u8>> = LazyLock::new(|| small().to_bytes().expect("bytes"));

fn small() -> KMeans {
    let data = array![[0.0, 0.5], [1.0, 0.5], [10.0, -2.0], [11.0, -2.0], [12.0, -2.0]];
    let init = Init::centroids(array![[0.0, 0.0], [10.0, 0.0]]);
    KMeans::params(2).init(init).fit(&data).expect("a model")
}

fn models() -> Vec<KMeans> {
    let records = blobs((200, 3), 4, 1.0, 0.1, 1);
    let weights: Vec<f64> = (0..200).map(|row| f64::from(row % 3) / 7.0).collect();
    let single = input::cut(to_block::<f32>(&records, Some(&weights)), 70).expect("data");
    let fit = |seed: u64| KMeans::params(4).seed(seed).n_init(2).max_iter(3);
    vec![
        fit(0).fit(&records).expect("a model"),
        fit(1).fit(&single).expect("a model"),
        KMeans::params(1).fit(&array![[-0.0, f64::MIN_POSITIVE]]).expect("a model"),
        small(),
    ]
}

/// The JSON header, and the arrays behind it.
fn parts(bytes: &[u8]) -> (Value, &[u8]) {
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
    let header = serde_json::from_slice(&bytes[8..8 + length]).expect("JSON");
    (header, &bytes[8 + length..])
}

/// A file with this header, which is padded to a multiple of 8 bytes as safetensors are.
fn file(header: &str, arrays: &[u8]) -> Vec<u8> {
    let padding = " ".repeat(header.len().next_multiple_of(8) - header.len());
    let padded = format!("{header}{padding}");
    [&(padded.len() as u64).to_le_bytes(), padded.as_bytes(), arrays].concat()
}

#[test]
fn what_was_saved_comes_back() {
    let folder = tempfile::tempdir().expect("a folder");
    for model in models() {
        let path = folder.path().join("model.safetensors");
        model.save(&path).expect("a file");
        model.save(&path).expect("the file once more");
        let loaded = KMeans::load(&path).expect("a model");
        let bytes = std::fs::read(&path).expect("bytes");
        assert_eq!(bytes, model.to_bytes().expect("bytes"));
        assert_eq!(bytes, loaded.to_bytes().expect("bytes"));
        assert_eq!(loaded.sha256().expect("a hash"), model.sha256().expect("a hash"));
        assert_eq!(loaded.centroids(), model.centroids());
        assert_eq!(loaded.inertia().to_bits(), model.inertia().to_bits());
        assert_eq!(loaded.cluster_counts(), model.cluster_counts());
        assert_eq!((loaded.n_iter(), loaded.status()), (model.n_iter(), model.status()));
        assert_eq!(loaded.recipe(), model.recipe());
        assert!(loaded.history().iterations.is_empty());
        let left: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").collect();
        assert_eq!(left.len(), 1, "a partial file is left");
    }
}

#[test]
fn a_loaded_model_predicts_the_same() {
    let records = blobs((200, 3), 4, 1.0, 0.1, 1);
    let model = KMeans::params(4).fit(&records).expect("a model");
    let loaded = KMeans::from_bytes(&model.to_bytes().expect("bytes")).expect("a model");
    assert_eq!(labels(&loaded, &records), labels(&model, &records));
    assert_eq!(loaded.score(&records).expect("a score"), -model.inertia());
    // It also goes on from where it was.
    let more = KMeans::params(4).init(Init::model(&loaded)).fit(&records).expect("a model");
    assert_eq!(more.centroids(), model.centroids());
}

/// Every inertia is read as the number that was written.
#[test]
fn every_inertia_comes_back() {
    for seed in 0..200 {
        let records = blobs((9, 2), 3, 1.0, 0.0, seed);
        let model = KMeans::params(2).fit(&records).expect("a model");
        let loaded = KMeans::from_bytes(&model.to_bytes().expect("bytes")).expect("a model");
        assert_eq!(loaded.inertia().to_bits(), model.inertia().to_bits());
    }
}

/// The hash is a promise to users: a change of it is called value-breaking in CHANGELOG.md.
#[test]
fn the_hash_is_pinned() {
    assert_eq!(
        small().sha256().expect("a hash"),
        "6ed07361ee88d13573913b721ec97fc1b1a29ff923c2a88f8309c741ccfea695"
    );
    let records = blobs((100, 2), 3, 1.0, 0.0, 1);
    let pins = [
        (Init::default(), "9e3cbc7985975e56d8f4575d24f398e21090b25373ee0fcb3f0fe0c1d6f50a80"),
        (Init::PlusPlus, "6e62d835396c902e0303bb5577df350c5e0530d01a987b2b4093bbd49e9c84ad"),
        (Init::Random, "9a67d2cc3a67975b888b2ac57a0081999f2252b31c1b5dcab1c056a89038f5d3"),
    ];
    for (init, pin) in pins {
        let model = KMeans::params(5).init(init.clone()).seed(1).n_init(2).max_iter(5);
        let model = model.fit(&records).expect("a model");
        assert_eq!(model.sha256().expect("a hash"), pin, "{init}");
    }
}

#[test]
fn the_layout_is_plain_safetensors() {
    let (header, arrays) = parts(&SMALL);
    let model = small();
    assert_eq!(
        header["centroids"],
        json!({"dtype": "F64", "shape": [2, 2], "data_offsets": [16, 48]})
    );
    let counts = json!({"dtype": "U64", "shape": [2], "data_offsets": [0, 16]});
    assert_eq!(header["cluster_counts"], counts);
    let number = |at: usize| f64::from_le_bytes(arrays[8 * at..8 * at + 8].try_into().expect("8"));
    assert_eq!([2, 3, 4, 5].map(number), [0.5, 0.5, 11.0, -2.0]);
    let count = |at: usize| u64::from_le_bytes(arrays[8 * at..8 * at + 8].try_into().expect("8"));
    assert_eq!([0, 1].map(count), [2, 3]);
    assert_eq!(arrays.len(), 48);

    let text = header["__metadata__"]["drystone"].as_str().expect("the model's own header");
    let start = "{\"format\":\"drystone.kmeans\",\"version\":1,\"recipe\":\"KMeans(n_clusters=2, \
                 init=given centroids, n_init=1, max_iter=300, tol=0.0001, seed=0)\",\
                 \"inertia\":2.5,\"n_iter\":2,\"status\":\"labels_unchanged\",\"checksum\":\"";
    assert!(text.starts_with(start), "{text}");
    let mut own: Value = serde_json::from_str(text).expect("JSON");
    let checksum = own["checksum"].take();
    assert_eq!(own["inertia"].as_f64(), Some(model.inertia()));
    let unsigned = format!("{start}\"}}");
    let (counts, centroids) = arrays.split_at(16);
    let hash = Sha256::new().chain_update(unsigned).chain_update(centroids).chain_update(counts);
    let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(checksum.as_str(), Some(&*hash));
}

#[test]
fn every_flipped_bit_is_an_error() {
    for bit in 0..SMALL.len() * 8 {
        let mut bytes = SMALL.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(KMeans::from_bytes(&bytes).is_err(), "bit {bit} goes unnoticed");
    }
}

#[test]
fn every_truncation_and_extension_is_an_error() {
    for length in 0..SMALL.len() {
        assert!(KMeans::from_bytes(&SMALL[..length]).is_err(), "{length} bytes are enough");
    }
    for more in [&[0][..], &[0; 8], b" "] {
        assert!(KMeans::from_bytes(&[&SMALL[..], more].concat()).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn random_bytes_are_errors(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(KMeans::from_bytes(&bytes).is_err());
    }

    #[test]
    fn random_bytes_within_a_file_are_errors(
        at in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 1..40),
    ) {
        let mut file = SMALL.clone();
        let at = at.index(file.len());
        let end = file.len().min(at + bytes.len());
        file[at..end].copy_from_slice(&bytes[..end - at]);
        prop_assert!(file == *SMALL || KMeans::from_bytes(&file).is_err());
    }
}

/// The file with its header changed, and the model's own header signed again.
fn changed(change: &Change) -> Vec<u8> {
    let (mut header, arrays) = parts(&SMALL);
    let text = header["__metadata__"]["drystone"].as_str().expect("a header").to_owned();
    // In the order of the fields, which serde_json's maps do not keep.
    let mut own: Value = serde_json::from_str(&text).expect("JSON");
    change(&mut header, &mut own);
    let fields = ["format", "version", "recipe", "inertia", "n_iter", "status"];
    let fields = fields.map(|name| format!("\"{name}\":{}", own[name]));
    let extra = own.get("extra").map_or(String::new(), |extra| format!(",\"extra\":{extra}"));
    let signed =
        |checksum: &str| format!("{{{}{extra},\"checksum\":\"{checksum}\"}}", fields.join(","));
    let (counts, centroids) = arrays.split_at(16);
    let hash = Sha256::new().chain_update(signed("")).chain_update(centroids);
    let hash: String =
        hash.chain_update(counts).finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if let Some(metadata) = header["__metadata__"].as_object_mut() {
        metadata.insert("drystone".to_owned(), json!(signed(&hash)));
    }
    let metadata = header["__metadata__"].take();
    let mut text = format!("{{\"__metadata__\":{metadata}");
    // In the order of their bytes.
    for name in ["cluster_counts", "centroids", "more"] {
        if let Some(tensor) = header[name].as_object() {
            text.push_str(&format!(
                ",\"{name}\":{{\"dtype\":{},\"shape\":{},\"data_offsets\":{}}}",
                tensor["dtype"], tensor["shape"], tensor["data_offsets"]
            ));
        }
    }
    file(&(text + "}"), arrays)
}

fn error_of(bytes: &[u8]) -> String {
    KMeans::from_bytes(bytes).map(|model| model.inertia()).expect_err("a hostile file").to_string()
}

/// A change to the header and to the model's own header within.
type Change = dyn Fn(&mut Value, &mut Value);

#[test]
fn hostile_headers_are_errors() {
    assert!(changed(&|_, _| {}) == *SMALL, "the test does not write what the library writes");
    let cases: [(&str, &Change); 20] = [
        ("expected drystone.kmeans 1, found drystone.svc 1", &|_, own| {
            own["format"] = json!("drystone.svc")
        }),
        ("expected drystone.kmeans 1, found drystone.kmeans 2", &|_, own| {
            own["version"] = json!(2)
        }),
        ("expected the header of a drystone model, found ", &|_, own| own["version"] = json!(-1)),
        ("expected a status, found fine", &|_, own| own["status"] = json!("fine")),
        ("expected the header of a drystone model, found ", &|_, own| own["inertia"] = Value::Null),
        ("expected a finite inertia of at least 0, found -1.5", &|_, own| {
            own["inertia"] = json!(-1.5)
        }),
        ("expected the header of a drystone model, found ", &|_, own| own["n_iter"] = json!(-3)),
        ("expected the header of a drystone model, found ", &|_, own| own["extra"] = json!(1)),
        (
            "expected the checksum and canonical form of a model, found other bytes: the file is damaged, or was not written by drystone",
            &|header, _| header["__metadata__"]["other"] = json!("x"),
        ),
        ("expected a drystone model, found another file", &|header, _| {
            header["__metadata__"] = Value::Null
        }),
        ("expected centroids of f32 or f64, found I64", &|header, _| {
            header["centroids"]["dtype"] = json!("I64")
        }),
        ("expected a safetensors file, found ", &|header, _| {
            header["centroids"]["dtype"] = json!("F32")
        }),
        ("expected centroids of two dimensions, found [4]", &|header, _| {
            header["centroids"]["shape"] = json!([4])
        }),
        ("expected a count for each centroid, found another array", &|header, _| {
            header["centroids"]["shape"] = json!([1, 4])
        }),
        ("expected a safetensors file, found ", &|header, _| {
            header["centroids"]["shape"] = json!([u64::MAX, u64::MAX])
        }),
        ("expected a safetensors file, found ", &|header, _| {
            header["centroids"]["data_offsets"] = json!([16, 1_u64 << 60])
        }),
        ("expected a safetensors file, found ", &|header, _| {
            header["centroids"]["data_offsets"] = json!([-16, 48])
        }),
        ("expected a safetensors file, found ", &|header, _| {
            header["cluster_counts"]["data_offsets"] = json!([24, 40])
        }),
        ("expected a safetensors file, found ", &|header, _| {
            header["cluster_counts"] = Value::Null
        }),
        (
            "expected the checksum and canonical form of a model, found other bytes: the file is damaged, or was not written by drystone",
            &|header, _| {
                header["more"] = json!({"dtype": "U8", "shape": [0], "data_offsets": [48, 48]});
            },
        ),
    ];
    for (wanted, change) in cases {
        let found = error_of(&changed(change));
        // What follows these words is another library's.
        let theirs = wanted.ends_with("found ") && found.starts_with(wanted);
        assert!(theirs || found == wanted, "{found} is not {wanted}");
    }
}

#[test]
fn hostile_lengths_are_errors() {
    for length in [0, 1, 9, 1 << 20, 1 << 27, 1 << 40, u64::MAX / 2, u64::MAX] {
        let mut bytes = SMALL.clone();
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        assert!(error_of(&bytes).starts_with("expected a safetensors file, found "), "{length}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    error_of(&file(&deep, &[]));
    error_of(&file(&format!("{{\"__metadata__\":{{\"drystone\":{}}}}}", json!(deep)), &[]));
}

#[test]
fn centroids_that_are_not_numbers_are_errors() {
    for bad in [f64::NAN, f64::INFINITY] {
        let (_, arrays) = parts(&SMALL);
        let start = SMALL.len() - arrays.len();
        let mut bytes = SMALL.clone();
        bytes[start + 40..start + 48].copy_from_slice(&bad.to_le_bytes());
        let error = error_of(&bytes);
        assert_eq!(error, format!("row 1, column 1: expected a finite number, found {bad}"));
    }
}

#[test]
fn files_that_are_not_there_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("no").join("model.safetensors");
    let error = KMeans::load(&path).map(|_| ()).expect_err("no file");
    assert!(matches!(error.kind(), ErrorKind::Io { .. }));
    assert!(error.to_string().starts_with(&format!("{}: cannot read the model: ", path.display())));
    let error = small().save(&path).expect_err("no folder");
    assert!(
        error.to_string().starts_with(&format!("{}: cannot write the model: ", path.display()))
    );
    let path = folder.path().join("damaged");
    std::fs::write(&path, &SMALL[..90]).expect("a file");
    let error = KMeans::load(&path).map(|_| ()).expect_err("half a file");
    assert_eq!(error.location().file.as_deref(), Some(&*path));
}

#[test]
fn a_fit_that_was_stopped_says_so_in_its_file() {
    let data = lazy(vec![to_block::<f64>(&blobs((100, 2), 5, 2.0, 0.0, 2), None)], true);
    let params = KMeans::params(5).init(Init::Random).tol(0.0);
    let model = crate::support::cancelled_at(params, &data, "kmeans.lloyd", 3).expect("a model");
    let loaded = KMeans::from_bytes(&model.to_bytes().expect("bytes")).expect("a model");
    assert_eq!(loaded.status().name(), "cancelled");
    assert!(!loaded.converged());
}
