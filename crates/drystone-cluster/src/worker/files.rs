//! The results of tasks, which others fetch: small files in a directory of the worker's own.

use std::path::Path;
use std::pin::Pin;

use arrow_flight::flight_service_server::FlightService;
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightInfo,
    HandshakeRequest, HandshakeResponse, PollInfo, PutResult, SchemaResult, Ticket,
};
use async_trait::async_trait;
use ballista_core::serde::decode_protobuf;
use ballista_core::serde::scheduler::Action as Fetch;
use ballista_executor::flight_service::BallistaFlightService;
use futures::Stream;
use tonic::{Request, Response, Status, Streaming};

/// The name of a job is a directory: letters and digits only, so that it leads nowhere else.
pub(super) fn check_job_id(job_id: &str) -> Result<(), String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    match (1..=64).contains(&job_id.len()) && job_id.bytes().all(fits) {
        true => Ok(()),
        false => Err("that is no name of a job".to_owned()),
    }
}

/// Removes the results of some stages of a job, or of all.
pub(super) async fn remove_results(work_dir: &str, job_id: &str, stages: &[u32]) {
    let job = Path::new(work_dir).join(job_id);
    // What is not there need not be removed; the directory goes when the worker ends.
    if stages.is_empty() {
        let _ = tokio::fs::remove_dir_all(job).await;
        return;
    }
    for stage in stages {
        let _ = tokio::fs::remove_dir_all(job.join(stage.to_string())).await;
    }
}

/// Writes as much as a small result, and removes it: whether the directory still takes any.
pub(super) async fn probe(work_dir: &str) -> std::io::Result<()> {
    // No job has such a name.
    let file = Path::new(work_dir).join(".probe");
    let written = tokio::fs::write(&file, [0; 64 << 10]).await;
    let _ = tokio::fs::remove_file(&file).await;
    written
}

/// Serves results, and nothing but results.
pub(super) struct Results(BallistaFlightService);

impl Results {
    pub fn new(work_dir: String) -> Self {
        Self(BallistaFlightService::new(work_dir))
    }
}

/// Whether the bytes ask for the result of a task.
fn check(bytes: &[u8]) -> Result<(), Status> {
    let action =
        decode_protobuf(bytes).map_err(|error| Status::invalid_argument(error.to_string()))?;
    match action {
        Fetch::FetchPartition { job_id, .. } => {
            check_job_id(job_id.as_str()).map_err(Status::invalid_argument)
        }
    }
}

fn nothing_else<T>() -> Result<T, Status> {
    Err(Status::unimplemented("a worker serves results of tasks, and nothing else"))
}

type Boxed<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send + 'static>>;

#[async_trait]
impl FlightService for Results {
    type DoActionStream = Boxed<arrow_flight::Result>;
    type DoExchangeStream = Boxed<FlightData>;
    type DoGetStream = Boxed<FlightData>;
    type DoPutStream = Boxed<PutResult>;
    type HandshakeStream = Boxed<HandshakeResponse>;
    type ListActionsStream = Boxed<ActionType>;
    type ListFlightsStream = Boxed<FlightInfo>;

    async fn do_get(
        &self,
        request: Request<Ticket>,
    ) -> Result<Response<Self::DoGetStream>, Status> {
        check(&request.get_ref().ticket)?;
        self.0.do_get(request).await
    }

    async fn do_action(
        &self,
        request: Request<Action>,
    ) -> Result<Response<Self::DoActionStream>, Status> {
        check(&request.get_ref().body)?;
        self.0.do_action(request).await
    }

    async fn handshake(
        &self,
        _: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Self::HandshakeStream>, Status> {
        nothing_else()
    }

    async fn list_flights(
        &self,
        _: Request<Criteria>,
    ) -> Result<Response<Self::ListFlightsStream>, Status> {
        nothing_else()
    }

    async fn get_flight_info(
        &self,
        _: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        nothing_else()
    }

    async fn poll_flight_info(
        &self,
        _: Request<FlightDescriptor>,
    ) -> Result<Response<PollInfo>, Status> {
        nothing_else()
    }

    async fn get_schema(
        &self,
        _: Request<FlightDescriptor>,
    ) -> Result<Response<SchemaResult>, Status> {
        nothing_else()
    }

    async fn do_put(
        &self,
        _: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoPutStream>, Status> {
        nothing_else()
    }

    async fn list_actions(
        &self,
        _: Request<Empty>,
    ) -> Result<Response<Self::ListActionsStream>, Status> {
        nothing_else()
    }

    async fn do_exchange(
        &self,
        _: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoExchangeStream>, Status> {
        nothing_else()
    }
}
