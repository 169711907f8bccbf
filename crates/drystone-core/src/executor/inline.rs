//! The calling thread alone: the executor that the others are compared with.

use super::{Executor, Outcome, Resources, Step, StepStats};
use crate::error::Result;
use crate::place::Place;
use crate::state::StatePolicy;

/// Maps the blocks one after the other on the calling thread.
pub struct Inline {
    place: Place,
}

impl Default for Inline {
    fn default() -> Self {
        Self::new(crate::memory::default_budget())
    }
}

impl Inline {
    /// With this many bytes for cached blocks.
    #[must_use]
    pub fn new(memory_budget: u64) -> Self {
        Self { place: Place::new(memory_budget, StatePolicy::Keep) }
    }

    /// With another policy for state.
    #[must_use]
    pub fn state_policy(self, policy: StatePolicy) -> Self {
        Self { place: Place::new(self.place.cache.budget(), policy) }
    }
}

impl Executor for Inline {
    fn run(&self, step: &Step<'_>) -> Result<Outcome> {
        let mut partial = step.job.empty_any();
        let mut stats = StepStats::default();
        for block_idx in 0..step.data.n_blocks() {
            step.control.check()?;
            let fetched = self.place.fetch(step, block_idx)?;
            self.place.map_block(step, &fetched.block, &mut partial)?;
            let rows = fetched.block.block.n_samples() as u64;
            stats.merge(StepStats { blocks: 1, blocks_read: usize::from(fetched.read), rows });
            step.block_done(stats.blocks);
        }
        Ok(Outcome { partial, stats })
    }

    fn describe(&self) -> Resources {
        Resources { name: "inline", threads: 1, memory_budget: self.place.cache.budget() }
    }

    fn forget(&self, session: u64) {
        self.place.forget(session);
    }
}
