//! What travels in the body of a plan's node, and what comes back in its rows.

use drystone_core::error::WireError;
use drystone_core::executor::{RemoteCount, RemoteStep};
use drystone_core::{Error, Result, wire};
use serde::{Deserialize, Serialize};

/// What a body starts with: ours, of this version of the protocol.
const MAGIC: &[u8] = b"drystone/1\n";
/// What the magic of all versions has in common.
const ANY_MAGIC: &[u8] = b"drystone/";

/// What the node does with the rows of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Rows are runs of blocks, which are mapped.
    Map,
    /// Rows are partials, which are merged.
    Merge,
}

/// The body of a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Body {
    /// Which step of which driver: the same when it is tried again.
    pub id: u64,
    pub stage: Stage,
    pub work: Work,
}

/// What is done with blocks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Work {
    /// A job is mapped over them.
    Step(RemoteStep),
    /// Their rows are counted.
    Count(RemoteCount),
}

impl Work {
    /// The session whose state it uses.
    pub fn session(&self) -> Option<u64> {
        match self {
            Self::Step(step) => Some(step.session),
            Self::Count(_) => None,
        }
    }
}

impl Body {
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok([MAGIC, &wire::encode(self)?].concat())
    }

    /// Whether bytes are a body of some version.
    pub fn claims(bytes: &[u8]) -> bool {
        bytes.starts_with(ANY_MAGIC)
    }

    /// # Errors
    /// [`ErrorKind::Format`](drystone_core::ErrorKind::Format), with both versions if these differ.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let Some(body) = bytes.strip_prefix(MAGIC) else {
            let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
            let found = String::from_utf8_lossy(&line[..line.len().min(40)]).into_owned();
            let expected = String::from_utf8_lossy(MAGIC);
            return Err(Error::format(format!("a step of {}", expected.trim_end()), found));
        };
        wire::decode(body)
    }
}

/// A run of blocks, the second one exclusive.
pub(crate) type Run = (u64, u64);

/// A row that comes back: what some blocks came to.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Part {
    Done(Done),
    /// The first error met, in the order of blocks.
    Failed {
        first_block: u64,
        error: WireError,
    },
}

/// Blocks that were mapped.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Done {
    /// Which ones.
    pub blocks: Vec<Run>,
    pub blocks_read: u64,
    pub rows: u64,
    #[serde(with = "wire::bytes")]
    pub partial: Vec<u8>,
}

impl Part {
    pub fn failed(first_block: u64, error: &Error) -> Self {
        Self::Failed { first_block, error: error.to_wire() }
    }
}

/// Whether runs are all blocks, each exactly once.
///
/// # Errors
/// Which blocks are missing, or there twice: an engine's fault, which must not become a wrong
/// result.
pub(crate) fn check_blocks(runs: &[Run], n_blocks: u64) -> Result<()> {
    let mut next = 0;
    for &(first, end) in runs {
        if first != next || end < first {
            let found = format!("blocks {first} to {end} after the first {next}");
            return Err(Error::format(format!("each of {n_blocks} blocks once"), found));
        }
        next = end;
    }
    if next == n_blocks {
        return Ok(());
    }
    Err(Error::format(format!("each of {n_blocks} blocks once"), format!("the first {next} only")))
}
