//! Workers that die, come late, or are all gone for a while.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use drystone_core::column::Moments;
use drystone_core::observe::Silent;
use drystone_core::{Control, ErrorKind, Executor, Inline, Session};
use drystone_estimators::KMeans;
use drystone_sources::generate::Blobs;
use drystone_trials::{At, Process, Processes, start_scheduler, start_worker};
use rustix::process::Signal;

use crate::support::{blobs, patient, program, watchful};

fn local_sha256() -> String {
    let model = KMeans::params(5).on(&Inline::default()).fit(&blobs()).expect("a model");
    model.sha256().expect("a hash")
}

#[test]
fn a_worker_that_is_killed_between_steps() {
    for pass in [1, 2, 4] {
        let mut processes = watchful(&[1, 1]);
        let cluster = processes.connect();
        let worker = Mutex::new(processes.workers.remove(0));
        let kill = At::pass(pass, || worker.lock().expect("a worker").kill());
        let model = KMeans::params(5).on(&cluster).observe(&kill).fit(&blobs()).expect("a model");
        assert!(kill.has_fired());
        assert_eq!(model.sha256().expect("a hash"), local_sha256(), "killed in pass {pass}");
        let left = cluster.workers().expect("workers");
        assert_eq!(left.iter().map(|worker| &*worker.name).collect::<Vec<_>>(), ["w1"]);
    }
}

#[test]
fn only_the_blocks_of_a_dead_worker_are_made_again() {
    let mut processes = watchful(&[1, 1, 1]);
    let cluster = processes.connect();
    let worker = Mutex::new(processes.workers.remove(1));
    let kill = At::pass(4, || worker.lock().expect("a worker").kill());
    let model = KMeans::params(5).on(&cluster).observe(&kill).fit(&blobs()).expect("a model");
    assert!(kill.has_fired());
    assert_eq!(model.sha256().expect("a hash"), local_sha256());
    // Each of three workers has a third of the blocks.
    let n_blocks = blobs().n_blocks();
    assert_eq!(model.history().blocks_read, n_blocks + n_blocks / 3);
}

#[test]
fn a_worker_that_is_killed_while_it_maps() {
    let mut processes = watchful(&[1, 1]);
    let cluster = processes.connect();
    let worker = Mutex::new(processes.workers.remove(0));
    let killed = Mutex::new(None);
    let model = std::thread::scope(|scope| {
        // The first pass makes the blocks, and takes long enough to be in the middle of it.
        let kill = At::pass(1, || {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(40));
                worker.lock().expect("a worker").kill();
                *killed.lock().expect("no panic") = Some(Instant::now());
            });
        });
        KMeans::params(5).on(&cluster).observe(&kill).fit(&blobs())
    });
    assert!(killed.into_inner().expect("no panic").is_some());
    assert_eq!(model.and_then(|model| model.sha256()).expect("a model"), local_sha256());
}

/// What a fit comes to when something is done to a worker at the beginning of a pass, and how
/// long it took longer than before.
fn fit_while(pass: usize, act: impl FnOnce(&mut Process) + Send) -> (String, Duration) {
    let mut processes = watchful(&[1, 1]);
    let cluster = processes.connect();
    let undisturbed = Instant::now();
    KMeans::params(5).on(&cluster).fit(&blobs()).expect("a model");
    let undisturbed = undisturbed.elapsed();
    let victim = Mutex::new(&mut processes.workers[0]);
    let at = At::pass(pass, || act(&mut victim.lock().expect("a worker")));
    let started = Instant::now();
    let model = KMeans::params(5).on(&cluster).observe(&at).fit(&blobs()).expect("a model");
    assert!(at.has_fired());
    (model.sha256().expect("a hash"), started.elapsed().saturating_sub(undisturbed))
}

#[test]
fn a_worker_that_stands_still() {
    for pass in [2, 5] {
        let (sha256, longer) = fit_while(pass, |worker| worker.signal(Signal::STOP));
        assert_eq!(sha256, local_sha256(), "stopped in pass {pass}");
        // It says how long; a slow machine is no fault.
        eprintln!("SIGSTOP in pass {pass} cost {:.1} s", longer.as_secs_f64());
    }
}

