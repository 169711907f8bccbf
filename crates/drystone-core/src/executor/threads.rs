//! The threads of this machine, which share the slices of the blocks in flight.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::counting::{FirstFailed, count_block};
use super::{Executor, Outcome, Resources, Step, StepStats};
use crate::block::BlockAt;
use crate::dataset::ChunkedDataset;
use crate::error::{Error, ErrorKind, Result};
use crate::job::AnyPartial;
use crate::place::{Place, catch_panic, slices};
use crate::state::StatePolicy;

/// Maps blocks on a pool of threads; at most one block a thread is in flight.
///
/// ```
/// use drystone_core::{Executor, Threads};
/// let threads = Threads::new(2)?.memory_budget(512 << 20);
/// assert_eq!(threads.describe().threads, 2);
/// # Ok::<(), drystone_core::Error>(())
/// ```
pub struct Threads {
    pool: ThreadPool,
    place: Place,
}

impl Threads {
    /// A pool of `n` threads, with the [default budget](crate::memory::default_budget).
    ///
    /// # Errors
    /// [`ErrorKind::Parameter`](crate::ErrorKind::Parameter) when `n` is 0 or over 1,024;
    /// the system's error when it does not start them.
    pub fn new(n: usize) -> Result<Self> {
        if !(1..=1024).contains(&n) {
            return Err(Error::parameter("threads", "between 1 and 1024", n));
        }
        let name = |idx| format!("drystone-{idx}");
        let pool = ThreadPoolBuilder::new().num_threads(n).thread_name(name).build();
        let pool = pool.map_err(|error| {
            let action = "cannot start threads".to_owned();
            Error::from(ErrorKind::Io { action }).caused_by(error)
        })?;
        let place = Place::new(crate::memory::default_budget(), StatePolicy::Keep);
        Ok(Self { pool, place })
    }

    /// The pool that is used when the user names no executor: one thread a core.
    #[must_use]
    pub fn shared() -> Arc<dyn Executor> {
        static SHARED: OnceLock<Arc<dyn Executor>> = OnceLock::new();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let start = || match Self::new(cores.min(1024)) {
            Ok(threads) => Arc::new(threads) as Arc<dyn Executor>,
            Err(_) => Arc::new(super::Inline::default()),
        };
        Arc::clone(SHARED.get_or_init(start))
    }

    /// With this many bytes for blocks that are kept between passes; 0 keeps none.
    #[must_use]
    pub fn memory_budget(self, bytes: u64) -> Self {
        let policy = self.place.states.policy();
        Self { pool: self.pool, place: Place::new(bytes, policy) }
    }

    /// With another policy for state.
    #[must_use]
    pub fn state_policy(self, policy: StatePolicy) -> Self {
        Self { pool: self.pool, place: Place::new(self.place.cache.budget(), policy) }
    }
}

impl Executor for Threads {
    fn run(&self, step: &Step<'_>) -> Result<Outcome> {
        let queue = Queue::new(step.data.n_blocks());
        let share = || {
            let result = catch_panic(|| work(&self.place, step, &queue));
            if result.is_err() {
                queue.close();
            }
            result
        };
        // A source that itself computes on these threads must not wait for the others:
        // they may be waiting for the block that it makes.
        let nested = self.pool.current_thread_index().is_some();
        let results = if nested { vec![share()] } else { self.pool.broadcast(|_| share()) };
        step.merge(results)
    }

    fn describe(&self) -> Resources {
        let threads = self.pool.current_num_threads();
        Resources { name: "threads", threads, memory_budget: self.place.cache.budget() }
    }

    fn forget(&self, session: u64) {
        self.place.forget(session);
    }

    fn count_rows(&self, data: &ChunkedDataset) -> Result<Vec<u64>> {
        let failed = FirstFailed::new();
        let count = |block_idx| failed.count(block_idx, || count_block(data, block_idx));
        let blocks = (0..data.n_blocks()).into_par_iter();
        let counts: Vec<Result<u64>> = self.pool.install(|| blocks.map(count).collect());
        counts.into_iter().collect()
    }
}

