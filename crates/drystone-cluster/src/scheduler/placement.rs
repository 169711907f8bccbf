//! Which worker takes a partition: the same one in each step, so that its blocks are in memory
//! there.
//!
//! Rendezvous hashing of partitions to the workers that live, with bounded load: no worker owns
//! more than its share of the partitions, by its slots. Who owned a partition keeps it for as long
//! as it lives and its share allows: when a worker is gone only its partitions move, and one that
//! comes gets only what the others have too much of.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use ballista_core::JobId;
use ballista_core::serde::protobuf::{AvailableVcores, job_status};
use ballista_core::serde::scheduler::TaskKey;
use ballista_scheduler::cluster::{BoundTask, DistributionPolicy};
use ballista_scheduler::state::execution_graph::{TaskDescription, create_task_info};
use ballista_scheduler::state::execution_stage::RunningStage;
use ballista_scheduler::state::task_manager::JobInfoCache;
use datafusion::error::Result;

use super::board::{Board, Live};

/// Binds each partition to its owner, and to nobody else.
pub(super) struct Pinned {
    board: Arc<Board>,
    /// The latest owners, by the number of partitions: the same in each step of a fit.
    owners: Mutex<HashMap<usize, Vec<String>>>,
}

/// Numbers of partitions whose owners are remembered.
const MAX_REMEMBERED: usize = 64;

impl Pinned {
    pub fn new(board: &Arc<Board>) -> Self {
        Self { board: Arc::clone(board), owners: Mutex::default() }
    }

    /// The owner of each partition, as a position among the workers.
    fn owners(&self, n_partitions: usize, live: &[Live]) -> Vec<Option<usize>> {
        let mut known = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.get(&n_partitions).map_or(&[][..], Vec::as_slice);
        let owners = owners(n_partitions, live, before);
        let name =
            |owner: &Option<usize>| owner.map_or_else(String::new, |idx| live[idx].id.clone());
        let names = owners.iter().map(name).collect();
        if known.len() >= MAX_REMEMBERED {
            known.clear();
        }
        known.insert(n_partitions, names);
        owners
    }
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pinned").finish_non_exhaustive()
    }
}

#[async_trait]
impl DistributionPolicy for Pinned {
    fn name(&self) -> &str {
        "pinned"
    }

    async fn bind_tasks(
        &self,
        mut budgets: Vec<&mut AvailableVcores>,
        jobs: Arc<HashMap<JobId, JobInfoCache>>,
    ) -> Result<Vec<BoundTask>> {
        let live = self.board.live();
        let mut bound = Vec::new();
        for (job, info) in jobs.iter() {
            if !matches!(info.status, Some(job_status::Status::Running(_))) {
                continue;
            }
            let mut graph = info.execution_graph.write().await;
            let session = graph.session_id().to_string();
            let mut seen = Vec::new();
            while let Some(stage) = graph.fetch_running_stage(&seen) {
                seen.push(stage.stage_id);
                let owners = self.owners(stage.pending.total_partitions(), &live);
                bound.extend(bind_stage(stage, &live, &owners, &mut budgets, &session, job));
            }
        }
        Ok(bound)
    }
}

/// Binds what is pending to those owners that have a free slot.
fn bind_stage(
    stage: &mut RunningStage,
    live: &[Live],
    owners: &[Option<usize>],
    budgets: &mut [&mut AvailableVcores],
    session: &str,
    job: &JobId,
) -> Vec<BoundTask> {
    let pending = stage.pending.next_slice(usize::MAX);
    let merges = takes_all_partitions(stage);
    let (mut bound, mut left) = (Vec::new(), Vec::new());
    let tasks: Vec<Vec<usize>> = match merges {
        true if pending.is_empty() => Vec::new(),
        true => vec![pending],
        false => pending.into_iter().map(|partition| vec![partition]).collect(),
    };
    for partitions in tasks {
        let owner = owners.get(partitions[0]).copied().flatten().map(|idx| live[idx].id.as_str());
        // Merging needs no blocks: whoever is free may do it.
        let mut free = budgets.iter_mut().filter(|budget| budget.vcores > 0);
        match free.find(|budget| merges || Some(budget.executor_id.as_str()) == owner) {
            Some(budget) => {
                budget.vcores -= 1;
                bound.push(bind(stage, &budget.executor_id, partitions, session, job));
            }
            None => left.extend(partitions),
        }
    }
    stage.pending.reschedule(left);
    bound
}

/// Whether one task of the stage reads all that comes in, whatever partition it is.
fn takes_all_partitions(stage: &RunningStage) -> bool {
    let input = stage.plan.children().first().map(|child| child.properties());
    input.is_some_and(|input| input.output_partitioning().partition_count() == 1)
}

