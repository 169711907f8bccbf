//! The vocabulary of drystone: [`Block`]s, the [`BlockSource`]s that make them, the
//! lazy [`ChunkedDataset`] over a source, and the seam through which every estimator
//! touches data: a [`Job`] mapped over the blocks by an [`Executor`].
//!
//! It holds no file format, no generator and no algorithm.

pub mod array;
pub mod block;
pub mod buffer;
mod cache;
pub mod collect;
pub mod column;
pub mod control;
pub mod data_root;
pub mod dataset;
pub mod error;
pub mod executor;
pub mod explain;
pub mod fingerprint;
pub mod input;
pub mod job;
pub mod label;
pub mod laws;
pub mod layout;
pub mod memory;
pub mod observe;
mod place;
pub mod registry;
pub mod rng;
pub mod rule;
pub mod session;
pub mod source;
mod state;
mod steps;
pub mod wire;

pub use array::ChunkedArray;
pub use block::{Block, BlockAt, Records, Rows, Targets};
pub use control::{CancelToken, Control, StopReason};
pub use data_root::DataRoot;
pub use dataset::ChunkedDataset;
pub use error::{Error, ErrorKind, Result};
pub use executor::{Checkpointed, Executor, Inline, Subprocess, Threads};
pub use explain::Explanation;
pub use input::ToChunked;
pub use job::{Job, Partial};
pub use label::Label;
pub use layout::{BlockRows, Dtype, Layout, TargetKind};
pub use observe::{Event, Observer};
pub use place::catch_panic;
pub use registry::{Opener, Registry};
pub use session::{Session, run};
pub use source::{BlockSource, Description};
pub use state::StatePolicy;
