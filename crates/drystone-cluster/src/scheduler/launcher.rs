//! How tasks are sent to workers.

use std::collections::HashSet;

use async_trait::async_trait;
use ballista_core::JobId;
use ballista_core::error::Result;
use ballista_core::serde::protobuf::MultiTaskDefinition;
use ballista_core::serde::scheduler::ExecutorMetadata;
use ballista_scheduler::state::executor_manager::ExecutorManager;
use ballista_scheduler::state::task_manager::TaskLauncher;

/// Sends tasks without the engine's settings: a worker has its own.
pub(super) struct Launcher {
    /// The scheduler's address.
    pub address: String,
}

#[async_trait]
impl TaskLauncher for Launcher {
    async fn launch_tasks(
        &self,
        worker: &ExecutorMetadata,
        mut tasks: Vec<MultiTaskDefinition>,
        workers: &ExecutorManager,
    ) -> Result<HashSet<JobId>> {
        tasks.iter_mut().for_each(|task| task.props = Vec::new());
        workers.launch_multi_task(&worker.id, tasks, self.address.clone()).await
    }
}
