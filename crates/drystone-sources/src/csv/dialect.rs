//! What the first lines of a file tell: the delimiter, the number of columns, their
//! names, and the type of a target.

use drystone_core::{Error, ErrorKind, Result, TargetKind};
use serde::{Deserialize, Serialize};

use super::options::{Delimiter, Header};
use super::split::{Fields, Separator};
use crate::files::FileId;
use crate::text::fault::Fault;
use crate::text::line::{Lines, is_blank, show};
use crate::text::number::{self, Number};
use crate::text::{self, Text};

/// Bytes at the start of a file that decide about it.
const SAMPLE: u64 = 64 << 10;
/// Lines that must agree on a delimiter.
const AGREEING: usize = 16;
/// More columns than this are no table: each costs memory before a row is read.
const MAX_COLUMNS: usize = 1 << 20;

/// How the lines of a file are to be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dialect {
    pub separator: Separator,
    pub n_columns: usize,
    /// The header, if there is one.
    pub names: Option<Vec<String>>,
}

/// The first lines of a file; none if it has only blank ones.
pub(crate) fn sample(file: &FileId) -> Result<Option<Text>, Fault> {
    let mut open = file.open()?;
    let start = text::mark_len(&mut open)?;
    let end = file.len.min(start + SAMPLE);
    if start >= end {
        return Ok(None);
    }
    let text = text::read(&mut open, start, start, end)?;
    if Lines::new(text.lines()).any(|(_, line)| !is_blank(line, false)) {
        return Ok(Some(text));
    }
    if end < file.len {
        let expected = format!("a line that is not blank in the first {SAMPLE} bytes");
        return Err(Error::format(expected, "none").into());
    }
    Ok(None)
}

impl Dialect {
    /// Decides what was left open.
    pub fn of(sample: &Text, delimiter: Delimiter, header: Header) -> Result<Self, Fault> {
        let separator = match delimiter {
            Delimiter::Byte(byte) => Separator::Byte(byte),
            Delimiter::WhiteSpace => Separator::WhiteSpace,
            Delimiter::Auto => agreed_separator(sample),
        };
        let mut lines = lines(sample, separator);
        let (at, first) = lines.next().unwrap_or((0, b""));
        let fault = |error| Fault::at(error, sample.offset + at as u64);
        let first = texts(first, separator).map_err(fault)?;
        if first.len() > MAX_COLUMNS {
            let (limit, found) = (MAX_COLUMNS as u64, first.len() as u64);
            return Err(fault(
                ErrorKind::Limit { what: "the number of columns".into(), limit, found }.into(),
            ));
        }
        let named = match header {
            Header::Yes => true,
            Header::No => false,
            Header::Auto => {
                let second = lines.next().and_then(|(_, line)| texts(line, separator).ok());
                is_header(&first, second.as_deref())
            }
        };
        Ok(Self { separator, n_columns: first.len(), names: named.then_some(first) })
    }

    /// Where the rows of a file start. A header must be this one, which `like` has.
    pub fn data_start(&self, sample: &Text, like: &FileId) -> Result<u64, Fault> {
        let Some(names) = &self.names else {
            return Ok(sample.offset);
        };
        let mut lines = Lines::new(sample.lines());
        let header = lines.find(|(_, line)| !self.separator.is_blank(line));
        let (at, line) = header.unwrap_or((0, b""));
        let fault = |error| Fault::at(error, sample.offset + at as u64);
        if texts(line, self.separator).map_err(fault)? == *names {
            return Ok(sample.offset + lines.position() as u64);
        }
        let expected = format!("the header of {}", like.path.display());
        Err(fault(Error::format(expected, show(line))))
    }

    /// The type of the values of a column, as far as the sample goes: `I64` if all are
    /// integers, `F64` if all are numbers.
    pub fn target_kind(&self, sample: &Text, column: usize) -> TargetKind {
        let mut kind = None;
        let mut fields = Fields::keep(self.n_columns);
        for (_, line) in self.rows(sample) {
            if !matches!(fields.split(line, self.separator), Ok(found) if found == self.n_columns) {
                continue;
            }
            let field = fields.get(line, column);
            let here = match (number::integer(field), f64::parse(field)) {
                _ if number::is_missing(field) => continue,
                (Some(_), _) => kind.unwrap_or(TargetKind::I64),
                (None, Some(_)) => TargetKind::F64,
                (None, None) => return TargetKind::Categories,
            };
            kind = Some(here);
        }
        kind.unwrap_or(TargetKind::F64)
    }

    /// Mean bytes of a row in the sample, its end included.
    pub fn mean_row_bytes(&self, sample: &Text) -> f64 {
        let (rows, bytes) = self
            .rows(sample)
            .fold((0_u32, 0_usize), |(rows, bytes), (_, line)| (rows + 1, bytes + line.len() + 1));
        bytes as f64 / f64::from(rows.max(1))
    }

    fn rows<'a>(&self, sample: &'a Text) -> impl Iterator<Item = (usize, &'a [u8])> {
        lines(sample, self.separator).skip(usize::from(self.names.is_some()))
    }
}

fn lines(sample: &Text, separator: Separator) -> impl Iterator<Item = (usize, &[u8])> {
    Lines::new(sample.lines()).filter(move |(_, line)| !separator.is_blank(line))
}

/// All fields of a line; what is not UTF-8 is replaced, so that a name in another
/// encoding does not keep the numbers below it from being read.
fn texts(line: &[u8], separator: Separator) -> Result<Vec<String>> {
    let mut fields = Fields::keep(MAX_COLUMNS + 1);
    let count = fields.split(line, separator)?.min(MAX_COLUMNS + 1);
    let text = |column| match fields.text(line, column) {
        Some(text) => text.into_owned(),
        None => String::from_utf8_lossy(fields.get(line, column)).into_owned(),
    };
    Ok((0..count).map(text).collect())
}

/// The first delimiter that cuts all of the lines alike, else the first that cuts the
/// first line, else white space.
fn agreed_separator(sample: &Text) -> Separator {
    let lines: Vec<&[u8]> = Lines::new(sample.lines())
        .map(|(_, line)| line)
        .filter(|line| !is_blank(line, false))
        .take(AGREEING)
        .collect();
    let mut fields = Fields::keep(0);
    let mut count = |line: &[u8], byte| fields.split(line, Separator::Byte(byte)).unwrap_or(0);
    let cutting = [b',', b';', b'\t'].into_iter().map(|byte| {
        let counts: Vec<usize> = lines.iter().map(|line| count(line, byte)).collect();
        (byte, counts)
    });
    let cutting = cutting.filter(|(_, counts)| counts.first().is_some_and(|first| *first > 1));
    let cutting: Vec<(u8, Vec<usize>)> = cutting.collect();
    let alike = |counts: &[usize]| counts.windows(2).all(|pair| pair[0] == pair[1]);
    let agreed = cutting.iter().find(|(_, counts)| alike(counts)).or(cutting.first());
    agreed.map_or(Separator::WhiteSpace, |(byte, _)| Separator::Byte(*byte))
}

/// See [`Header::Auto`].
fn is_header(first: &[String], second: Option<&[String]>) -> bool {
    let is_number = |text: &String| f64::parse(text.as_bytes()).is_some();
    let is_text = |text: &String| !is_number(text) && !number::is_missing(text.as_bytes());
    let mut pairs = first.iter().zip(second.unwrap_or_default());
    pairs.any(|(first, second)| is_text(first) && is_number(second))
        || (first.iter().any(is_text) && !first.iter().any(is_number))
}
