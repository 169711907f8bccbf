//! The arrays of several files, one on top of the other.

use std::path::Path;

use drystone_core::buffer::{self, Element};
use drystone_core::{Error, ErrorKind, Opener, Result};
use serde::{Deserialize, Serialize};

use super::header::{self, Header};
use super::item::{Decode, ItemType, Wanted};
use crate::files::{self, FileId, OpenFile};

/// Bytes read at a time: they fit in the second-level cache, where they are converted.
const CHUNK: usize = 128 << 10;

/// Files of one width and element type, as one array.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stack {
    pub item: ItemType,
    pub width: u64,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Part {
    file: FileId,
    data_start: u64,
    first_row: u64,
    rows: u64,
}

impl Stack {
    /// Reads the headers of the files that `path` means.
    pub fn open(path: &Path, wanted: Wanted) -> Result<Self> {
        let files = files::expand(path, "npy")?;
        let headers = files.iter().map(|file| header::read(&mut file.open()?, wanted));
        let headers = headers.collect::<Result<Vec<Header>>>()?;
        let (item, width) = headers.first().map_or((ItemType::F64, 1), |h| (h.item, h.width));
        let mut stack = Self { item, width, parts: Vec::with_capacity(files.len()) };
        for (file, header) in files.into_iter().zip(&headers) {
            stack.check_same(&file, header)?;
            let (data_start, first_row) = (header.data_start, stack.n_rows());
            stack.parts.push(Part { file, data_start, first_row, rows: header.rows });
        }
        Ok(stack)
    }

    fn check_same(&self, file: &FileId, header: &Header) -> Result<()> {
        let Some(first) = self.parts.first() else {
            return Ok(());
        };
        let first = first.file.path.display();
        if header.item != self.item {
            let expected = format!("{} (as in {first})", self.item.name());
            let found = header.item.name().to_owned();
            return Err(Error::from(ErrorKind::Dtype { expected, found }).in_file(&file.path));
        }
        if header.width != self.width {
            let what = format!("columns (as in {first})");
            return Err(Error::shape(&what, self.width, header.width).in_file(&file.path));
        }
        Ok(())
    }

    /// Rows of all files.
    pub fn n_rows(&self) -> u64 {
        self.parts.last().map_or(0, |part| part.first_row + part.rows)
    }

    /// The first file, to name in errors.
    pub fn first_path(&self) -> &Path {
        self.parts.first().map_or(Path::new(""), |part| &part.file.path)
    }

    /// Checks what arrived from another process: whatever it says, reading must end in
    /// values or in an error, and only files that may be opened here are.
    pub fn validated(mut self, wanted: Wanted, opener: &Opener<'_>) -> Result<Self> {
        let unsound = || Error::format("a sound description of .npy files", "another");
        let mut first_row = 0_u64;
        for part in &self.parts {
            let Part { data_start, rows, .. } = *part;
            let header = Header { item: self.item, rows, width: self.width, data_start };
            let end = header::data_len(&header).and_then(|len| len.checked_add(data_start));
            if part.first_row != first_row || end != Some(part.file.len) {
                return Err(unsound());
            }
            first_row = first_row.checked_add(rows).ok_or_else(unsound)?;
        }
        if self.width == 0 || !wanted.allows(self.item) {
            return Err(unsound());
        }
        let admitted = |part: Part| Ok(Part { file: part.file.admitted(opener)?, ..part });
        self.parts = self.parts.into_iter().map(admitted).collect::<Result<_>>()?;
        Ok(self)
    }

    /// Values of some rows, converted to `T` without loss. Only the files with rows among
    /// them are opened, each checked before memory is taken and again after it is read.
    pub fn read<S: Decode, T: Element + From<S>>(&self, first: u64, end: u64) -> Result<Vec<T>> {
        let from = self.parts.partition_point(|part| part.first_row + part.rows <= first);
        let parts = self.parts[from..].iter().take_while(|part| part.first_row < end);
        let open = parts.map(|part| Ok((part, part.file.open()?)));
        let mut open = open.collect::<Result<Vec<(&Part, OpenFile<'_>)>>>()?;
        let mut values = buffer::take(((end - first) * self.width) as usize);
        let mut rest = &mut values[..];
        for (part, file) in &mut open {
            let from = first.max(part.first_row) - part.first_row;
            let to = end.min(part.first_row + part.rows) - part.first_row;
            let (here, after) = rest.split_at_mut(((to - from) * self.width) as usize);
            let offset = part.data_start + from * self.width * size_of::<S>() as u64;
            read_values::<S, T>(file, offset, here)?;
            rest = after;
        }
        Ok(values)
    }
}

/// Reads as many values of `S` as `values` holds, from `offset` on.
fn read_values<S: Decode, T: From<S>>(
    file: &mut OpenFile<'_>,
    mut offset: u64,
    values: &mut [T],
) -> Result<()> {
    let per_chunk = CHUNK / size_of::<S>();
    let mut bytes = vec![0; values.len().min(per_chunk) * size_of::<S>()];
    for values in values.chunks_mut(per_chunk) {
        let bytes = &mut bytes[..values.len() * size_of::<S>()];
        file.read_exact_at(bytes, offset)?;
        S::decode(bytes, values);
        offset += bytes.len() as u64;
    }
    file.check_unchanged()
}
