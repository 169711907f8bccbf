//! Blocks kept in memory between passes, under a budget.
//!
//! Passes scan all blocks in order, and a cache that evicts what was used least recently
//! would drop each block just before it is needed. This one never evicts: what fits is
//! pinned, and each later pass reads only the rest.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::block::Block;
use crate::fingerprint::Fingerprint;

pub(crate) struct BlockCache {
    budget: u64,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    blocks: HashMap<(Fingerprint, usize), Block>,
    bytes: u64,
    newest: Option<Fingerprint>,
}

impl BlockCache {
    pub fn new(budget: u64) -> Self {
        Self { budget, kept: Mutex::default() }
    }

    pub fn budget(&self) -> u64 {
        self.budget
    }

    pub fn get(&self, data: Fingerprint, block_idx: usize) -> Option<Block> {
        self.lock().blocks.get(&(data, block_idx)).cloned()
    }

    /// Keeps a block if there is room. A dataset that was not seen before takes the
    /// place of the ones before it.
    pub fn offer(&self, data: Fingerprint, block_idx: usize, block: &Block) {
        let bytes = block.bytes();
        let mut kept = self.lock();
        if kept.newest != Some(data) {
            kept.make_room(bytes, self.budget);
            kept.newest = Some(data);
        }
        if kept.bytes + bytes <= self.budget
            && kept.blocks.insert((data, block_idx), block.clone()).is_none()
        {
            kept.bytes += bytes;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn make_room(&mut self, bytes: u64, budget: u64) {
        if self.bytes + bytes > budget {
            self.blocks.clear();
            self.bytes = 0;
        }
    }
}
