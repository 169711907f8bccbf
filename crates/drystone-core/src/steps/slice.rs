//! Some of the rows of a dataset.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::block::Block;
use crate::dataset::ChunkedDataset;
use crate::error::{Error, Result};
use crate::layout::{BlockRows, Layout, MAX_LISTED_BLOCKS, check_limit};
use crate::registry::Opener;
use crate::source::{BlockSource, Description};
use crate::wire;

pub(super) const KIND: &str = "core.slice/1";

/// Only the blocks that hold wanted rows are part of it. Where row counts are unknown
/// all blocks are, and blocks are counted as far as needed when one is read.
pub(crate) struct Slice {
    data: ChunkedDataset,
    wanted: Range<u64>,
    first_block: usize,
    layout: Layout,
    /// First rows of the blocks counted so far, where counts are unknown.
    counted: Mutex<Vec<u64>>,
}

impl Slice {
    pub fn new(data: &ChunkedDataset, wanted: Range<u64>) -> Result<Self> {
        let n_samples = data.n_samples();
        if wanted.start > wanted.end || n_samples.is_some_and(|n| wanted.end > n) {
            let expected = match n_samples {
                Some(n) => format!("an ascending range within 0..{n}"),
                None => "an ascending range".to_owned(),
            };
            return Err(Error::parameter("rows", expected, format!("{wanted:?}")));
        }
        let (first_block, rows) = cut(&data.layout().rows, &wanted)?;
        let layout = Layout { rows, ..data.layout().clone() };
        let counted = Mutex::new(vec![0]);
        Ok(Self { data: data.clone(), wanted, first_block, layout, counted })
    }

    /// The wanted rows of an inner block, counted from its first; empty if none are.
    fn wanted_of(&self, inner: usize) -> Result<Range<usize>> {
        let all = match self.data.layout().rows.rows_of(inner) {
            Some(rows) => rows,
            None => match self.count_up_to(inner)? {
                Some(rows) => rows,
                None => return Ok(0..0),
            },
        };
        let part = overlap(&all, &self.wanted);
        Ok((part.start - all.start) as usize..(part.end - all.start) as usize)
    }

    /// The rows of an inner block of unknown counts; `None` past the wanted rows.
    fn count_up_to(&self, inner: usize) -> Result<Option<Range<u64>>> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        while counted.len() < inner + 2 {
            let first = counted[counted.len() - 1];
            if first >= self.wanted.end {
                return Ok(None);
            }
            let rows = self.data.count_rows(counted.len() - 1)?;
            counted.push(first + rows);
        }
        let last_block = inner + 1 == self.data.n_blocks();
        if last_block && self.wanted.end > counted[inner + 1] {
            let expected = format!("an ascending range within 0..{}", counted[inner + 1]);
            return Err(Error::parameter("rows", expected, format!("{:?}", self.wanted)));
        }
        Ok(Some(counted[inner]..counted[inner + 1]))
    }
}

fn overlap(a: &Range<u64>, b: &Range<u64>) -> Range<u64> {
    let start = a.start.max(b.start).min(a.end);
    start..a.end.min(b.end).max(start)
}

/// The first block that holds wanted rows, and how the wanted rows are cut into blocks.
fn cut(rows: &BlockRows, wanted: &Range<u64>) -> Result<(usize, BlockRows)> {
    if rows.n_samples().is_none() {
        return Ok((0, BlockRows::Unknown { n_blocks: rows.n_blocks() }));
    }
    let blocks = match rows {
        _ if wanted.is_empty() => 0..0,
        BlockRows::Uniform { block_rows, .. } => {
            (wanted.start / block_rows) as usize..wanted.end.div_ceil(*block_rows) as usize
        }
        BlockRows::Offsets(offsets) => {
            let first = offsets.partition_point(|&first| first <= wanted.start).saturating_sub(1);
            first..offsets.partition_point(|&first| first < wanted.end)
        }
        BlockRows::Unknown { .. } => 0..0,
    };
    if blocks.len() > MAX_LISTED_BLOCKS {
        return Ok((blocks.start, uncounted(rows, wanted, blocks.len())?));
    }
    let counts = blocks.clone().map(|block_idx| {
        let part = overlap(&rows.rows_of(block_idx).unwrap_or(0..0), wanted);
        part.end - part.start
    });
    Ok((blocks.start, BlockRows::from_counts(&counts.collect::<Vec<u64>>())))
}

/// More blocks than can be listed: they must be equal ones, from the first row of one on.
fn uncounted(rows: &BlockRows, wanted: &Range<u64>, n_blocks: usize) -> Result<BlockRows> {
    match *rows {
        BlockRows::Uniform { block_rows, .. } if wanted.start.is_multiple_of(block_rows) => {
            Ok(BlockRows::Uniform { n_samples: wanted.end - wanted.start, block_rows })
        }
        _ => {
            let (what, limit) = ("the number of blocks of a slice", MAX_LISTED_BLOCKS as u64);
            check_limit(what, limit, n_blocks as u64)?;
            Ok(rows.clone())
        }
    }
}

impl BlockSource for Slice {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        let inner = self.first_block + block_idx;
        let wanted = self.wanted_of(inner)?;
        if self.data.n_samples().is_none() && wanted.is_empty() {
            return super::rechunk::empty_block(&self.layout);
        }
        Ok(self.data.read(inner)?.slice(wanted))
    }

    fn count_rows(&self, block_idx: usize) -> Result<u64> {
        Ok(self.wanted_of(self.first_block + block_idx)?.len() as u64)
    }

    fn describe(&self) -> Option<Description> {
        super::describe(KIND, &(&self.wanted, self.data.describe()?))
    }

    fn in_memory(&self) -> bool {
        self.data.in_memory()
    }
}

pub(super) fn open(body: &[u8], opener: &Opener<'_>) -> Result<Arc<dyn BlockSource>> {
    let (wanted, inner): (Range<u64>, Description) = wire::decode(body)?;
    Ok(Arc::new(Slice::new(&ChunkedDataset::from_arc(opener.open(&inner)?), wanted)?))
}
