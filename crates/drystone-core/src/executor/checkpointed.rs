//! An executor that writes down what each step came to, and knows it again when a fit starts
//! anew. The file is [`journal`](super::journal)'s business.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};

use serde::{Deserialize, Serialize};

use super::journal::{Entry, Journal, StepId};
use super::{Executor, Outcome, Resources, Step, StepStats};
use crate::dataset::ChunkedDataset;
use crate::error::{Error, Result};
use crate::observe::Event;
use crate::wire;

/// The name under which counts of rows are written down.
const COUNT_ROWS: &str = "core.count_rows";

/// Runs steps on another executor and keeps what they come to in a file, so that a fit whose
/// process ended goes on after its last finished step.
///
/// Open the file, and fit as always: what was done before is read from the file and touches no
/// data; the rest is done. The model has the same bits as if nothing had happened. That holds
/// for whatever runs on this executor, one after the other: scaling, folds, several fits. Where
/// it runs may differ from before: other threads, workers, or another memory budget.
///
/// The file stays when the fit is done. Fitting again reads all of it and gives the same model in
/// an instant; delete it when you have the model.
///
/// # The same fit
///
/// A step is known by its job, its parameters, and its data: the description of the source and
/// how it is cut into blocks. When the fit asks for another step than the one in the file, it
/// fails, and the file stays as it is. **Data of closures or in memory have no description**: of
/// those only shape, types and row counts are compared, and you must see to it that the rows are
/// the same. So must you of a file whose contents are replaced under the same name, as far as
/// its source does not notice that itself.
///
/// A parameter that has changed nothing so far is no difference: with a smaller `tol` or more
/// time a fit goes on from where it was.
///
/// # When it stops
///
/// After a step that failed or was stopped nothing more is written by this value, since what an
/// estimator does then only winds up. Open the file again to go on: `max_time` starts anew.
///
/// ```
/// use drystone_core::column::Moments;
/// use drystone_core::observe::Silent;
/// use drystone_core::{Checkpointed, Control, Session, Threads, laws};
///
/// let data = laws::small_dataset(1_000, 100);
/// let file = std::env::temp_dir().join(format!("steps-{}.journal", std::process::id()));
/// let threads = Threads::new(2)?.memory_budget(0);
/// let work = || {
///     let checkpointed = Checkpointed::open(&threads, &file)?;
///     let control = Control::default();
///     let session = Session::new(&checkpointed, &Silent, &control);
///     let mean = session.run(&data, &Moments { n_features: 3 })?.mean(0);
///     Ok::<_, drystone_core::Error>((mean, checkpointed.resumed_steps(), session.blocks_read()))
/// };
/// assert_eq!(work()?, (499.5, 0, 10));
/// assert_eq!(work()?, (499.5, 1, 0)); // as after a crash: the step is done, no block is read
/// # std::fs::remove_file(&file)?;
/// # Ok::<(), drystone_core::Error>(())
/// ```
///
/// # Errors
/// Of steps, besides those of the executor below:
/// - [`Format`](crate::ErrorKind::Format), which names the file and the step: the journal of
///   another fit, or a damaged one.
/// - [`Parameter`](crate::ErrorKind::Parameter): a step that begins before another has ended.
///   Give fits that run at the same time a file each.
/// - [`Limit`](crate::ErrorKind::Limit): a step's outcome is larger than
///   [`MAX_FRAME`](crate::wire::MAX_FRAME).
/// - [`Io`](crate::ErrorKind::Io): the file cannot be read or written, as on a full disk.
///
/// # Performance
/// A step's outcome is written and synced to the disk before the next step begins: some
/// milliseconds, by the disk, and as many bytes as the partial has. The job's parameters are
/// hashed in each step. One outcome at a time is in memory. State of rows is not in the file: the
/// first step that runs makes it again from its parameters, as after a worker that was lost.
#[must_use = "a checkpoint does nothing until something is fitted `on` it"]
pub struct Checkpointed<'a> {
    executor: &'a dyn Executor,
    steps: Mutex<Steps>,
    memory_budget: u64,
    n_resumed: AtomicU64,
}

struct Steps {
    journal: Journal,
    /// Whether a step failed or was stopped: what follows is not written down.
    over: bool,
    /// Whether the observer was told of what was done before.
    told: bool,
}

impl<'a> Checkpointed<'a> {
    /// Opens the journal at `path`, or begins one if there is none or the file is empty.
    ///
    /// What was being written when the last process ended is cut off. The file belongs to this
    /// value until it is dropped.
    ///
    /// # Errors
    /// All name the file.
    /// - [`Format`](crate::ErrorKind::Format): it is no journal, of another version, or damaged.
    /// - [`Limit`](crate::ErrorKind::Limit): a record says that it is too large for one.
    /// - [`Io`](crate::ErrorKind::Io): it cannot be opened, or another process has it.
    pub fn open(executor: &'a dyn Executor, path: impl AsRef<Path>) -> Result<Self> {
        let journal = Journal::open(path.as_ref(), executor.describe().memory_budget)?;
        let memory_budget = journal.memory_budget();
        let steps = Mutex::new(Steps { journal, over: false, told: false });
        Ok(Self { executor, steps, memory_budget, n_resumed: AtomicU64::new(0) })
    }

    /// Steps so far that were done before and not again.
    #[must_use]
    pub fn resumed_steps(&self) -> u64 {
        self.n_resumed.load(Ordering::Relaxed)
    }

