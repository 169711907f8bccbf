//! The library through its facade alone: other processes, unknown rows, cancellation.
//!
//! The children are this test binary, asked for the one test that serves.

use std::process::Command;
use std::sync::mpsc;

use drystone::executor::serve;
use drystone::generate::{Blobs, Classification};
use drystone::kmeans::Status;
use drystone::model_selection::KFold;
use drystone::prelude::*;
use drystone::preprocessing::StandardScaler;
use drystone::{
    CancelToken, ErrorKind, Event, Executor, Inline, StatePolicy, StopReason, Subprocess, laws,
};
use ndarray::{Array2, s};

use super::support::{Workdir, eighths, example, finish, in_memory};

const WORKER: &str = "DRYSTONE_INTEGRATION_WORKER";

/// What the children run; it does nothing in the parent.
#[test]
fn worker_process() {
    if std::env::var_os(WORKER).is_some() {
        serve(&drystone::registry(), std::io::stdin(), std::io::stdout()).expect("requests");
    }
}

fn this_binary() -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["facade::worker_process", "--exact", "--nocapture", "--test-threads=1"]);
    command.env(WORKER, "1");
    command
}

fn children(n: usize, memory_budget: u64) -> Subprocess {
    Subprocess::spawn(n, memory_budget, StatePolicy::Keep, this_binary).expect("children")
}

fn blobs(dtype: Dtype) -> Blobs {
    Blobs::new(5_000, 4).centers(5).cluster_std(3.0).seed(7).block_rows(700).dtype(dtype)
}

fn sha_on(executor: &dyn Executor, data: &ChunkedDataset) -> String {
    let model = KMeans::params(5).seed(1).on(executor).fit(data).expect("a model");
    model.sha256().expect("a hash")
}

