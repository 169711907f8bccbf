//! What formats of lines have in common: the lines that start in a range of a file's bytes,
//! the numbers in them, and errors with their place.

pub(crate) mod decimal;
pub(crate) mod fault;
pub(crate) mod line;
pub(crate) mod number;

use drystone_core::{Error, Result};
use memchr::{memchr, memrchr};

use crate::files::OpenFile;
use fault::Fault;
use line::{MAX_LINE, too_long};

/// Bytes read at a time after the range, to find the end of its last line.
const TAIL: usize = 16 << 10;

/// Whole lines, and where they are in their file.
pub(crate) struct Text {
    bytes: Vec<u8>,
    first: usize,
    /// Position of the first line in the file.
    pub offset: u64,
}

impl Text {
    /// The lines.
    pub fn lines(&self) -> &[u8] {
        &self.bytes[self.first..]
    }
}

/// Reads the lines that start in `start..end`, to the end of the last. Lines start at
/// `origin` and after each line feed that follows it; `origin <= start < end <= ` length.
///
/// Takes `end - start` bytes and what the last line needs, at most [`MAX_LINE`].
pub(crate) fn read(
    file: &mut OpenFile<'_>,
    origin: u64,
    start: u64,
    end: u64,
) -> Result<Text, Fault> {
    // The byte before tells whether a line starts at `start`.
    let from = if start > origin { start - 1 } else { start };
    let len = (end - from) as usize;
    let mut bytes = Vec::with_capacity(len + TAIL);
    bytes.resize(len, 0);
    file.read_exact_at(&mut bytes, from)?;
    let first = if start > origin { memchr(b'\n', &bytes).map_or(len, |at| at + 1) } else { 0 };
    if first < len {
        finish_line(file, &mut bytes, from)?;
    }
    file.check_unchanged()?;
    Ok(Text { bytes, first, offset: from + first as u64 })
}

/// Reads on from the end of `bytes`, which starts at `from`, to the end of the line.
fn finish_line(file: &mut OpenFile<'_>, bytes: &mut Vec<u8>, from: u64) -> Result<(), Fault> {
    let line = memrchr(b'\n', bytes).map_or(0, |at| at + 1);
    while bytes.last() != Some(&b'\n') {
        let at = from + bytes.len() as u64;
        let len = (file.id().len - at).min(TAIL as u64) as usize;
        if len == 0 {
            break;
        }
        let have = bytes.len();
        bytes.resize(have + len, 0);
        file.read_exact_at(&mut bytes[have..], at)?;
        if let Some(end) = memchr(b'\n', &bytes[have..]) {
            bytes.truncate(have + end + 1);
        }
        if bytes.len() - line > MAX_LINE + 2 {
            return Err(Fault::at(too_long(bytes.len() - line), from + line as u64));
        }
    }
    Ok(())
}

/// Bytes of the mark that says "UTF-8" at the start of a file. Files that are no such
/// text at all, but of a well-known kind, are named in the error.
pub(crate) fn mark_len(file: &mut OpenFile<'_>) -> Result<u64> {
    const KINDS: [(&[u8], &str); 6] = [
        (b"\x1f\x8b", "gzip data; decompress it first"),
        (b"\x28\xb5\x2f\xfd", "zstd data; decompress it first"),
        (b"PK\x03\x04", "a zip archive or spreadsheet; extract it or save it as text"),
        (b"PAR1", "a Parquet file"),
        (b"\xff\xfe", "UTF-16; convert it with iconv -f UTF-16 -t UTF-8"),
        (b"\xfe\xff", "UTF-16; convert it with iconv -f UTF-16 -t UTF-8"),
    ];
    let mut prefix = [0; 4];
    let have = file.id().len.min(4) as usize;
    file.read_exact_at(&mut prefix[..have], 0)?;
    let prefix = &prefix[..have];
    if let Some((_, found)) = KINDS.iter().find(|(magic, _)| prefix.starts_with(magic)) {
        return Err(Error::format("text in UTF-8", found).in_file(&file.id().path));
    }
    Ok(if prefix.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 })
}
