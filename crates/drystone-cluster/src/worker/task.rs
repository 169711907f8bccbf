//! One task: from the bytes that a scheduler sends to the files that its results are in.

use std::sync::Arc;

use ballista_core::error::BallistaError;
use ballista_core::serde::protobuf::{MultiTaskDefinition, ShuffleWritePartition};
use ballista_core::serde::scheduler::TaskKey;
use ballista_executor::execution_engine::{DefaultExecutionEngine, ExecutionEngine};
use ballista_executor::executor::Executor;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::AsExecutionPlan;
use datafusion_proto::protobuf::PhysicalPlanNode;
use drystone_core::CancelToken;

use super::Workshop;
use super::files::check_job_id;
use crate::codec::StepCodec;
use crate::connections::Connections;
use crate::node;
use crate::shape;
use crate::trust::Trust;

/// A task that is to be run.
pub(super) struct Task {
    pub key: TaskKey,
    pub stage_attempt: u32,
    /// When the scheduler sent it, in milliseconds since 1970.
    pub launched: u64,
    /// The numbers of its partitions in the stage.
    partitions: Vec<usize>,
    plan: Arc<dyn ExecutionPlan>,
}

/// What decodes tasks and runs them.
pub(super) struct Tools {
    pub executor: Executor,
    engine: DefaultExecutionEngine,
    codec: StepCodec,
    /// Without functions, which no plan of ours has: the engine copies them for each task.
    context: TaskContext,
}

impl Tools {
    /// # Errors
    /// The engine's.
    pub fn new(
        executor: Executor,
        trust: &Trust,
        workshop: &Arc<Workshop>,
    ) -> Result<Self, BallistaError> {
        let config = executor.produce_config();
        let runtime = executor.produce_runtime(&config)?;
        let connections = Arc::new(Connections::new(trust.clone()));
        Ok(Self {
            executor,
            engine: DefaultExecutionEngine::with_client_pool(connections),
            codec: StepCodec::of_worker(Arc::clone(workshop)),
            context: TaskContext::default().with_session_config(config).with_runtime(runtime),
        })
    }

    /// A task, if it is of a plan that drystone makes: nothing else is run, or so much as
    /// decoded, whoever asks. The settings that come with it are not used, but this worker's own.
    ///
    /// # Errors
    /// What it is not.
    pub fn decode(&self, task: MultiTaskDefinition) -> Result<Task, String> {
        check_job_id(&task.job_id)?;
        let [id] = task.task_ids.as_slice() else {
            return Err(format!("{} tasks of one plan, not one", task.task_ids.len()));
        };
        let plan = PhysicalPlanNode::try_decode(&task.plan).map_err(|error| error.to_string())?;
        if !shape::is_stage(&plan, &task.job_id) {
            return Err("the plan is not one of drystone".to_owned());
        }
        let plan = plan.try_into_physical_plan(&self.context, &self.codec);
        let (stage_id, task_id) = (task.stage_id as usize, id.task_id as usize);
        Ok(Task {
            key: TaskKey { job_id: task.job_id.into(), stage_id, task_id },
            stage_attempt: task.stage_attempt_num,
            launched: task.launch_time,
            partitions: id.global_output_partition_ids.iter().map(|&id| id as usize).collect(),
            plan: plan.map_err(|error| error.to_string())?,
        })
    }

    /// Runs a task; where its results are. It stops soon after the token is pulled.
    ///
    /// # Errors
    /// The engine's, and those of files that cannot be written.
    pub async fn run(
        &self,
        task: Task,
        token: CancelToken,
    ) -> Result<Vec<ShuffleWritePartition>, BallistaError> {
        let (executor, context) = (&self.executor, &self.context);
        let stage = self.engine.create_query_stage_exec(
            task.key.job_id.clone(),
            task.key.stage_id,
            task.key.task_id,
            task.partitions,
            task.plan,
            &executor.work_dir,
            context.session_config(),
        )?;
        let config = node::with_token(context.session_config().clone(), token);
        let context =
            TaskContext::default().with_session_config(config).with_runtime(context.runtime_env());
        executor.execute_query_stage(task.key, stage, Arc::new(context)).await
    }
}
