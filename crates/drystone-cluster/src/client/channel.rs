//! Submitting a step to the engine, and fetching what it comes to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ballista_core::client::BallistaClient;
use ballista_core::error::BallistaError;
use ballista_core::extension::BallistaConfigGrpcEndpoint;
use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{
    ExecuteQueryParams, PartitionLocation, SuccessfulJob, job_status,
};
use ballista_core::utils::create_grpc_client_endpoint;
use ballista_core::version::insert_version_header;
use datafusion::arrow::array::RecordBatch;
use datafusion_proto::physical_plan::AsExecutionPlan;
use datafusion_proto::protobuf::PhysicalPlanNode;
use drystone_core::{Error, ErrorKind, Result};
use futures::TryStreamExt;
use tonic::{Request, Status};

use crate::codec::StepCodec;
use crate::endpoint::secured;
use crate::message::{Body, Part, Run, Stage, Work};
use crate::trust::Trust;
use crate::{MAX_MESSAGE, engine_failed, node};

/// Attempts at fetching: the step is tried again anyway.
const FETCHES: u8 = 1;

/// One attempt at a step.
pub(super) struct Attempt<'a> {
    /// The same in each attempt.
    pub id: u64,
    pub runs: &'a [Run],
    pub work: &'a Work,
}

/// A connection to the engine's scheduler, which is made when it is needed.
pub(super) struct Channel {
    scheduler: SchedulerGrpcClient<tonic::transport::Channel>,
    trust: Trust,
    /// Connections to workers that results were fetched from.
    workers: Mutex<HashMap<(String, u16), BallistaClient>>,
}

impl Channel {
    /// Within a runtime only.
    pub fn new(scheduler: &str, trust: &Trust) -> Result<Self> {
        let endpoint = create_grpc_client_endpoint(format!("http://{scheduler}"), None);
        let endpoint = endpoint.map_err(Error::external)?;
        let endpoint = secured(trust)(endpoint).map_err(Error::external)?;
        let size = MAX_MESSAGE as usize;
        let scheduler = SchedulerGrpcClient::new(endpoint.connect_lazy());
        let scheduler = scheduler.max_encoding_message_size(size).max_decoding_message_size(size);
        Ok(Self { scheduler, trust: trust.clone(), workers: Mutex::default() })
    }

    /// What a step comes to. When this is dropped the scheduler cancels the step.
    ///
    /// # Errors
    /// [`Worker`](ErrorKind::Worker) for whatever the engine says.
    pub async fn run(&self, attempt: &Attempt<'_>) -> Result<Part> {
        let plan = encode(attempt)?;
        let query = ExecuteQueryParams {
            session_id: format!("{:016x}", attempt.id),
            settings: Vec::new(),
            operation_id: String::new(),
            query: Some(Query::PhysicalPlan(plan)),
        };
        let mut request = Request::new(query);
        insert_version_header(request.metadata_mut());
        let mut scheduler = self.scheduler.clone();
        let mut statuses =
            scheduler.execute_query_push(request).await.map_err(refused)?.into_inner();
        while let Some(update) = statuses.message().await.map_err(refused)? {
            match update.status.and_then(|status| status.status) {
                Some(job_status::Status::Successful(job)) => return self.fetch(job).await,
                Some(job_status::Status::Failed(failure)) => return Err(failed(failure.error)),
                _ => {}
            }
        }
        Err(failed("the scheduler ended before the step did".to_owned()))
    }

    async fn fetch(&self, job: SuccessfulJob) -> Result<Part> {
        let mut batches = Vec::new();
        for place in job.partition_location {
            batches.extend(self.fetch_from(place).await?);
        }
        node::answer(&batches).map_err(|error| engine_failed(error.into()))
    }

    async fn fetch_from(&self, place: PartitionLocation) -> Result<Vec<RecordBatch>> {
        let layout = place.layout();
        let (Some(worker), Some(partition)) = (place.executor_meta, place.partition_id) else {
            return Err(failed("a result that is nowhere".to_owned()));
        };
        let port = u16::try_from(worker.port).map_err(|_| failed("no such port".to_owned()))?;
        let (at, partition) = ((worker.host, port), partition.into());
        let mut client = self.client(&at).await?;
        let result = client.fetch_partition(&worker.id, &partition, place.file_id, layout, true);
        let batches = match result.await {
            Ok(result) => result.try_collect().await.map_err(BallistaError::from),
            Err(error) => Err(error),
        };
        batches.map_err(|error| {
            self.workers().remove(&at);
            engine_failed(error)
        })
    }

    fn workers(&self) -> MutexGuard<'_, HashMap<(String, u16), BallistaClient>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection to a worker: the one that there is, or else a new one.
    async fn client(&self, at: &(String, u16)) -> Result<BallistaClient> {
        let known = self.workers().get(at).cloned();
        if let Some(client) = known {
            return Ok(client);
        }
        let endpoint = BallistaConfigGrpcEndpoint::new(secured(&self.trust));
        let client = BallistaClient::try_new(
            &at.0,
            at.1,
            MAX_MESSAGE as usize,
            self.trust.is_tls(),
            Some(Arc::new(endpoint)),
            FETCHES,
            0,
            0,
            0,
        );
        let client = client.await.map_err(engine_failed)?;
        self.workers().insert(at.clone(), client.clone());
        Ok(client)
    }
}

/// The plan of a step, as it travels.
fn encode(attempt: &Attempt<'_>) -> Result<Vec<u8>> {
    let body = |stage| Body { id: attempt.id, stage, work: attempt.work.clone() };
    let plan = node::plan(attempt.runs, &body(Stage::Map), &body(Stage::Merge));
    let plan = plan.and_then(|plan| {
        let message = PhysicalPlanNode::try_from_physical_plan(plan, &StepCodec::default())?;
        let mut bytes = Vec::new();
        message.try_encode(&mut bytes)?;
        Ok(bytes)
    });
    plan.map_err(|error| engine_failed(error.into()))
}

fn failed(found: String) -> Error {
    ErrorKind::Worker { found }.into()
}

fn refused(status: Status) -> Error {
    failed(format!("the scheduler: {}", status.message()))
}
