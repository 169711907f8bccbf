//! Fits that are killed and started again: the same model, and nothing is done twice.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use drystone_core::executor::{Outcome, Resources, Step};
use drystone_core::{
    CancelToken, Checkpointed, ChunkedDataset, ErrorKind, Event, Executor, Inline, Observer,
    Result, Threads,
};
use drystone_estimators::preprocessing::StandardScaler;
use drystone_estimators::{Calibrated, KMeans, LinearSvc, Svc};
use drystone_sources::generate::{Blobs, Classification};

/// Bytes before the first record.
const HEADER: usize = 60;

/// Fails after so many steps, as a process that is killed does no more.
struct Mortal<'a> {
    executor: &'a dyn Executor,
    left: AtomicU64,
}

impl Executor for Mortal<'_> {
    fn run(&self, step: &Step<'_>) -> Result<Outcome> {
        let alive =
            self.left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        match alive {
            Ok(_) => self.executor.run(step),
            Err(_) => Err(ErrorKind::Worker { found: "it was killed".into() }.into()),
        }
    }

    fn describe(&self) -> Resources {
        self.executor.describe()
    }

    fn forget(&self, session: u64) {
        self.executor.forget(session);
    }
}

fn blobs() -> ChunkedDataset {
    Blobs::new(900, 3).centers(6).cluster_std(2.0).seed(3).block_rows(200).dataset()
}

fn classes(n_classes: usize) -> ChunkedDataset {
    let data = Classification::new(240, 4).n_informative(3).n_redundant(1).n_classes(n_classes);
    data.seed(5).block_rows(70).dataset()
}

/// A fit of a model with this hash.
type Fit = fn(&dyn Executor) -> Result<String>;

fn kmeans(executor: &dyn Executor) -> Result<String> {
    KMeans::params(8).seed(1).n_init(2).on(executor).fit(&blobs())?.sha256()
}

fn scaled_kmeans(executor: &dyn Executor) -> Result<String> {
    let scaler = StandardScaler::params().on(executor).fit(&blobs())?;
    KMeans::params(5).seed(2).on(executor).fit(&scaler.transform(&blobs()))?.sha256()
}

fn svc(executor: &dyn Executor) -> Result<String> {
    Svc::params().c(3.0).on(executor).fit(&classes(3))?.sha256()
}

fn linear_svc(executor: &dyn Executor) -> Result<String> {
    LinearSvc::params().on(executor).fit(&classes(3))?.sha256()
}

fn calibrated(executor: &dyn Executor) -> Result<String> {
    Calibrated::params(Svc::params().on(executor)).fit(&classes(2))?.sha256()
}

/// What a fit comes to on a checkpoint, and how many of its steps were done before.
fn resume(fit: Fit, executor: &dyn Executor, path: &Path) -> Result<(String, u64)> {
    let checkpointed = Checkpointed::open(executor, path)?;
    let model = fit(&checkpointed)?;
    Ok((model, checkpointed.resumed_steps()))
}

fn kill_after(fit: Fit, executor: &dyn Executor, n_steps: u64, path: &Path) {
    let mortal = Mortal { executor, left: AtomicU64::new(n_steps) };
    let error = resume(fit, &mortal, path).expect_err("it is killed");
    assert!(matches!(error.kind(), ErrorKind::Worker { .. }), "{error}");
}

/// Where each record begins, and where the last one ends.
fn borders(journal: &[u8]) -> Vec<usize> {
    let mut borders = vec![HEADER];
    while let Some(&at) = borders.last().filter(|&&at| at < journal.len()) {
        let length: [u8; 8] = journal[at..at + 8].try_into().expect("eight bytes");
        borders.push(at + 16 + u64::from_le_bytes(length) as usize + 32);
    }
    borders
}

/// Killed after every `stride`-th step, by the executor and by what is in the file: the model
/// is the same, and each step is done once.
fn check(fit: Fit, stride: usize) {
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    let threads = Threads::new(2).expect("threads").memory_budget(0);
    let model = fit(&threads).expect("a model");
    assert_eq!(resume(fit, &threads, &at("whole")).expect("a model"), (model.clone(), 0));
    let journal = std::fs::read(at("whole")).expect("a journal");
    let borders = borders(&journal);
    let n_steps = borders.len() as u64 - 1;
    assert!(n_steps > 4, "{n_steps} steps are few");
    let all = (model.clone(), n_steps);
    assert_eq!(resume(fit, &Inline::new(0), &at("whole")).expect("a model"), all);

    for n_done in (0..n_steps).step_by(stride) {
        let path = at(&n_done.to_string());
        kill_after(fit, &threads, n_done, &path);
        // Elsewhere, with another budget: neither changes a step.
        let inline = Inline::new(1 << 30);
        let resumed = resume(fit, &inline, &path).expect("a model");
        assert_eq!(resumed, (model.clone(), n_done));
        assert_eq!(std::fs::read(&path).expect("a journal"), journal, "after {n_done} steps");
    }
    for (n_done, record) in borders.windows(2).enumerate().step_by(stride) {
        for end in [record[0], record[0] + 7, record[1] - 1] {
            std::fs::write(at("cut"), &journal[..end]).expect("a file");
            let resumed = resume(fit, &threads, &at("cut")).expect("a model");
            assert_eq!(resumed, (model.clone(), n_done as u64), "cut at {end}");
        }
    }
}

#[test]
fn kmeans_goes_on() {
    check(kmeans, 1);
}

