//! `drystone`: the processes of a cluster, and what they are doing.

mod tls;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use drystone_cluster::{DEFAULT_PORT, Scheduler, SchedulerOptions, WorkerOptions};
use drystone_core::{Error, Result, memory};

/// Machine learning over datasets larger than memory: the processes of a cluster.
#[derive(Parser, Debug)]
#[command(name = "drystone", version)]
struct Flags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Where workers and drivers meet
    Scheduler(SchedulerFlags),
    /// Map blocks for a scheduler
    Worker(WorkerFlags),
    /// What a scheduler knows of its workers
    Status(StatusFlags),
    /// Keys for a cluster of several machines
    #[command(subcommand)]
    Tls(tls::TlsCommand),
}

#[derive(clap::Args, Debug)]
struct SchedulerFlags {
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value_t = SocketAddr::from(([127, 0, 0, 1], DEFAULT_PORT)))]
    bind: SocketAddr,
    /// Seconds without a word after which a worker counts as dead
    #[arg(long, value_name = "SECONDS", default_value_t = 4, value_parser = clap::value_parser!(u64).range(2..=3600))]
    worker_timeout: u64,
}

#[derive(clap::Args, Debug)]
struct WorkerFlags {
    /// The scheduler's address, as in 127.0.0.1:8786
    scheduler: String,
    /// Tasks at a time [default: one a core]
    #[arg(long)]
    slots: Option<usize>,
    /// Memory for blocks that are kept between steps, as in 8GiB [default: half of what is available]
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
    /// A name that no other worker has [default: one is made up]
    #[arg(long)]
    name: Option<String>,
    /// Seconds between two signs of life
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=600))]
    heartbeat: u64,
    /// Seconds to reach the scheduler in
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    connect_timeout: u64,
}

#[derive(clap::Args, Debug)]
struct StatusFlags {
    /// The scheduler's address, as in 127.0.0.1:8786
    scheduler: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Flags::parse().command {
        Command::Scheduler(flags) => scheduler(flags).await,
        Command::Worker(flags) => worker(flags).await,
        Command::Status(flags) => status(flags).await,
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

fn with_causes(error: &Error) -> String {
    let first: &dyn std::error::Error = error;
    let all = std::iter::successors(Some(first), |error| error.source());
    all.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

async fn scheduler(flags: SchedulerFlags) -> Result<()> {
    let worker_timeout = Duration::from_secs(flags.worker_timeout);
    let options = SchedulerOptions { bind: flags.bind, worker_timeout, ..Default::default() };
    let scheduler = Scheduler::bind(options)?;
    let address = scheduler.address();
    println!("scheduler at {address}");
    println!("start a worker with: drystone worker {address}");
    tokio::select! {
        ended = scheduler.serve() => ended,
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

async fn worker(flags: WorkerFlags) -> Result<()> {
    let mut options = WorkerOptions::new(flags.scheduler);
    options.slots = flags.slots.unwrap_or(options.slots);
    if let Some(size) = &flags.memory {
        options.memory_budget = memory::parse_bytes(size)?;
    }
    options.name = flags.name;
    options.heartbeat = Duration::from_secs(flags.heartbeat);
    options.connect_timeout = Duration::from_secs(flags.connect_timeout);
    drystone_cluster::run_worker(drystone_cluster::registry(), options, |line| println!("{line}"))
        .await
}

async fn status(flags: StatusFlags) -> Result<()> {
    let workers = drystone_cluster::workers(&flags.scheduler).await?;
    if flags.json {
        let slots: usize = workers.iter().map(|worker| worker.slots).sum();
        println!("{}", serde_json::json!({ "workers": workers, "slots": slots }));
        return Ok(());
    }
    println!("scheduler at {}: {} workers", flags.scheduler, workers.len());
    for worker in workers {
        println!("  {:<24} {}:{}  {} slots", worker.name, worker.host, worker.port, worker.slots);
    }
    Ok(())
}
