//! The executor of a driver: sends each step to a scheduler as a plan.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ballista_core::config::{
    BALLISTA_CLIENT_GRPC_MAX_MESSAGE_SIZE, BALLISTA_CLIENT_IO_RETRIES_TIMES,
    BALLISTA_CLIENT_IO_RETRY_WAIT_TIME_MS, BALLISTA_CLIENT_PULL,
};
use ballista_core::execution_plans::execute_physical_plan;
use ballista_core::extension::SessionConfigExt;
use datafusion::arrow::array::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::PhysicalPlanNode;
use drystone_core::executor::{Executor, Outcome, RemoteStep, Resources, Step, StepStats};
use drystone_core::{Error, ErrorKind, Event, Result};
use futures::TryStreamExt;
use tokio::runtime::{Builder, Runtime};

use crate::codec::StepCodec;
use crate::mapper::check_blocks;
use crate::message::{Body, Done, Part, Run, Stage};
use crate::{MAX_MESSAGE, node, rest};

/// Partitions for each slot: more even out slow and fast ones, and each costs about 1 ms.
const PARTITIONS_PER_SLOT: usize = 3;
/// How often a step that is under way asks whether it is to stop.
const LOOK: Duration = Duration::from_millis(20);
/// Between two attempts at a step.
const RETRY: Duration = Duration::from_millis(250);

/// Workers behind a scheduler: the executor for a fit that outgrows one machine.
///
/// Blocks are read or made where they are mapped; descriptions, parameters and partials travel.
/// So the data must be ones that workers can have too: generators, and files that are there
/// under the same path. A fit gives the same bits as on local threads, whichever workers there
/// are, come, or die.
///
/// ```no_run
/// use drystone_cluster::Cluster;
/// use drystone_estimators::KMeans;
/// use drystone_sources::generate::Blobs;
/// let data = Blobs::new(1_000_000, 20).centers(8).dataset();
/// let cluster = Cluster::connect("127.0.0.1:8786")?;
/// let model = KMeans::params(8).on(&cluster).fit(&data)?;
/// # Ok::<(), drystone_core::Error>(())
/// ```
pub struct Cluster {
    background: Background,
    scheduler: String,
    /// Of this driver, among all of the scheduler.
    id: String,
    config: SessionConfig,
    slots: usize,
    patience: Duration,
    /// Sessions of all drivers must differ where their state is.
    first_session: u64,
    steps: AtomicU64,
}

impl Cluster {
    /// Connects to the scheduler at `host:port`, which must have workers.
    ///
    /// The number of partitions of each step follows from the slots that there are now, so that
    /// blocks stay where they are cached: connect once all usual workers are there. Workers
    /// that come later take their share of these partitions.
    ///
    /// # Errors
    /// [`Worker`](ErrorKind::Worker) when the scheduler cannot be reached or has no workers.
    pub fn connect(scheduler: &str) -> Result<Self> {
        let background = Background::start()?;
        let workers = background.run(rest::workers(scheduler))?;
        let slots = workers.iter().map(|worker| worker.slots).sum();
        if slots == 0 {
            let found = format!(
                "the scheduler at {scheduler} has no workers: start one with `drystone worker {scheduler}`"
            );
            return Err(ErrorKind::Worker { found }.into());
        }
        let id = ballista_core::ids::new_instance_id();
        let words: Vec<u64> = id.bytes().map(u64::from).collect();
        let size = MAX_MESSAGE.to_string();
        let config = SessionConfig::new_with_ballista()
            .set_str(BALLISTA_CLIENT_GRPC_MAX_MESSAGE_SIZE, &size)
            .set_str(BALLISTA_CLIENT_IO_RETRIES_TIMES, "1")
            .set_str(BALLISTA_CLIENT_IO_RETRY_WAIT_TIME_MS, "100")
            .set_str(BALLISTA_CLIENT_PULL, "false");
        Ok(Self {
            background,
            scheduler: scheduler.to_owned(),
            config,
            slots,
            patience: Duration::from_secs(60),
            first_session: drystone_kernels::normal::mix(&words),
            id,
            steps: AtomicU64::new(0),
        })
    }