fn bind(
    stage: &mut RunningStage,
    worker: &str,
    partitions: Vec<usize>,
    session: &str,
    job: &JobId,
) -> BoundTask {
    let task_id = stage.task_infos.len();
    let mut info = create_task_info(worker.to_owned(), task_id);
    info.global_input_partition_ids.clone_from(&partitions);
    info.vcores_consumed = 1;
    stage.task_infos.push(info);
    let failures = partitions.iter().filter_map(|&idx| stage.task_failure_numbers.get(idx));
    let task = TaskDescription {
        session_id: session.to_owned(),
        key: TaskKey { job_id: job.clone(), stage_id: stage.stage_id, task_id },
        stage_attempt_num: stage.stage_attempt_num,
        task_attempt: failures.copied().max().unwrap_or(0),
        global_input_partition_ids: partitions,
        vcores_consumed: 1,
        plan: Arc::clone(&stage.plan),
        session_config: Arc::clone(&stage.session_config),
    };
    (worker.to_owned(), task)
}

/// The owner of each partition, as a position among the workers, given the names of who owned it.
fn owners(n_partitions: usize, live: &[Live], before: &[String]) -> Vec<Option<usize>> {
    let slots: usize = live.iter().map(|worker| worker.slots).sum();
    let mut room: Vec<usize> =
        live.iter().map(|worker| (n_partitions * worker.slots).div_ceil(slots)).collect();
    let mut take = |owner: Option<usize>| {
        let owner = owner.filter(|&idx| room[idx] > 0);
        owner.iter().for_each(|&idx| room[idx] -= 1);
        owner
    };
    let former = |partition: usize| {
        let name = before.get(partition)?;
        live.iter().position(|worker| worker.id == *name)
    };
    let mut owners: Vec<_> = (0..n_partitions).map(|partition| take(former(partition))).collect();
    for (partition, owner) in owners.iter_mut().enumerate().filter(|(_, owner)| owner.is_none()) {
        let with_room = (0..live.len()).filter(|&idx| room[idx] > 0);
        *owner = with_room.max_by_key(|&idx| weight(&live[idx].id, partition));
        owner.iter().for_each(|&idx| room[idx] -= 1);
    }
    owners
}

/// What a worker bids for a partition: the highest wins. The same wherever and whenever it is
/// computed.
fn weight(worker: &str, partition: usize) -> u64 {
    let words = worker.as_bytes().chunks(8).map(|bytes| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        u64::from_le_bytes(word)
    });
    let all: Vec<u64> = words.chain([partition as u64]).collect();
    drystone_kernels::normal::mix(&all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workers(slots: &[usize]) -> Vec<Live> {
        let live = |(idx, &slots)| Live { id: format!("worker-{idx}"), slots };
        slots.iter().enumerate().map(live).collect()
    }

    fn shares(owners: &[Option<usize>], n_workers: usize) -> Vec<usize> {
        let of = |worker| owners.iter().filter(|owner| **owner == Some(worker)).count();
        (0..n_workers).map(of).collect()
    }

    #[test]
    fn each_partition_has_an_owner_and_no_worker_has_more_than_its_share() {
        for slots in [&[1][..], &[1, 1], &[1, 2, 5], &[4; 7]] {
            let live = workers(slots);
            let all: usize = slots.iter().sum();
            for n in [0, 1, 2, 8, 100] {
                let owners = owners(n, &live, &[]);
                assert!(owners.iter().all(Option::is_some));
                for (share, slots) in shares(&owners, live.len()).into_iter().zip(slots) {
                    assert!(share <= (n * slots).div_ceil(all), "{share} of {n} on {slots}");
                }
            }
        }
        assert_eq!(owners(3, &[], &[]), [None; 3]);
    }

    fn names(owners: &[Option<usize>], live: &[Live]) -> Vec<String> {
        owners.iter().map(|owner| live[owner.expect("an owner")].id.clone()).collect()
    }

    #[test]
    fn only_the_partitions_of_a_worker_that_leaves_move() {
        let live = workers(&[1, 2, 1, 3, 1, 1, 2, 1]);
        let before = names(&owners(64, &live, &[]), &live);
        for gone in 0..8 {
            let mut rest = live.clone();
            let left = rest.remove(gone).id;
            let after = names(&owners(64, &rest, &before), &rest);
            for (before, after) in before.iter().zip(&after) {
                assert!(before == after || *before == left, "{before} lost one to {after}");
            }
        }
    }

    #[test]
    fn a_worker_that_comes_takes_what_others_have_too_much_of() {
        let live = workers(&[1; 4]);
        let before = names(&owners(12, &live[..3], &[]), &live[..3]);
        let after = names(&owners(12, &live, &before), &live);
        let moved = before.iter().zip(&after).filter(|(before, after)| before != after);
        assert!(moved.clone().all(|(_, after)| *after == live[3].id));
        assert_eq!(moved.count(), 3);
    }
}
