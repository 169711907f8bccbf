//! Blocks from a function of the user.

use crate::block::Block;
use crate::error::Result;
use crate::layout::Layout;
use crate::source::BlockSource;

pub(crate) struct Closure<F> {
    layout: Layout,
    make: F,
}

impl<F> Closure<F> {
    pub fn new(layout: Layout, make: F) -> Self {
        Self { layout, make }
    }
}

impl<F: Fn(usize) -> Result<Block> + Send + Sync + 'static> BlockSource for Closure<F> {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        (self.make)(block_idx)
    }
}
