//! Whether what comes as a plan has the shape of ours: asked before the engine decodes it, which
//! allocates whatever the bytes claim, and opens whatever files they name.

use std::sync::OnceLock;

use ballista_core::serde::protobuf::ballista_physical_plan_node::PhysicalPlanType as Engines;
use ballista_core::serde::protobuf::{
    BallistaPhysicalPlanNode, ExecutorMetadata, PartitionLocation,
};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion_proto::physical_plan::AsExecutionPlan;
use datafusion_proto::protobuf::partitioning::PartitionMethod;
use datafusion_proto::protobuf::physical_plan_node::PhysicalPlanType;
use datafusion_proto::protobuf::{MemoryScanExecNode, PhysicalPlanNode};
use prost::Message;

use crate::codec::StepCodec;
use crate::message::Body;
use crate::node::{answers, questions, run_of_blocks};

/// Whether bytes are a whole plan as [`plan`](crate::node::plan) makes it, which has nothing else in it.
pub(crate) fn is_step(plan: &[u8]) -> bool {
    let Ok(plan) = PhysicalPlanNode::try_decode(plan) else { return false };
    let gathered = ours(&plan);
    let mapped = gathered.and_then(|gathered| match &gathered.physical_plan_type {
        Some(PhysicalPlanType::Merge(merge)) => merge.input.as_deref(),
        _ => None,
    });
    let leaf = mapped.and_then(ours).and_then(|leaf| leaf.physical_plan_type.as_ref());
    matches!(leaf, Some(PhysicalPlanType::MemoryScan(leaf)) if is_runs(leaf))
}

/// Most partitions of a step.
const MAX_PARTITIONS: usize = 1 << 16;
/// More than the name and the host of a worker take.
const MAX_NAMES: usize = 1 << 10;

/// Whether a leaf is runs of blocks as we encode them, but for the numbers of the blocks: the
/// engine's decoder allocates whatever other bytes claim.
fn is_runs(leaf: &MemoryScanExecNode) -> bool {
    let Some((least, most)) = extremes() else { return false };
    let is_run = |bytes: &Vec<u8>| {
        let as_both = || bytes.iter().zip(&least.partitions[0]).zip(&most.partitions[0]);
        bytes.len() == least.partitions[0].len()
            && as_both().all(|((byte, least), most)| least != most || byte == least)
    };
    let rest =
        |leaf: &MemoryScanExecNode| MemoryScanExecNode { partitions: Vec::new(), ..leaf.clone() };
    leaf.partitions.len() <= MAX_PARTITIONS
        && leaf.partitions.iter().all(is_run)
        && rest(leaf) == rest(least)
}

/// The leaves of a run with the least numbers of blocks and with the greatest: where these
/// differ the numbers are.
fn extremes() -> Option<&'static (MemoryScanExecNode, MemoryScanExecNode)> {
    static EXTREMES: OnceLock<Option<(MemoryScanExecNode, MemoryScanExecNode)>> = OnceLock::new();
    EXTREMES.get_or_init(|| Some((leaf(0, 0)?, leaf(u64::MAX, u64::MAX)?))).as_ref()
}

/// The leaf of a plan of one run, as it travels.
fn leaf(first: u64, end: u64) -> Option<MemoryScanExecNode> {
    let rows = vec![run_of_blocks(first, end).ok()?];
    let leaf = MemorySourceConfig::try_new(&[rows], questions(), None).ok()?;
    let leaf = DataSourceExec::from_data_source(leaf);
    let leaf = PhysicalPlanNode::try_from_physical_plan(leaf, &StepCodec::default()).ok()?;
    match leaf.physical_plan_type {
        Some(PhysicalPlanType::MemoryScan(leaf)) if leaf.partitions.len() == 1 => Some(leaf),
        _ => None,
    }
}

/// The input of a node, if it is ours.
fn ours(plan: &PhysicalPlanNode) -> Option<&PhysicalPlanNode> {
    match &plan.physical_plan_type {
        Some(PhysicalPlanType::Extension(node)) if Body::claims(&node.node) => {
            // All inputs would be decoded, whichever are looked at.
            let [input] = node.inputs.as_slice() else { return None };
            Some(input)
        }
        _ => None,
    }
}

