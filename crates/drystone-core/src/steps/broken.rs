//! A step that could not be taken: the error waits until something is read.

use crate::block::Block;
use crate::error::{Error, Result};
use crate::layout::{BlockRows, Layout};
use crate::source::BlockSource;

pub(crate) struct Broken {
    error: Error,
    layout: Layout,
}

impl Broken {
    pub fn new(error: Error, layout: &Layout) -> Self {
        let rows = BlockRows::Unknown { n_blocks: 1 };
        Self { error, layout: Layout { rows, ..layout.clone() } }
    }
}

impl BlockSource for Broken {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, _: usize) -> Result<Block> {
        Err(self.error.duplicate())
    }
}
