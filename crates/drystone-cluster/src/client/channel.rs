//! Submitting a step to the engine, and fetching what it comes to.

use std::error::Error as _;

use ballista_core::error::BallistaError;
use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{
    ExecuteQueryParams, PartitionLocation, SuccessfulJob, job_status,
};
use ballista_core::version::insert_version_header;
use datafusion::arrow::array::RecordBatch;
use datafusion_proto::physical_plan::AsExecutionPlan;
use datafusion_proto::protobuf::PhysicalPlanNode;
use drystone_core::{Error, ErrorKind, Result};
use futures::TryStreamExt;
use tonic::{Code, Request, Status};

use crate::codec::StepCodec;
use crate::connections::Connections;
use crate::endpoint::to_scheduler;
use crate::message::{Body, Part, Run, Stage, Work};
use crate::trust::Trust;
use crate::{MAX_MESSAGE, engine_failed, node};

/// One attempt at a step.
pub(super) struct Attempt<'a> {
    /// The same in each attempt.
    pub id: u64,
    pub runs: &'a [Run],
    pub work: &'a Work,
}

/// A connection to the engine's scheduler, which is made when it is needed.
pub(super) struct Channel {
    address: String,
    scheduler: SchedulerGrpcClient<tonic::transport::Channel>,
    workers: Connections,
}

impl Channel {
    /// Within a runtime only.
    pub fn new(address: &str, trust: &Trust) -> Result<Self> {
        let size = MAX_MESSAGE as usize;
        let scheduler = SchedulerGrpcClient::new(to_scheduler(trust, address)?);
        let scheduler = scheduler.max_encoding_message_size(size).max_decoding_message_size(size);
        let address = address.to_owned();
        Ok(Self { address, scheduler, workers: Connections::new(trust.clone()) })
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
            scheduler.execute_query_push(request).await.map_err(|status| self.refused(&status))?;
        let statuses = statuses.get_mut();
        while let Some(update) = statuses.message().await.map_err(|status| self.refused(&status))? {
            match update.status.and_then(|status| status.status) {
                Some(job_status::Status::Successful(job)) => return self.fetch(job).await,
                Some(job_status::Status::Failed(failure)) => return Err(failed(failure.error)),
                _ => {}
            }
        }
        Err(failed("the scheduler ended before the step did".to_owned()))
    }

    /// What a status means that is no answer: most often that nobody is there.
    fn refused(&self, status: &Status) -> Error {
        let (address, said) = (&self.address, status.message());
        let lost = status.code() == Code::Unavailable || status.source().is_some();
        failed(match lost {
            true => format!(
                "the scheduler at {address} is gone ({said}): \
                 start it again there with `drystone scheduler`"
            ),
            false => format!("the scheduler at {address}: {said}"),
        })
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
            return Err(failed("the scheduler does not say where the result is".to_owned()));
        };
        let port = u16::try_from(worker.port)
            .map_err(|_| failed("the scheduler says a port that is none".to_owned()))?;
        let partition = partition.into();
        let mut client = self.workers.to(&worker.host, port).await.map_err(engine_failed)?;
        let result = client.fetch_partition(&worker.id, &partition, place.file_id, layout, true);
        let batches = match result.await {
            Ok(result) => result.try_collect().await.map_err(BallistaError::from),
            Err(error) => Err(error),
        };
        batches.map_err(|error| {
            client.discard();
            engine_failed(error)
        })
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
