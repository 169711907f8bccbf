//! What can be said on the command line.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, value_parser};
use drystone_cluster::{DASHBOARD_PORT, DEFAULT_PORT, SchedulerOptions, Trust, WorkerOptions, tls};
use drystone_core::{Error, Result, memory};

use crate::tls::TlsCommand;

/// Machine learning over datasets larger than memory: the processes of a cluster.
#[derive(Parser, Debug)]
#[command(name = "drystone", version)]
pub struct Flags {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Where workers and drivers meet
    Scheduler(SchedulerFlags),
    /// Map blocks for a scheduler
    Worker(WorkerFlags),
    /// A scheduler and workers on this machine, for trying out
    Cluster(ClusterFlags),
    /// What a scheduler knows of its workers, and what drivers do
    Status(StatusFlags),
    /// Keys for a cluster of several machines
    #[command(subcommand)]
    Tls(TlsCommand),
}

/// Whom a process believes.
#[derive(Args, Clone, Debug)]
pub struct TrustFlags {
    /// Directory with ca.pem, cert.pem and key.pem, as `drystone tls init` makes it: encrypted,
    /// and for those alone who have a certificate of the same authority
    #[arg(
        long,
        value_name = "DIR",
        env = "DRYSTONE_TLS",
        hide_env_values = true,
        conflicts_with = "insecure"
    )]
    tls: Option<PathBuf>,
    /// Believe everybody, unencrypted: who connects can run any job and read any file that
    /// workers can
    #[arg(long)]
    insecure: bool,
}

impl TrustFlags {
    pub fn trust(&self) -> Result<Trust> {
        match &self.tls {
            Some(dir) => Ok(Trust::Tls(tls::Identity::load(dir)?)),
            None if self.insecure => Ok(Trust::Insecure),
            None => Trust::of_user(),
        }
    }
}

#[derive(Args, Debug)]
pub struct SchedulerFlags {
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value_t = SocketAddr::from(([127, 0, 0, 1], DEFAULT_PORT)))]
    bind: SocketAddr,
    /// Where to serve the dashboard, on loopback only; a free port if this one is taken
    #[arg(long, default_value_t = SocketAddr::from(([127, 0, 0, 1], DASHBOARD_PORT)))]
    dashboard: SocketAddr,
    /// Seconds without a word after which a worker counts as dead
    #[arg(long, value_name = "SECONDS", default_value_t = 4.0, value_parser = seconds(1.0, 3600.0))]
    worker_timeout: f64,
    #[command(flatten)]
    pub trust: TrustFlags,
}

impl SchedulerFlags {
    /// The command that starts a worker for a scheduler that listens here.
    pub fn worker_command(&self, address: SocketAddr, trust: &Trust) -> String {
        let mut host = match address.ip() {
            ip if ip.is_unspecified() => this_machine(),
            IpAddr::V6(ip) => format!("[{ip}]"),
            IpAddr::V4(ip) => ip.to_string(),
        };
        let mut own = if address.ip().is_loopback() { "" } else { " --bind 0.0.0.0:0 --host NAME" };
        if let Trust::Tls(identity) = trust {
            host = identity.name_or(&host).unwrap_or(host);
            // A worker has its name from its certificate.
            own = own.trim_end_matches(" --host NAME");
        }
        format!("drystone worker {host}:{}{own}{}", address.port(), trust.flag())
    }

    pub fn options(&self) -> Result<SchedulerOptions> {
        let mut options = SchedulerOptions::new(self.trust.trust()?);
        (options.bind, options.dashboard) = (self.bind, self.dashboard);
        options.worker_timeout = Duration::from_secs_f64(self.worker_timeout);
        Ok(options)
    }
}

#[derive(Args, Debug)]
pub struct WorkerFlags {
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
    /// Open files below this directory only
    #[arg(long, value_name = "DIR", default_value = ".")]
    data_root: PathBuf,
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    bind: SocketAddr,
    /// Name or address by which others reach this worker [default: the address of --bind, or the first name of the certificate if that is not for it]
    #[arg(long)]
    host: Option<String>,
    /// Seconds between two signs of life
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = seconds(0.1, 600.0))]
    heartbeat: f64,
    /// Seconds to reach the scheduler in; one that was there and is gone is waited for ten minutes
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = value_parser!(u64).range(1..=86400))]
    connect_timeout: u64,
    #[command(flatten)]
    trust: TrustFlags,
}

impl WorkerFlags {
    pub fn options(self) -> Result<WorkerOptions> {
        let mut options = WorkerOptions::new(self.scheduler, self.trust.trust()?);
        options.slots = self.slots.unwrap_or(options.slots);
        if let Some(size) = &self.memory {
            options.memory_budget = memory_flag(size)?;
        }
        (options.name, options.host) = (self.name, self.host);
        (options.bind, options.data_root) = (self.bind, self.data_root);
        options.heartbeat = Duration::from_secs_f64(self.heartbeat);
        options.connect_timeout = Duration::from_secs(self.connect_timeout);
        Ok(options)
    }
}

#[derive(Args, Debug)]
pub struct ClusterFlags {
    /// Workers, each a process of its own
    #[arg(long, default_value_t = 2, value_parser = value_parser!(u16).range(1..=256))]
    pub workers: u16,
    /// Tasks at a time of each worker
    #[arg(long, default_value_t = 1)]
    pub slots: usize,
    /// Memory of each worker for blocks [default: half of what is available, shared out]
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<String>,
    /// Where the scheduler listens; port 0 takes a free one
    #[arg(long, default_value_t = SocketAddr::from(([127, 0, 0, 1], DEFAULT_PORT)))]
    pub bind: SocketAddr,
    /// Where to serve the dashboard; a free port if this one is taken
    #[arg(long, default_value_t = SocketAddr::from(([127, 0, 0, 1], DASHBOARD_PORT)))]
    pub dashboard: SocketAddr,
    /// Open files below this directory only
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub data_root: PathBuf,
}

#[derive(Args, Debug)]
pub struct StatusFlags {
    /// The scheduler's address
    #[arg(default_value_t = format!("127.0.0.1:{DEFAULT_PORT}"))]
    pub scheduler: String,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Print it each second, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    #[command(flatten)]
    pub trust: TrustFlags,
}

/// Reads seconds between two limits.
fn seconds(least: f64, most: f64) -> impl Fn(&str) -> Result<f64, String> + Clone + Send + Sync {
    move |text| match text.parse::<f64>() {
        Ok(seconds) if (least..=most).contains(&seconds) => Ok(seconds),
        _ => Err(format!("expected {least} to {most} seconds")),
    }
}

/// What `--memory` says.
pub fn memory_flag(size: &str) -> Result<u64> {
    let expected = "a number with a unit, as in 512MiB or 8GB";
    memory::parse_bytes(size)
        .map_err(|_| Error::parameter("--memory", expected, format!("{size:?}")))
}

/// Shares the memory that workers on one machine may keep blocks in.
pub fn share_of_memory(workers: u16) -> Result<u64> {
    let share = memory::default_budget() / u64::from(workers);
    if share == 0 {
        return Err(Error::parameter("workers", "fewer: there is no memory left", workers));
    }
    Ok(share)
}

/// The name that this machine has for itself, which others most likely know it by.
fn this_machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
