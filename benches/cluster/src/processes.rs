//! Processes of `drystone`, and what they say.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use drystone_cluster::Cluster;
use rustix::process::{Pid, Signal, kill_process};

/// How long a process may take to say what it is expected to say.
const PATIENCE: Duration = Duration::from_secs(90);

/// A process, and what it says. It ends when this is dropped.
pub struct Process {
    child: Child,
    lines: Mutex<Receiver<String>>,
}

impl Process {
    /// Starts a program.
    ///
    /// # Panics
    /// When it cannot be started: nothing else makes sense then.
    #[must_use]
    pub fn start(program: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(args);
        Self::spawn(command)
    }

    /// Starts a command.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().expect("a process");
        let (send, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().expect("its output"));
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| send.send(line))
        });
        Self { child, lines: Mutex::new(lines) }
    }

    /// The rest of the first line that has this in it.
    ///
    /// # Panics
    /// When it does not come.
    pub fn after(&self, text: &str) -> String {
        loop {
            let line = self.lines().recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|error| panic!("waiting for '{text}': {error}"));
            if let Some((_, rest)) = line.split_once(text) {
                return rest.to_owned();
            }
        }
    }

    fn lines(&self) -> MutexGuard<'_, Receiver<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it says until it ends.
    pub fn said(&self) -> Vec<String> {
        self.lines().iter().collect()
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When it does not run any more.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id() as i32).expect("a process");
        kill_process(pid, signal).expect("a running process");
    }

    /// SIGKILL: it cannot say goodbye.
    ///
    /// # Panics
    /// When it does not run any more.
    pub fn kill(&mut self) {
        self.child.kill().expect("a running process");
        self.child.wait().expect("its end");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When that is not to be had.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("its end")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a worker keeps of blocks.
const MEMORY: &str = "1GiB";

/// A scheduler and workers of so many slots each.
pub struct Processes {
    program: PathBuf,
    timeout: String,
    memory: String,
    /// The scheduler.
    pub scheduler: Process,
    /// Where it listens.
    pub address: String,
    /// The workers, `w0` and so on.
    pub workers: Vec<Process>,
}

impl Processes {
    /// Starts them; workers count as dead after so many silent seconds. All are connected when
    /// this returns.
    #[must_use]
    pub fn start(program: &Path, slots: &[usize], worker_timeout: &str) -> Self {
        Self::start_with(program, slots, worker_timeout, MEMORY)
    }

    /// The same, with workers that keep so much of blocks.
    #[must_use]
    pub fn start_with(program: &Path, slots: &[usize], worker_timeout: &str, memory: &str) -> Self {
        let (timeout, memory) = (worker_timeout.to_owned(), memory.to_owned());
        let (scheduler, address) = start_scheduler(program, "127.0.0.1:0", &timeout);
        let (program, workers) = (program.to_owned(), Vec::new());
        let mut all = Self { program, timeout, memory, scheduler, address, workers };
        slots.iter().for_each(|&slots| all.add_worker(slots));
        all
    }

    /// One more worker; it is connected when this returns.
    pub fn add_worker(&mut self, slots: usize) {
        let name = format!("w{}", self.workers.len());
        let worker = start_worker_with(&self.program, &self.address, &name, slots, &self.memory);
        self.workers.push(worker);
    }

    /// Ends the scheduler, which cannot say goodbye, and starts it again after a while.
    pub fn restart_scheduler(&mut self, pause: Duration) {
        self.scheduler.kill();
        std::thread::sleep(pause);
        self.scheduler = start_scheduler(&self.program, &self.address, &self.timeout).0;
    }

    /// A driver's connection.
    ///
    /// # Panics
    /// When there is none to be had.
    #[must_use]
    pub fn connect(&self) -> Cluster {
        Cluster::connect(&self.address).expect("a cluster")
    }
}

/// A scheduler that listens, and its address.
#[must_use]
pub fn start_scheduler(program: &Path, bind: &str, worker_timeout: &str) -> (Process, String) {
    let args = ["scheduler", "--bind", bind, "--dashboard", "127.0.0.1:0"];
    let all = [&args[..], &["--worker-timeout", worker_timeout]].concat();
    let scheduler = Process::start(program, &all);
    let address = scheduler.after("scheduler at ");
    (scheduler, address)
}

/// A worker that is connected. It may read all files: tests have theirs in temporary places.
#[must_use]
pub fn start_worker(program: &Path, scheduler: &str, name: &str, slots: usize) -> Process {
    start_worker_with(program, scheduler, name, slots, MEMORY)
}

fn start_worker_with(
    program: &Path,
    scheduler: &str,
    name: &str,
    slots: usize,
    memory: &str,
) -> Process {
    let slots = slots.to_string();
    let args = ["worker", scheduler, "--slots", &slots, "--memory", memory, "--name", name];
    let worker = Process::start(program, &[&args[..], &["--data-root", "/"]].concat());
    worker.after("is connected to");
    worker
}
