//! The calls that a scheduler makes to a worker: tasks come in, and what they came to is told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use ballista_core::error::BallistaError;
use ballista_core::serde::protobuf::executor_grpc_server::ExecutorGrpc;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{
    CancelTasksParams, CancelTasksResult, LaunchMultiTaskParams, LaunchMultiTaskResult,
    LaunchTaskParams, LaunchTaskResult, RemoveJobDataParams, RemoveJobDataResult,
    ShuffleWritePartition, StopExecutorParams, StopExecutorResult, SuccessfulTask, TaskStatus,
    UpdateTaskStatusParams, task_status,
};
use ballista_core::serde::scheduler::TaskKey;
use drystone_core::CancelToken;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, Semaphore};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use super::files::{check_job_id, probe, remove_results};
use super::task::{Task, Tools};

/// How long the end of a task is told again to a scheduler that does not answer; by then the
/// driver has tried the step again.
const TELL: Duration = Duration::from_secs(15);
/// Between two attempts to tell it.
const RETRY: Duration = Duration::from_millis(200);

/// Runs the tasks of a scheduler. Clones are the same service.
#[derive(Clone)]
pub(super) struct Tasks {
    tools: Arc<Tools>,
    ended: UnboundedSender<TaskStatus>,
    /// One for each slot: the scheduler hands out more tasks than run at a time, so that none
    /// has to be sent for.
    slots: Arc<Semaphore>,
    running: Arc<Mutex<HashMap<TaskKey, CancelToken>>>,
    /// Told why results cannot be written any more.
    broken: Arc<Mutex<Option<std::io::Error>>>,
    /// Woken then.
    broke: Arc<Notify>,
}

impl Tasks {
    /// The service, and the ends of its tasks.
    pub fn new(tools: Tools, slots: usize) -> (Self, UnboundedReceiver<TaskStatus>) {
        let (ended, ends) = unbounded_channel();
        let (running, broken, broke) = Default::default();
        let slots = Arc::new(Semaphore::new(slots));
        let tools = Arc::new(tools);
        (Self { tools, ended, slots, running, broken, broke }, ends)
    }

    async fn run(&self, task: Task) {
        let (key, stage_attempt_num, launch_time) =
            (task.key.clone(), task.stage_attempt, task.launched);
        let started = now_ms();
        let token = CancelToken::new();
        self.running().insert(key.clone(), token.clone());
        let outcome = self.execute(task, token).await;
        self.running().remove(&key);
        let status = match outcome {
            Ok(partitions) => task_status::Status::Successful(SuccessfulTask {
                executor_id: self.tools.executor.metadata.id.clone(),
                partitions,
                ..Default::default()
            }),
            Err(error) => {
                self.check_directory().await;
                task_status::Status::Failed(error.into())
            }
        };
        // Nobody listens when the worker ends.
        let _ = self.ended.send(TaskStatus {
            task_id: key.task_id as u32,
            job_id: key.job_id.into(),
            stage_id: key.stage_id as u32,
            stage_attempt_num,
            launch_time,
            start_exec_time: started,
            end_exec_time: now_ms(),
            metrics: Vec::new(),
            status: Some(status),
        });
    }

    /// A task that fails is the engine's affair, unless no result can be written here at all: then
    /// others have to take this worker's share.
    async fn check_directory(&self) {
        if let Err(error) = probe(&self.tools.executor.work_dir).await {
            *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            self.broke.notify_one();
        }
    }

    /// Returns when results cannot be written any more, with the reason.
    pub async fn broken(&self) -> std::io::Error {
        loop {
            self.broke.notified().await;
            let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(error) = broken.take() {
                return error;
            }
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<TaskKey, CancelToken>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn execute(
        &self,
        task: Task,
        token: CancelToken,
    ) -> Result<Vec<ShuffleWritePartition>, BallistaError> {
        // Nobody closes it.
        let _slot = self.slots.acquire().await.map_err(|_| BallistaError::Cancelled)?;
        if token.is_cancelled() {
            return Err(BallistaError::Cancelled);
        }
        self.tools.run(task, token).await
    }
}

/// Milliseconds since 1970, for the engine's records.
fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

/// Tells a scheduler the ends of tasks, several at once when they come fast.
pub(super) async fn tell(
    mut ends: UnboundedReceiver<TaskStatus>,
    worker: String,
    mut scheduler: SchedulerGrpcClient<Channel>,
) {
    let mut statuses = Vec::new();
    while ends.recv_many(&mut statuses, usize::MAX).await > 0 {
        let update = UpdateTaskStatusParams {
            executor_id: worker.clone(),
            task_status: std::mem::take(&mut statuses),
        };
        let started = tokio::time::Instant::now();
        while scheduler.update_task_status(update.clone()).await.is_err()
            && started.elapsed() < TELL
        {
            tokio::time::sleep(RETRY).await;
        }
    }
}

#[async_trait]
impl ExecutorGrpc for Tasks {
    async fn launch_multi_task(
        &self,
        request: Request<LaunchMultiTaskParams>,
    ) -> Result<Response<LaunchMultiTaskResult>, Status> {
        let mut failed_jobs = Vec::new();
        for tasks in request.into_inner().multi_tasks {
            let job_id = tasks.job_id.clone();
            match self.tools.decode(tasks) {
                Ok(task) => {
                    let service = self.clone();
                    tokio::spawn(async move { service.run(task).await });
                }
                Err(_) => failed_jobs.push(job_id),
            }
        }
        Ok(Response::new(LaunchMultiTaskResult { failed_jobs }))
    }

    async fn launch_task(
        &self,
        _: Request<LaunchTaskParams>,
    ) -> Result<Response<LaunchTaskResult>, Status> {
        Err(Status::unimplemented("tasks come several at once"))
    }

    /// A scheduler that takes this worker for dead is wrong when the worker hears it: the next
    /// report tells it so.
    async fn stop_executor(
        &self,
        _: Request<StopExecutorParams>,
    ) -> Result<Response<StopExecutorResult>, Status> {
        Ok(Response::new(StopExecutorResult {}))
    }

    async fn cancel_tasks(
        &self,
        request: Request<CancelTasksParams>,
    ) -> Result<Response<CancelTasksResult>, Status> {
        let mut cancelled = true;
        for task in request.into_inner().task_infos {
            let (stage_id, task_id) = (task.stage_id as usize, task.task_id as usize);
            let key = TaskKey { job_id: task.job_id.into(), stage_id, task_id };
            // The engine only stops waiting for its threads: the token stops them.
            if let Some(token) = self.running().remove(&key) {
                token.cancel();
            }
            let ended = self.tools.executor.cancel_task(key.job_id, stage_id, task_id).await;
            cancelled &= ended.is_ok();
        }
        Ok(Response::new(CancelTasksResult { cancelled }))
    }

    async fn remove_job_data(
        &self,
        request: Request<RemoveJobDataParams>,
    ) -> Result<Response<RemoveJobDataResult>, Status> {
        let RemoveJobDataParams { job_id, remove_stage_ids, .. } = request.into_inner();
        check_job_id(&job_id).map_err(Status::invalid_argument)?;
        remove_results(&self.tools.executor.work_dir, &job_id, &remove_stage_ids).await;
        Ok(Response::new(RemoveJobDataResult {}))
    }
}
