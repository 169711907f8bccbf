//! The same rows in blocks of another size.

use std::ops::Range;
use std::sync::Arc;

use crate::block::{Block, RecordElement, Records, Rows, Targets};
use crate::dataset::ChunkedDataset;
use crate::error::{Error, Result};
use crate::layout::{BlockRows, Dtype, Layout, TargetKind};
use crate::registry::Opener;
use crate::source::{BlockSource, Description};
use crate::wire;

pub(super) const KIND: &str = "core.rechunk/1";

pub(crate) struct Rechunk {
    data: ChunkedDataset,
    layout: Layout,
    block_rows: u64,
}

impl Rechunk {
    pub fn new(data: &ChunkedDataset, block_rows: u64) -> Result<Self> {
        if block_rows == 0 {
            return Err(Error::parameter("block_rows", "at least 1", block_rows));
        }
        let Some(n_samples) = data.n_samples() else {
            let expected = "used on known row counts; call scan() first";
            return Err(Error::parameter("rechunk", expected, "unknown row counts"));
        };
        let rows = BlockRows::Uniform { n_samples, block_rows };
        let layout = Layout { rows, ..data.layout().clone() };
        Ok(Self { data: data.clone(), layout, block_rows })
    }

    /// The inner blocks that hold these rows, each with the part that is wanted.
    fn parts(&self, rows: &Range<u64>) -> Result<Vec<Block>> {
        let inner = &self.data.layout().rows;
        let all = |block_idx| inner.rows_of(block_idx).unwrap_or(0..0);
        let blocks = first_block(inner, rows.start)..self.data.n_blocks();
        let blocks = blocks.take_while(|&idx| all(idx).start < rows.end);
        let parts = blocks.filter(|&idx| !all(idx).is_empty()).map(|block_idx| {
            let all = all(block_idx);
            let start = rows.start.max(all.start) - all.start;
            let end = rows.end.min(all.end) - all.start;
            Ok(self.data.read(block_idx)?.slice(start as usize..end as usize))
        });
        parts.collect()
    }
}

/// The block that holds this row.
fn first_block(rows: &BlockRows, row: u64) -> usize {
    match rows {
        BlockRows::Uniform { block_rows, .. } => (row / block_rows) as usize,
        BlockRows::Offsets(offsets) => {
            offsets.partition_point(|&first| first <= row).saturating_sub(1)
        }
        BlockRows::Unknown { .. } => 0,
    }
}

impl BlockSource for Rechunk {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        let rows = self.layout.rows.rows_of(block_idx).unwrap_or(0..0);
        let parts = self.parts(&rows)?;
        match <[Block; 1]>::try_from(parts) {
            Ok([block]) => Ok(block),
            Err(parts) => join(&parts, &self.layout),
        }
    }

    fn describe(&self) -> Option<Description> {
        super::describe(KIND, &(self.block_rows, self.data.describe()?))
    }

    fn in_memory(&self) -> bool {
        // Blocks that cross a border of the inner ones are copied together when read.
        false
    }
}

pub(super) fn open(body: &[u8], opener: &Opener<'_>) -> Result<Arc<dyn BlockSource>> {
    let (block_rows, inner): (u64, Description) = wire::decode(body)?;
    Ok(Arc::new(Rechunk::new(&ChunkedDataset::from_arc(opener.open(&inner)?), block_rows)?))
}

/// A block of this layout without rows.
pub(crate) fn empty_block(layout: &Layout) -> Result<Block> {
    join(&[], layout)
}

fn join(parts: &[Block], layout: &Layout) -> Result<Block> {
    let records = match layout.dtype {
        Dtype::F32 => join_records::<f32>(parts, layout.n_features)?,
        Dtype::F64 => join_records::<f64>(parts, layout.n_features)?,
    };
    let targets = layout.targets.map(|kind| join_targets(parts, kind));
    let weights = layout.weighted.then(|| {
        let weights = parts.iter().filter_map(|part| part.weights.as_ref());
        weights.flat_map(|weights| weights.iter().copied()).collect::<Vec<f64>>().into()
    });
    Ok(Block { records, targets, weights })
}

fn join_records<T: RecordElement>(parts: &[Block], n_features: usize) -> Result<Records> {
    let rows = parts.iter().map(Block::n_samples).sum::<usize>();
    let mut values = crate::buffer::take::<T>(rows * n_features);
    let mut at = 0;
    for part in parts {
        let from = part.records.as_rows::<T>()?.values();
        values[at..at + from.len()].copy_from_slice(from);
        at += from.len();
    }
    Ok(T::into_records(Rows::new(values, n_features)?))
}

fn join_targets(parts: &[Block], kind: TargetKind) -> Targets {
    let targets = parts.iter().filter_map(|part| part.targets.as_ref());
    match kind {
        TargetKind::F64 => {
            let values = targets.flat_map(|targets| match targets {
                Targets::F64(values) => values.to_vec(),
                _ => Vec::new(),
            });
            Targets::F64(values.collect::<Vec<f64>>().into())
        }
        TargetKind::I64 => {
            let values = targets.flat_map(|targets| match targets {
                Targets::I64(values) => values.to_vec(),
                _ => Vec::new(),
            });
            Targets::I64(values.collect::<Vec<i64>>().into())
        }
        TargetKind::Categories => {
            let names = targets.flat_map(|targets| match targets {
                Targets::Categories { codes, names } => {
                    codes.iter().map(|&code| names[code as usize].clone()).collect()
                }
                _ => Vec::new(),
            });
            Targets::categories(&names.collect::<Vec<String>>())
        }
    }
}
