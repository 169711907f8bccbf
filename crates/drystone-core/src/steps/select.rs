//! The rows of a dataset that a rule keeps, in the blocks that they are in.

use std::sync::Arc;

use crate::block::Block;
use crate::dataset::ChunkedDataset;
use crate::error::{Error, Result};
use crate::layout::{BlockRows, Layout, MAX_LISTED_BLOCKS, check_limit};
use crate::registry::Opener;
use crate::rule::Rule;
use crate::source::{BlockSource, Description};
use crate::wire;

use super::{check_rows, empty_block};

pub(super) const KIND: &str = "core.select/1";

pub(crate) struct Select {
    data: ChunkedDataset,
    rule: Rule,
    layout: Layout,
}

impl Select {
    /// `counts` are the rows kept of each block.
    pub fn new(data: &ChunkedDataset, rule: Rule, counts: &[u64]) -> Result<Self> {
        check_limit("the number of blocks", MAX_LISTED_BLOCKS as u64, data.n_blocks() as u64)?;
        if data.n_samples().is_none() {
            let expected = "used on known row counts; call scan() first";
            return Err(Error::parameter("select", expected, "unknown row counts"));
        }
        rule.check(data.layout())?;
        check_counts(&data.layout().rows, counts)?;
        let layout = Layout { rows: BlockRows::from_counts(counts), ..data.layout().clone() };
        Ok(Self { data: data.clone(), rule, layout })
    }
}

/// A block keeps no more rows than it has.
fn check_counts(rows: &BlockRows, counts: &[u64]) -> Result<()> {
    if counts.len() != rows.n_blocks() {
        return Err(Error::shape("blocks", rows.n_blocks() as u64, counts.len() as u64));
    }
    for (block_idx, &count) in counts.iter().enumerate() {
        let all = len(rows, block_idx);
        if count > all {
            let error = Error::format(format!("at most {all} rows kept"), count);
            return Err(error.in_block(block_idx as u64));
        }
    }
    Ok(())
}

fn len(rows: &BlockRows, block_idx: usize) -> u64 {
    rows.rows_of(block_idx).map_or(0, |rows| rows.end - rows.start)
}

impl BlockSource for Select {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        let all = &self.data.layout().rows;
        if len(&self.layout.rows, block_idx) == 0 {
            return empty_block(&self.layout);
        }
        let block = self.data.read(block_idx)?;
        check_rows(all, block_idx, &block)?;
        let first_row = all.rows_of(block_idx).map_or(0, |rows| rows.start);
        let kept = self.rule.kept(&block, first_row)?;
        let block = if kept.len() == block.n_samples() { block } else { block.gather(&kept) };
        check_rows(&self.layout.rows, block_idx, &block)?;
        Ok(block)
    }

    fn describe(&self) -> Option<Description> {
        let counts = (0..self.layout.n_blocks()).map(|idx| len(&self.layout.rows, idx));
        let counts: Vec<u64> = counts.collect();
        super::describe(KIND, &(&self.rule, counts, self.data.describe()?))
    }
}

pub(super) fn open(body: &[u8], opener: &Opener<'_>) -> Result<Arc<dyn BlockSource>> {
    let (rule, counts, inner): (Rule, Vec<u64>, Description) = wire::decode(body)?;
    let data = ChunkedDataset::from_arc(opener.open(&inner)?);
    Ok(Arc::new(Select::new(&data, rule, &counts)?))
}
