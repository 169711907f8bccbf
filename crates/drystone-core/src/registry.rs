//! The names by which another process knows jobs and sources. Code never travels.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::job::{ErasedJob, Job};
use crate::source::{BlockSource, Description};
use crate::{steps, wire};

/// How deep descriptions may nest (a slice of a concatenation of ...): a hostile one
/// must not exhaust the stack.
const MAX_DEPTH: usize = 32;

type DecodeJob = fn(&[u8]) -> Result<Box<dyn ErasedJob>>;
type DecodeSource = fn(&[u8], &Opener<'_>) -> Result<Arc<dyn BlockSource>>;

/// The jobs and sources that a process can run when another asks for them.
#[derive(Clone)]
pub struct Registry {
    jobs: BTreeMap<&'static str, DecodeJob>,
    sources: BTreeMap<&'static str, DecodeSource>,
}

/// Opens descriptions inside of descriptions.
pub struct Opener<'a> {
    registry: &'a Registry,
    depth: usize,
}

impl Opener<'_> {
    /// Opens one description.
    ///
    /// # Errors
    /// [`ErrorKind::NotRegistered`], [`ErrorKind::Limit`] when nested too deeply, or the
    /// source's own error.
    pub fn open(&self, description: &Description) -> Result<Arc<dyn BlockSource>> {
        if self.depth >= MAX_DEPTH {
            let what = "the depth of a dataset's description".to_owned();
            let (limit, found) = (MAX_DEPTH as u64, self.depth as u64 + 1);
            return Err(ErrorKind::Limit { what, limit, found }.into());
        }
        let decode = self.registry.sources.get(&*description.kind);
        let decode = decode.ok_or_else(|| not_registered(&description.kind))?;
        decode(&description.body, &Opener { registry: self.registry, depth: self.depth + 1 })
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    /// A registry of this crate's own jobs and lazy steps.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Self { jobs: BTreeMap::new(), sources: BTreeMap::new() };
        steps::register(&mut registry);
        crate::column::register(&mut registry);
        registry
    }

    /// Adds a job under its name.
    pub fn job<J: Job>(&mut self) -> &mut Self {
        self.jobs.insert(J::NAME, |bytes| Ok(Box::new(wire::decode::<J>(bytes)?)));
        self
    }

    /// Adds a source: how to open the body of a description of this kind.
    pub fn source(&mut self, kind: &'static str, open: DecodeSource) -> &mut Self {
        self.sources.insert(kind, open);
        self
    }

    /// A job from its name and bytes.
    ///
    /// # Errors
    /// [`ErrorKind::NotRegistered`], or [`ErrorKind::Format`] when the bytes are not its.
    pub fn open_job(&self, name: &str, bytes: &[u8]) -> Result<Box<dyn ErasedJob>> {
        self.jobs.get(name).ok_or_else(|| not_registered(name))?(bytes)
    }

    /// A source from its description.
    ///
    /// # Errors
    /// As for [`Opener::open`].
    pub fn open_source(&self, description: &Description) -> Result<Arc<dyn BlockSource>> {
        Opener { registry: self, depth: 0 }.open(description)
    }
}

fn not_registered(name: &str) -> Error {
    ErrorKind::NotRegistered { name: name.to_owned() }.into()
}
