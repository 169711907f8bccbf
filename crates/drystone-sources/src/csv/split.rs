//! Cutting a line into fields.
//!
//! Fields are ranges of the line, so that nothing is copied or allocated for each. Two
//! ways of cutting: at a byte, and at white space; either way a field may be in quotes,
//! with quotes in it doubled. A field never goes on in the next line.

use std::borrow::Cow;

use drystone_core::{Error, Result};
use memchr::{memchr, memchr_iter};
use serde::{Deserialize, Serialize};

use crate::text::line::{is_blank, show};

/// What is between fields, once that is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Separator {
    Byte(u8),
    WhiteSpace,
}

impl Separator {
    /// Whether a line has no fields.
    #[inline]
    pub fn is_blank(self, line: &[u8]) -> bool {
        // Most lines are decided by their first byte.
        line.first().is_none_or(|&byte| byte <= b' ') && is_blank(line, self == Self::Byte(b'\t'))
    }
}

/// The fields of one line.
#[derive(Debug)]
pub(crate) struct Fields {
    kept: Vec<Field>,
    keep: usize,
    count: usize,
}

#[derive(Clone, Copy, Debug)]
struct Field {
    start: u32,
    end: u32,
    quoted: bool,
}

impl Fields {
    /// Keeps the first `keep` fields of each line, and counts the others.
    pub fn keep(keep: usize) -> Self {
        Self { kept: Vec::with_capacity(keep.min(1 << 10)), keep, count: 0 }
    }

    /// Cuts a line of at most [`MAX_LINE`](crate::text::line::MAX_LINE) bytes, and gives the
    /// number of its fields.
    pub fn split(&mut self, line: &[u8], separator: Separator) -> Result<usize> {
        self.kept.clear();
        self.count = 0;
        let quotes = memchr(b'"', line).is_some();
        match separator {
            Separator::Byte(byte) if quotes => self.split_quoted(line, byte)?,
            Separator::Byte(byte) => self.split_plain(line, byte),
            Separator::WhiteSpace => self.split_white_space(line)?,
        }
        Ok(self.count)
    }

    /// The bytes of a field that was kept, without spaces around it or quotes.
    #[inline]
    pub fn get<'a>(&self, line: &'a [u8], column: usize) -> &'a [u8] {
        let field = self.kept[column];
        &line[field.start as usize..field.end as usize]
    }

    /// A field that was kept as text, its doubled quotes made single; `None` if it is not
    /// UTF-8.
    pub fn text<'a>(&self, line: &'a [u8], column: usize) -> Option<Cow<'a, str>> {
        let text = std::str::from_utf8(self.get(line, column)).ok()?;
        if self.kept[column].quoted && text.contains("\"\"") {
            return Some(text.replace("\"\"", "\"").into());
        }
        Some(text.into())
    }

    fn split_plain(&mut self, line: &[u8], byte: u8) {
        let mut start = 0;
        for end in memchr_iter(byte, line) {
            self.push_trimmed(line, start, end);
            start = end + 1;
        }
        self.push_trimmed(line, start, line.len());
    }

    fn split_quoted(&mut self, line: &[u8], byte: u8) -> Result<()> {
        let mut at = 0;
        loop {
            let start = skip_blanks(line, at, byte);
            let end = if line.get(start) == Some(&b'"') {
                let close = closing_quote(line, start + 1)?;
                self.push(start + 1, close, true);
                skip_blanks(line, close + 1, byte)
            } else {
                let end = memchr(byte, &line[start..]).map_or(line.len(), |len| start + len);
                self.push_trimmed(line, start, end);
                end
            };
            match line.get(end) {
                None => return Ok(()),
                Some(&found) if found == byte => at = end + 1,
                Some(_) => return Err(after_quote(line, end)),
            }
        }
    }

    fn split_white_space(&mut self, line: &[u8]) -> Result<()> {
        let mut at = skip_blanks(line, 0, 0);
        while at < line.len() {
            let end = if line[at] == b'"' {
                let close = closing_quote(line, at + 1)?;
                self.push(at + 1, close, true);
                close + 1
            } else {
                let len = line[at..].iter().position(|byte| matches!(byte, b' ' | b'\t'));
                let end = len.map_or(line.len(), |len| at + len);
                self.push(at, end, false);
                end
            };
            at = skip_blanks(line, end, 0);
            if at == end && at < line.len() {
                return Err(after_quote(line, at));
            }
        }
        Ok(())
    }

    #[inline]
    fn push_trimmed(&mut self, line: &[u8], mut start: usize, mut end: usize) {
        while start < end && matches!(line[start], b' ' | b'\t') {
            start += 1;
        }
        while start < end && matches!(line[end - 1], b' ' | b'\t') {
            end -= 1;
        }
        self.push(start, end, false);
    }

    #[inline]
    fn push(&mut self, start: usize, end: usize, quoted: bool) {
        if self.count < self.keep {
            self.kept.push(Field { start: start as u32, end: end as u32, quoted });
        }
        self.count += 1;
    }
}

/// The first position from `at` on that is no space or tab, or is the separator.
fn skip_blanks(line: &[u8], at: usize, separator: u8) -> usize {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t') && *byte != separator;
    let rest = line.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| blank(byte)).count()
}

fn closing_quote(line: &[u8], from: usize) -> Result<usize> {
    let mut at = from;
    while let Some(len) = memchr(b'"', &line[at..]) {
        at += len;
        if line.get(at + 1) != Some(&b'"') {
            return Ok(at);
        }
        at += 2;
    }
    let expected = "a closing quote in the same line (a field cannot have several lines)";
    Err(Error::format(expected, format!("unclosed quote {}", show(&line[from - 1..]))))
}

fn after_quote(line: &[u8], at: usize) -> Error {
    Error::format("a delimiter after the closing quote", show(&line[at..]))
}
