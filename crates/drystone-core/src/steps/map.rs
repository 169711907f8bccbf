//! Each block through a function of the user.

use crate::block::Block;
use crate::dataset::ChunkedDataset;
use crate::error::Result;
use crate::layout::Layout;
use crate::source::BlockSource;

pub(crate) struct Map<F> {
    data: ChunkedDataset,
    layout: Layout,
    f: F,
}

impl<F> Map<F> {
    pub fn new(data: ChunkedDataset, layout: Layout, f: F) -> Self {
        Self { data, layout, f }
    }
}

impl<F: Fn(Block) -> Result<Block> + Send + Sync + 'static> BlockSource for Map<F> {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        (self.f)(self.data.read(block_idx)?)
    }

    fn count_rows(&self, block_idx: usize) -> Result<u64> {
        self.data.count_rows(block_idx)
    }
}
