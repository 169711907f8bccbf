//! The process that maps blocks: Ballista's executor, assembled so that it runs nothing but
//! drystone's steps, on one port that only those get past whom we trust.

mod engine;
mod files;
mod membership;
mod scratch;
mod service;
mod task;
mod workshop;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use drystone_core::{Error, Registry, Result};
use tokio::net::TcpListener;

use crate::link::http::split_address;
use crate::link::{MAX_NAME, WorkerHello};
use crate::serve::{self, Say, Stop};
use crate::trust::Trust;

use engine::Engine;
use membership::Membership;
pub(crate) use workshop::Workshop;

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
    /// Files are opened below this directory only.
    pub data_root: PathBuf,
    /// Where it listens; port 0 takes a free one.
    pub bind: SocketAddr,
    /// The name or address by which others reach it; by default the address that it listens on,
    /// or with TLS the first name of its certificate if that is not for the address.
    pub host: Option<String>,
    /// How often it says that it lives.
    pub heartbeat: Duration,
    /// How long it tries to reach the scheduler before it gives up. One that it was connected to
    /// is waited for ten minutes, if that is longer: longer than drivers wait.
    pub connect_timeout: Duration,
    /// How it and the others know each other.
    pub trust: Trust,
}

impl WorkerOptions {
    /// A slot for each core, half of the memory for blocks, files below the current directory,
    /// half a minute to connect.
    #[must_use]
    pub fn new(scheduler: impl Into<String>, trust: Trust) -> Self {
        Self {
            scheduler: scheduler.into(),
            name: None,
            slots: std::thread::available_parallelism().map_or(1, usize::from),
            memory_budget: drystone_core::memory::default_budget(),
            data_root: PathBuf::from("."),
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            host: None,
            heartbeat: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(30),
            trust,
        }
    }

    fn check(&self) -> Result<()> {
        let (scheduler, _) = split_address(&self.scheduler)?;
        self.trust.check_host("scheduler", scheduler)?;
        if !(1..=MAX_SLOTS).contains(&self.slots) {
            return Err(Error::parameter("slots", format!("1 to {MAX_SLOTS}"), self.slots));
        }
        let name = self.name.as_deref().unwrap_or("worker");
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(fits) {
            return Err(Error::parameter("name", "letters, digits, and - _ . only", name));
        }
        self.trust.check_bind(self.bind)
    }

    fn host(&self) -> Result<String> {
        let bracketed = |ip: IpAddr| match ip {
            IpAddr::V6(ip) => format!("[{ip}]"),
            IpAddr::V4(ip) => ip.to_string(),
        };
        match (&self.host, self.bind.ip(), &self.trust) {
            (Some(host), _, _) => Ok(host.parse().map_or_else(|_| host.clone(), bracketed)),
            (None, ip, Trust::Tls(identity)) => identity.name_or(&bracketed(ip)),
            (None, ip, _) if ip.is_unspecified() => {
                let expected = "the name or address by which others reach this worker, when it \
                                listens on all";
                Err(Error::parameter("host", expected, "none"))
            }
            (None, ip, _) => Ok(bracketed(ip)),
        }
    }
}

/// Most slots of a worker: more is a mistake in typing.
const MAX_SLOTS: usize = 4096;

/// Serves a scheduler with the jobs and sources of a registry until told to stop: then it
/// finishes what it maps, and leaves. What it comes to is said line by line.
///
/// # Errors
/// [`Worker`](drystone_core::ErrorKind::Worker) when the scheduler is not there within the
/// connect timeout, or refuses this worker; [`Parameter`](drystone_core::ErrorKind::Parameter)
/// for options that are not allowed; [`Io`](drystone_core::ErrorKind::Io) when it cannot listen,
/// or results cannot be written any more, as on a full disk.
pub async fn run_worker(
    mut registry: Registry,
    options: WorkerOptions,
    stop: Stop,
    say: Say,
) -> Result<()> {
    options.check()?;
    let host = options.host()?;
    if let Trust::Tls(identity) = &options.trust {
        identity.check_name(&host)?;
    }
    registry.data_root(&options.data_root)?;
    let listener = TcpListener::bind(options.bind).await;
    let listener = listener
        .map_err(|error| Error::io(&format!("cannot listen on {}", options.bind), error))?;
    let address = listener.local_addr();
    let address = address.map_err(|error| Error::io("cannot find the address", error))?;
    let name = options.name.clone().unwrap_or_else(made_up_name);
    let workshop = Arc::new(Workshop::new(&name, registry, options.memory_budget));
    let hello = WorkerHello {
        version: crate::link::VERSION.to_owned(),
        name,
        host,
        port: address.port(),
        slots: options.slots,
        memory_budget: options.memory_budget,
        pid: std::process::id(),
    };
    let engine = Engine::start(&options, &hello, &workshop)?;
    let membership = Membership { options: &options, hello: &hello, workshop: &workshop };
    let lines = |line: &str| say(line);
    tokio::select! {
        ended = serve::serve(listener, &options.trust, engine.routes(), say.clone()) => ended,
        left = membership.keep(stop, lines) => left,
        error = engine.broken() => Err(error),
    }
}

/// Serves a scheduler as [`run_worker`] does, on threads of its own, until Ctrl-C or SIGTERM:
/// for a `main` that has no runtime.
///
/// # Errors
/// Those of [`run_worker`]; [`Io`](drystone_core::ErrorKind::Io) when threads cannot be started.
pub fn serve_worker(registry: Registry, options: WorkerOptions, say: Say) -> Result<()> {
    serve::allow_many_files();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::io("cannot start threads", error))?;
    runtime.block_on(async { run_worker(registry, options, Stop::on_signals(), say).await })
}

fn made_up_name() -> String {
    let id = ballista_core::ids::new_instance_id();
    format!("worker-{}", id.get(id.len().saturating_sub(8)..).unwrap_or(&id))
}