#[test]
fn a_scaler_and_kmeans_go_on() {
    check(scaled_kmeans, 1);
}

#[test]
fn svc_goes_on() {
    check(svc, 1);
}

#[test]
fn linear_svc_goes_on() {
    check(linear_svc, 1);
}

#[test]
fn calibration_goes_on() {
    check(calibrated, 9);
}

/// Each life does one more step than the one before.
#[test]
fn a_fit_of_many_short_lives() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("steps.journal");
    let inline = Inline::new(0);
    let mut n_lives = 0;
    let model = loop {
        let mortal = Mortal { executor: &inline, left: AtomicU64::new(1) };
        let checkpointed = Checkpointed::open(&mortal, &path).expect("a journal");
        let model = kmeans(&checkpointed);
        assert_eq!(checkpointed.resumed_steps(), n_lives);
        n_lives += 1;
        if let Ok(model) = model {
            break model;
        }
    };
    assert!(n_lives > 5, "{n_lives}");
    assert_eq!(model, kmeans(&inline).expect("a model"));
}

/// A fit that was stopped has wound up in steps of its own, which are not in the way.
#[test]
fn what_was_cancelled_goes_on() {
    const AFTER: usize = 4;
    let inline = Inline::new(0);
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("steps.journal");
    for (stopped, whole) in [
        (kmeans_cancelled as Cancelled, kmeans as Fit),
        (svc_cancelled, svc),
        (linear_svc_cancelled, linear_svc),
    ] {
        let cancel = CancelToken::new();
        let n_passes = AtomicU64::new(0);
        let observer = |event: &Event<'_>| {
            if let Event::PassDone { .. } = event
                && n_passes.fetch_add(1, Ordering::Relaxed) + 1 == AFTER as u64
            {
                cancel.cancel();
            }
        };
        let checkpointed = Checkpointed::open(&inline, &path).expect("a journal");
        let incomplete = stopped(&checkpointed, &observer, &cancel);
        drop(checkpointed);
        let checkpointed = Checkpointed::open(&inline, &path).expect("a journal");
        let complete = whole(&checkpointed).expect("a model");
        assert_eq!(checkpointed.resumed_steps(), AFTER as u64);
        assert_eq!(complete, whole(&inline).expect("a model"));
        assert!(incomplete.ok() != Some(complete), "it was not stopped");
        drop(checkpointed);
        std::fs::remove_file(&path).expect("a journal");
    }
}

type Cancelled = fn(&dyn Executor, &dyn Observer, &CancelToken) -> Result<String>;

fn kmeans_cancelled(
    executor: &dyn Executor,
    observer: &dyn Observer,
    cancel: &CancelToken,
) -> Result<String> {
    let params = KMeans::params(8).seed(1).n_init(2).on(executor).observe(observer);
    params.cancel(cancel).fit(&blobs())?.sha256()
}

fn svc_cancelled(
    executor: &dyn Executor,
    observer: &dyn Observer,
    cancel: &CancelToken,
) -> Result<String> {
    let params = Svc::params().c(3.0).on(executor).observe(observer);
    params.cancel(cancel).fit(&classes(3))?.sha256()
}

fn linear_svc_cancelled(
    executor: &dyn Executor,
    observer: &dyn Observer,
    cancel: &CancelToken,
) -> Result<String> {
    let params = LinearSvc::params().on(executor).observe(observer);
    params.cancel(cancel).fit(&classes(3))?.sha256()
}

/// What says only how the work is gone about may be another when a fit goes on.
#[test]
fn memory_for_rows_is_no_parameter_of_a_step() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("steps.journal");
    let inline = Inline::new(0);
    let fit = |budget| {
        let checkpointed = Checkpointed::open(&inline, &path).expect("a journal");
        let params = Svc::params().memory_budget(budget).on(&checkpointed);
        let model = params.fit(&classes(2)).expect("a model").sha256().expect("a hash");
        (model, checkpointed.resumed_steps())
    };
    let (model, _) = fit(0);
    let (again, n_resumed) = fit(1 << 30);
    assert_eq!(again, model);
    assert!(n_resumed > 4);
}

#[test]
fn other_fits_are_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("steps.journal");
    let inline = Inline::new(0);
    resume(kmeans, &inline, &path).expect("a model");
    let journal = std::fs::read(&path).expect("a journal");
    let others: [(&str, Fit); 5] = [
        ("step 1 of this fit, `kmeans.scan/", |executor| {
            KMeans::params(8).seed(2).n_init(2).on(executor).fit(&blobs())?.sha256()
        }),
        ("`kmeans.scan/", |executor| {
            KMeans::params(8).seed(1).n_init(3).on(executor).fit(&blobs())?.sha256()
        }),
        ("step 2 of this fit, `kmeans.round.f64/", |executor| {
            KMeans::params(9).seed(1).n_init(2).on(executor).fit(&blobs())?.sha256()
        }),
        ("found one over other data", |executor| {
            KMeans::params(8).seed(1).n_init(2).on(executor).fit(&blobs().slice(0..899))?.sha256()
        }),
        ("step 1 of this fit, `svc.survey/", svc),
    ];
    for (text, other) in others {
        let error = resume(other, &inline, &path).expect_err("another fit");
        assert!(matches!(error.kind(), ErrorKind::Format { .. }), "{error}");
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(error.location().file.as_deref(), Some(&*path));
        assert_eq!(std::fs::read(&path).expect("a journal"), journal);
    }
}
