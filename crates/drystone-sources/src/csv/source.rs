//! CSV files as a source of blocks.

use std::sync::Arc;

use drystone_core::{
    Block, BlockSource, Description, Error, Layout, Opener, Registry, Result, wire,
};
use serde::{Deserialize, Serialize};

use super::parse;
use super::schema::Schema;
use crate::files::FileId;
use crate::text::fault::Fault;
use crate::text::{self, Text};

const KIND: &str = "csv/1";

/// What the blocks are read from; this travels.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Files {
    pub schema: Schema,
    pub parts: Vec<Part>,
    pub block_bytes: u64,
}

/// One file, and where its rows start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    pub file: FileId,
    pub data_start: u64,
}

/// The source. A block is the lines that start in one stretch of `block_bytes` of a file.
pub(crate) struct CsvSource {
    files: Files,
    /// The first block of each file.
    first_blocks: Vec<usize>,
    layout: Layout,
}

impl CsvSource {
    /// Cuts the files into blocks.
    pub fn new(files: Files) -> Result<Self> {
        let unsound = || Error::format("a sound description of CSV files", "another");
        if files.block_bytes == 0 {
            return Err(Error::parameter("block_bytes", "at least 1", 0));
        }
        let mut first_blocks = Vec::with_capacity(files.parts.len());
        let mut n_blocks = 0_usize;
        for Part { file, data_start } in &files.parts {
            first_blocks.push(n_blocks);
            let bytes = file.len.checked_sub(*data_start).ok_or_else(unsound)?;
            let blocks = usize::try_from(bytes.div_ceil(files.block_bytes)).ok();
            n_blocks =
                blocks.and_then(|blocks| n_blocks.checked_add(blocks)).ok_or_else(unsound)?;
        }
        let layout = files.schema.layout(n_blocks);
        Ok(Self { files, first_blocks, layout })
    }

    fn open(bytes: &[u8], opener: &Opener<'_>) -> Result<Self> {
        let Files { schema, parts, block_bytes } = wire::decode(bytes)?;
        let admitted = |part: Part| Ok(Part { file: part.file.admitted(opener)?, ..part });
        let parts = parts.into_iter().map(admitted).collect::<Result<_>>()?;
        Self::new(Files { schema: schema.validated()?, parts, block_bytes })
    }

    /// Applies `f` to the text of a block.
    fn with_text<T>(
        &self,
        block_idx: usize,
        f: impl FnOnce(&Schema, &Text) -> Result<T, Fault>,
    ) -> Result<T> {
        let Files { schema, parts, block_bytes } = &self.files;
        let part_idx = self.first_blocks.partition_point(|first| *first <= block_idx) - 1;
        let Part { file, data_start } = &parts[part_idx];
        let within = (block_idx - self.first_blocks[part_idx]) as u64;
        let start = data_start + within * block_bytes;
        let end = start.saturating_add(*block_bytes).min(file.len);
        let read = file.open().map_err(Fault::from);
        let text = read.and_then(|mut open| text::read(&mut open, *data_start, start, end));
        text.and_then(|text| f(schema, &text))
            .map_err(|fault| fault.locate(file, schema.names.as_deref()))
    }
}

/// Adds the source to a registry, under the name `csv/1`.
pub fn register(registry: &mut Registry) {
    registry.source(KIND, |bytes, opener| Ok(Arc::new(CsvSource::open(bytes, opener)?)));
}

impl BlockSource for CsvSource {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        self.with_text(block_idx, parse::block)
    }

    fn count_rows(&self, block_idx: usize) -> Result<u64> {
        self.with_text(block_idx, parse::count)
    }

    fn describe(&self) -> Option<Description> {
        // A path that is not Unicode cannot travel.
        Some(Description { kind: KIND.to_owned(), body: wire::encode(&self.files).ok()? })
    }
}
