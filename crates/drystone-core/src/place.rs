//! Where blocks and their state live in one process, and how a step runs there.

use crate::block::{Block, BlockAt};
use crate::cache::BlockCache;
use crate::error::{Error, Result};
use crate::executor::{SLICE_ROWS, Step};
use crate::job::AnyPartial;
use crate::state::{SlotKey, StatePolicy, StateStore};

/// The cache of blocks and the store of state that the threads of a process share.
pub(crate) struct Place {
    pub cache: BlockCache,
    pub states: StateStore,
}

/// A block in memory, and whether it had to be read.
pub(crate) struct Fetched {
    pub block: BlockAt,
    pub read: bool,
}

impl Place {
    pub fn new(budget: u64, policy: StatePolicy) -> Self {
        Self { cache: BlockCache::new(budget), states: StateStore::new(policy) }
    }

    /// A block from the cache, or else from its source.
    pub fn fetch(&self, step: &Step<'_>, block_idx: usize) -> Result<Fetched> {
        let data = step.data;
        let cached = self.cache.get(data.fingerprint(), block_idx);
        let read = cached.is_none() && !data.in_memory();
        let block = match cached {
            Some(block) => block,
            None => data.read(block_idx)?,
        };
        step.check_rows(block_idx, &block)?;
        if read {
            self.cache.offer(data.fingerprint(), block_idx, &block);
        }
        let first_row = step.first_row(block_idx);
        Ok(Fetched { block: BlockAt { block, block_idx, first_row }, read })
    }

    /// Maps one slice of a block.
    pub fn map_slice(
        &self,
        step: &Step<'_>,
        rows: &BlockAt,
        slice_idx: usize,
        into: &mut AnyPartial,
    ) -> Result<()> {
        step.control.check()?;
        let locate = |error: Error| rows.locate(error, None);
        if !step.job.has_state() {
            return step.job.map_any(rows, &mut Default::default(), into).map_err(locate);
        }
        let key = SlotKey { session: step.session, block_idx: rows.block_idx, slice_idx };
        let mut slot = self.states.take(key);
        step.job.map_any(rows, &mut slot, into).map_err(locate)?;
        self.states.put(key, slot);
        Ok(())
    }

    /// Maps all slices of a block, one after the other.
    pub fn map_block(&self, step: &Step<'_>, at: &BlockAt, into: &mut AnyPartial) -> Result<()> {
        slices(at).enumerate().try_for_each(|(idx, rows)| self.map_slice(step, &rows, idx, into))
    }
}

/// The slices of a block.
pub(crate) fn slices(at: &BlockAt) -> impl Iterator<Item = BlockAt> + '_ {
    let n_samples = at.block.n_samples();
    (0..n_samples).step_by(SLICE_ROWS).map(move |first| {
        let rows = first..n_samples.min(first + SLICE_ROWS);
        let block: Block = at.block.slice(rows);
        BlockAt { block, block_idx: at.block_idx, first_row: at.first_row + first as u64 }
    })
}
