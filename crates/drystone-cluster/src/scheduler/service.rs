//! The engine's calls, as far as drystone needs them: steps of drivers, and the ends of tasks.
//! All others, SQL among them, are refused.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use ballista_core::JobId;
use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::scheduler_grpc_server::SchedulerGrpc;
use ballista_core::serde::protobuf::{
    CancelJobParams, CancelJobResult, CleanJobDataParams, CleanJobDataResult,
    CreateUpdateSessionParams, CreateUpdateSessionResult, ExecuteQueryParams, ExecuteQueryResult,
    ExecutorStoppedParams, ExecutorStoppedResult, GetJobMetricsParams, GetJobMetricsResult,
    GetJobStatusParams, GetJobStatusResult, HeartBeatParams, HeartBeatResult, PollWorkParams,
    PollWorkResult, RegisterExecutorParams, RegisterExecutorResult, RemoveSessionParams,
    RemoveSessionResult, SuccessfulTask, TaskStatus, UpdateTaskStatusParams,
    UpdateTaskStatusResult, job_status, task_status,
};
use ballista_scheduler::scheduler_server::JobIdGenerator;
use ballista_scheduler::state::execution_stage::{ExecutionStage, TaskInfo};
use futures::Stream;
use tokio::sync::Notify;
use tonic::{Code, Request, Response, Status};

use super::Server;
use crate::shape;

tokio::task_local! {
    /// The engine's number of the step that is being submitted.
    static NUMBER: String;
}

/// Numbers of steps that are known before the engine gives them: only so can a step be cancelled
/// that the engine has not said a word about yet. Nobody guesses them: who knows one is whom the
/// step was sent to.
pub(super) struct Numbers;

impl Numbers {
    fn next() -> Result<String, Status> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|error| Status::unavailable(format!("no random numbers: {error}")))?;
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

#[async_trait]
impl JobIdGenerator for Numbers {
    async fn next_id(&self) -> String {
        NUMBER.try_with(Clone::clone).unwrap_or_else(|_| ballista_core::ids::new_instance_id())
    }
}

/// More than any stage has.
const MAX_PARTITIONS: u64 = 1 << 20;

pub(super) struct Steps {
    server: Server,
    /// Woken when the engine takes no steps any more.
    dead: Arc<Notify>,
}

impl Steps {
    pub fn new(server: Server) -> Self {
        Self { server, dead: Arc::default() }
    }

    /// Is woken when the engine takes no steps any more: the task that handles its events has
    /// ended, as by an error of its own, and nothing but a new process starts another.
    pub fn dead(&self) -> Arc<Notify> {
        Arc::clone(&self.dead)
    }
}

impl Steps {
    /// Whether a status can be of a task that this worker has: the engine believes what it is
    /// told, and one wrong number ends its only thread of events.
    async fn is_of_a_task(&self, status: &TaskStatus, worker: &str) -> bool {
        let jobs = self.server.state.task_manager.get_running_job_cache();
        let Some(job) = jobs.get(&JobId::from(status.job_id.clone())) else { return false };
        let graph = job.execution_graph.read().await;
        let (attempt, tasks) = match graph.stages().get(&(status.stage_id as usize)) {
            Some(ExecutionStage::Running(stage)) => (stage.stage_attempt_num, &stage.task_infos),
            Some(ExecutionStage::Successful(stage)) => (stage.stage_attempt_num, &stage.task_infos),
            Some(ExecutionStage::Failed(stage)) => (stage.stage_attempt_num, &stage.task_infos),
            _ => return false,
        };
        let of = status.stage_attempt_num as usize;
        // What is of an earlier attempt is ignored, whatever becomes of the stage meanwhile; but
        // that the worker is free again is not.
        let task = tasks.get(status.task_id as usize);
        of < attempt || of == attempt && task.is_some_and(|task| is_run_by(task, worker))
    }
}

/// Whether a worker has a task, of which no end was told yet.
fn is_run_by(task: &TaskInfo, worker: &str) -> bool {
    matches!(&task.task_status, task_status::Status::Running(run) if run.executor_id == worker)
}

