//! Datasets one after the other.

use std::sync::Arc;

use crate::block::Block;
use crate::dataset::ChunkedDataset;
use crate::error::{Error, ErrorKind, Result};
use crate::layout::{BlockRows, Layout, MAX_LISTED_BLOCKS, check_limit};
use crate::registry::Opener;
use crate::source::{BlockSource, Description};
use crate::wire;

pub(super) const KIND: &str = "core.concat/1";

pub(crate) struct Concat {
    parts: Vec<ChunkedDataset>,
    layout: Layout,
}

impl Concat {
    pub fn new(parts: &[ChunkedDataset]) -> Result<Self> {
        let Some(first) = parts.first() else {
            return Err(ErrorKind::Empty { what: "there is nothing to concatenate".into() }.into());
        };
        for (idx, part) in parts.iter().enumerate() {
            check_names(first, part, idx)?;
            let rows = first.layout().rows.clone();
            let mut same = Layout { rows, ..part.layout().clone() };
            same.feature_names.clone_from(&first.layout().feature_names);
            if same != *first.layout() {
                let found = format!("{} in dataset {idx}", part.layout());
                return Err(Error::format(format!("the columns of {}", first.layout()), found));
            }
        }
        let n_blocks = parts.iter().map(|part| part.n_blocks() as u64);
        let n_blocks = n_blocks.fold(0, u64::saturating_add);
        check_limit("the number of blocks", MAX_LISTED_BLOCKS as u64, n_blocks)?;
        let layout = Layout { rows: rows(parts), ..first.layout().clone() };
        Ok(Self { parts: parts.to_vec(), layout })
    }

    fn locate(&self, mut block_idx: usize) -> (&ChunkedDataset, usize) {
        for part in &self.parts {
            if block_idx < part.n_blocks() {
                return (part, block_idx);
            }
            block_idx -= part.n_blocks();
        }
        unreachable!("a block index is below the sum of the parts' blocks")
    }
}

/// Columns that have names in both must have the same.
fn check_names(first: &ChunkedDataset, part: &ChunkedDataset, idx: usize) -> Result<()> {
    let (Some(wanted), Some(found)) = (&first.layout().feature_names, &part.layout().feature_names)
    else {
        return Ok(());
    };
    match wanted.iter().zip(found.iter()).position(|(wanted, found)| wanted != found) {
        Some(column) => {
            let found = format!("{:?} in dataset {idx}", found[column]);
            let error = Error::format(format!("a column named {:?}", wanted[column]), found);
            Err(error.at_column(column as u64))
        }
        None => Ok(()),
    }
}

fn rows(parts: &[ChunkedDataset]) -> BlockRows {
    let blocks = parts.iter().flat_map(|part| {
        let rows = &part.layout().rows;
        (0..part.n_blocks()).map(move |block_idx| rows.rows_of(block_idx))
    });
    let counts: Option<Vec<u64>> =
        blocks.map(|rows| rows.map(|rows| rows.end - rows.start)).collect();
    match counts {
        Some(counts) => BlockRows::from_counts(&counts),
        None => BlockRows::Unknown { n_blocks: parts.iter().map(ChunkedDataset::n_blocks).sum() },
    }
}

impl BlockSource for Concat {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        let (part, block_idx) = self.locate(block_idx);
        part.read(block_idx)
    }

    fn count_rows(&self, block_idx: usize) -> Result<u64> {
        let (part, block_idx) = self.locate(block_idx);
        part.count_rows(block_idx)
    }

    fn describe(&self) -> Option<Description> {
        let parts: Option<Vec<Description>> =
            self.parts.iter().map(ChunkedDataset::describe).collect();
        super::describe(KIND, &parts?)
    }

    fn in_memory(&self) -> bool {
        self.parts.iter().all(ChunkedDataset::in_memory)
    }
}

pub(super) fn open(body: &[u8], opener: &Opener<'_>) -> Result<Arc<dyn BlockSource>> {
    let parts: Vec<Description> = wire::decode(body)?;
    let open = |part| Ok(ChunkedDataset::from_arc(opener.open(part)?));
    let parts = parts.iter().map(open).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(Concat::new(&parts)?))
}
