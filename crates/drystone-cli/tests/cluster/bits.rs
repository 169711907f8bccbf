//! The same bits on workers as on this thread.

use drystone_cluster::Cluster;
use drystone_core::{Block, ChunkedDataset, Control, Dtype, Executor};
use drystone_core::{Inline, Layout, Session, column::Moments, observe::Silent};
use drystone_estimators::KMeans;
use drystone_estimators::preprocessing::StandardScaler;
use drystone_estimators::svc::{LinearSvc, Svc};
use drystone_sources::csv;
use drystone_sources::generate::Classification;
use ndarray::array;

use crate::support::{blobs, patient};

#[test]
fn kmeans_on_one_two_and_three_workers() {
    let data = blobs();
    let local = KMeans::params(5).on(&Inline::default()).fit(&data).expect("a model");
    for slots in [&[1][..], &[1, 1], &[2, 1, 3]] {
        let processes = patient(slots);
        let cluster = processes.connect();
        let model = KMeans::params(5).on(&cluster).fit(&data).expect("a model");
        assert_eq!(model.sha256().expect("a hash"), local.sha256().expect("a hash"), "{slots:?}");
        // Each block is made once, by the worker that keeps it.
        assert_eq!(model.history().blocks_read, data.n_blocks(), "{slots:?}");
    }
}

#[test]
fn support_vector_machines_and_scalers() {
    let processes = patient(&[1, 1]);
    let (cluster, inline) = (processes.connect(), Inline::default());
    let data = Classification::new(3_000, 5).seed(1).block_rows(190).dataset();

    let local = Svc::params().on(&inline).fit(&data).expect("a model");
    let remote = Svc::params().on(&cluster).fit(&data).expect("a model");
    assert_eq!(remote.sha256().expect("a hash"), local.sha256().expect("a hash"));

    let local = LinearSvc::params().on(&inline).fit(&data).expect("a model");
    let remote = LinearSvc::params().on(&cluster).fit(&data).expect("a model");
    assert_eq!(remote.sha256().expect("a hash"), local.sha256().expect("a hash"));

    let local = StandardScaler::params().on(&inline).fit(&data).expect("a scaler");
    let remote = StandardScaler::params().on(&cluster).fit(&data).expect("a scaler");
    let scaled = remote.transform(&data);
    assert_eq!(remote.mean(), local.mean());
    let local = KMeans::params(3).on(&inline).fit(&scaled).expect("a model");
    let remote = KMeans::params(3).on(&cluster).fit(&scaled).expect("a model");
    assert_eq!(remote.sha256().expect("a hash"), local.sha256().expect("a hash"));
}

#[test]
fn predictions_are_computed_where_the_blocks_are() {
    let processes = patient(&[1, 2]);
    let (cluster, data) = (processes.connect(), blobs());
    let model = KMeans::params(5).on(&cluster).fit(&data).expect("a model");
    let labels = model.predict(&data);
    assert_eq!(labels.compute_on(&cluster).expect("labels"), labels.compute().expect("labels"));
    let data = Classification::new(3_000, 5).seed(1).block_rows(190).dataset();
    let model = Svc::params().on(&cluster).fit(&data).expect("a model");
    let classes = model.predict::<i64>(&data).expect("classes");
    assert_eq!(classes.compute_on(&cluster).expect("classes"), classes.compute().expect("classes"));
}

#[test]
fn rows_are_counted_where_the_files_are() {
    let processes = patient(&[1, 1]);
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("rows.csv");
    let rows = (0..5000).map(|row| format!("{row},{}\n", row % 7));
    std::fs::write(&file, rows.collect::<String>()).expect("a file");
    let data = csv::open(&file).header(csv::Header::No).block_rows(300);
    let data = data.dataset().expect("a dataset");
    assert!(data.n_samples().is_none() && data.n_blocks() > 3);
    let counts = processes.connect().count_rows(&data).expect("counts");
    assert_eq!(counts, Inline::default().count_rows(&data).expect("counts"));
}

#[test]
fn drivers_do_not_mix_up_their_state() {
    let processes = patient(&[2]);
    let data = blobs();
    let local = KMeans::params(5).on(&Inline::default()).fit(&data).expect("a model");
    let fits = std::thread::scope(|scope| {
        let (address, data) = (&processes.address, &data);
        let fit = move || {
            let cluster = Cluster::connect(address)?;
            KMeans::params(5).on(&cluster).fit(data).and_then(|model| model.sha256())
        };
        [scope.spawn(fit), scope.spawn(fit)].map(|thread| thread.join().expect("a fit"))
    });
    for sha256 in fits {
        assert_eq!(sha256.expect("a model"), local.sha256().expect("a hash"));
    }
}

#[test]
fn a_caller_may_be_within_a_runtime_of_its_own() {
    let processes = patient(&[1]);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let sum = runtime.block_on(async {
        let cluster = processes.connect();
        let control = Control::default();
        let session = Session::new(&cluster, &Silent, &control);
        let moments = session.run(&blobs(), &Moments { n_features: 6 });
        moments.expect("moments").n_samples
    });
    assert_eq!(sum, 40_000);
}

#[test]
fn no_blocks_are_no_work() {
    let processes = patient(&[1]);
    let (cluster, control) = (processes.connect(), Control::default());
    let empty = ChunkedDataset::from_blocks(Layout::new(Dtype::F64, 1, 0, 5), |_| {
        Ok(Block::new(array![[0.0]]))
    });
    let session = Session::new(&cluster, &Silent, &control);
    let moments = session.run(&empty, &Moments { n_features: 1 });
    // It has closures, which do not travel, however few blocks they make.
    assert!(moments.is_err_and(|error| error.to_string().contains("closures")));
}
