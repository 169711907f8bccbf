//! The engine's part of a worker: tasks come in on its port, and their results are fetched there.

use std::sync::Arc;

use arrow_flight::flight_service_server::FlightServiceServer;
use ballista_core::BALLISTA_PROTOCOL_VERSION;
use ballista_core::config::{
    BALLISTA_CLIENT_IO_RETRIES_TIMES, BALLISTA_CLIENT_IO_RETRY_WAIT_TIME_MS,
};
use ballista_core::extension::SessionConfigExt;
use ballista_core::serde::protobuf::executor_grpc_server::ExecutorGrpcServer;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{ExecutorRegistration, ExecutorSpecification};
use ballista_executor::executor::Executor;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::SessionConfig;
use drystone_core::{Error, Result};
use tonic::service::Routes;

use super::files::Results;
use super::scratch::Scratch;
use super::service::{self, Tasks};
use super::task::Tools;
use super::{WorkerOptions, Workshop};
use crate::endpoint::{secured, to_scheduler};
use crate::link::WorkerHello;
use crate::trust::Trust;
use crate::{MAX_MESSAGE, engine_failed};

/// The engine of a worker; the results of its tasks go with it.
pub(super) struct Engine {
    tasks: Tasks,
    work_dir: String,
    _directory: Scratch,
}

impl Engine {
    /// Gets ready to run tasks; their ends are told to the scheduler from now on.
    pub fn start(
        options: &WorkerOptions,
        hello: &WorkerHello,
        workshop: &Arc<Workshop>,
    ) -> Result<Self> {
        let directory = Scratch::new()?;
        let work_dir = directory.path().to_string_lossy().into_owned();
        let executor = executor(&options.trust, hello, &work_dir)?;
        let tools = Tools::new(executor, &options.trust, workshop).map_err(engine_failed)?;
        let (tasks, ends) = Tasks::new(tools, hello.slots);
        let scheduler = scheduler(&options.trust, &options.scheduler)?;
        tokio::spawn(service::tell(ends, hello.name.clone(), scheduler));
        Ok(Self { tasks, work_dir, _directory: directory })
    }

    /// Returns when results of tasks cannot be written any more, as on a full disk.
    pub async fn broken(&self) -> Error {
        let action = format!("cannot write results below {}: this worker leaves", self.work_dir);
        Error::io(&action, self.tasks.broken().await)
    }

    /// What the worker answers on its port.
    pub fn routes(&self) -> axum::Router {
        let size = MAX_MESSAGE as usize;
        let tasks = ExecutorGrpcServer::new(self.tasks.clone());
        let tasks = tasks.max_decoding_message_size(size).max_encoding_message_size(size);
        let results = FlightServiceServer::new(Results::new(self.work_dir.clone()));
        let results = results.max_decoding_message_size(1 << 20).max_encoding_message_size(size);
        Routes::new(tasks).add_service(results).into_axum_router()
    }
}

fn executor(trust: &Trust, hello: &WorkerHello, work_dir: &str) -> Result<Executor> {
    let metadata = ExecutorRegistration {
        id: hello.name.clone(),
        host: Some(hello.host.clone()),
        port: u32::from(hello.port),
        grpc_port: u32::from(hello.port),
        specification: Some(ExecutorSpecification::default()),
        os_info: None,
        ballista_protocol_version: BALLISTA_PROTOCOL_VERSION,
    };
    let runtime = RuntimeEnvBuilder::new().with_temp_file_path(work_dir).build_arc();
    let runtime = runtime.map_err(|error| engine_failed(error.into()))?;
    let config = session_config(trust);
    Ok(Executor::new_basic(
        metadata,
        work_dir,
        Arc::new(move |_| Ok(Arc::clone(&runtime))),
        Arc::new(move || config.clone()),
        hello.slots,
    ))
}

/// How tasks fetch the results of others.
fn session_config(trust: &Trust) -> SessionConfig {
    SessionConfig::new_with_ballista()
        .with_ballista_use_tls(trust.is_tls())
        .with_ballista_override_create_grpc_client_endpoint(secured(trust))
        .with_ballista_grpc_client_max_message_size(MAX_MESSAGE as usize)
        // The engine makes a result again that cannot be fetched: it need not be waited for.
        .set_str(BALLISTA_CLIENT_IO_RETRIES_TIMES, "1")
        .set_str(BALLISTA_CLIENT_IO_RETRY_WAIT_TIME_MS, "50")
}

/// Calls to the scheduler, over a connection that is made when it is needed.
fn scheduler(
    trust: &Trust,
    address: &str,
) -> Result<SchedulerGrpcClient<tonic::transport::Channel>> {
    let size = MAX_MESSAGE as usize;
    let client = SchedulerGrpcClient::new(to_scheduler(trust, address)?);
    Ok(client.max_decoding_message_size(size).max_encoding_message_size(size))
}
