//! The dictionary in a `.npy` header: `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`.

use drystone_core::{Error, ErrorKind, Result};

/// More dimensions than this are refused before they are all read.
const MAX_DIMENSIONS: usize = 32;

/// The three entries, as they are written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dict<'a> {
    pub descr: &'a str,
    pub fortran_order: bool,
    pub shape: Vec<u64>,
}

/// Reads the dictionary; keys may come in any order.
pub(crate) fn parse(text: &str) -> Result<Dict<'_>> {
    let mut descr = None;
    let mut fortran_order = None;
    let mut shape = None;
    let mut rest = Rest(text);
    rest.expect('{')?;
    while !rest.take('}') {
        let key = rest.string()?;
        rest.expect(':')?;
        match key {
            "descr" => descr = Some(rest.descr()?),
            "fortran_order" => fortran_order = Some(rest.boolean()?),
            "shape" => shape = Some(rest.shape()?),
            _ => return Err(malformed(format!("the key {key:?}"))),
        }
        if !rest.take(',') {
            rest.expect('}')?;
            break;
        }
    }
    if !rest.0.trim().is_empty() {
        return Err(malformed("more after the dictionary"));
    }
    match (descr, fortran_order, shape) {
        (Some(descr), Some(fortran_order), Some(shape)) => Ok(Dict { descr, fortran_order, shape }),
        (None, ..) => Err(malformed("no 'descr'")),
        (_, None, _) => Err(malformed("no 'fortran_order'")),
        (.., None) => Err(malformed("no 'shape'")),
    }
}

/// The error for a header that is not in the notation.
pub(crate) fn malformed(found: impl std::fmt::Display) -> Error {
    Error::format("a .npy header with 'descr', 'fortran_order' and 'shape'", found)
}

/// What is left to read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn take(&mut self, c: char) -> bool {
        self.0 = self.0.trim_start();
        match self.0.strip_prefix(c) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, c: char) -> Result<()> {
        if self.take(c) { Ok(()) } else { Err(self.here(format!("{c:?}"))) }
    }

    fn here(&self, expected: impl std::fmt::Display) -> Error {
        let found: String = self.0.trim().chars().take(20).collect();
        malformed(format!("{found:?} in place of {expected}"))
    }

    fn string(&mut self) -> Result<&'a str> {
        let text = self.0.trim_start();
        let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'));
        let parts = quote.and_then(|quote| text[1..].split_once(quote));
        let (string, rest) = parts.ok_or_else(|| self.here("a string"))?;
        self.0 = rest;
        Ok(string)
    }

    fn descr(&mut self) -> Result<&'a str> {
        if !self.0.trim_start().starts_with(['[', '(']) {
            return self.string();
        }
        let expected = "plain (unstructured)".to_owned();
        let found = "a structured array; numpy.lib.recfunctions.structured_to_unstructured makes \
                     it plain"
            .to_owned();
        Err(ErrorKind::Dtype { expected, found }.into())
    }

    fn boolean(&mut self) -> Result<bool> {
        let text = self.0.trim_start();
        for (word, value) in [("False", false), ("True", true)] {
            if let Some(rest) = text.strip_prefix(word) {
                self.0 = rest;
                return Ok(value);
            }
        }
        Err(self.here("True or False"))
    }

    fn shape(&mut self) -> Result<Vec<u64>> {
        let mut shape = Vec::new();
        self.expect('(')?;
        while !self.take(')') {
            if shape.len() == MAX_DIMENSIONS {
                return Err(malformed(format!("more than {MAX_DIMENSIONS} dimensions")));
            }
            shape.push(self.number()?);
            if !self.take(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(shape)
    }

    fn number(&mut self) -> Result<u64> {
        let text = self.0.trim_start();
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let number = text[..end].parse().map_err(|_| self.here("a dimension"))?;
        // Python 2 wrote long integers as 3L.
        self.0 = text[end..].strip_prefix('L').unwrap_or(&text[end..]);
        Ok(number)
    }
}