/// Whether a plan is a stage of ours, as the engine cuts it: its result is written, one of our
/// nodes makes it, from runs of blocks or from results of another stage of this job.
pub(crate) fn is_stage(plan: &PhysicalPlanNode, job_id: &str) -> bool {
    let written = engines(plan).and_then(|(node, inputs)| match (node, inputs) {
        (Engines::ShuffleWriter(writer), [step]) => {
            (writer.output_partitioning.is_none() && writer.input.is_none()).then_some(step)
        }
        _ => None,
    });
    let input = written.and_then(ours).and_then(|input| input.physical_plan_type.as_ref());
    match input {
        Some(PhysicalPlanType::MemoryScan(leaf)) => is_runs(leaf),
        Some(PhysicalPlanType::Merge(merge)) => {
            merge.input.as_deref().is_some_and(|input| is_results(input, job_id))
        }
        _ => false,
    }
}

/// Whether a node reads results of our map and nothing else: each partition those of one, from
/// workers that the engine's decoder understands, in files of this job.
fn is_results(plan: &PhysicalPlanNode, job_id: &str) -> bool {
    let Some((Engines::ShuffleReader(reader), [])) = engines(plan) else { return false };
    let n_partitions = reader.partition.len();
    let method = reader.partitioning.as_ref().and_then(|all| all.partition_method.as_ref());
    let schema = answers().as_ref().try_into().ok();
    n_partitions <= MAX_PARTITIONS
        && matches!(method, Some(PartitionMethod::Unknown(n)) if *n == n_partitions as u64)
        && reader.coalesce.is_none()
        && !reader.broadcast
        && schema.is_some()
        && reader.schema == schema
        && reader.partition.iter().all(|all| match all.location.as_slice() {
            [at] => is_result(at, job_id),
            _ => false,
        })
}

/// Whether it is where one of a job's results is: its name is a directory.
fn is_result(at: &PartitionLocation, job_id: &str) -> bool {
    let worker = at.executor_meta.as_ref();
    let known = |worker: &ExecutorMetadata| {
        worker.specification.is_some()
            && worker.os_info.is_some()
            && worker.host.len() + worker.id.len() <= MAX_NAMES
    };
    worker.is_some_and(known)
        && at.partition_id.as_ref().is_some_and(|id| id.job_id == job_id)
        && at.partition_stats.is_some()
        && !at.is_sort_shuffle
}

