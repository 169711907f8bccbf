//! Workers that die, come late, or are all gone for a while.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use drystone_core::{Event, Inline, Observer};
use drystone_estimators::KMeans;

use crate::support::{Process, Processes, blobs};

/// Does something once, when a pass begins.
struct At<F> {
    pass: usize,
    act: Mutex<Option<F>>,
}

impl<F: FnOnce() + Send> At<F> {
    fn pass(pass: usize, act: F) -> Self {
        Self { pass, act: Mutex::new(Some(act)) }
    }

    fn has_fired(&self) -> bool {
        self.act.lock().expect("no panic").is_none()
    }
}

impl<F: FnOnce() + Send> Observer for At<F> {
    fn event(&self, event: &Event<'_>) {
        if let Event::PassStarted { pass, .. } = *event
            && pass == self.pass
            && let Some(act) = self.act.lock().expect("no panic").take()
        {
            act();
        }
    }
}

fn local_sha256() -> String {
    let model = KMeans::params(5).on(&Inline::default()).fit(&blobs()).expect("a model");
    model.sha256().expect("a hash")
}

#[test]
fn a_worker_that_is_killed_between_steps() {
    for pass in [1, 2, 4] {
        let mut processes = Processes::watchful(&[1, 1]);
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
fn a_worker_that_is_killed_while_it_maps() {
    let mut processes = Processes::watchful(&[1, 1]);
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

#[test]
fn a_worker_that_comes_late_takes_its_share() {
    let processes = Processes::start(&[1]);
    let cluster = processes.connect();
    let address = processes.address.clone();
    let late = Mutex::new(None);
    let join = At::pass(3, || {
        let worker = Process::start(&["worker", &address, "--slots", "1", "--name", "late"]);
        worker.after("is connected to");
        *late.lock().expect("no panic") = Some(worker);
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
    let mut processes = Processes::watchful(&[1]);
    let cluster = processes.connect();
    let address = processes.address.clone();
    let worker = Mutex::new(processes.workers.remove(0));
    let model = std::thread::scope(|scope| {
        let replace = At::pass(3, || {
            worker.lock().expect("a worker").kill();
            scope.spawn(|| {
                std::thread::sleep(Duration::from_secs(1));
                let next = Process::start(&["worker", &address, "--slots", "1", "--name", "next"]);
                next.after("is connected to");
                *worker.lock().expect("a worker") = next;
            });
        });
        KMeans::params(5).on(&cluster).observe(&replace).fit(&blobs())
    });
    assert_eq!(model.and_then(|model| model.sha256()).expect("a model"), local_sha256());
}
