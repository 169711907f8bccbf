//! What a worker does with a node: maps runs of blocks, merges partials.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use drystone_core::executor::{Mapped, Mapper, RemoteStep};
use drystone_core::{Error, Registry, Result, StatePolicy, wire};

use crate::message::{Done, Part, Run};

/// Sessions whose state is kept: a driver that is gone cannot say that its session is over,
/// and state that is dropped too early is rebuilt.
const MAX_SESSIONS: usize = 8;

/// The blocks and the state of a worker process.
pub(crate) struct Workshop {
    mapper: Mapper,
    /// The latest last.
    sessions: Mutex<VecDeque<u64>>,
}

impl Workshop {
    pub fn new(registry: Registry, memory_budget: u64) -> Self {
        let mapper = Mapper::new(registry, memory_budget, StatePolicy::Keep);
        Self { mapper, sessions: Mutex::default() }
    }

    /// What the blocks of a run come to, as a row of the answer.
    pub fn map(&self, step: &RemoteStep, (first, end): Run) -> Part {
        self.touch(step.session);
        match self.mapper.map(step, first..end) {
            Ok(Mapped { partial, stats }) => Part::Done(Done {
                blocks: vec![(first, end)],
                blocks_read: stats.blocks_read as u64,
                rows: stats.rows,
                partial,
            }),
            Err(error) => Part::failed(first, &error),
        }
    }

    /// What some rows come to together: the error of the first blocks that have one.
    pub fn merge(&self, step: &RemoteStep, rows: &[Vec<u8>]) -> Part {
        self.try_merge(step, rows).unwrap_or_else(|error| Part::failed(0, &error))
    }

    fn try_merge(&self, step: &RemoteStep, rows: &[Vec<u8>]) -> Result<Part> {
        let parts = rows.iter().map(|row| wire::decode(row)).collect::<Result<Vec<Part>>>()?;
        let mut done = Vec::with_capacity(parts.len());
        let mut failed: Option<(u64, Part)> = None;
        for part in parts {
            match part {
                Part::Done(part) => done.push(part),
                Part::Failed { first_block, .. } => {
                    if failed.as_ref().is_none_or(|(block, _)| first_block < *block) {
                        failed = Some((first_block, part));
                    }
                }
            }
        }
        if let Some((_, part)) = failed {
            return Ok(part);
        }
        let mut blocks: Vec<Run> = done.iter().flat_map(|part| part.blocks.clone()).collect();
        blocks.sort_unstable();
        let partials = done.iter().map(|part| part.partial.as_slice());
        Ok(Part::Done(Done {
            blocks,
            blocks_read: done.iter().map(|part| part.blocks_read).sum(),
            rows: done.iter().map(|part| part.rows).sum(),
            partial: self.mapper.merge(step, partials)?,
        }))
    }

    /// The session is in use; the one that was longest not is dropped, if there are many.
    fn touch(&self, session: u64) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|other| *other != session);
        sessions.push_back(session);
        while sessions.len() > MAX_SESSIONS {
            if let Some(oldest) = sessions.pop_front() {
                self.mapper.forget(oldest);
            }
        }
    }
}

/// Whether runs are all blocks, each exactly once.
///
/// # Errors
/// Which blocks are missing, or there twice: an engine's fault, which must not become a wrong
/// result.
pub(crate) fn check_blocks(runs: &[Run], n_blocks: u64) -> Result<()> {
    let mut next = 0;
    for &(first, end) in runs {
        if first != next || end < first {
            let found = format!("blocks {first} to {end} after the first {next}");
            return Err(Error::format(format!("each of {n_blocks} blocks once"), found));
        }
        next = end;
    }
    if next == n_blocks {
        return Ok(());
    }
    Err(Error::format(format!("each of {n_blocks} blocks once"), format!("the first {next} only")))
}
