//! Blocks kept in memory between passes, under a budget.
//!
//! Passes scan all blocks in order, and a cache that evicts what was used least recently
//! would drop each block just before it is needed. Here what fits is pinned, each later pass
//! reads only the rest, and a dataset makes way only once the sessions that use it are over.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::block::Block;
use crate::fingerprint::Fingerprint;

pub(crate) struct BlockCache {
    budget: u64,
    kept: Mutex<Kept>,
}

/// What a process keeps of its blocks between steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptBlocks {
    /// How many there are.
    pub blocks: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes that there may be.
    pub budget: u64,
}

#[derive(Default)]
struct Kept {
    blocks: HashMap<(Fingerprint, usize), Block>,
    bytes: u64,
    /// The session that used each dataset last, until it is over.
    in_use: HashMap<Fingerprint, u64>,
}

impl BlockCache {
    pub fn new(budget: u64) -> Self {
        Self { budget, kept: Mutex::default() }
    }

    pub fn budget(&self) -> u64 {
        self.budget
    }

    /// A block if it is kept; its dataset is in use by the session from now on.
    pub fn get(&self, session: u64, data: Fingerprint, block_idx: usize) -> Option<Block> {
        let mut kept = self.lock();
        kept.in_use.insert(data, session);
        kept.blocks.get(&(data, block_idx)).cloned()
    }

    /// Keeps a block if there is room; datasets that no session uses any more make way.
    pub fn offer(&self, data: Fingerprint, block_idx: usize, block: &Block) {
        let bytes = block.bytes();
        let mut kept = self.lock();
        if bytes > self.budget {
            return;
        }
        if kept.bytes + bytes > self.budget {
            kept.drop_unused();
        }
        if kept.bytes + bytes <= self.budget
            && kept.blocks.insert((data, block_idx), block.compact()).is_none()
        {
            kept.bytes += bytes;
        }
    }

    pub fn kept(&self) -> KeptBlocks {
        let kept = self.lock();
        KeptBlocks { blocks: kept.blocks.len(), bytes: kept.bytes, budget: self.budget }
    }

    /// The session is over: its blocks stay until others need the room.
    pub fn release(&self, session: u64) {
        self.lock().in_use.retain(|_, user| *user != session);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn drop_unused(&mut self) {
        let Self { blocks, bytes, in_use } = self;
        blocks.retain(|(data, _), block| {
            let used = in_use.contains_key(data);
            *bytes -= if used { 0 } else { block.bytes() };
            used
        });
    }
}