#[test]
fn a_worker_that_stands_still_for_a_while_comes_back() {
    let mut processes = watchful(&[1, 1]);
    let cluster = processes.connect();
    let stopped = &processes.workers[0];
    let model = std::thread::scope(|scope| {
        let stop = At::pass(2, || {
            stopped.signal(Signal::STOP);
            scope.spawn(|| {
                std::thread::sleep(Duration::from_secs(7));
                stopped.signal(Signal::CONT);
            });
        });
        KMeans::params(5).on(&cluster).observe(&stop).fit(&blobs())
    });
    assert_eq!(model.and_then(|model| model.sha256()).expect("a model"), local_sha256());
    processes.workers[0].after("lost the scheduler");
    processes.workers[0].after("is connected to");
    assert_eq!(cluster.workers().expect("workers").len(), 2);
    let again = KMeans::params(5).on(&cluster).fit(&blobs()).expect("a model");
    assert_eq!(again.sha256().expect("a hash"), local_sha256());
    processes.workers.clear();
}

#[test]
fn a_scheduler_that_is_started_again() {
    let processes = watchful(&[1, 1]);
    let cluster = processes.connect();
    let Processes { scheduler: first, address, workers, .. } = processes;
    let first = Mutex::new(first);
    let model = std::thread::scope(|scope| {
        let restart = At::pass(3, || {
            first.lock().expect("a scheduler").kill();
            scope.spawn(|| {
                std::thread::sleep(Duration::from_secs(1));
                *first.lock().expect("a scheduler") = start_scheduler(program(), &address, "4").0;
            });
        });
        KMeans::params(5).on(&cluster).observe(&restart).fit(&blobs())
    });
    assert_eq!(model.and_then(|model| model.sha256()).expect("a model"), local_sha256());
    workers.iter().for_each(|worker| drop(worker.after("lost the scheduler")));
}

#[test]
fn a_worker_that_is_asked_to_leave_finishes_what_it_has() {
    let mut processes = watchful(&[1, 1]);
    let cluster = processes.connect();
    let leaver = &processes.workers[0];
    let leave = At::pass(3, || leaver.signal(Signal::TERM));
    let model = KMeans::params(5).on(&cluster).observe(&leave).fit(&blobs()).expect("a model");
    assert!(leave.has_fired());
    assert_eq!(model.sha256().expect("a hash"), local_sha256());
    assert!(processes.workers[0].wait().success());
    assert_eq!(cluster.workers().expect("workers").len(), 1);
}