/// The end of a task without all that tasks of ours have not, and the engine would decode; `None`
/// for one that makes no sense.
fn cleaned(mut status: TaskStatus) -> Option<TaskStatus> {
    status.metrics = Vec::new();
    match &mut status.status {
        None => return None,
        Some(task_status::Status::Successful(done)) => {
            if done.partitions.iter().any(|written| written.partition_id >= MAX_PARTITIONS) {
                return None;
            }
            *done = SuccessfulTask {
                executor_id: std::mem::take(&mut done.executor_id),
                partitions: std::mem::take(&mut done.partitions),
                ..Default::default()
            };
        }
        Some(_) => {}
    }
    Some(status)
}

type Statuses = Pin<Box<dyn Stream<Item = Result<GetJobStatusResult, Status>> + Send>>;

/// What becomes of a step. When nobody listens any more, the step is cancelled: so a driver
/// that ends, however it does, leaves no work behind.
struct Watched {
    statuses: Statuses,
    server: Server,
    number: String,
    ended: bool,
}

impl Stream for Watched {
    type Item = Result<GetJobStatusResult, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = self.statuses.as_mut().poll_next(context);
        if let Poll::Ready(Some(Ok(GetJobStatusResult { status: Some(status), .. }))) = &item {
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
        let (server, number) = (self.server.clone(), std::mem::take(&mut self.number));
        // It fails only when the engine has ended.
        tokio::spawn(async move { server.cancel_job(number.into()).await });
    }
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
            Some(Query::PhysicalPlan(plan)) if shape::is_step(plan) => {}
            _ => return nothing_else(),
        }
        // The settings are the scheduler's own.
        let mut request = request;
        request.get_mut().settings.clear();
        let number = Numbers::next()?;
        let submitted = NUMBER.scope(number.clone(), self.server.execute_query_push(request));
        let answer = submitted.await.inspect_err(|refused| {
            // What is wrong with the step has other codes.
            if refused.code() == Code::Internal {
                self.dead.notify_one();
            }
        })?;
        let server = self.server.clone();
        Ok(answer.map(|statuses| {
            Box::pin(Watched { statuses, server, number, ended: false }) as Statuses
        }))
    }

    async fn update_task_status(
        &self,
        request: Request<UpdateTaskStatusParams>,
    ) -> Result<Response<UpdateTaskStatusResult>, Status> {
        let mut request = request;
        let worker = request.get_ref().executor_id.clone();
        let statuses = std::mem::take(&mut request.get_mut().task_status);
        for status in statuses.into_iter().filter_map(cleaned) {
            if self.is_of_a_task(&status, &worker).await {
                request.get_mut().task_status.push(status);
            }
        }
        SchedulerGrpc::update_task_status(&self.server, request).await
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

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use ballista_core::serde::protobuf::ShuffleWritePartition;
    use ballista_core::version::insert_version_header;
    use datafusion_proto::physical_plan::AsExecutionPlan;
    use datafusion_proto::protobuf::PhysicalPlanNode;
    use drystone_core::executor::RemoteCount;
    use drystone_sources::generate::Blobs;

    use super::*;
    use crate::codec::StepCodec;
    use crate::link::WorkerHello;
    use crate::message::{Body, Stage, Work};
    use crate::node;
    use crate::scheduler::links::registration;
    use crate::scheduler::{Board, Scheduler, SchedulerOptions};
    use crate::trust::Trust;

    /// The engine of a scheduler, without workers.
    async fn steps() -> Steps {
        let mut options = SchedulerOptions::new(Trust::Insecure);
        options.bind = SocketAddr::from(([127, 0, 0, 1], 0));
        options.dashboard = options.bind;
        let scheduler = Scheduler::bind(options, Arc::new(|_| {})).await.expect("a port");
        let board = Arc::new(Board::new(scheduler.address(), String::new()));
        Steps::new(scheduler.start_engine(&board).await.expect("an engine"))
    }

    /// A worker that the engine knows, and that never does anything; its name.
    async fn register(steps: &Steps) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let worker = WorkerHello {
            version: String::new(),
            name: "w".to_owned(),
            host: "127.0.0.1".to_owned(),
            port: listener.local_addr().expect("an address").port(),
            slots: 1,
            memory_budget: 0,
            pid: 1,
        };
        let beat = HeartBeatParams {
            executor_id: worker.name.clone(),
            metadata: Some(registration(&worker)),
            ..Default::default()
        };
        let beat = Request::new(beat);
        SchedulerGrpc::heart_beat_from_executor(&steps.server, beat).await.expect("it is taken");
        worker.name
    }

    /// A step over two blocks.
    fn step() -> Request<ExecuteQueryParams> {
        let data = Blobs::new(2, 1).block_rows(1).dataset();
        let work = Work::Count(RemoteCount::of(&data).expect("it can travel"));
        let body = |stage| Body { id: 1, stage, work: work.clone() };
        let plan = node::plan(&[(0, 1), (1, 2)], &body(Stage::Map), &body(Stage::Merge));
        let plan = plan.expect("a plan");
        let plan = PhysicalPlanNode::try_from_physical_plan(plan, &StepCodec::default());
        let mut bytes = Vec::new();
        plan.expect("it can travel").try_encode(&mut bytes).expect("bytes");
        let query = Some(Query::PhysicalPlan(bytes));
        let mut request = Request::new(ExecuteQueryParams { query, ..Default::default() });
        insert_version_header(request.metadata_mut());
        request
    }

    impl Steps {
        /// Submits a step, which waits for workers; its number, once the engine
        /// has taken it in, and what keeps it from being cancelled.
        async fn submit(&self) -> (String, Statuses) {
            let running = || self.server.state.task_manager.get_running_job_cache();
            let before = running();
            let statuses = self.execute_query_push(step()).await.expect("it is one of ours");
            let taken_in = async {
                loop {
                    if let Some(job) = running().keys().find(|job| !before.contains_key(*job)) {
                        return job.to_string();
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            let number = tokio::time::timeout(Duration::from_secs(9), taken_in).await;
            (number.expect("nobody listens"), statuses.into_inner())
        }
    }

    /// The engine believes what it is told of tasks, and its only thread of events would end.
    #[tokio::test]
    async fn ends_of_tasks_that_cannot_be_do_no_harm() {
        let steps = steps().await;
        let worker = register(&steps).await;
        let (number, _statuses) = steps.submit().await;
        let done = |partition_id| {
            let partitions = vec![ShuffleWritePartition { partition_id, ..Default::default() }];
            let task = SuccessfulTask { partitions, ..Default::default() };
            Some(task_status::Status::Successful(task))
        };
        for status in [None, done(0), done(u64::MAX)] {
            for (stage_id, task_id) in [(1, 0), (1, u32::MAX), (2, 0), (9, 0), (u32::MAX, 0)] {
                for (job_id, stage_attempt_num) in
                    [(&*number, 0), (&*number, 1), (&*number, u32::MAX), ("another", 0), ("", 0)]
                {
                    let (job_id, status) = (job_id.to_owned(), status.clone());
                    let status = TaskStatus {
                        job_id,
                        stage_id,
                        task_id,
                        stage_attempt_num,
                        status,
                        ..Default::default()
                    };
                    let executor_id = worker.clone();
                    let task_status = vec![status];
                    let update = UpdateTaskStatusParams { executor_id, task_status };
                    // Whether it is refused or ignored is all the same.
                    let _ = steps.update_task_status(Request::new(update)).await;
                }
            }
        }
        let (_, _other) = steps.submit().await;
    }

    #[tokio::test]
    async fn an_engine_that_is_dead_is_noticed() {
        let steps = steps().await;
        let (job_id, _statuses) = steps.submit().await;
        // Past what keeps such things from it.
        let task = TaskStatus {
            job_id,
            stage_id: 1,
            task_id: 7,
            status: Some(task_status::Status::Successful(SuccessfulTask::default())),
            ..Default::default()
        };
        let update =
            UpdateTaskStatusParams { executor_id: register(&steps).await, task_status: vec![task] };
        let told = SchedulerGrpc::update_task_status(&steps.server, Request::new(update)).await;
        told.expect("it believes anything");
        let dead = steps.dead();
        let noticed = async {
            while steps.execute_query_push(step()).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            dead.notified().await;
        };
        tokio::time::timeout(Duration::from_secs(9), noticed).await.expect("nobody noticed");
    }
}
