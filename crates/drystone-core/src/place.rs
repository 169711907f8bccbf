//! Where blocks and their state live in one process, and how a step runs there.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::block::{Block, BlockAt};
use crate::cache::BlockCache;
use crate::error::{Error, Result};
use crate::executor::Step;
use crate::job::AnyPartial;
use crate::state::{Slot, SlotKey, StatePolicy, StateStore};
use crate::steps::check_rows;

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

    /// Drops the state of a session that is over, and frees its blocks for eviction.
    pub fn forget(&self, session: u64) {
        self.states.forget(session);
        self.cache.release(session);
    }

    /// A block from the cache, or else from its source.
    pub fn fetch(&self, step: &Step<'_>, block_idx: usize) -> Result<Fetched> {
        let data = step.data;
        let cached = self.cache.get(step.session, data.fingerprint(), block_idx);
        let read = cached.is_none() && !data.in_memory();
        let block = match cached {
            Some(block) => block,
            None => catch_panic(|| data.read(block_idx))
                .map_err(|error| error.in_block(block_idx as u64))?,
        };
        check_rows(&data.layout().rows, block_idx, &block)
            .map_err(|error| error.in_block(block_idx as u64))?;
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
            let mut none = Slot::default();
            return catch_panic(|| step.job.map_any(rows, &mut none, into)).map_err(locate);
        }
        let (session, data) = (step.session, step.data.fingerprint());
        let key = SlotKey { session, data, block_idx: rows.block_idx, slice_idx };
        let mut slot = self.states.take(key);
        catch_panic(|| step.job.map_any(rows, &mut slot, into)).map_err(locate)?;
        self.states.put(key, slot);
        Ok(())
    }

    /// Maps all slices of a block, one after the other.
    pub fn map_block(&self, step: &Step<'_>, at: &BlockAt, into: &mut AnyPartial) -> Result<()> {
        let rows = slices(at, step.job.rows_of_slice());
        rows.enumerate().try_for_each(|(idx, rows)| self.map_slice(step, &rows, idx, into))
    }
}

/// Turns a panic of the user's code, or of a library on the user's behalf, into an error, so
/// that no thread waits for another that is gone. The panic's message is still printed.
///
/// ```
/// let error = drystone_core::catch_panic::<()>(|| panic!("of no use")).unwrap_err();
/// assert_eq!(error.to_string(), "the user's code failed: it panicked: of no use");
/// ```
///
/// # Errors
/// Those of `work`; [`ErrorKind::External`](crate::ErrorKind::External) for a panic, with its
/// text.
pub fn catch_panic<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        let text = text.as_deref().unwrap_or("without a message");
        Err(Error::external(format!("it panicked: {text}")))
    })
}

/// The slices of a block, of `slice_rows` rows each.
pub(crate) fn slices(at: &BlockAt, slice_rows: usize) -> impl Iterator<Item = BlockAt> + '_ {
    let n_samples = at.block.n_samples();
    (0..n_samples).step_by(slice_rows).map(move |first| {
        let rows = first..n_samples.min(first + slice_rows);
        let block: Block = at.block.slice(rows);
        BlockAt { block, block_idx: at.block_idx, first_row: at.first_row + first as u64 }
    })
}
