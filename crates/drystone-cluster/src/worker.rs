//! The process that maps blocks: Ballista's executor with our node.

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ballista_core::config::TaskSchedulingPolicy;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use drystone_core::{Error, Registry, Result};

use crate::codec::StepCodec;
use crate::mapper::Workshop;
use crate::{MAX_MESSAGE, failed, rest};

/// Between two attempts to reach the scheduler.
const RETRY: Duration = Duration::from_millis(500);
/// Between two looks whether the scheduler has this worker in its list.
const LOOK: Duration = Duration::from_millis(50);
/// The memory of the engine itself, which only passes partials on.
const ENGINE_MEMORY: u64 = 256 << 20;

/// What a worker is to do.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// The scheduler's address, as in `127.0.0.1:8786`.
    pub scheduler: String,
    /// A name that no other worker has; by default one is made up.
    pub name: Option<String>,
    /// Tasks at a time: threads that map blocks.
    pub slots: usize,
    /// Bytes of blocks that are kept between steps.
    pub memory_budget: u64,
    /// How often it says that it lives.
    pub heartbeat: Duration,
    /// How long it tries to reach the scheduler before it gives up.
    pub connect_timeout: Duration,
}

impl WorkerOptions {
    /// A slot for each core, half of the memory for blocks, half a minute to connect.
    #[must_use]
    pub fn new(scheduler: impl Into<String>) -> Self {
        Self {
            scheduler: scheduler.into(),
            name: None,
            slots: std::thread::available_parallelism().map_or(1, usize::from),
            memory_budget: drystone_core::memory::default_budget(),
            heartbeat: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(30),
        }
    }
}

/// Serves a scheduler with the jobs and sources of a registry, until the process is told to end
/// (SIGINT, SIGTERM) or the engine fails. What it comes to is said line by line.
///
/// # Errors
/// [`Worker`](drystone_core::ErrorKind::Worker) when the scheduler is not there within the
/// connect timeout; [`Parameter`](drystone_core::ErrorKind::Parameter) for no slots, or an
/// address that is none; the engine's.
pub async fn run_worker(
    registry: Registry,
    options: WorkerOptions,
    say: impl Fn(&str),
) -> Result<()> {
    if options.slots == 0 {
        return Err(Error::parameter("slots", "at least 1", 0));
    }
    let (host, port) = address(&options.scheduler)?;
    connect(&options, &say).await?;
    let name = options.name.clone().unwrap_or_else(made_up_name);
    let work_dir = tempfile::Builder::new().prefix("drystone-worker-").tempdir();
    let work_dir = work_dir.map_err(|error| Error::io("cannot make a directory", error))?;
    let [flight, grpc] = free_ports()?;
    let workshop = Arc::new(Workshop::new(registry, options.memory_budget));
    let config = ExecutorProcessConfig {
        executor_id: name.clone(),
        bind_host: Ipv4Addr::LOCALHOST.to_string(),
        external_host: Some(Ipv4Addr::LOCALHOST.to_string()),
        port: flight,
        grpc_port: grpc,
        scheduler_host: host,
        scheduler_port: port,
        scheduler_connect_timeout_seconds: options.connect_timeout.as_secs().max(1) as u16,
        vcores: options.slots,
        work_dir: Some(work_dir.path().to_string_lossy().into_owned()),
        executor_heartbeat_interval_seconds: options.heartbeat.as_secs().max(1),
        task_scheduling_policy: TaskSchedulingPolicy::PushStaged,
        grpc_max_decoding_message_size: MAX_MESSAGE,
        grpc_max_encoding_message_size: MAX_MESSAGE,
        memory_pool_size: Some(ENGINE_MEMORY),
        override_physical_codec: Some(Arc::new(StepCodec::of_worker(workshop))),
        ..Default::default()
    };
    let process = start_executor_process(Arc::new(config));
    tokio::pin!(process);
    tokio::select! {
        ended = &mut process => return ended.map_err(failed),
        () = listed(&options.scheduler, &name) => {}
    }
    let slots = if options.slots == 1 { "1 slot" } else { &format!("{} slots", options.slots) };
    say(&format!("worker {name} is connected to {}: {slots}", options.scheduler));
    process.await.map_err(failed)
}

/// The host and the port of `host:port`.
fn address(scheduler: &str) -> Result<(String, u16)> {
    let parts = scheduler.rsplit_once(':');
    let parts = parts.and_then(|(host, port)| Some((host, port.parse().ok()?)));
    match parts {
        Some((host, port)) if !host.is_empty() => Ok((host.to_owned(), port)),
        _ => Err(Error::parameter("scheduler", "an address, as in 127.0.0.1:8786", scheduler)),
    }
}

/// Tries until the scheduler answers or time is over; says each failure.
async fn connect(options: &WorkerOptions, say: &impl Fn(&str)) -> Result<()> {
    let started = Instant::now();
    loop {
        let Err(error) = rest::workers(&options.scheduler).await else { return Ok(()) };
        let left = options.connect_timeout.saturating_sub(started.elapsed());
        if left < RETRY {
            let seconds = options.connect_timeout.as_secs();
            say(&format!("{error}; giving up after {seconds} s: is it running there?"));
            return Err(error);
        }
        say(&format!("{error}; trying again for {} s", left.as_secs()));
        tokio::time::sleep(RETRY).await;
    }
}

/// Until the scheduler has a worker of this name.
async fn listed(scheduler: &str, name: &str) {
    loop {
        let workers = rest::workers(scheduler).await.unwrap_or_default();
        if workers.iter().any(|worker| worker.name == name) {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn made_up_name() -> String {
    let id = ballista_core::ids::new_instance_id();
    format!("worker-{}", id.get(id.len().saturating_sub(8)..).unwrap_or(&id))
}

/// Ports that nobody listens on. Somebody may by the time that they are used: then the worker
/// fails to start, and says so.
fn free_ports() -> Result<[u16; 2]> {
    let any = || {
        let listener = TcpListener::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), 0))?;
        Ok((listener.local_addr()?.port(), listener))
    };
    let both = any().and_then(|first| Ok([first, any()?]));
    let both = both.map_err(|error: std::io::Error| Error::io("cannot listen", error))?;
    Ok(both.map(|(port, _)| port))
}