    /// The journal, for the length of a step; `None` once it is over.
    fn turn(&self) -> Result<Option<MutexGuard<'_, Steps>>> {
        let steps = match self.steps.try_lock() {
            Ok(steps) => steps,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let expected = "used by one fit at a time, since steps are known by their order";
                return Err(Error::parameter("checkpoint", expected, "two steps at once"));
            }
        };
        Ok((!steps.over).then_some(steps))
    }

    /// The outcome of a step that the journal has next.
    fn resume(&self, steps: &mut Steps, step: &StepId) -> Result<Option<Entry>> {
        let number = steps.journal.next_step();
        let Some(entry) = steps.journal.next()? else { return Ok(None) };
        if entry.step != *step {
            return Err(another_fit(number, step, &entry.step).in_file(steps.journal.path()));
        }
        self.n_resumed.fetch_add(1, Ordering::Relaxed);
        Ok(Some(entry))
    }

    fn run_step(&self, steps: &mut Steps, step: &Step<'_>) -> Result<Outcome> {
        step.control.check()?;
        steps.tell(step);
        let id = StepId::of(step)?;
        if let Some(entry) = self.resume(steps, &id)? {
            let partial = step.job.decode_partial(&entry.partial);
            let partial = partial.map_err(|error| error.in_file(steps.journal.path()))?;
            let (blocks, rows) = (entry.blocks as usize, entry.rows);
            return Ok(Outcome { partial, stats: StepStats { blocks, blocks_read: 0, rows } });
        }
        let outcome = self.executor.run(step)?;
        let (blocks, rows) = (outcome.stats.blocks as u64, outcome.stats.rows);
        let partial = step.job.encode_partial(&outcome.partial)?;
        steps.journal.append(&Entry { step: id, blocks, rows, partial })?;
        Ok(outcome)
    }

    fn count(&self, steps: &mut Steps, data: &ChunkedDataset) -> Result<Vec<u64>> {
        let id = StepId::of_count(data)?;
        if let Some(entry) = self.resume(steps, &id)? {
            let counts = wire::decode(&entry.partial).and_then(|Counts(counts)| {
                let (expected, found) = (data.n_blocks() as u64, counts.len() as u64);
                let wrong = || Error::shape("counted blocks", expected, found);
                (expected == found).then_some(counts).ok_or_else(wrong)
            });
            return counts.map_err(|error| error.in_file(steps.journal.path()));
        }
        let counts = Counts(self.executor.count_rows(data)?);
        let (blocks, rows) = (counts.0.len() as u64, counts.0.iter().sum());
        let partial = wire::encode(&counts)?;
        steps.journal.append(&Entry { step: id, blocks, rows, partial })?;
        Ok(counts.0)
    }
}

impl Executor for Checkpointed<'_> {
    fn run(&self, step: &Step<'_>) -> Result<Outcome> {
        let Some(mut steps) = self.turn()? else { return self.executor.run(step) };
        let outcome = self.run_step(&mut steps, step);
        steps.over = outcome.is_err();
        outcome
    }

    /// The executor below, with the memory budget that the fit began with: how estimators go
    /// about their work may follow from it.
    fn describe(&self) -> Resources {
        Resources { memory_budget: self.memory_budget, ..self.executor.describe() }
    }

    fn forget(&self, session: u64) {
        self.executor.forget(session);
    }

    fn note(&self, session: u64, event: &Event<'_>) {
        self.executor.note(session, event);
    }

    fn count_rows(&self, data: &ChunkedDataset) -> Result<Vec<u64>> {
        let Some(mut steps) = self.turn()? else { return self.executor.count_rows(data) };
        let counts = self.count(&mut steps, data);
        steps.over = counts.is_err();
        counts
    }
}

impl Steps {
    /// Says once what was done before.
    fn tell(&mut self, step: &Step<'_>) {
        let (journal, told) = (&self.journal, std::mem::replace(&mut self.told, true));
        if told || (journal.n_found() == 0 && !journal.is_broken_off()) {
            return;
        }
        let (file, n) = (journal.path().display(), journal.n_found());
        let done = if n == 1 { "1 step is".to_owned() } else { format!("{n} steps are") };
        let broken_off = match journal.is_broken_off() {
            true => "; the one that was being written is done again",
            false => "",
        };
        let text = format!("resuming from {file}: {done} done{broken_off}");
        step.observer.event(&Event::Note { text: &text });
    }
}

impl StepId {
    fn of(step: &Step<'_>) -> Result<Self> {
        let (name, job) = (step.job.name().to_owned(), step.job.digest_any()?);
        Ok(Self { name, job, data: of_data(step.data)? })
    }

    fn of_count(data: &ChunkedDataset) -> Result<Self> {
        let (name, job) = (COUNT_ROWS.to_owned(), wire::digest(COUNT_ROWS)?);
        Ok(Self { name, job, data: of_data(data)? })
    }
}

/// What is known of a dataset without reading it.
fn of_data(data: &ChunkedDataset) -> Result<wire::Digest> {
    wire::digest(&(data.describe(), data.layout()))
}

fn another_fit(number: u64, wanted: &StepId, found: &StepId) -> Error {
    let found = match found.name == wanted.name {
        false => format!("`{}`", found.name),
        true if found.data != wanted.data => "one over other data".to_owned(),
        true => "one with other parameters".to_owned(),
    };
    let name = &wanted.name;
    let expected = format!("step {number} of this fit, `{name}`");
    let advice = "it is the journal of another fit: give that fit's data, parameters and seed, or \
                  another file, or delete this one";
    Error::format(expected, format!("{found}; {advice}"))
}

/// Rows of each block.
#[derive(Serialize, Deserialize)]
struct Counts(#[serde(with = "wire::raw")] Vec<u64>);
