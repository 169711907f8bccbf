//! `.npy` files as a source of blocks.

use std::sync::Arc;

use drystone_core::{
    Block, BlockSource, Description, Dtype, Error, Layout, Opener, Records, Registry, Result, Rows,
    TargetKind, Targets, wire,
};
use serde::{Deserialize, Serialize};

use super::item::{ItemType, Wanted};
use super::stack::Stack;

const KIND: &str = "npy/1";

/// What the blocks are read from; this travels.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Files {
    pub records: Stack,
    pub targets: Option<Stack>,
    pub weights: Option<Stack>,
    pub block_rows: u64,
}

/// The source.
pub(crate) struct NpySource {
    files: Files,
    layout: Layout,
}

impl NpySource {
    /// Checks that the files fit together.
    pub fn new(files: Files) -> Result<Self> {
        let rows = files.records.n_rows();
        if files.block_rows == 0 {
            return Err(Error::parameter("block_rows", "at least 1", 0));
        }
        for (what, stack) in [("targets", &files.targets), ("weights", &files.weights)] {
            let Some(stack) = stack else { continue };
            if stack.n_rows() != rows || stack.width != 1 {
                let found = stack.n_rows().saturating_mul(stack.width);
                return Err(Error::shape(what, rows, found).in_file(stack.first_path()));
            }
        }
        let dtype = if files.records.item == ItemType::F32 { Dtype::F32 } else { Dtype::F64 };
        let width = files.records.width as usize;
        let mut layout = Layout::new(dtype, width, rows, files.block_rows);
        layout.targets = files.targets.as_ref().map(|stack| target_kind(stack.item));
        layout.weighted = files.weights.is_some();
        Ok(Self { files, layout })
    }

    fn open(bytes: &[u8], opener: &Opener<'_>) -> Result<Self> {
        let Files { records, targets, weights, block_rows } = wire::decode(bytes)?;
        let validated = |stack: Option<Stack>, wanted| {
            stack.map(|stack| stack.validated(wanted, opener)).transpose()
        };
        Self::new(Files {
            records: records.validated(Wanted::Records, opener)?,
            targets: validated(targets, Wanted::Targets)?,
            weights: validated(weights, Wanted::Weights)?,
            block_rows,
        })
    }
}

/// Adds the source to a registry, under the name `npy/1`.
pub fn register(registry: &mut Registry) {
    registry.source(KIND, |bytes, opener| Ok(Arc::new(NpySource::open(bytes, opener)?)));
}

impl BlockSource for NpySource {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        let first = (block_idx as u64).saturating_mul(self.files.block_rows);
        let end = first.saturating_add(self.files.block_rows).min(self.files.records.n_rows());
        let mut block = Block::new(read_records(&self.files.records, first, end)?);
        if let Some(targets) = &self.files.targets {
            block.targets = Some(read_targets(targets, first, end)?);
        }
        if let Some(weights) = &self.files.weights {
            block.weights = Some(read_floats(weights, first, end)?.into());
        }
        Ok(block)
    }

    fn describe(&self) -> Option<Description> {
        // A path that is not Unicode cannot travel.
        Some(Description { kind: KIND.to_owned(), body: wire::encode(&self.files).ok()? })
    }
}

fn target_kind(item: ItemType) -> TargetKind {
    if item.is_float() { TargetKind::F64 } else { TargetKind::I64 }
}

pub(crate) fn read_records(stack: &Stack, first: u64, end: u64) -> Result<Records> {
    let width = stack.width as usize;
    Ok(match stack.item {
        ItemType::F32 => Records::F32(Rows::new(stack.read::<f32, f32>(first, end)?, width)?),
        _ => Records::F64(Rows::new(stack.read::<f64, f64>(first, end)?, width)?),
    })
}

fn read_targets(stack: &Stack, first: u64, end: u64) -> Result<Targets> {
    let integers = match stack.item {
        ItemType::F32 | ItemType::F64 => {
            return Ok(Targets::F64(read_floats(stack, first, end)?.into()));
        }
        ItemType::I8 => stack.read::<i8, i64>(first, end),
        ItemType::I16 => stack.read::<i16, i64>(first, end),
        ItemType::I32 => stack.read::<i32, i64>(first, end),
        ItemType::I64 => stack.read::<i64, i64>(first, end),
        ItemType::U8 => stack.read::<u8, i64>(first, end),
        ItemType::U16 => stack.read::<u16, i64>(first, end),
        ItemType::U32 => stack.read::<u32, i64>(first, end),
    };
    Ok(Targets::I64(integers?.into()))
}

fn read_floats(stack: &Stack, first: u64, end: u64) -> Result<Vec<f64>> {
    match stack.item {
        ItemType::F32 => stack.read::<f32, f64>(first, end),
        _ => stack.read::<f64, f64>(first, end),
    }
}
