//! `drystone`: the processes of a cluster, and what they are doing.

mod cluster;
mod flags;
mod status;
mod tls;

use std::fmt::Display;
use std::io::{Write, stdout};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use drystone_cluster::{Say, Scheduler, Stop};
use drystone_core::{Error, Result};

use flags::{Command, Flags, SchedulerFlags, WorkerFlags};

#[tokio::main]
async fn main() -> ExitCode {
    drystone_cluster::allow_many_files();
    let done = match Flags::parse().command {
        Command::Scheduler(flags) => scheduler(flags).await,
        Command::Worker(flags) => worker(flags).await,
        Command::Cluster(flags) => cluster::run(flags).await,
        Command::Status(flags) => status::run(flags).await,
        Command::Tls(command) => tls::run(&command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error and what it was caused by, as far as the error does not say that itself.
fn with_causes(error: &Error) -> String {
    let first: &dyn std::error::Error = error;
    let mut text = first.to_string();
    for cause in std::iter::successors(first.source(), |error| error.source()) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// Prints a line. Whoever read them may be gone: that is no reason to end.
fn print(line: impl Display) {
    let _ = writeln!(stdout(), "{line}");
}

fn say() -> Say {
    Arc::new(|line| print(line))
}

async fn scheduler(flags: SchedulerFlags) -> Result<()> {
    let stop = Stop::on_signals();
    let options = flags.options()?;
    let trust = options.trust.clone();
    let scheduler = Scheduler::bind(options, say()).await?;
    let address = scheduler.address();
    print(format_args!("scheduler at {address}"));
    print(format_args!("dashboard at {}", scheduler.dashboard()));
    print(format_args!("start a worker with: {}", flags.worker_command(address, &trust)));
    scheduler.serve(stop).await?;
    print(
        "the scheduler ends; workers wait ten minutes for another one at its address, drivers one",
    );
    Ok(())
}

async fn worker(flags: WorkerFlags) -> Result<()> {
    let stop = Stop::on_signals();
    drystone_cluster::run_worker(drystone::registry(), flags.options()?, stop, say()).await
}
