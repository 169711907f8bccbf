//! A record as bytes: its length, a check of the length, its body, and a hash of all of the
//! journal up to here.
//!
//! Each hash takes in the one before, so that a record that is damaged, gone, or in another
//! place is found out. Nothing is known here of what a body means.

use sha2::{Digest as _, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::wire::{Digest, MAX_FRAME};

/// Bytes of the length and its check.
pub const HEAD_BYTES: u64 = 16;
/// Bytes of the hash.
pub const SUM_BYTES: u64 = 32;

/// The first bytes of a record. Without the check, a length that was damaged would look like
/// a record that was broken off, and what follows would be cut off with it.
pub fn head(before: &Digest, length: u64) -> [u8; HEAD_BYTES as usize] {
    let sum = hash(&[before, b"length", &length.to_le_bytes()]);
    let mut head = [0; HEAD_BYTES as usize];
    head[..8].copy_from_slice(&length.to_le_bytes());
    head[8..].copy_from_slice(&sum[..8]);
    head
}

/// The length that a head says; `None` if it is damaged.
///
/// # Errors
/// [`ErrorKind::Limit`] when it is over [`MAX_FRAME`].
pub fn length(before: &Digest, found: [u8; HEAD_BYTES as usize]) -> Result<Option<u64>> {
    let mut length = [0; 8];
    length.copy_from_slice(&found[..8]);
    let length = u64::from_le_bytes(length);
    if found != head(before, length) {
        return Ok(None);
    }
    if length > MAX_FRAME as u64 {
        let (what, limit) = ("the size of a record".to_owned(), MAX_FRAME as u64);
        return Err(Error::from(ErrorKind::Limit { what, limit, found: length }));
    }
    Ok(Some(length))
}

/// The hash that ends a record.
pub fn sum(before: &Digest, body: &[u8]) -> Digest {
    hash(&[before, b"record", body])
}

/// The hash of some bytes that follow each other.
pub fn hash(parts: &[&[u8]]) -> Digest {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}
