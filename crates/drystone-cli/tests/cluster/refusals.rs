//! What cannot be done is said, in time, and by name.

use std::time::{Duration, Instant};

use drystone_cluster::Cluster;
use drystone_core::{Block, ChunkedDataset, Dtype, ErrorKind, Inline, Layout};
use drystone_estimators::KMeans;
use drystone_sources::{csv, generate::Blobs};
use ndarray::Array2;

use drystone_trials::start_scheduler;

use crate::support::{patient, process, program};

/// An address that nobody listens on.
fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").to_string()
}

#[test]
fn a_worker_without_a_scheduler_says_so_and_gives_up() {
    let (address, started) = (nowhere(), Instant::now());
    let mut worker = process(&["worker", &address, "--connect-timeout", "2"]);
    let status = worker.wait();
    assert!(!status.success() && started.elapsed() < Duration::from_secs(10));
    let said = worker.said();
    assert!(said.len() >= 3, "{said:?}");
    assert!(said[0].contains(&address) && said[0].contains("trying again"), "{said:?}");
    assert!(said.last().is_some_and(|line| line.contains("giving up after 2 s")), "{said:?}");
}

#[test]
fn a_worker_waits_for_a_scheduler_that_comes_late() {
    let address = nowhere();
    let worker = process(&["worker", &address, "--slots", "1", "--memory", "1MiB"]);
    worker.after("trying again");
    let _scheduler = start_scheduler(program(), &address, "60");
    worker.after("is connected to");
}

#[test]
fn no_scheduler_and_no_workers() {
    let error = Cluster::connect(&nowhere()).err().expect("nobody there");
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    let processes = patient(&[]);
    let error = Cluster::connect(&processes.address).err().expect("no workers");
    assert!(error.to_string().contains("has no workers"), "{error}");
    assert!(Cluster::connect("no address").is_err());
}

#[test]
fn addresses_that_others_reach_are_refused() {
    let mut scheduler = process(&["scheduler", "--bind", "0.0.0.0:0"]);
    assert!(!scheduler.wait().success());
    assert!(scheduler.said().is_empty());
}

#[test]
fn errors_of_workers_are_those_of_this_process() {
    let processes = patient(&[1, 1]);
    let (cluster, inline) = (processes.connect(), Inline::default());
    let directory = tempfile::tempdir().expect("a directory");
    let rows = (0..4000).map(|row| format!("{row},{}\n", if row == 2501 { "nan" } else { "1" }));
    let file = directory.path().join("bad.csv");
    std::fs::write(&file, rows.collect::<String>()).expect("a file");
    let data =
        csv::open(&file).header(csv::Header::No).block_rows(300).dataset().expect("a dataset");
    let local = KMeans::params(2).on(&inline).fit(&data).expect_err("a bad row");
    let remote = KMeans::params(2).on(&cluster).fit(&data).expect_err("a bad row");
    assert_eq!((remote.kind(), remote.location()), (local.kind(), local.location()));
    assert_eq!(remote.to_string(), local.to_string());
    // The workers are as good as before.
    let data = Blobs::new(1000, 2).centers(2).dataset();
    assert!(KMeans::params(2).on(&cluster).fit(&data).is_ok());
}

#[test]
fn a_file_that_a_worker_may_not_open() {
    let processes = patient(&[]);
    let directory = tempfile::tempdir().expect("a directory");
    let (root, file) = (directory.path().join("root"), directory.path().join("rows.csv"));
    std::fs::create_dir(&root).expect("a directory");
    std::fs::write(&file, "1\n2\n3\n").expect("a file");
    let root = root.to_str().expect("a path");
    let worker = ["worker", &processes.address, "--slots", "1", "--name", "strict"];
    let worker = process(&[&worker[..], &["--data-root", root]].concat());
    worker.after("is connected to");
    let data = csv::open(&file).header(csv::Header::No).dataset().expect("a dataset");
    let cluster = processes.connect();
    let error = KMeans::params(1).on(&cluster).fit(&data).expect_err("it is outside");
    assert!(matches!(error.kind(), ErrorKind::OutsideDataRoot { .. }), "{error}");
    assert_eq!(error.location().worker.as_deref(), Some("strict"));
    let text = error.to_string();
    assert!(text.starts_with("worker strict, /") && text.contains("--data-root DIR"), "{text}");
}

#[test]
fn data_that_only_this_process_has() {
    let processes = patient(&[1]);
    let data = ChunkedDataset::from_blocks(Layout::new(Dtype::F64, 1, 10, 5), |_| {
        Ok(Block::new(Array2::<f64>::zeros((5, 1))))
    });
    let error = KMeans::params(2).on(&processes.connect()).fit(&data).expect_err("closures");
    assert!(matches!(error.kind(), ErrorKind::NotDescribed { .. }), "{error}");
}