    /// How long a step is tried again when the scheduler or all workers are gone; 60 s by
    /// default.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The workers that the scheduler knows now.
    ///
    /// # Errors
    /// [`Worker`](ErrorKind::Worker) when it cannot be reached.
    pub fn workers(&self) -> Result<Vec<rest::WorkerInfo>> {
        self.background.run(rest::workers(&self.scheduler))
    }

    /// The blocks of each partition: the same in each step over as many blocks.
    fn runs(&self, n_blocks: u64) -> Vec<Run> {
        let n = ((self.slots * PARTITIONS_PER_SLOT) as u64).min(n_blocks);
        (0..n).map(|idx| (idx * n_blocks / n, (idx + 1) * n_blocks / n)).collect()
    }

    /// A step, tried again for as long as the engine fails and patience lasts.
    async fn attempt_all(&self, step: &Step<'_>, remote: &RemoteStep) -> Result<Done> {
        let started = Instant::now();
        let runs = self.runs(step.data.n_blocks() as u64);
        loop {
            let work = self.attempt(&runs, remote);
            tokio::pin!(work);
            let part = loop {
                tokio::select! {
                    part = &mut work => break part,
                    () = tokio::time::sleep(LOOK) => step.control.check()?,
                }
            };
            let error = match part {
                Ok(Part::Done(done)) => return Ok(done),
                Ok(Part::Failed { error, .. }) => return Err(error.into()),
                Err(error) => error,
            };
            if started.elapsed() > self.patience {
                let found = format!("no step within {} s", self.patience.as_secs());
                return Err(Error::from(ErrorKind::Worker { found }).caused_by(error));
            }
            let text = format!("trying the step again: {error}");
            step.observer.event(&Event::Note { text: &text });
            tokio::time::sleep(RETRY).await;
            step.control.check()?;
        }
    }

    async fn attempt(&self, runs: &[Run], step: &RemoteStep) -> Result<Part, DataFusionError> {
        let body = |stage| Body { stage, step: step.clone() };
        let plan = node::plan(runs, &body(Stage::Map), &body(Stage::Merge))?;
        let session = format!("{}-{}", self.id, self.steps.fetch_add(1, Ordering::Relaxed));
        let batches: Vec<RecordBatch> = execute_physical_plan::<PhysicalPlanNode>(
            format!("http://{}", self.scheduler),
            &self.config.ballista_config(),
            plan,
            &StepCodec::default(),
            session,
            self.config.clone(),
        )
        .await?
        .try_collect()
        .await?;
        node::answer(&batches)
    }
}

impl Executor for Cluster {
    fn run(&self, step: &Step<'_>) -> Result<Outcome> {
        let mut remote = RemoteStep::of(step)?;
        remote.session = self.first_session.wrapping_add(step.session);
        let n_blocks = step.data.n_blocks();
        if n_blocks == 0 {
            return Ok(Outcome { partial: step.job.empty_any(), stats: StepStats::default() });
        }
        let done = self.background.run(self.attempt_all(step, &remote))?;
        check_blocks(&done.blocks, n_blocks as u64)?;
        step.observer.event(&Event::BlockDone { pass: step.pass, done: n_blocks, n_blocks });
        let stats =
            StepStats { blocks: n_blocks, blocks_read: done.blocks_read as usize, rows: done.rows };
        Ok(Outcome { partial: step.job.decode_partial(&done.partial)?, stats })
    }

    fn describe(&self) -> Resources {
        // Blocks stay with the workers.
        Resources { name: "cluster", threads: self.slots, memory_budget: 0 }
    }

    /// Workers keep the state of their latest sessions, and drop the others by themselves.
    fn forget(&self, _session: u64) {}
}

/// The threads that talk to the scheduler. Callers may be within another runtime.
struct Background(Option<Runtime>);

impl Background {
    fn start() -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(|error| Error::io("cannot start threads", error))?;
        Ok(Self(Some(runtime)))
    }

    /// Waits for some work.
    fn run<T: Send>(&self, work: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let gone = |what: &str| Err(ErrorKind::Worker { found: what.to_owned() }.into());
        let Some(runtime) = &self.0 else { return gone("its threads have ended") };
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| runtime.block_on(work));
            thread.join().unwrap_or_else(|_| gone("its thread panicked"))
        })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
