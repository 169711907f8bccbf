//! The first bytes of a journal: what the file is, and what the fit began with.

use super::record::hash;
use crate::error::{Error, Result};
use crate::wire::Digest;

const MAGIC: &[u8; 16] = b"drystone journal";
const VERSION: u32 = 1;
/// Magic, version, budget and hash.
pub const HEADER_BYTES: u64 = 16 + 4 + 8 + 32;

/// What a journal begins with.
pub struct Header {
    /// The executor's budget when the fit began: how a fit goes about its work may follow from it.
    pub memory_budget: u64,
}

impl Header {
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = known();
        bytes.extend_from_slice(&self.memory_budget.to_le_bytes());
        bytes.extend_from_slice(&hash(&[&bytes]));
        bytes
    }

    /// `None` for a header that was broken off, so that no record can follow.
    ///
    /// # Errors
    /// [`Format`](crate::ErrorKind::Format) for another file, another version, or damage.
    pub fn read(bytes: &[u8]) -> Result<Option<Self>> {
        let known = known();
        if bytes.len() < HEADER_BYTES as usize && same_beginning(&known, bytes) {
            return Ok(None);
        }
        if !bytes.starts_with(MAGIC) {
            return Err(Error::format("a journal of steps, or a new file", "another file"));
        }
        if !bytes.starts_with(&known) {
            let expected = format!("a journal of version {VERSION}; delete it to start again");
            return Err(Error::format(expected, "another version"));
        }
        let mut budget = [0; 8];
        budget.copy_from_slice(&bytes[known.len()..known.len() + 8]);
        let header = Self { memory_budget: u64::from_le_bytes(budget) };
        if header.to_bytes() != bytes {
            return Err(damaged("its beginning"));
        }
        Ok(Some(header))
    }

    /// The hash that the first record takes in.
    pub fn sum(&self) -> Digest {
        hash(&[&self.to_bytes()])
    }
}

fn known() -> Vec<u8> {
    [&MAGIC[..], &VERSION.to_le_bytes()].concat()
}

fn same_beginning(a: &[u8], b: &[u8]) -> bool {
    a.iter().zip(b).all(|(a, b)| a == b)
}

/// What was written is no longer there.
pub fn damaged(what: &str) -> Error {
    let expected = "a journal as it was written; delete it to start again";
    Error::format(expected, format!("damage in {what}"))
}
