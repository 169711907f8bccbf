//! The same blocks, with row counts that were found by counting.

use std::sync::Arc;

use crate::block::Block;
use crate::dataset::ChunkedDataset;
use crate::error::{ErrorKind, Result};
use crate::layout::{BlockRows, Layout};
use crate::registry::Opener;
use crate::source::{BlockSource, Description};
use crate::wire;

pub(super) const KIND: &str = "core.recounted/1";

pub(crate) struct Recounted {
    data: ChunkedDataset,
    layout: Layout,
}

impl Recounted {
    pub fn new(data: ChunkedDataset, rows: BlockRows) -> Self {
        let layout = Layout { rows, ..data.layout().clone() };
        Self { data, layout }
    }
}

/// A block must have the rows that were counted before.
pub(crate) fn check_rows(rows: &BlockRows, block_idx: usize, block: &Block) -> Result<()> {
    let Some(rows) = rows.rows_of(block_idx) else {
        return Ok(());
    };
    let (expected, found) = (rows.end - rows.start, block.n_samples() as u64);
    if expected == found {
        return Ok(());
    }
    let (expected, found) = (format!("{expected} rows"), format!("{found} rows"));
    Err(ErrorKind::SourceChanged { expected, found }.into())
}

impl BlockSource for Recounted {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        let block = self.data.read(block_idx)?;
        check_rows(&self.layout.rows, block_idx, &block)?;
        Ok(block)
    }

    fn describe(&self) -> Option<Description> {
        super::describe(KIND, &(&self.layout.rows, self.data.describe()?))
    }

    fn in_memory(&self) -> bool {
        self.data.in_memory()
    }
}

pub(super) fn open(body: &[u8], opener: &Opener<'_>) -> Result<Arc<dyn BlockSource>> {
    let (rows, inner): (BlockRows, Description) = wire::decode(body)?;
    let rows = rows.validated()?;
    let data = ChunkedDataset::from_arc(opener.open(&inner)?);
    if rows.n_blocks() != data.n_blocks() {
        let (expected, found) = (data.n_blocks() as u64, rows.n_blocks() as u64);
        return Err(crate::Error::shape("blocks", expected, found));
    }
    Ok(Arc::new(Recounted::new(data, rows)))
}
