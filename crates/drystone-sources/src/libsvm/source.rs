//! A LIBSVM file as a source of blocks.

use std::sync::Arc;

use drystone_core::layout::MAX_FEATURES;
use drystone_core::{
    Block, BlockSource, Description, Dtype, Error, ErrorKind, Layout, Opener, Registry, Result,
    Rows, TargetKind, Targets, buffer, memory, wire,
};
use serde::{Deserialize, Serialize};

use super::BLOCK_BYTES;
use super::row::{self, InColumn, Label};
use super::scan::{STRETCH, for_each_row};
use crate::files::FileId;
use crate::text;
use crate::text::fault::Fault;
use crate::text::number::Number;

const KIND: &str = "libsvm/1";

/// A file and what the pass over it found; this travels.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Indexed {
    pub file: FileId,
    pub dtype: Dtype,
    pub targets: TargetKind,
    pub n_features: u64,
    pub n_samples: u64,
    pub block_rows: u64,
    /// The byte at which each block starts; it ends where the next one does.
    #[serde(with = "wire::raw")]
    pub starts: Vec<u64>,
}

/// The source.
pub(crate) struct LibsvmSource {
    indexed: Indexed,
    layout: Layout,
}

impl LibsvmSource {
    /// Checks what may have arrived from another process: whatever it says, reading must
    /// end in rows or in an error.
    pub fn new(indexed: Indexed) -> Result<Self> {
        let Indexed { dtype, targets, n_features, n_samples, block_rows, .. } = indexed;
        let layout =
            Layout::new(dtype, n_features as usize, n_samples, block_rows).targets(targets);
        let source = Self { indexed, layout };
        if !source.is_sound() {
            return Err(Error::format("a sound description of a LIBSVM file", "another"));
        }
        Ok(source)
    }

    fn open(bytes: &[u8], opener: &Opener<'_>) -> Result<Self> {
        let indexed: Indexed = wire::decode(bytes)?;
        Self::new(Indexed { file: indexed.file.admitted(opener)?, ..indexed })
    }

    fn is_sound(&self) -> bool {
        let Indexed { targets, n_features, n_samples, block_rows, ref starts, .. } = self.indexed;
        (1..=MAX_FEATURES).contains(&n_features)
            && targets != TargetKind::Categories
            && block_rows > 0
            && n_samples.div_ceil(block_rows) == starts.len() as u64
            && (0..starts.len()).all(|block_idx| self.has_room(block_idx))
    }

    /// Whether the bytes of a block can hold its rows: each is a label and a line end, but
    /// for the last line's.
    fn has_room(&self, block_idx: usize) -> bool {
        let (start, end) = self.bytes_of(block_idx);
        let bytes = end.checked_sub(start);
        bytes.is_some_and(|bytes| self.n_rows_of(block_idx) <= bytes.div_ceil(2))
    }

    fn bytes_of(&self, block_idx: usize) -> (u64, u64) {
        let Indexed { file, starts, .. } = &self.indexed;
        (starts[block_idx], starts.get(block_idx + 1).map_or(file.len, |&end| end.min(file.len)))
    }

    fn n_rows_of(&self, block_idx: usize) -> u64 {
        self.layout.rows.rows_of(block_idx).map_or(0, |rows| rows.end - rows.start)
    }

    fn read_as<T: Number>(&self, block_idx: usize) -> Result<Block, Fault> {
        let n_rows = self.n_rows_of(block_idx);
        check_memory(n_rows.saturating_mul(self.layout.row_bytes()))?;
        let mut open = self.indexed.file.open()?;
        let mut dense = Dense::<T>::new(n_rows as usize, &self.layout);
        let (start, end) = self.bytes_of(block_idx);
        for from in (start..end).step_by(STRETCH as usize) {
            let text = text::read(&mut open, start, from, end.min(from + STRETCH))?;
            for_each_row(&text, |_, line| dense.push(line))?;
        }
        Ok(dense.finish()?)
    }
}

/// Adds the source to a registry, under the name `libsvm/1`.
pub fn register(registry: &mut Registry) {
    registry.source(KIND, |bytes, opener| Ok(Arc::new(LibsvmSource::open(bytes, opener)?)));
}

impl BlockSource for LibsvmSource {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        let block = match self.layout.dtype {
            Dtype::F32 => self.read_as::<f32>(block_idx),
            Dtype::F64 => self.read_as::<f64>(block_idx),
        };
        block.map_err(|fault| fault.locate(&self.indexed.file, None))
    }

    fn describe(&self) -> Option<Description> {
        // A path that is not Unicode cannot travel.
        Some(Description { kind: KIND.to_owned(), body: wire::encode(&self.indexed).ok()? })
    }
}

/// A few lines can mean more memory than there is, because rows are stored dense. Blocks of
/// the default size are not worth asking the system.
pub(crate) fn check_memory(block_bytes: u64) -> Result<()> {
    if block_bytes <= BLOCK_BYTES {
        return Ok(());
    }
    match memory::available() {
        Some(limit) if block_bytes > limit => {
            let what = "the size of a dense block in bytes (fewer `block_rows` make it smaller)";
            Err(ErrorKind::Limit { what: what.to_owned(), limit, found: block_bytes }.into())
        }
        _ => Ok(()),
    }
}

/// The rows of a block, while they are filled.
struct Dense<T: Number> {
    values: Vec<T>,
    labels: Vec<Label>,
    n_rows: usize,
    n_features: usize,
    targets: Option<TargetKind>,
}

impl<T: Number> Dense<T> {
    fn new(n_rows: usize, layout: &Layout) -> Self {
        let n_features = layout.n_features;
        let values = buffer::take(n_rows * n_features);
        let labels = Vec::with_capacity(n_rows);
        Self { values, labels, n_rows, n_features, targets: layout.targets }
    }

    fn push(&mut self, line: &[u8]) -> Result<(), InColumn> {
        let row = self.labels.len() * self.n_features;
        let Some(row) = self.values.get_mut(row..row + self.n_features) else {
            return Err((changed(self.n_rows, "more"), None));
        };
        row.fill(T::default());
        let label = row::parse(line, self.n_features as u64, |column, value| row[column] = value)?;
        self.labels.push(label);
        Ok(())
    }

    fn finish(self) -> Result<Block> {
        if self.labels.len() < self.n_rows {
            return Err(changed(self.n_rows, &self.labels.len().to_string()));
        }
        let records = T::into_records(Rows::new(self.values, self.n_features)?);
        let targets = match self.targets {
            Some(TargetKind::I64) => Targets::I64(integers(&self.labels)?.into()),
            _ => {
                Targets::F64(self.labels.iter().map(|label| label.value).collect::<Vec<_>>().into())
            }
        };
        Ok(Block::new(records).with_targets(targets))
    }
}

fn integers(labels: &[Label]) -> Result<Vec<i64>> {
    let integer = |label: &Label| {
        if label.is_integer {
            return Ok(label.value as i64);
        }
        let (expected, found) = ("labels that are integers".to_owned(), label.value.to_string());
        Err(ErrorKind::SourceChanged { expected, found }.into())
    };
    labels.iter().map(integer).collect()
}

fn changed(n_rows: usize, found: &str) -> Error {
    let expected = format!("{n_rows} rows in the block");
    ErrorKind::SourceChanged { expected, found: found.to_owned() }.into()
}