#[test]
fn a_step_that_nobody_waits_for_leaves_no_work_behind() {
    let processes = watchful(&[1]);
    let cluster = processes.connect();
    // Minutes of work, if nobody stopped it.
    let data = Blobs::new(400_000_000, 20).centers(5).dataset();
    let started = Instant::now();
    let error = KMeans::params(5)
        .on(&cluster)
        .max_time(Duration::from_millis(700))
        .fit(&data)
        .expect_err("no time");
    assert!(matches!(error.kind(), ErrorKind::Stopped { .. }), "{error}");
    while cluster.workers().expect("workers")[0].busy > 0 {
        assert!(started.elapsed() < Duration::from_secs(60), "the worker goes on");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(KMeans::params(5).on(&cluster).fit(&blobs()).is_ok());
}

#[test]
fn a_worker_that_comes_late_takes_its_share() {
    let processes = patient(&[1]);
    let cluster = processes.connect();
    let address = processes.address.clone();
    let late = Mutex::new(None);
    let join = At::pass(3, || {
        *late.lock().expect("no panic") = Some(start_worker(program(), &address, "late", 1));
    });
    let model = KMeans::params(5).on(&cluster).observe(&join).fit(&blobs()).expect("a model");
    assert!(join.has_fired());
    assert_eq!(model.sha256().expect("a hash"), local_sha256());
    // It had to make the blocks of its share again.
    let (read, n_blocks) = (model.history().blocks_read, blobs().n_blocks());
    assert!(read > n_blocks && read < 2 * n_blocks, "{read} of {n_blocks}");
}

#[test]
fn all_workers_gone_for_a_while() {
    let mut processes = watchful(&[1]);
    let cluster = processes.connect();
    let address = processes.address.clone();
    let gone = Mutex::new(processes.workers.remove(0));
    let model = std::thread::scope(|scope| {
        let replace = At::pass(3, || {
            gone.lock().expect("a worker").kill();
            scope.spawn(|| {
                std::thread::sleep(Duration::from_secs(1));
                *gone.lock().expect("a worker") = start_worker(program(), &address, "next", 1);
            });
        });
        KMeans::params(5).on(&cluster).observe(&replace).fit(&blobs())
    });
    assert_eq!(model.and_then(|model| model.sha256()).expect("a model"), local_sha256());
}

#[test]
fn nobody_there_for_good_is_an_error_in_time() {
    for gone in [Gone::Workers, Gone::Scheduler] {
        let mut processes = watchful(&[1, 1]);
        let cluster = processes.connect().patience(Duration::from_secs(3));
        let all = Mutex::new(&mut processes);
        let end = At::pass(3, || {
            let mut all = all.lock().expect("no panic");
            match gone {
                Gone::Workers => all.workers.iter_mut().for_each(Process::kill),
                Gone::Scheduler => all.scheduler.kill(),
            }
        });
        let started = Instant::now();
        let fit = KMeans::params(5).on(&cluster).observe(&end).fit(&blobs());
        let error = fit.expect_err("nobody there");
        assert!(end.has_fired());
        assert!(matches!(error.kind(), ErrorKind::Worker { .. }), "{error}");
        assert!(error.to_string().contains("--checkpoint"), "{error}");
        // Three seconds of patience, of which those count in which nothing can be done, and what
        // it takes to notice.
        assert!(started.elapsed() < Duration::from_secs(60), "{gone:?}: {:?}", started.elapsed());
    }
}

#[derive(Clone, Copy, Debug)]
enum Gone {
    Workers,
    Scheduler,
}

#[test]
fn a_worker_that_runs_out_of_memory() {
    let processes = watchful(&[1]);
    let (address, program) = (&processes.address, program().display());
    // Less memory than a block takes, but enough to start.
    let poor = format!(
        "ulimit -v 480000; exec {program} worker {address} --slots 1 --name poor --memory 8GiB"
    );
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &poor]);
    let mut poor = Process::spawn(command);
    poor.after("is connected to");
    let cluster = processes.connect();
    let data = Blobs::new(2_000_000, 20).centers(3).block_rows(250_000).dataset();
    let job = Moments { n_features: 20 };
    let moments = |executor: &dyn Executor| {
        let control = Control::default();
        Session::new(executor, &Silent, &control).run(&data, &job).expect("moments")
    };
    let remote = moments(&cluster);
    assert_eq!(remote.mean(7).to_bits(), moments(&Inline::default()).mean(7).to_bits());
    assert!(!poor.wait().success());
    assert_eq!(cluster.workers().expect("workers").len(), 1);
}

#[test]
fn a_step_that_ends_each_worker_is_given_up() {
    let processes = watchful(&[]);
    let (address, program) = (processes.address.clone(), program().display());
    // Each of them dies of the first block, and is started again by somebody who means well.
    let again = format!(
        "ulimit -v 480000; while true; do {program} worker {address} --slots 1 --memory 8GiB; \
         test $? -lt 128 && exit; done"
    );
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &again]);
    let restarted = Process::spawn(command);
    restarted.after("is connected to");
    let cluster = processes.connect();
    let data = Blobs::new(1_000_000, 20).centers(3).block_rows(250_000).dataset();
    let error = KMeans::params(3).on(&cluster).fit(&data).expect_err("no memory");
    assert!(error.to_string().contains("workers were lost in one step"), "{error}");
    drop(processes);
}
