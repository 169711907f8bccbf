//! State of rows between the steps of a fit, kept where the blocks are.
//!
//! Nothing here is needed for correctness: what is lost is restored by the job.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::fingerprint::Fingerprint;

/// What happens to state between steps. Every policy gives the same bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatePolicy {
    /// Kept until the fit ends.
    #[default]
    Keep,
    /// Never kept: restored in each step, which costs time and saves memory.
    Discard,
    /// Lost now and then, in a pattern that follows from the seed: for tests.
    LoseSome {
        /// Chooses the pattern.
        seed: u64,
    },
}

/// The place of one slice's state: empty, or a value and the steps behind it.
#[derive(Default)]
pub struct Slot(Option<(u64, Box<dyn Any + Send>)>);

impl Slot {
    /// Takes the value if it is of this type and has this many steps behind it.
    pub(crate) fn take<S: 'static>(&mut self, step: u64) -> Option<S> {
        let (found, value) = self.0.take()?;
        if found != step {
            return None;
        }
        value.downcast().ok().map(|value| *value)
    }

    pub(crate) fn put<S: Send + 'static>(&mut self, step: u64, value: S) {
        self.0 = Some((step, Box::new(value)));
    }
}

/// One slice of a block of a dataset, in one fit.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SlotKey {
    pub session: u64,
    pub data: Fingerprint,
    pub block_idx: usize,
    pub slice_idx: usize,
}

/// The slots of a process.
#[derive(Default)]
pub(crate) struct StateStore {
    slots: Mutex<HashMap<SlotKey, Slot>>,
    policy: StatePolicy,
}

impl StateStore {
    pub fn new(policy: StatePolicy) -> Self {
        Self { slots: Mutex::default(), policy }
    }

    pub fn policy(&self) -> StatePolicy {
        self.policy
    }

    pub fn take(&self, key: SlotKey) -> Slot {
        self.lock().remove(&key).unwrap_or_default()
    }

    pub fn put(&self, key: SlotKey, slot: Slot) {
        let Some((step, _)) = slot.0 else { return };
        let kept = match self.policy {
            StatePolicy::Keep => true,
            StatePolicy::Discard => false,
            StatePolicy::LoseSome { seed } => {
                let place = [seed, step, key.block_idx as u64, key.slice_idx as u64];
                drystone_kernels::normal::mix(&place).is_multiple_of(2)
            }
        };
        if kept {
            self.lock().insert(key, slot);
        }
    }

    pub fn forget(&self, session: u64) {
        self.lock().retain(|key, _| key.session != session);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<SlotKey, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
