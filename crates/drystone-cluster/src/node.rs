//! The one node that our plans have: it maps runs of blocks, or merges partials.
//!
//! It is an interior node over rows in memory, never a leaf of its own: the scheduler gives a
//! task some partitions of the leaves that it knows, and all partitions of others, whose rows
//! would then be there several times.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{Array, BinaryArray, RecordBatch, UInt64Array};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
    SendableRecordBatchStream,
};
use datafusion::prelude::SessionConfig;
use drystone_core::{CancelToken, wire};
use futures::{TryStreamExt, stream};

use crate::message::{Body, Part, Run, Stage};
use crate::worker::Workshop;

/// The node.
#[derive(Clone)]
pub(crate) struct StepExec {
    input: Arc<dyn ExecutionPlan>,
    /// As it travels.
    body: Arc<[u8]>,
    /// In worker processes.
    workshop: Option<Arc<Workshop>>,
    properties: Arc<PlanProperties>,
}

impl StepExec {
    pub fn new(
        input: Arc<dyn ExecutionPlan>,
        body: Arc<[u8]>,
        workshop: Option<Arc<Workshop>>,
    ) -> Self {
        let n_partitions = input.properties().output_partitioning().partition_count();
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(answers()),
            Partitioning::UnknownPartitioning(n_partitions),
            EmissionType::Final,
            Boundedness::Bounded,
        ));
        Self { input, body, workshop, properties }
    }

    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

/// A plan that maps each run of blocks in a partition of its own and merges what they come to.
///
/// The last stage merges, even if there is one partition only: with a single stage the engine
/// would send the client to a worker that has died.
pub(crate) fn plan(runs: &[Run], map: &Body, merge: &Body) -> Result<Arc<dyn ExecutionPlan>> {
    let bytes = |body: &Body| body.to_bytes().map(Arc::<[u8]>::from).map_err(external);
    let partitions = runs.iter().map(|&(first, end)| Ok(vec![run_of_blocks(first, end)?]));
    let partitions = partitions.collect::<Result<Vec<_>>>()?;
    let leaf = MemorySourceConfig::try_new(&partitions, questions(), None)?;
    let leaf = DataSourceExec::from_data_source(leaf);
    let mapped = Arc::new(StepExec::new(leaf, bytes(map)?, None));
    let gathered = Arc::new(CoalescePartitionsExec::new(mapped));
    Ok(Arc::new(StepExec::new(gathered, bytes(merge)?, None)))
}

/// The part in the row that a plan comes to.
pub(crate) fn answer(batches: &[RecordBatch]) -> Result<Part> {
    let rows = batches.iter().map(payloads).collect::<Result<Vec<_>>>()?.concat();
    match rows.as_slice() {
        [row] => wire::decode(row).map_err(external),
        rows => Err(DataFusionError::Execution(format!("{} answers, not one", rows.len()))),
    }
}

pub(crate) fn questions() -> SchemaRef {
    let fields = ["first", "end"].map(|name| Field::new(name, DataType::UInt64, false));
    Arc::new(Schema::new(fields.to_vec()))
}

pub(crate) fn answers() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("part", DataType::Binary, false)]))
}

pub(crate) fn run_of_blocks(first: u64, end: u64) -> Result<RecordBatch> {
    let columns = [first, end].map(|block| Arc::new(UInt64Array::from(vec![block])) as _);
    Ok(RecordBatch::try_new(questions(), columns.to_vec())?)
}

fn runs(batch: &RecordBatch) -> Result<Vec<Run>> {
    let column = |idx: usize| {
        let array = batch.columns().get(idx).and_then(|column| column.as_any().downcast_ref());
        array.ok_or_else(|| DataFusionError::Execution("rows that are no runs of blocks".into()))
    };
    let (first, end): (&UInt64Array, &UInt64Array) = (column(0)?, column(1)?);
    Ok(first.values().iter().copied().zip(end.values().iter().copied()).collect())
}

fn payloads(batch: &RecordBatch) -> Result<Vec<Vec<u8>>> {
    let array = batch.columns().first().and_then(|column| column.as_any().downcast_ref());
    let array: &BinaryArray =
        array.ok_or_else(|| DataFusionError::Execution("rows that are no parts".into()))?;
    // The engine believes the bytes that it has fetched: offsets may lead anywhere.
    array.to_data().validate_full()?;
    Ok((0..array.len()).map(|row| array.value(row).to_vec()).collect())
}

pub(crate) fn external(error: drystone_core::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// What stops the threads of a task.
struct TaskToken(CancelToken);

/// The settings of a task whose nodes stop when the token is pulled.
pub(crate) fn with_token(config: SessionConfig, token: CancelToken) -> SessionConfig {
    config.with_extension(Arc::new(TaskToken(token)))
}

/// What a batch of the input comes to. Long work: not for a thread that others wait for.
fn work(
    workshop: &Workshop,
    body: &Body,
    batches: &[RecordBatch],
    cancel: &CancelToken,
) -> Result<Vec<Vec<u8>>> {
    let parts = match body.stage {
        Stage::Map => {
            let runs = batches.iter().map(runs).collect::<Result<Vec<_>>>()?.concat();
            runs.into_iter().map(|run| workshop.map(body, run, cancel)).collect()
        }
        Stage::Merge => {
            let rows = batches.iter().map(payloads).collect::<Result<Vec<_>>>()?.concat();
            vec![workshop.merge(&body.work, &rows)]
        }
    };
    parts.iter().map(|part: &Part| wire::encode(part).map_err(external)).collect()
}

impl ExecutionPlan for StepExec {
    fn name(&self) -> &str {
        "StepExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return Err(DataFusionError::Internal("StepExec has one child".into()));
        };
        Ok(Arc::new(Self::new(input, Arc::clone(&self.body), self.workshop.clone())))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let Some(workshop) = self.workshop.clone() else {
            return Err(DataFusionError::Execution("this process is no worker".into()));
        };
        let body = Body::from_bytes(&self.body).map_err(external)?;
        let token = context.session_config().get_extension::<TaskToken>();
        let cancel = token.map_or_else(CancelToken::new, |token| token.0.clone());
        let input = self.input.execute(partition, context)?;
        let answer = async move {
            let batches: Vec<RecordBatch> = input.try_collect().await?;
            let parts =
                tokio::task::spawn_blocking(move || work(&workshop, &body, &batches, &cancel));
            let parts =
                parts.await.map_err(|error| DataFusionError::External(Box::new(error)))??;
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            Ok(RecordBatch::try_new(answers(), vec![Arc::new(BinaryArray::from_vec(parts))])?)
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(answers(), stream::once(answer))))
    }
}

impl DisplayAs for StepExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StepExec: {} bytes", self.body.len())
    }
}

impl fmt::Debug for StepExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepExec").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}
