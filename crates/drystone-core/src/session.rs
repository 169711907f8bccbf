//! One fit, or other work of several steps: its executor, its state, what it took.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::control::Control;
use crate::dataset::ChunkedDataset;
use crate::error::{Error, Result};
use crate::executor::{Executor, Resources, Step, StepStats, Threads};
use crate::job::{AnyPartial, ErasedJob, Job, foreign};
use crate::observe::{Event, Observer, Silent};

/// Runs one job over a dataset on the threads of this machine: one pass, or two if row
/// counts are unknown. [`Session`] has the choices.
///
/// # Errors
/// As for [`Session::run`].
pub fn run<J: Job>(data: &ChunkedDataset, job: &J) -> Result<J::Partial> {
    let (threads, control) = (Threads::shared(), Control::default());
    let session = Session::new(&*threads, &Silent, &control);
    session.run(&session.with_known_rows(data)?, job)
}

/// Runs jobs one after the other; the state that they keep ends with the session.
///
/// ```
/// # use drystone_core::{ChunkedDataset, Block, Layout, Dtype, Inline, Session, Control, observe::Silent};
/// # use ndarray::array;
/// use drystone_core::column::Moments;
/// let data = ChunkedDataset::from_blocks(Layout::new(Dtype::F64, 1, 2, 2), |_| {
///     Ok(Block::new(array![[1.0], [3.0]]))
/// });
/// let (inline, control) = (Inline::default(), Control::default());
/// let session = Session::new(&inline, &Silent, &control);
/// let moments = session.run(&data, &Moments { n_features: 1 })?;
/// assert_eq!(moments.mean(0), 2.0);
/// assert_eq!(session.passes(), 1);
/// # Ok::<(), drystone_core::Error>(())
/// ```
pub struct Session<'a> {
    executor: &'a dyn Executor,
    observer: &'a dyn Observer,
    control: &'a Control,
    id: u64,
    passes: Cell<usize>,
    blocks_read: Cell<usize>,
}

impl<'a> Session<'a> {
    /// A session of its own state.
    #[must_use]
    pub fn new(
        executor: &'a dyn Executor,
        observer: &'a dyn Observer,
        control: &'a Control,
    ) -> Self {
        static SESSIONS: AtomicU64 = AtomicU64::new(1);
        let id = SESSIONS.fetch_add(1, Ordering::Relaxed);
        Self { executor, observer, control, id, passes: Cell::new(0), blocks_read: Cell::new(0) }
    }

    /// Maps a job over all blocks and merges its partials: one pass.
    ///
    /// # Errors
    /// The job's and the source's, with the block; and when the executor did not map each
    /// row exactly once.
    pub fn run<J: Job>(&self, data: &ChunkedDataset, job: &J) -> Result<J::Partial> {
        let partial = self.run_any(data, job)?.downcast::<J::Partial>();
        partial.map(|partial| *partial).map_err(|_| foreign(J::NAME))
    }

    /// As [`run`](Self::run), for a job whose types are not known.
    pub(crate) fn run_any(&self, data: &ChunkedDataset, job: &dyn ErasedJob) -> Result<AnyPartial> {
        data.layout().check_features()?;
        let (pass, n_blocks) = (self.passes.get() + 1, data.n_blocks());
        self.passes.set(pass);
        self.note(&Event::PassStarted { pass, job: job.name(), n_blocks });
        let (control, observer) = (self.control, self.observer);
        let step = Step { job, data, session: self.id, pass, control, observer };
        let outcome = self.executor.run(&step)?;
        check_coverage(data, outcome.stats)?;
        let blocks_read = outcome.stats.blocks_read;
        self.blocks_read.set(self.blocks_read.get() + blocks_read);
        self.note(&Event::PassDone { pass, job: job.name(), blocks_read });
        Ok(outcome.partial)
    }

    /// The same dataset with its row counts known: counted now if they are not.
    ///
    /// # Errors
    /// The source's, with the block; [`ErrorKind::Shape`](crate::ErrorKind::Shape) when the
    /// executor did not count each block.
    pub fn with_known_rows(&self, data: &ChunkedDataset) -> Result<ChunkedDataset> {
        if data.n_samples().is_some() {
            return Ok(data.clone());
        }
        let (pass, n_blocks) = (self.passes.get() + 1, data.n_blocks());
        self.passes.set(pass);
        self.note(&Event::PassStarted { pass, job: "core.count_rows", n_blocks });
        let counted = data.with_row_counts(&self.executor.count_rows(data)?)?;
        self.blocks_read.set(self.blocks_read.get() + n_blocks);
        let blocks_read = n_blocks;
        self.note(&Event::PassDone { pass, job: "core.count_rows", blocks_read });
        Ok(counted)
    }

    /// Drops the state kept so far: the jobs that follow do not use it.
    pub fn forget_state(&self) {
        self.executor.forget(self.id);
    }

    /// What the executor has to work with.
    #[must_use]
    pub fn resources(&self) -> Resources {
        self.executor.describe()
    }

    /// Tells the observer, and the executor.
    pub fn note(&self, event: &Event<'_>) {
        self.observer.event(event);
        self.executor.note(self.id, event);
    }

    /// Passes over the data so far.
    #[must_use]
    pub fn passes(&self) -> usize {
        self.passes.get()
    }

    /// Blocks read or generated so far; blocks found in memory do not count.
    #[must_use]
    pub fn blocks_read(&self) -> usize {
        self.blocks_read.get()
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.executor.forget(self.id);
    }
}

fn check_coverage(data: &ChunkedDataset, stats: StepStats) -> Result<()> {
    if stats.blocks != data.n_blocks() {
        return Err(Error::shape("mapped blocks", data.n_blocks() as u64, stats.blocks as u64));
    }
    match data.n_samples() {
        Some(n_samples) if n_samples != stats.rows => {
            Err(Error::shape("mapped rows", n_samples, stats.rows))
        }
        _ => Ok(()),
    }
}
