//! The process that workers and drivers meet at: Ballista's scheduler with our placement.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::{SchedulerConfig, TaskDistributionPolicy};
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use drystone_core::{Error, Result};
use tokio::net::{TcpListener, TcpSocket};

use crate::codec::StepCodec;
use crate::placement::Pinned;
use crate::{MAX_MESSAGE, failed};

/// How long finished steps are remembered.
const KEPT: Duration = Duration::from_secs(60);

/// What a scheduler is to do.
#[derive(Clone, Debug)]
pub struct SchedulerOptions {
    /// Where it listens; port 0 takes a free one.
    pub bind: SocketAddr,
    /// A worker that has not been heard of for so long counts as dead.
    pub worker_timeout: Duration,
    /// How long steps wait for a worker when there is none.
    pub no_workers_grace: Duration,
}

impl Default for SchedulerOptions {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], crate::DEFAULT_PORT)),
            worker_timeout: Duration::from_secs(4),
            no_workers_grace: Duration::from_secs(60),
        }
    }
}

/// A scheduler that listens, and does not answer yet.
pub struct Scheduler {
    listener: TcpListener,
    address: SocketAddr,
    options: SchedulerOptions,
}

impl Scheduler {
    /// Takes the address.
    ///
    /// # Errors
    /// [`Parameter`](drystone_core::ErrorKind::Parameter) for an address that other machines
    /// reach: connections are not encrypted yet, and whoever connects is believed;
    /// [`Io`](drystone_core::ErrorKind::Io) when the address is taken.
    pub fn bind(options: SchedulerOptions) -> Result<Self> {
        if !options.bind.ip().is_loopback() {
            let expected = "an address of this machine alone, as 127.0.0.1: there is no TLS yet";
            return Err(Error::parameter("bind", expected, options.bind));
        }
        let listener = listen(options.bind)
            .map_err(|error| Error::io(&format!("cannot listen on {}", options.bind), error))?;
        let address = listener.local_addr();
        let address = address.map_err(|error| Error::io("cannot find the address", error))?;
        Ok(Self { listener, address, options })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves workers and drivers until the process ends.
    ///
    /// # Errors
    /// The engine's.
    pub async fn serve(self) -> Result<()> {
        let seconds = |duration: Duration| duration.as_secs().max(1);
        let config = SchedulerConfig {
            bind_host: self.address.ip().to_string(),
            external_host: self.address.ip().to_string(),
            bind_port: self.address.port(),
            scheduling_policy: TaskSchedulingPolicy::PushStaged,
            executor_timeout_seconds: seconds(self.options.worker_timeout),
            expire_dead_executor_interval_seconds: 1,
            no_executors_grace_period_seconds: seconds(self.options.no_workers_grace),
            finished_job_data_clean_up_interval_seconds: KEPT.as_secs(),
            finished_job_state_clean_up_interval_seconds: KEPT.as_secs(),
            grpc_server_max_decoding_message_size: MAX_MESSAGE,
            grpc_server_max_encoding_message_size: MAX_MESSAGE,
            grpc_client_max_message_size: MAX_MESSAGE,
            override_physical_codec: Some(Arc::new(StepCodec::default())),
            ..Default::default()
        };
        let cluster = BallistaCluster::new_from_config(&config).await.map_err(failed)?;
        let policy = Pinned { cluster: cluster.cluster_state() };
        let task_distribution = TaskDistributionPolicy::Custom(Arc::new(policy));
        let config = Arc::new(SchedulerConfig { task_distribution, ..config });
        let scheduler = create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, config);
        let scheduler = scheduler.await.map_err(failed)?;
        start_grpc_service_with_listener(self.listener, scheduler).await.map_err(failed)
    }
}

/// A listener whose connections send small messages at once: they would wait 40 ms otherwise.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    socket.listen(1024)
}
