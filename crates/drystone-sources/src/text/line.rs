//! Lines of a text, and which of them are blank.

use drystone_core::{Error, ErrorKind};
use memchr::memchr;

/// The longest line: over a million numbers. Without a limit, a file that is no text
/// could be one line as large as the disk.
pub(crate) const MAX_LINE: usize = 16 << 20;

/// The lines of a text, each with its position and without its end (`\n` or `\r\n`).
pub(crate) struct Lines<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// Where the next line starts.
    pub fn position(&self) -> usize {
        self.at
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.text[self.at..];
        if rest.is_empty() {
            return None;
        }
        let start = self.at;
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        self.at = self.text.len().min(start + end + 1);
        let line = &rest[..end];
        Some((start, line.strip_suffix(b"\r").unwrap_or(line)))
    }
}

/// Whether a line has no fields: nothing but white space. Where tabs are between the
/// fields, they are no white space.
pub(crate) fn is_blank(line: &[u8], tabs_separate: bool) -> bool {
    line.iter().all(|&byte| byte == b' ' || byte == b'\r' || (byte == b'\t' && !tabs_separate))
}

/// The error for a line of over [`MAX_LINE`] bytes.
pub(crate) fn too_long(found: usize) -> Error {
    let what = "the length of the line in bytes, as far as it was read,".to_owned();
    ErrorKind::Limit { what, limit: MAX_LINE as u64, found: found as u64 }.into()
}

/// What is in a field or line, for an error: not more than fits on a terminal's line.
pub(crate) fn show(bytes: &[u8]) -> String {
    const SHOWN: usize = 40;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * SHOWN)]);
    let shown: String = text.chars().take(SHOWN).collect();
    let more = if text.chars().nth(SHOWN).is_some() { "..." } else { "" };
    format!("{shown:?}{more}")
}
