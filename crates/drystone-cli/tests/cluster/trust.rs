//! Who is let in to a cluster, with real processes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use drystone_cluster::{Cluster, Trust, tls::Identity};
use drystone_core::Inline;
use drystone_estimators::KMeans;
use drystone_trials::Process;
use tempfile::TempDir;

use crate::support::{blobs, patient, process, program};

/// Keys of these hosts, made by the program itself.
fn keys(hosts: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("keys");
    let made = Command::new(program())
        .args(["tls", "init", "--hosts", hosts, "--dir"])
        .arg(&path)
        .output()
        .expect("a process");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    dir
}

fn of(keys: &TempDir, who: &str) -> PathBuf {
    keys.path().join("keys").join(who)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of a test")
}

/// A scheduler with TLS, and its address.
fn scheduler(identity: &Path) -> (Process, String) {
    let args = ["scheduler", "--bind", "127.0.0.1:0", "--dashboard", "127.0.0.1:0"];
    let scheduler = process(&[&args[..], &["--tls", text(identity)]].concat());
    let address = scheduler.after("scheduler at ");
    (scheduler, address)
}

fn worker(address: &str, name: &str, identity: &Path) -> Process {
    let args = ["worker", address, "--slots", "1", "--name", name, "--connect-timeout", "2"];
    process(&[&args[..], &["--memory", "64MiB", "--tls", text(identity)]].concat())
}

#[test]
fn the_same_bits_over_tls() {
    let keys = keys("127.0.0.1");
    let host = of(&keys, "127.0.0.1");
    let (_scheduler, address) = scheduler(&host);
    let workers = [worker(&address, "a", &host), worker(&address, "b", &host)];
    workers.iter().for_each(|worker| drop(worker.after("is connected to")));
    let identity = Identity::load(&of(&keys, "client")).expect("an identity");
    let cluster = Cluster::connect_with(&address, Trust::Tls(identity)).expect("a cluster");
    let remote = KMeans::params(5).on(&cluster).fit(&blobs()).expect("a model");
    let local = KMeans::params(5).on(&Inline::default()).fit(&blobs()).expect("a model");
    assert_eq!(remote.sha256().expect("a hash"), local.sha256().expect("a hash"));
}

#[test]
fn who_has_no_certificate_of_the_authority_is_refused() {
    let (keys, others) = (keys("127.0.0.1"), keys("127.0.0.1"));
    let (_scheduler, address) = scheduler(&of(&keys, "127.0.0.1"));
    let stranger = Identity::load(&of(&others, "client")).expect("an identity");
    let error = Cluster::connect_with(&address, Trust::Tls(stranger)).err().expect("a stranger");
    assert!(error.to_string().contains("authority"), "{error}");
    let error = Cluster::connect_with(&address, Trust::Insecure).err().expect("no encryption");
    assert!(error.to_string().contains(&address), "{error}");
    let mut worker = worker(&address, "stranger", &of(&others, "127.0.0.1"));
    assert!(!worker.wait().success());
    assert!(worker.said().iter().any(|line| line.contains("authority")));
}

#[test]
fn names_are_checked() {
    let keys = keys("127.0.0.1");
    let (_scheduler, address) = scheduler(&of(&keys, "127.0.0.1"));
    let identity = Identity::load(&of(&keys, "client")).expect("an identity");
    let by_name = address.replace("127.0.0.1", "localhost");
    let error = Cluster::connect_with(&by_name, Trust::Tls(identity)).err().expect("a wrong name");
    assert!(error.to_string().contains("localhost"), "{error}");
}

#[test]
fn another_token_is_refused_at_once() {
    let processes = patient(&[]);
    let dir = tempfile::tempdir().expect("a directory");
    let mut command = Command::new(program());
    command.env("DRYSTONE_TOKEN_FILE", dir.path().join("token"));
    command.args(["worker", &processes.address, "--connect-timeout", "60"]);
    let started = Instant::now();
    let mut worker = Process::spawn(command);
    assert!(!worker.wait().success());
    // It does not try for a minute what cannot succeed.
    assert!(started.elapsed() < Duration::from_secs(30));
    let error = Cluster::connect_with(&processes.address, Trust::Insecure).err().expect("no token");
    assert!(error.to_string().contains("token"), "{error}");
}

#[test]
fn whoever_listens_for_others_says_whom_it_believes() {
    let args = ["scheduler", "--bind", "0.0.0.0:0", "--dashboard", "127.0.0.1:0"];
    assert!(!process(&args).wait().success());
    process(&[&args[..], &["--insecure"]].concat()).after("scheduler at 0.0.0.0:");
    let args = ["scheduler", "--bind", "127.0.0.1:0", "--dashboard", "0.0.0.0:0", "--insecure"];
    assert!(!process(&args).wait().success());
}
