//! The engine's calls, as far as drystone needs them: steps of drivers, and the ends of tasks.
//! All others, SQL among them, are refused.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::scheduler_grpc_server::SchedulerGrpc;
use ballista_core::serde::protobuf::{
    CancelJobParams, CancelJobResult, CleanJobDataParams, CleanJobDataResult,
    CreateUpdateSessionParams, CreateUpdateSessionResult, ExecuteQueryParams, ExecuteQueryResult,
    ExecutorStoppedParams, ExecutorStoppedResult, GetJobMetricsParams, GetJobMetricsResult,
    GetJobStatusParams, GetJobStatusResult, HeartBeatParams, HeartBeatResult, PollWorkParams,
    PollWorkResult, RegisterExecutorParams, RegisterExecutorResult, RemoveSessionParams,
    RemoveSessionResult, UpdateTaskStatusParams, UpdateTaskStatusResult, job_status,
};
use futures::{Stream, StreamExt};
use tonic::{Request, Response, Status};

use super::Server;
use crate::node;

/// How long a step that nobody waits for may take to get its number, by which it is cancelled.
const NUMBER: Duration = Duration::from_secs(5);

pub(super) struct Steps(Server);

impl Steps {
    pub fn new(server: Server) -> Self {
        Self(server)
    }
}

type Statuses = Pin<Box<dyn Stream<Item = Result<GetJobStatusResult, Status>> + Send>>;

/// What becomes of a step. When nobody listens any more, the step is cancelled: so a driver
/// that ends, however it does, leaves no work behind.
struct Watched {
    statuses: Option<Statuses>,
    server: Server,
    job_id: Option<String>,
    ended: bool,
}

impl Stream for Watched {
    type Item = Result<GetJobStatusResult, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(statuses) = self.statuses.as_mut() else { return Poll::Ready(None) };
        let item = statuses.as_mut().poll_next(context);
        if let Poll::Ready(Some(Ok(GetJobStatusResult { status: Some(status), .. }))) = &item {
            self.job_id = Some(status.job_id.clone());
            use job_status::Status::{Failed, Successful};
            self.ended |= matches!(status.status, Some(Failed(_) | Successful(_)));
        }
        item
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let (server, job_id) = (self.server.clone(), self.job_id.take());
        let Some(statuses) = self.statuses.take() else { return };
        tokio::spawn(async move {
            if let Some(job_id) = number(job_id, statuses).await {
                // It fails only when the engine has ended.
                let _ = server.cancel_job(job_id.into()).await;
            }
        });
    }
}

async fn number(job_id: Option<String>, mut statuses: Statuses) -> Option<String> {
    if job_id.is_some() {
        return job_id;
    }
    let first = tokio::time::timeout(NUMBER, statuses.next()).await.ok()??.ok()?;
    Some(first.status?.job_id)
}

fn nothing_else<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("this scheduler runs steps of drystone, and nothing else"))
}

#[async_trait]
impl SchedulerGrpc for Steps {
    type ExecuteQueryPushStream = Statuses;

    async fn execute_query_push(
        &self,
        request: Request<ExecuteQueryParams>,
    ) -> Result<Response<Statuses>, Status> {
        match &request.get_ref().query {
            Some(Query::PhysicalPlan(plan)) if node::is_step(plan) => {}
            _ => return nothing_else(),
        }
        let answer = self.0.execute_query_push(request).await?;
        let server = self.0.clone();
        let watched = |statuses| Watched {
            statuses: Some(statuses),
            server,
            job_id: None,
            ended: false,
        };
        Ok(answer.map(|statuses| Box::pin(watched(statuses)) as Statuses))
    }

    async fn update_task_status(
        &self,
        request: Request<UpdateTaskStatusParams>,
    ) -> Result<Response<UpdateTaskStatusResult>, Status> {
        SchedulerGrpc::update_task_status(&self.0, request).await
    }

    async fn poll_work(
        &self,
        _: Request<PollWorkParams>,
    ) -> Result<Response<PollWorkResult>, Status> {
        nothing_else()
    }

    async fn register_executor(
        &self,
        _: Request<RegisterExecutorParams>,
    ) -> Result<Response<RegisterExecutorResult>, Status> {
        nothing_else()
    }

    async fn heart_beat_from_executor(
        &self,
        _: Request<HeartBeatParams>,
    ) -> Result<Response<HeartBeatResult>, Status> {
        nothing_else()
    }

    async fn create_update_session(
        &self,
        _: Request<CreateUpdateSessionParams>,
    ) -> Result<Response<CreateUpdateSessionResult>, Status> {
        nothing_else()
    }

    async fn remove_session(
        &self,
        _: Request<RemoveSessionParams>,
    ) -> Result<Response<RemoveSessionResult>, Status> {
        nothing_else()
    }

    async fn execute_query(
        &self,
        _: Request<ExecuteQueryParams>,
    ) -> Result<Response<ExecuteQueryResult>, Status> {
        nothing_else()
    }

    async fn get_job_status(
        &self,
        _: Request<GetJobStatusParams>,
    ) -> Result<Response<GetJobStatusResult>, Status> {
        nothing_else()
    }

    async fn get_job_metrics(
        &self,
        _: Request<GetJobMetricsParams>,
    ) -> Result<Response<GetJobMetricsResult>, Status> {
        nothing_else()
    }

    async fn executor_stopped(
        &self,
        _: Request<ExecutorStoppedParams>,
    ) -> Result<Response<ExecutorStoppedResult>, Status> {
        nothing_else()
    }

    async fn cancel_job(
        &self,
        _: Request<CancelJobParams>,
    ) -> Result<Response<CancelJobResult>, Status> {
        nothing_else()
    }

    async fn clean_job_data(
        &self,
        _: Request<CleanJobDataParams>,
    ) -> Result<Response<CleanJobDataResult>, Status> {
        nothing_else()
    }
}
