//! A short name for a dataset's content, by which blocks and state are kept.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::source::BlockSource;

/// Equal for datasets that give the same blocks because their descriptions are equal;
/// unique for each instance that has no description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    pub(crate) fn of(source: &dyn BlockSource) -> Self {
        static INSTANCES: AtomicU64 = AtomicU64::new(0);
        let mut hash = Sha256::new();
        match source.describe() {
            Some(description) => {
                hash.update(description.kind.as_bytes());
                hash.update([0]);
                hash.update(&description.body);
            }
            None => {
                let instance = INSTANCES.fetch_add(1, Ordering::Relaxed);
                hash.update(b"instance");
                hash.update(instance.to_le_bytes());
            }
        }
        let mut short = [0; 16];
        short.copy_from_slice(&hash.finalize()[..16]);
        Self(short)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
