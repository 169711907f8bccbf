//! Schedulers and workers that end with the test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use drystone_cluster::Cluster;
use drystone_core::ChunkedDataset;
use drystone_sources::generate::Blobs;

/// How long a process may take to say what it is expected to say.
const PATIENCE: Duration = Duration::from_secs(90);

/// A process of `drystone`, and what it says.
pub struct Process {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    pub fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_drystone"))
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("a process");
        let (send, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().expect("its output"));
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| send.send(line))
        });
        Self { child, lines }
    }

    /// The rest of the first line that has this in it.
    pub fn after(&self, text: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|error| panic!("waiting for '{text}': {error}"));
            if let Some((_, rest)) = line.split_once(text) {
                return rest.to_owned();
            }
        }
    }

    /// What it has said since.
    pub fn said(&self) -> Vec<String> {
        self.lines.iter().collect()
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.child.id() as i32).expect("a process");
        rustix::process::kill_process(pid, signal).expect("a running process");
    }

    /// SIGKILL: it cannot say goodbye.
    pub fn kill(&mut self) {
        self.child.kill().expect("a running process");
        self.child.wait().expect("its end");
    }

    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.child.wait().expect("its end")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A scheduler and workers of so many slots each.
pub struct Processes {
    pub scheduler: Process,
    pub address: String,
    pub workers: Vec<Process>,
}

impl Processes {
    /// No worker counts as dead because this machine is busy.
    pub fn start(slots: &[usize]) -> Self {
        Self::with_timeout(slots, "60")
    }

    /// A worker counts as dead as soon as users would have it.
    pub fn watchful(slots: &[usize]) -> Self {
        Self::with_timeout(slots, "4")
    }

    fn with_timeout(slots: &[usize], seconds: &str) -> Self {
        let (scheduler, address) = scheduler("127.0.0.1:0", seconds);
        let mut processes = Self { scheduler, address, workers: Vec::new() };
        slots.iter().for_each(|&slots| processes.add_worker(slots));
        processes
    }

    /// One more worker; it is connected when this returns.
    pub fn add_worker(&mut self, slots: usize) {
        let name = format!("w{}", self.workers.len());
        self.workers.push(worker(&self.address, &name, slots));
    }

    pub fn connect(&self) -> Cluster {
        Cluster::connect(&self.address).expect("a cluster")
    }
}

/// A scheduler that listens, and its address.
pub fn scheduler(bind: &str, worker_timeout: &str) -> (Process, String) {
    let scheduler = Process::start(&[
        "scheduler",
        "--bind",
        bind,
        "--dashboard",
        "127.0.0.1:0",
        "--worker-timeout",
        worker_timeout,
    ]);
    let address = scheduler.after("scheduler at ");
    (scheduler, address)
}

/// A worker that is connected.
pub fn worker(scheduler: &str, name: &str, slots: usize) -> Process {
    let slots = slots.to_string();
    let args = ["worker", scheduler, "--slots", &slots, "--memory", "64MiB", "--name", name];
    // Files of tests are in temporary directories.
    let worker = Process::start(&[&args[..], &["--data-root", "/"]].concat());
    worker.after("is connected to");
    worker
}

/// Blocks that do not take long, and that take several tasks.
pub fn blobs() -> ChunkedDataset {
    Blobs::new(40_000, 6).centers(5).seed(3).block_rows(1_700).dataset()
}
