//! The process that workers and drivers meet at: Ballista's scheduler with our placement, and
//! with nothing but what drystone needs of it.

mod board;
mod launcher;
mod links;
mod placement;
mod service;

pub use board::{FitState, PassState, State, WorkerState};

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::serde::protobuf::scheduler_grpc_server::SchedulerGrpcServer;
use ballista_core::serde::{BallistaCodec, BallistaLogicalExtensionCodec};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::{SchedulerConfig, TaskDistributionPolicy};
use ballista_scheduler::metrics::NoopMetricsCollector;
use ballista_scheduler::scheduler_server::{SchedulerServer, SessionBuilder};
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use drystone_core::{Error, ErrorKind, Result};
use tokio::net::{TcpListener, TcpSocket};
use tonic::service::Routes;

use crate::codec::StepCodec;
use crate::endpoint::secured;
use crate::serve::{self, Say, Stop};
use crate::trust::Trust;
use crate::{MAX_MESSAGE, dashboard, engine_failed};

pub(crate) use board::Board;
use launcher::Launcher;
use links::Links;
use placement::Pinned;
use service::{Numbers, Steps};

/// The engine's own time-out of workers, which goes by a clock that may jump: ours does not.
const NEVER: u64 = 10 * 365 * 24 * 3600;
/// How long the engine remembers finished steps.
const KEPT: u64 = 30;

pub(crate) type Server = SchedulerServer<LogicalPlanNode, PhysicalPlanNode>;

/// What a scheduler is to do.
#[derive(Clone, Debug)]
pub struct SchedulerOptions {
    /// Where it listens; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Where it serves its dashboard, on loopback only; port 0 takes a free one.
    pub dashboard: SocketAddr,
    /// A worker that has not been heard of for so long counts as dead.
    pub worker_timeout: Duration,
    /// How it and the others know each other.
    pub trust: Trust,
}

impl SchedulerOptions {
    /// On the usual ports of this machine alone; workers are dead after four silent seconds.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            bind: loopback(crate::DEFAULT_PORT),
            dashboard: loopback(crate::DASHBOARD_PORT),
            worker_timeout: Duration::from_secs(4),
            trust,
        }
    }
}

/// A scheduler that listens, and does not answer yet.
pub struct Scheduler {
    listener: TcpListener,
    address: SocketAddr,
    dashboard: dashboard::Listening,
    options: SchedulerOptions,
    say: Say,
}

impl Scheduler {
    /// Takes the addresses. A dashboard's port that is taken is exchanged for a free one. What
    /// comes up later, such as peers that are refused, is said line by line.
    ///
    /// # Errors
    /// [`Parameter`](drystone_core::ErrorKind::Parameter) for an address that other machines
    /// reach, unless there is TLS or it is said to be insecure;
    /// [`Io`](drystone_core::ErrorKind::Io) when the address is taken.
    pub async fn bind(options: SchedulerOptions, say: Say) -> Result<Self> {
        options.trust.check_bind(options.bind)?;
        let listener = listen(options.bind).map_err(|error| cannot_listen(options.bind, error))?;
        let address = listener.local_addr();
        let address = address.map_err(|error| Error::io("cannot find the address", error))?;
        let dashboard = dashboard::listen(options.dashboard).await?;
        Ok(Self { listener, address, dashboard, options, say })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where a browser on this machine finds its dashboard, with what it has to know.
    #[must_use]
    pub fn dashboard(&self) -> &str {
        &self.dashboard.url
    }

    /// Serves workers and drivers until told to stop.
    ///
    /// # Errors
    /// The engine's; [`Worker`](drystone_core::ErrorKind::Worker) when it has ended by itself.
    pub async fn serve(self, mut stop: Stop) -> Result<()> {
        let board = Arc::new(Board::new(self.address, self.dashboard.url.clone()));
        let server = self.start_engine(&board).await?;
        let links = Links::new(&board, &server, &self.options, &self.say);
        let steps = Steps::new(server);
        let dead = steps.dead();
        let steps = SchedulerGrpcServer::new(steps)
            .max_decoding_message_size(MAX_MESSAGE as usize)
            .max_encoding_message_size(MAX_MESSAGE as usize);
        let routes = Routes::new(steps).into_axum_router().merge(links.routes());
        let serving = serve::serve(self.listener, &self.options.trust, routes, self.say.clone());
        tokio::select! {
            ended = serving => ended,
            ended = self.dashboard.serve(board) => ended,
            () = dead.notified() => {
                let found = "the engine has ended by an error of its own: start the scheduler again, \
                             and workers and drivers go on";
                Err(ErrorKind::Worker { found: found.to_owned() }.into())
            }
            () = stop.asked() => Ok(()),
        }
    }

    async fn start_engine(&self, board: &Arc<Board>) -> Result<Server> {
        let trust = &self.options.trust;
        let config = SchedulerConfig {
            bind_host: self.address.ip().to_string(),
            external_host: self.address.ip().to_string(),
            bind_port: self.address.port(),
            scheduling_policy: TaskSchedulingPolicy::PushStaged,
            executor_timeout_seconds: NEVER,
            expire_dead_executor_interval_seconds: KEPT,
            no_executors_grace_period_seconds: NEVER,
            finished_job_data_clean_up_interval_seconds: KEPT,
            finished_job_state_clean_up_interval_seconds: KEPT,
            grpc_client_max_message_size: MAX_MESSAGE,
            use_tls: trust.is_tls(),
            override_create_grpc_client_endpoint: Some(secured(trust)),
            override_session_builder: Some(bare_sessions()?),
            task_distribution: TaskDistributionPolicy::Custom(Arc::new(Pinned::new(board))),
            job_id_generator: Some(Arc::new(Numbers)),
            ..Default::default()
        };
        let cluster = BallistaCluster::new_from_config(&config).await.map_err(engine_failed)?;
        let codec = BallistaCodec::new(
            Arc::new(BallistaLogicalExtensionCodec::default()),
            Arc::new(StepCodec::default()),
        );
        let (metrics, address) = (Arc::<NoopMetricsCollector>::default(), self.address.to_string());
        let launcher = Arc::new(Launcher { address: address.clone() });
        let config = Arc::new(config);
        let mut server =
            Server::new_with_task_launcher(address, cluster, codec, config, metrics, launcher);
        server.init().await.map_err(engine_failed)?;
        Ok(server)
    }
}

/// Sessions of the engine without functions, tables and optimizers, which our plans do not use:
/// the engine asks for one for each step, and making all of that took most of a step's time. All
/// are copies of one.
fn bare_sessions() -> Result<SessionBuilder> {
    let runtime = RuntimeEnvBuilder::new().build_arc();
    let runtime = runtime.map_err(|error| engine_failed(error.into()))?;
    let config = SessionConfig::new().with_round_robin_repartition(false);
    let state = SessionStateBuilder::new().with_config(config).with_runtime_env(runtime).build();
    Ok(Arc::new(move |_| Ok(state.clone())))
}

fn cannot_listen(address: SocketAddr, error: io::Error) -> Error {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!(
                ": is a scheduler there already (`drystone status {address}`)? Another port, as \
                     a free one with `--bind 127.0.0.1:0`, will do"
            )
        }
        _ => String::new(),
    };
    Error::io(&format!("cannot listen on {address}{hint}"), error)
}

/// A listener whose connections send small messages at once: they would wait 40 ms otherwise.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    socket.listen(1024)
}