/// What one thread does: slices of blocks that are in memory first; a new block only
/// when there are none, which bounds the blocks in flight by the number of threads.
fn work(place: &Place, step: &Step<'_>, queue: &Queue) -> Result<Outcome> {
    let mut partial = step.job.empty_any();
    let mut stats = StepStats::default();
    while let Some(task) = queue.next() {
        match task {
            Task::Open(block_idx) => {
                let fetched = open(place, step, queue, block_idx);
                stats.merge(fetched?);
            }
            Task::Map(slice) => map(place, step, queue, &slice, &mut partial)?,
        }
    }
    Ok(Outcome { partial, stats })
}

/// Reads a block and puts its slices into the queue.
fn open(place: &Place, step: &Step<'_>, queue: &Queue, block_idx: usize) -> Result<StepStats> {
    let fetched = step.control.check().and_then(|()| place.fetch(step, block_idx));
    let Ok(fetched) = fetched else {
        queue.opened(Vec::new());
        return fetched.map(|_| StepStats::default());
    };
    let rows: Vec<BlockAt> = slices(&fetched.block, step.job.rows_of_slice()).collect();
    let left = Arc::new(AtomicUsize::new(rows.len()));
    if rows.is_empty() {
        step.block_done(queue.block_done());
    }
    let number = |(slice_idx, rows)| Slice { rows, slice_idx, left: Arc::clone(&left) };
    queue.opened(rows.into_iter().enumerate().map(number).collect());
    let rows = fetched.block.block.n_samples() as u64;
    Ok(StepStats { blocks: 1, blocks_read: usize::from(fetched.read), rows })
}

fn map(
    place: &Place,
    step: &Step<'_>,
    queue: &Queue,
    slice: &Slice,
    into: &mut AnyPartial,
) -> Result<()> {
    place.map_slice(step, &slice.rows, slice.slice_idx, into)?;
    if slice.left.fetch_sub(1, Ordering::AcqRel) == 1 {
        step.block_done(queue.block_done());
    }
    Ok(())
}

enum Task {
    Open(usize),
    Map(Slice),
}

/// A slice of a block in flight; `left` counts the block's slices that are not done.
struct Slice {
    rows: BlockAt,
    slice_idx: usize,
    left: Arc<AtomicUsize>,
}

/// The work of one step, shared by the threads.
struct Queue {
    inner: Mutex<Inner>,
    changed: Condvar,
    done: AtomicUsize,
}

struct Inner {
    slices: VecDeque<Slice>,
    next_block: usize,
    n_blocks: usize,
    opening: usize,
    closed: bool,
}

impl Queue {
    fn new(n_blocks: usize) -> Self {
        let slices = VecDeque::new();
        let inner = Inner { slices, next_block: 0, n_blocks, opening: 0, closed: false };
        Self { inner: Mutex::new(inner), changed: Condvar::new(), done: AtomicUsize::new(0) }
    }

    /// The next thing to do; waits while others may still bring slices; `None` at the end.
    fn next(&self) -> Option<Task> {
        let mut inner = self.lock();
        loop {
            if inner.closed {
                return None;
            }
            if let Some(slice) = inner.slices.pop_front() {
                return Some(Task::Map(slice));
            }
            if inner.next_block < inner.n_blocks {
                inner.next_block += 1;
                inner.opening += 1;
                return Some(Task::Open(inner.next_block - 1));
            }
            if inner.opening == 0 {
                return None;
            }
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn opened(&self, slices: Vec<Slice>) {
        let mut inner = self.lock();
        inner.opening -= 1;
        inner.slices.extend(slices);
        self.changed.notify_all();
    }

    /// Leaves nothing to do for the others: one thread has failed.
    fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.slices.clear();
        self.changed.notify_all();
    }

    fn block_done(&self) -> usize {
        self.done.fetch_add(1, Ordering::AcqRel) + 1
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
