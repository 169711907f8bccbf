//! CSV (being written: signatures first).
#![allow(missing_docs)]
use std::path::{Path, PathBuf};

use drystone_core::{ChunkedDataset, Dtype, Error, Registry, Result, TargetKind};

pub fn open(path: impl AsRef<Path>) -> Csv {
    Csv { path: path.as_ref().to_owned() }
}
pub struct Csv {
    path: PathBuf,
}
#[derive(Clone, Copy, Debug)]
pub enum Delimiter {
    Auto,
    Byte(u8),
    WhiteSpace,
}
#[derive(Clone, Copy, Debug)]
pub enum Header {
    Auto,
    Yes,
    No,
}
#[derive(Clone, Copy, Debug)]
pub enum Missing {
    Error,
    Nan,
}
#[derive(Clone, Debug)]
pub enum Column {
    Index(usize),
    Range { first: usize, last: usize },
    Name(String),
}
impl From<usize> for Column {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}
impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}
impl Column {
    pub fn parse(text: &str) -> Result<Self> {
        Err(Error::format("stub", text))
    }
    pub fn parse_list(text: &str) -> Result<Vec<Self>> {
        Err(Error::format("stub", text))
    }
}
impl Csv {
    pub fn delimiter(self, _: Delimiter) -> Self {
        self
    }
    pub fn header(self, _: Header) -> Self {
        self
    }
    pub fn columns<C: Into<Column>>(self, _: impl IntoIterator<Item = C>) -> Self {
        self
    }
    pub fn target(self, _: impl Into<Column>) -> Self {
        self
    }
    pub fn targets_as(self, _: TargetKind) -> Self {
        self
    }
    pub fn weights(self, _: impl Into<Column>) -> Self {
        self
    }
    pub fn missing(self, _: Missing) -> Self {
        self
    }
    pub fn dtype(self, _: Dtype) -> Self {
        self
    }
    pub fn block_bytes(self, _: u64) -> Self {
        self
    }
    pub fn block_rows(self, _: usize) -> Self {
        self
    }
    pub fn dataset(self) -> Result<ChunkedDataset> {
        Err(Error::format("stub", self.path.display()))
    }
}
pub fn register(_registry: &mut Registry) {}
