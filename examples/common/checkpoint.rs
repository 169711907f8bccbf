//! `--checkpoint`: a fit that goes on after its last finished step.

use std::path::PathBuf;

use clap::Args;
use drystone::{Checkpointed, Executor, Result};

#[derive(Args, Debug)]
pub struct CheckpointFlags {
    /// Keep in this file what each step of the fit comes to: when it is killed, the same command goes on after its last finished step
    #[arg(long, value_name = "FILE", conflicts_with = "explain")]
    pub checkpoint: Option<PathBuf>,
}

/// Where a fit runs, with or without a checkpoint.
pub enum Place<'a> {
    Plain(&'a dyn Executor),
    Checkpointed(Checkpointed<'a>),
}

impl CheckpointFlags {
    pub fn on<'a>(&self, executor: &'a dyn Executor) -> Result<Place<'a>> {
        Ok(match &self.checkpoint {
            None => Place::Plain(executor),
            Some(path) => Place::Checkpointed(Checkpointed::open(executor, path)?),
        })
    }
}

impl Place<'_> {
    pub fn executor(&self) -> &dyn Executor {
        match self {
            Self::Plain(executor) => *executor,
            Self::Checkpointed(checkpointed) => checkpointed,
        }
    }

    /// Steps that an earlier run had done.
    pub fn resumed_steps(&self) -> u64 {
        match self {
            Self::Plain(_) => 0,
            Self::Checkpointed(checkpointed) => checkpointed.resumed_steps(),
        }
    }
}