/// The datasets of `Blobs` with every step that can travel applied.
fn with_steps(data: &ChunkedDataset) -> [(&'static str, ChunkedDataset); 5] {
    let both = ChunkedDataset::concat(&[data.slice(100..2_500), data.slice(0..900)]);
    let both = both.expect("the same columns");
    [
        ("plain", data.clone()),
        ("slice", data.slice(333..4_444)),
        ("rechunk", data.rechunk(1_234)),
        ("concat", both.clone()),
        ("concat, rechunk, slice", both.rechunk(450).slice(7..3_100)),
    ]
}

#[test]
fn other_processes_give_the_same_bits() {
    let (two, threads) = (children(2, 1 << 20), Threads::new(2).expect("threads"));
    let alone = Inline::new(0).state_policy(StatePolicy::Discard);
    for dtype in [Dtype::F64, Dtype::F32] {
        for (name, data) in with_steps(&blobs(dtype).dataset()) {
            let expected = sha_on(&threads, &data);
            assert_eq!(sha_on(&two, &data), expected, "{name} of {dtype} in other processes");
            assert_eq!(sha_on(&alone, &data), expected, "{name} of {dtype} on one thread");
        }
    }
}

#[test]
fn files_are_read_by_other_processes() {
    let directory = Workdir::new();
    let rows = eighths(2_000);
    let lines = rows.rows().into_iter().map(|row| format!("{},{},{}\n", row[0], row[1], row[2]));
    directory.write("rows.csv", lines.collect::<String>());
    npy::write(directory.path("rows.npy"), &rows).expect("a file");

    let csv = csv::open(directory.path("rows.csv")).block_rows(300).dataset().expect("text");
    let npy = npy::open(directory.path("rows.npy")).block_rows(300).dataset().expect("an array");
    assert_eq!((csv.n_samples(), npy.n_samples()), (None, Some(2_000)));
    let expected = sha_on(&Threads::new(2).expect("threads"), &in_memory(rows));
    let executor = children(3, 10_000);
    for data in [csv.clone(), csv.scan().expect("rows"), npy] {
        assert_eq!(sha_on(&executor, &data), expected, "{data}");
    }
}

#[test]
fn what_exists_here_only_does_not_travel() {
    let executor = children(1, 0);
    let closure = ChunkedDataset::from_blocks(Layout::new(Dtype::F64, 1, 10, 5), |block_idx| {
        Ok(Block::new(Array2::from_elem((5, 1), block_idx as f64)))
    });
    let blobs = blobs(Dtype::F64).dataset();
    for data in [in_memory(eighths(9)), closure, blobs.map(Ok), blobs.persist().expect("blocks")] {
        let error = KMeans::params(2).on(&executor).fit(&data).expect_err("it has no description");
        assert!(matches!(error.kind(), ErrorKind::NotDescribed { .. }), "{error}");
        assert_eq!(
            error.to_string(),
            "a source of closures, or of data in memory, exists in this process only and cannot be \
             sent to another; use a generator, or a CSV or .npy file that the worker can read, or \
             run on local threads"
        );
    }
}

#[test]
fn the_registry_knows_every_source() {
    let registry = drystone::registry();
    let classes = Classification::new(500, 6).n_informative(3).n_classes(3).seed(2).block_rows(90);
    let blobs = Blobs::new(500, 3).sizes(vec![7, 0, 493]).seed(2).block_rows(64);
    let directory = Workdir::new();
    npy::write(directory.path("x.npy"), &eighths(40)).expect("a file");
    directory.write("x.csv", "a,b\n1,2\n3,4\n5,6\n");
    directory.write("x.txt", "1 1:1 2:2\n-1 2:4\n1 1:5\n");
    let datasets = [
        blobs.dataset(),
        blobs_f32(),
        classes.clone().dataset(),
        classes.dtype(Dtype::F32).dataset(),
        npy::open(directory.path("x.npy")).block_rows(7).dataset().expect("an array"),
        csv::open(directory.path("x.csv")).target("b").dataset().expect("text"),
        libsvm::open(directory.path("x.txt")).block_rows(2).dataset().expect("text"),
    ];
    for data in datasets {
        assert!(data.describe().is_some(), "{data}");
        laws::check_source(&data, &registry);
        let known = data.scan().expect("rows");
        laws::check_source(&known.slice(1..3).rechunk(1), &registry);
        for (train, test) in KFold::new(3).shuffle(1).split(&known).expect("folds") {
            let scaler = StandardScaler::params().fit(&train).expect("a scaler");
            laws::check_source(&scaler.transform(&test), &registry);
        }
    }
}

fn blobs_f32() -> ChunkedDataset {
    blobs(Dtype::F32).dataset()
}

/// Rows without clusters, so that a fit takes many iterations.
fn shapeless() -> ChunkedDataset {
    Blobs::new(4_000, 3).centers(1).seed(1).block_rows(500).dataset()
}

#[test]
fn another_thread_cancels_a_fit() {
    let (token, threads) = (CancelToken::new(), Threads::new(2).expect("threads"));
    let (reached, wait) = mpsc::channel();
    let observer = |event: &Event<'_>| {
        if let Event::Iteration { iteration: 3, .. } = event {
            reached.send(()).expect("somebody waits");
            // In earnest an observer must not wait; here it makes the moment certain.
            while !token.is_cancelled() {
                std::thread::yield_now();
            }
        }
    };
    let model = std::thread::scope(|scope| {
        let cord = token.clone();
        scope.spawn(move || {
            wait.recv().expect("an iteration");
            cord.cancel();
        });
        let params = KMeans::params(40).tol(0.0).cancel(&token).observe(&observer).on(&threads);
        params.fit(&shapeless()).expect("the latest model")
    });
    assert_eq!((model.status(), model.converged()), (Status::Cancelled, false));
    assert!((2..=4).contains(&model.n_iter()), "{}", model.n_iter());
    assert_eq!(model.cluster_counts().iter().sum::<u64>(), 4_000);
    model.sha256().expect("it is a model like any other");
}

#[test]
fn cancelled_before_there_is_a_model() {
    let token = CancelToken::new();
    token.cancel();
    let error = KMeans::params(4).cancel(&token).fit(&shapeless()).expect_err("no model");
    let ErrorKind::Stopped { reason } = error.kind() else { panic!("{error}") };
    assert_eq!(*reason, StopReason::Cancelled);
}

/// The steps of the example, on fewer rows.
#[test]
fn first_steps() {
    let data = Blobs::new(20_000, 20).centers(8).seed(0).block_rows(2_000).dataset();
    let params = KMeans::params(8).seed(0);
    let plan = params.explain(&data).expect("a plan");
    assert_eq!(plan.data_bytes, Some(20_000 * 21 * 8));
    let model = params.fit(&data).expect("a model");
    let all = model.predict(&data).compute().expect("labels");
    let some = model.predict(&data).slice(10_000..10_010).compute().expect("labels");
    assert_eq!(some, all.slice(s![10_000..10_010]));

    let directory = Workdir::new();
    let path = directory.path("first_steps.safetensors");
    model.save(&path).expect("a file");
    let loaded = KMeans::load(&path).expect("a model");
    assert_eq!(loaded.sha256().expect("a hash"), model.sha256().expect("a hash"));
    assert_eq!(loaded.predict(&data).compute().expect("labels"), all);
    let rand = metrics::adjusted_rand(&data, &model.predict(&data)).expect("a number");
    assert_eq!(rand, 1.0);
}

#[test]
fn the_example_of_an_own_source_and_job_runs() {
    let output = finish(Command::new(example("own_source_and_job")), "own_source_and_job");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}
