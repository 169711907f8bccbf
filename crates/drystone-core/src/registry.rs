//! The names by which another process knows jobs and sources. Code never travels.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::data_root::DataRoot;
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
    data_root: DataRoot,
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

    /// The files that the source may open. One that names files in its description asks for
    /// each of them, and opens it by this when it reads:
    ///
    /// ```
    /// use std::io::Read;
    /// use std::path::PathBuf;
    /// # use std::sync::Arc;
    ///
    /// use drystone_core::{
    ///     Block, BlockSource, DataRoot, Dtype, Layout, Opener, Records, Registry, Result, Rows, wire,
    /// };
    ///
    /// /// The bytes of a file, as one block of one column.
    /// struct Bytes {
    ///     path: PathBuf,
    ///     layout: Layout,
    ///     files: DataRoot,
    /// }
    ///
    /// fn open(body: &[u8], opener: &Opener<'_>) -> Result<Arc<dyn BlockSource>> {
    ///     let (path, n): (PathBuf, u64) = wire::decode(body)?;
    ///     opener.data_root().admit(&path)?;
    ///     let layout = Layout::new(Dtype::F64, 1, n, n);
    ///     Ok(Arc::new(Bytes { path, layout, files: opener.data_root().clone() }))
    /// }
    ///
    /// impl BlockSource for Bytes {
    ///     fn layout(&self) -> &Layout {
    ///         &self.layout
    ///     }
    ///     fn read(&self, _: usize) -> Result<Block> {
    ///         let mut bytes = Vec::new();
    ///         self.files.open(&self.path)?.read_to_end(&mut bytes)?;
    ///         let values = bytes.into_iter().map(f64::from).collect();
    ///         Ok(Block::new(Records::F64(Rows::new(values, 1)?)))
    ///     }
    /// }
    ///
    /// # let directory = std::env::temp_dir().join(format!("drystone-doc-{}", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// # std::fs::write(directory.join("abc"), "abc")?;
    /// # let describe = |path: PathBuf| -> Result<_> {
    /// #     let body = wire::encode(&(path, 3_u64))?;
    /// #     Ok(drystone_core::Description { kind: "example.bytes/1".into(), body })
    /// # };
    /// let mut registry = Registry::new();
    /// registry.source("example.bytes/1", open).data_root(&directory)?;
    /// let inside = registry.open_source(&describe(directory.join("abc"))?)?;
    /// assert_eq!(inside.read(0)?.records.to_f64(), [97.0, 98.0, 99.0]);
    /// assert!(registry.open_source(&describe("/etc/passwd".into())?).is_err());
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), drystone_core::Error>(())
    /// ```
    #[must_use]
    pub fn data_root(&self) -> &DataRoot {
        &self.registry.data_root
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
        let data_root = DataRoot::default();
        let mut registry = Self { jobs: BTreeMap::new(), sources: BTreeMap::new(), data_root };
        steps::register(&mut registry);
        crate::column::register(&mut registry);
        crate::laws::register(&mut registry);
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

    /// Lets sources open files in this directory only, whatever descriptions ask for. Until
    /// this is called they open any: right for a process that serves none but its own user.
    ///
    /// # Errors
    /// [`ErrorKind::Parameter`] when it is not a directory, or not there.
    pub fn data_root(&mut self, dir: impl AsRef<Path>) -> Result<&mut Self> {
        self.data_root = DataRoot::directory(dir)?;
        Ok(self)
    }

    /// Lets sources open no files: for a process that serves others and was told of no
    /// [`data_root`](Self::data_root).
    pub fn no_files(&mut self) -> &mut Self {
        self.data_root = DataRoot::none();
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
