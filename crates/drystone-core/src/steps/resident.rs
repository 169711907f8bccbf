//! Blocks in memory.

use crate::block::{Block, Targets};
use crate::dataset::ChunkedDataset;
use crate::error::{ErrorKind, Result};
use crate::layout::{BlockRows, Layout};
use crate::source::BlockSource;

pub(crate) struct Resident {
    blocks: Vec<Block>,
    layout: Layout,
}

impl Resident {
    pub fn new(blocks: Vec<Block>) -> Result<Self> {
        let Some(first) = blocks.first() else {
            return Err(ErrorKind::Empty { what: "there are no blocks".into() }.into());
        };
        let mut layout =
            Layout::with_rows(first.records.dtype(), first.records.n_features(), rows(&blocks));
        layout.targets = first.targets.as_ref().map(Targets::kind);
        layout.weighted = first.weights.is_some();
        for (block_idx, block) in blocks.iter().enumerate() {
            block.check(&layout, None).map_err(|error| error.in_block(block_idx as u64))?;
        }
        Ok(Self { blocks, layout })
    }

    /// Reads all blocks of a dataset.
    pub fn read(data: &ChunkedDataset) -> Result<Self> {
        if let (Some(found), Some(limit)) = (data.layout().bytes(), crate::memory::available())
            && found > limit
        {
            let what = "the size of the persisted dataset in bytes".into();
            return Err(ErrorKind::Limit { what, limit, found }.into());
        }
        // A slice is kept without the rest of the block that it was cut from.
        let read = |block_idx| Ok(data.read(block_idx)?.compact());
        let blocks = (0..data.n_blocks()).map(read).collect::<Result<Vec<_>>>()?;
        let layout = Layout { rows: rows(&blocks), ..data.layout().clone() };
        Ok(Self { blocks, layout })
    }
}

fn rows(blocks: &[Block]) -> BlockRows {
    let counts: Vec<u64> = blocks.iter().map(|block| block.n_samples() as u64).collect();
    BlockRows::from_counts(&counts)
}

impl BlockSource for Resident {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        Ok(self.blocks[block_idx].clone())
    }

    fn in_memory(&self) -> bool {
        true
    }
}
