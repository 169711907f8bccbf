//! The header of a `.npy` file: a Python dictionary in a fixed notation.
//!
//! Not a parser of Python. Nothing that a header says is believed before it is checked
//! against the length of the file.

use drystone_core::layout::MAX_FEATURES;
use drystone_core::{Error, ErrorKind, Result};

use super::dict;
use super::item::{ItemType, Wanted};
use crate::files::OpenFile;

/// The longest header that is read. numpy's own are 118 bytes; only structured types,
/// which are not read here, have long ones.
const MAX_HEADER: u64 = 64 << 10;

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// What a header says, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub item: ItemType,
    pub rows: u64,
    /// 1 for an array of one dimension.
    pub width: u64,
    /// Position of the first value in the file.
    pub data_start: u64,
}

/// Reads and checks the header of a file.
pub(crate) fn read(file: &mut OpenFile<'_>, wanted: Wanted) -> Result<Header> {
    let path = file.id().path.clone();
    let header = read_text(file).and_then(|(text, data_start)| {
        let said = dict::parse(&text)?;
        let item = ItemType::parse(said.descr, wanted)?;
        let (rows, width) = dimensions(&said.shape, wanted)?;
        if said.fortran_order {
            let expected = "rows one after the other (C order)";
            let found = "columns one after the other (Fortran order); save it again as \
                         numpy.ascontiguousarray(a)";
            return Err(Error::format(expected, found));
        }
        let header = Header { item, rows, width, data_start };
        check_length(&header, file.id().len)?;
        if width > MAX_FEATURES {
            let what = "the number of columns".to_owned();
            return Err(ErrorKind::Limit { what, limit: MAX_FEATURES, found: width }.into());
        }
        Ok(header)
    });
    header.map_err(|error| error.in_file(&path))
}

/// The dictionary as text, and where the data start.
fn read_text(file: &mut OpenFile<'_>) -> Result<(String, u64)> {
    let len = file.id().len;
    let mut prefix = [0; 12];
    let have = len.min(12) as usize;
    file.read_exact_at(&mut prefix[..have], 0)?;
    let (text_start, text_len) = announced(&prefix[..have])?;
    if text_len > MAX_HEADER {
        let what = "the length of the .npy header".to_owned();
        return Err(ErrorKind::Limit { what, limit: MAX_HEADER, found: text_len }.into());
    }
    let data_start = text_start + text_len;
    if data_start > len {
        return Err(Error::format(
            format!("a header of {text_len} bytes"),
            format!("a file of {len} bytes"),
        ));
    }
    let mut text = vec![0; text_len as usize];
    file.read_exact_at(&mut text, text_start)?;
    let text = String::from_utf8(text).map_err(|_| dict::malformed("bytes that are not UTF-8"))?;
    Ok((text, data_start))
}

/// Where the dictionary starts and how long it is, from the first bytes of the file.
fn announced(prefix: &[u8]) -> Result<(u64, u64)> {
    if prefix.starts_with(b"PK\x03\x04") {
        let found = "a .npz archive; save each array with numpy.save";
        return Err(Error::format("a .npy file", found));
    }
    let Some(rest) = prefix.strip_prefix(MAGIC) else {
        return Err(Error::format(
            "a .npy file (magic \\x93NUMPY)",
            format!("\"{}\"", prefix.escape_ascii()),
        ));
    };
    match *rest {
        [1, 0, a, b, ..] => Ok((10, u64::from(u16::from_le_bytes([a, b])))),
        [2 | 3, 0, a, b, c, d] => Ok((12, u64::from(u32::from_le_bytes([a, b, c, d])))),
        [major, minor, ..] if major > 3 || major == 0 || minor > 0 => {
            let found = format!("version {major}.{minor}");
            Err(Error::format("version 1.0, 2.0 or 3.0 of the .npy format", found))
        }
        _ => Err(Error::format("a .npy header", "the end of the file")),
    }
}

fn dimensions(shape: &[u64], wanted: Wanted) -> Result<(u64, u64)> {
    match (wanted, shape) {
        (_, &[rows]) => Ok((rows, 1)),
        (Wanted::Targets | Wanted::Weights, &[rows, 1]) => Ok((rows, 1)),
        (Wanted::Records, &[rows, width]) if width > 0 => Ok((rows, width)),
        (Wanted::Records, &[_, _]) => Err(Error::format("at least one column", "none")),
        (Wanted::Records, _) => {
            let found = format!("{}; use numpy's reshape", shape.len());
            Err(Error::format("an array of 2 dimensions", found))
        }
        (Wanted::Targets | Wanted::Weights, _) => {
            let found = format!("{}; use numpy's ravel", shape.len());
            Err(Error::format("an array of 1 dimension", found))
        }
    }
}

fn check_length(header: &Header, file_len: u64) -> Result<()> {
    let there = file_len - header.data_start;
    match data_len(header) {
        Some(bytes) if bytes == there => Ok(()),
        bytes => {
            let bytes = bytes.map_or("more than 2^63".to_owned(), |bytes| bytes.to_string());
            let (rows, width) = (header.rows, header.width);
            let expected = format!("{bytes} bytes of data for shape ({rows}, {width})");
            Err(Error::format(expected, there))
        }
    }
}

/// Bytes of the values; `None` when no file is that large.
pub(crate) fn data_len(header: &Header) -> Option<u64> {
    let row = header.width.checked_mul(header.item.size())?;
    let bytes = row.checked_mul(header.rows)?;
    (bytes.max(row) <= i64::MAX as u64).then_some(bytes)
}
