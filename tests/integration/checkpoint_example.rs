//! `--checkpoint` of the examples: a process is killed in the middle of a fit, and the same
//! command goes on.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::{TINY, Workdir};

/// Some thirty steps, each of which makes its blocks anew.
const SLOW: &str = "--blocks 4 --block-rows 20000 --features 8 --centers 12 --cluster-std 8 \
                    --tol 0 --memory-budget 0 --threads 1";
/// Bytes before the first record.
const HEADER: usize = 60;
/// After this the child does not get there.
const TIME_OUT: Duration = Duration::from_secs(120);

/// Whole records of a journal that may be growing.
fn n_records(path: &Path) -> u64 {
    let journal = std::fs::read(path).unwrap_or_default();
    let (mut at, mut n) = (HEADER, 0);
    while let Some(length) = journal.get(at..at + 8) {
        let length = u64::from_le_bytes(length.try_into().expect("eight bytes"));
        at += 16 + length as usize + 32;
        n += u64::from(at <= journal.len());
    }
    n
}

/// `kill -9`, once the journal has so many records.
fn kill_after(mut child: Child, path: &Path, n: u64) {
    let started = Instant::now();
    while n_records(path) < n {
        assert!(started.elapsed() < TIME_OUT, "there are {} records", n_records(path));
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("a child");
    child.wait().expect("a status");
}

fn number(json: &Value, field: &str) -> u64 {
    json[field].as_u64().unwrap_or_else(|| panic!("{field}: {json}"))
}

#[test]
fn a_killed_fit_goes_on() {
    let directory = Workdir::new();
    let whole = directory.json(SLOW);
    let (n_passes, n_read) = (number(&whole, "passes"), number(&whole, "blocks_read"));
    assert_eq!((number(&whole, "resumed_steps"), n_read), (0, 4 * n_passes));
    assert!(n_passes > 12, "{n_passes} passes are few");

    let args = format!("{SLOW} --checkpoint fit.journal --json");
    let path = directory.path("fit.journal");
    for n in [3, 7, 10] {
        let mut command = directory.command(&args);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        kill_after(child.expect("a child"), &path, n);
    }
    let resumed = directory.json(&format!("{SLOW} --checkpoint fit.journal"));
    assert_eq!(resumed["model_sha256"], whole["model_sha256"]);
    assert_eq!(number(&resumed, "passes"), n_passes);
    let n_resumed = number(&resumed, "resumed_steps");
    assert!(n_resumed >= 10, "{n_resumed}");
    assert_eq!(number(&resumed, "blocks_read"), 4 * (n_passes - n_resumed));

    let again = directory.json(&format!("{SLOW} --checkpoint fit.journal"));
    assert_eq!(again["model_sha256"], whole["model_sha256"]);
    assert_eq!((number(&again, "resumed_steps"), number(&again, "blocks_read")), (n_passes, 0));
}

#[test]
fn svc_and_its_probabilities_go_on() {
    let directory = Workdir::of("svc");
    for flags in ["--n 600", "--n 300 --calibrate"] {
        let whole = directory.json(flags);
        let args = format!("{flags} --checkpoint fit.journal");
        assert_eq!(number(&directory.json(&args), "resumed_steps"), 0);
        let path = directory.path("fit.journal");
        let journal = std::fs::read(&path).expect("a journal");
        std::fs::write(&path, &journal[..journal.len() / 2]).expect("a file");
        let resumed = directory.json(&format!("{args} --memory-budget 0 --threads 1"));
        assert_eq!(resumed["model_sha256"], whole["model_sha256"]);
        assert!(number(&resumed, "resumed_steps") >= 2, "{resumed}");
        std::fs::remove_file(&path).expect("a journal");
    }
}

#[test]
fn people_are_told() {
    for (example, flags, job) in [("kmeans", TINY, "kmeans.scan"), ("svc", "--n 400", "svc.survey")]
    {
        let directory = Workdir::of(example);
        let args = format!("{flags} --checkpoint fit.journal");
        let output = directory.run(&args);
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        assert!(!output.stdout.contains("resumed"), "{}", output.stdout);
        let n = n_records(&directory.path("fit.journal"));

        let output = directory.run(&args);
        let line = format!("\n  resumed        {n} steps from the checkpoint, done before\n");
        assert!(output.stdout.contains(&line), "{}", output.stdout);
        let note = format!("note: resuming from fit.journal: {n} steps are done\n");
        assert_eq!(output.stderr, note);

        let output = directory.run(&format!("{args} --seed 9"));
        assert_eq!(output.status.code(), Some(1));
        let error = format!(
            "error: fit.journal: expected step 1 of this fit, `{job}/1`, found one over other \
             data; it is the journal of another fit: give that fit's data, parameters and seed, \
             or another file, or delete this one\n"
        );
        assert!(output.stderr.ends_with(&error), "{}", output.stderr);

        let output = directory.run(&format!("{flags} --checkpoint one --out one"));
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stderr.starts_with("error: parameter `--out` must be"), "{output:?}");
    }
}
