//! `drystone cluster`: a scheduler and workers on this machine, which end together.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use drystone_cluster::{Scheduler, SchedulerOptions, Stop, Trust};
use drystone_core::{Error, Result};

use crate::flags::{ClusterFlags, memory_flag, share_of_memory};

/// How long workers may take to finish what they map.
const LEAVING: Duration = Duration::from_secs(30);

pub async fn run(flags: ClusterFlags) -> Result<()> {
    let mut options = SchedulerOptions::new(Trust::of_user()?);
    (options.bind, options.dashboard) = (flags.bind, flags.dashboard);
    let scheduler = Scheduler::bind(options, crate::say()).await?;
    let address = scheduler.address().to_string();
    crate::print(format_args!("scheduler at {address}"));
    crate::print(format_args!("dashboard at {}", scheduler.dashboard()));
    let memory = match &flags.memory {
        Some(size) => format!("{}B", memory_flag(size)?),
        None => format!("{}B", share_of_memory(flags.workers)?),
    };
    let mut stop = Stop::on_signals();
    // The scheduler outlives its workers, so that they can leave in order.
    let (stopper, last) = Stop::new();
    let serving = scheduler.serve(last);
    tokio::pin!(serving);
    let mut workers = Vec::new();
    for idx in 0..flags.workers {
        workers.push(Worker::start(&flags, &address, &memory, idx)?);
    }
    crate::print(format_args!(
        "{} workers start; a program uses them with Cluster::connect(\"{address}\"), and the \
         example with --cluster {address}; Ctrl-C ends them all",
        flags.workers
    ));
    tokio::select! {
        ended = &mut serving => return ended,
        ended = all_gone(&mut workers) => ended?,
        () = stop.asked() => {}
    }
    workers.iter_mut().for_each(Worker::ask_to_leave);
    let leaving = tokio::time::timeout(LEAVING, wait(&mut workers));
    tokio::select! {
        _ = leaving => {}
        _ = &mut serving => {}
        () = stop.asked_again() => {}
    }
    stopper.stop();
    Ok(())
}

/// A worker process; it does not outlive this one.
struct Worker {
    name: String,
    child: Child,
}

impl Worker {
    fn start(flags: &ClusterFlags, scheduler: &str, memory: &str, idx: u16) -> Result<Self> {
        let failed = |error| Error::io("cannot start a worker", error);
        let program = std::env::current_exe().map_err(failed)?;
        let name = format!("worker-{idx}");
        let mut command = Command::new(program);
        command.args(["worker", scheduler, "--name", &name, "--memory", memory]);
        command.args(["--slots", &flags.slots.to_string()]).arg("--data-root");
        command.arg(&flags.data_root).stdin(Stdio::null());
        // Ctrl-C in a terminal reaches all processes of the group: ours says when to leave.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        Ok(Self { name, child: command.spawn().map_err(failed)? })
    }

    fn ask_to_leave(&mut self) {
        #[cfg(unix)]
        if let Some(pid) = rustix::process::Pid::from_raw(self.child.id() as i32) {
            // It may have ended by itself.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        #[cfg(not(unix))]
        let _ = self.child.kill();
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if !self.has_ended() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Until no worker is left; says of each one that ends.
async fn all_gone(workers: &mut Vec<Worker>) -> Result<()> {
    while !workers.is_empty() {
        tokio::time::sleep(Duration::from_millis(200)).await;
        workers.retain_mut(|worker| {
            let ended = worker.has_ended();
            if ended {
                crate::print(format_args!("{} has ended", worker.name));
            }
            !ended
        });
    }
    let found = "all workers have ended".to_owned();
    Err(drystone_core::ErrorKind::Worker { found }.into())
}

async fn wait(workers: &mut [Worker]) {
    while !workers.iter_mut().all(Worker::has_ended) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