/// A node of Ballista's own, and its inputs.
fn engines(plan: &PhysicalPlanNode) -> Option<(Engines, &[PhysicalPlanNode])> {
    match &plan.physical_plan_type {
        Some(PhysicalPlanType::Extension(node)) if !Body::claims(&node.node) => {
            let decoded = BallistaPhysicalPlanNode::decode(node.node.as_slice()).ok()?;
            Some((decoded.physical_plan_type?, &node.inputs))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ballista_core::execution_plans::{ShuffleReaderExec, ShuffleWriterExec};
    use ballista_core::serde::protobuf::{CoalescePlan, ShuffleReaderExecNode};
    use ballista_core::serde::scheduler::{
        ExecutorMetadata as WorkerPlace, ExecutorOperatingSystemSpecification,
        ExecutorSpecification, PartitionId, PartitionLocation as Place, PartitionStats,
    };

    use std::sync::Arc;

    use datafusion::arrow::datatypes::SchemaRef;
    use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
    use datafusion::physical_plan::{ExecutionPlan, Partitioning};

    use super::*;
    use crate::node::StepExec;

    fn encoded(plan: Arc<dyn ExecutionPlan>) -> PhysicalPlanNode {
        PhysicalPlanNode::try_from_physical_plan(plan, &StepCodec::default()).expect("a plan")
    }

    fn step(input: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        Arc::new(StepExec::new(input, Arc::from(*b"drystone/1\nwhatever"), None))
    }

    fn written(input: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        Arc::new(
            ShuffleWriterExec::try_new("job".into(), 1, input, String::new()).expect("a stage"),
        )
    }

    fn gathered(input: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        Arc::new(CoalescePartitionsExec::new(input))
    }

    fn runs_of_blocks() -> Arc<dyn ExecutionPlan> {
        let rows = vec![run_of_blocks(3, 9).expect("a run")];
        let leaf = MemorySourceConfig::try_new(&[rows], questions(), None).expect("a leaf");
        DataSourceExec::from_data_source(leaf)
    }

    fn results(schema: SchemaRef) -> Arc<dyn ExecutionPlan> {
        let one = Partitioning::UnknownPartitioning(1);
        let at = place_of_a_result("job");
        Arc::new(ShuffleReaderExec::try_new(1, vec![vec![at]], schema, one).expect("a reader"))
    }

    fn place_of_a_result(job_id: &str) -> Place {
        Place {
            map_partition_id: 0,
            partition_id: PartitionId { job_id: job_id.into(), stage_id: 1, partition_id: 0 },
            executor_meta: WorkerPlace {
                id: "w".to_owned(),
                host: "127.0.0.1".to_owned(),
                port: 1,
                grpc_port: 1,
                specification: ExecutorSpecification::default(),
                os_info: ExecutorOperatingSystemSpecification::default(),
            },
            partition_stats: PartitionStats::default(),
            file_id: None,
            is_sort_shuffle: false,
        }
    }

    #[test]
    fn stages_of_ours_and_nothing_else() {
        assert!(is_stage(&encoded(written(step(runs_of_blocks()))), "job"));
        assert!(is_stage(&encoded(written(step(gathered(results(answers()))))), "job"));
        let others = [
            runs_of_blocks(),
            step(runs_of_blocks()),
            written(runs_of_blocks()),
            written(step(step(runs_of_blocks()))),
            written(step(gathered(runs_of_blocks()))),
            written(step(results(answers()))),
            written(step(gathered(results(questions())))),
            written(written(step(runs_of_blocks()))),
        ];
        for other in others {
            assert!(!is_stage(&encoded(Arc::clone(&other)), "job"), "{other:?}");
        }
    }

    #[test]
    fn a_second_input_is_not_decoded() {
        let mut stage = encoded(written(step(runs_of_blocks())));
        let Some(PhysicalPlanType::Extension(writer)) = &mut stage.physical_plan_type else {
            panic!("another node");
        };
        let Some(PhysicalPlanType::Extension(step)) = &mut writer.inputs[0].physical_plan_type
        else {
            panic!("another node");
        };
        step.inputs.push(encoded(runs_of_blocks()));
        assert!(!is_stage(&stage, "job"));
    }

    #[test]
    fn results_are_of_the_job_and_of_known_workers() {
        let change = |change: fn(&mut ShuffleReaderExecNode)| {
            let mut plan = encoded(results(answers()));
            let Some(PhysicalPlanType::Extension(node)) = &mut plan.physical_plan_type else {
                panic!("another node");
            };
            let mut reader = BallistaPhysicalPlanNode::decode(node.node.as_slice()).expect("ours");
            let Some(Engines::ShuffleReader(inner)) = &mut reader.physical_plan_type else {
                panic!("another node");
            };
            change(inner);
            node.node = reader.encode_to_vec();
            is_results(&plan, "job")
        };
        assert!(change(|_| {}));
        let changes: [fn(&mut ShuffleReaderExecNode); 10] = [
            |reader| reader.partition[0].location.clear(),
            |reader| {
                let again = reader.partition[0].location[0].clone();
                reader.partition[0].location.push(again);
            },
            |reader| reader.broadcast = true,
            |reader| reader.coalesce = Some(CoalescePlan::default()),
            |reader| reader.partitioning = None,
            |reader| reader.partition.push(reader.partition[0].clone()),
            |reader| reader.partition[0].location[0].executor_meta = None,
            |reader| reader.partition[0].location[0].partition_stats = None,
            |reader| {
                let worker = reader.partition[0].location[0].executor_meta.as_mut();
                worker.expect("a worker").os_info = None;
            },
            |reader| {
                let id = reader.partition[0].location[0].partition_id.as_mut();
                id.expect("a name").job_id = "../job".to_owned();
            },
        ];
        for (idx, hostile) in changes.into_iter().enumerate() {
            assert!(!change(hostile), "the change {idx}");
        }
    }

    #[test]
    fn of_a_leaf_that_comes_only_the_numbers_of_blocks_are_free() {
        let run = leaf(3, 9).expect("a leaf");
        assert!(is_runs(&run));
        let accepted = (0..run.partitions[0].len()).filter(|&at| {
            let mut other = run.clone();
            other.partitions[0][at] ^= 0x55;
            is_runs(&other)
        });
        assert_eq!(accepted.count(), 16);
        let mut cut = run.clone();
        cut.partitions[0].truncate(20);
        assert!(!is_runs(&cut));
        assert!(!is_runs(&MemoryScanExecNode { schema: None, ..run.clone() }));
        let many = vec![run.partitions[0].clone(); MAX_PARTITIONS + 1];
        assert!(!is_runs(&MemoryScanExecNode { partitions: many, ..run }));
    }
}
