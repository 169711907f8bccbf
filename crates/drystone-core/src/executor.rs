//! Who maps a job over the blocks: this thread, threads, or other processes.

mod checkpointed;
mod counting;
mod inline;
mod journal;
mod remote;
mod subprocess;
mod threads;

pub use crate::cache::KeptBlocks;
pub use checkpointed::Checkpointed;
pub use inline::Inline;
pub use remote::{Mapped, Mapper, RemoteCount, RemoteStep};
pub use subprocess::{Subprocess, serve};
pub use threads::Threads;

use crate::control::Control;
use crate::dataset::ChunkedDataset;
use crate::error::Result;
use crate::job::{AnyPartial, ErasedJob};
use crate::observe::{Event, Observer};

use counting::count_block;

/// Rows of a slice, unless a job says otherwise: the unit in which blocks are mapped. Small enough that two threads
/// share one block evenly, large enough that a slice's fixed costs vanish.
pub const SLICE_ROWS: usize = 16_384;

/// Maps a job over the blocks of a dataset and merges the partials.
///
/// Every executor gives the same bits: [`laws::check_executor`](crate::laws::check_executor).
pub trait Executor: Send + Sync {
    /// Runs one step; each block is mapped exactly once.
    ///
    /// # Errors
    /// The first error met; [`ErrorKind::Stopped`](crate::ErrorKind::Stopped) when the step's control says so.
    fn run(&self, step: &Step<'_>) -> Result<Outcome>;

    /// What it is made of.
    fn describe(&self) -> Resources;

    /// Drops the state of a session that is over.
    fn forget(&self, session: u64);

    /// Hears what the observer of a session hears, for executors that show it elsewhere too.
    fn note(&self, session: u64, event: &Event<'_>) {
        let _ = (session, event);
    }

    /// Rows of each block, for a dataset that does not know them: counted on this thread, unless
    /// the executor has others or other processes to do it.
    ///
    /// # Errors
    /// The source's, with the block; of several, that of the first block.
    fn count_rows(&self, data: &ChunkedDataset) -> Result<Vec<u64>> {
        (0..data.n_blocks()).map(|block_idx| count_block(data, block_idx)).collect()
    }
}

impl<E: Executor + ?Sized> Executor for std::sync::Arc<E> {
    fn run(&self, step: &Step<'_>) -> Result<Outcome> {
        (**self).run(step)
    }

    fn describe(&self) -> Resources {
        (**self).describe()
    }

    fn forget(&self, session: u64) {
        (**self).forget(session);
    }

    fn note(&self, session: u64, event: &Event<'_>) {
        (**self).note(session, event);
    }

    fn count_rows(&self, data: &ChunkedDataset) -> Result<Vec<u64>> {
        (**self).count_rows(data)
    }
}

/// What an executor has to work with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resources {
    /// Its name, as in `threads`.
    pub name: &'static str,
    /// Blocks that are mapped at the same time, which bounds the blocks in flight.
    pub threads: usize,
    /// Bytes of blocks that it keeps between passes.
    pub memory_budget: u64,
}

/// One job over all blocks of a dataset, within a session.
pub struct Step<'a> {
    /// The job.
    pub job: &'a dyn ErasedJob,
    /// The dataset; its row counts are known.
    pub data: &'a ChunkedDataset,
    /// The session whose state the job uses.
    pub session: u64,
    /// The pass of the session, from 1.
    pub pass: usize,
    /// When to stop.
    pub control: &'a Control,
    /// Whom to tell.
    pub observer: &'a dyn Observer,
}

/// What a step gives.
pub struct Outcome {
    /// The merged partials.
    pub partial: AnyPartial,
    /// What it took.
    pub stats: StepStats,
}

/// What a step took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepStats {
    /// Blocks mapped.
    pub blocks: usize,
    /// Blocks among them that had to be read or generated.
    pub blocks_read: usize,
    /// Rows mapped.
    pub rows: u64,
}

impl StepStats {
    fn merge(&mut self, other: Self) {
        self.blocks += other.blocks;
        self.blocks_read += other.blocks_read;
        self.rows += other.rows;
    }
}

impl Step<'_> {
    pub(crate) fn first_row(&self, block_idx: usize) -> u64 {
        self.data.layout().rows.rows_of(block_idx).map_or(0, |rows| rows.start)
    }

    /// What the parts of a step come to together; the first error, if there is one.
    fn merge(&self, parts: Vec<Result<Outcome>>) -> Result<Outcome> {
        let none = Outcome { partial: self.job.empty_any(), stats: StepStats::default() };
        parts.into_iter().try_fold(none, |mut merged, part| {
            let part = part?;
            self.job.merge_any(&mut merged.partial, part.partial)?;
            merged.stats.merge(part.stats);
            Ok(merged)
        })
    }

    fn block_done(&self, done: usize) {
        let n_blocks = self.data.n_blocks();
        self.observer.event(&Event::BlockDone { pass: self.pass, done, n_blocks });
    }
}
