//! Journals of steps: they are read as they were written, or not at all.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use drystone_core::observe::Silent;
use drystone_core::wire::{self, MAX_FRAME};
use drystone_core::{
    BlockAt, BlockRows, CancelToken, Checkpointed, ChunkedDataset, Control, Error, ErrorKind,
    Event, Executor, Inline, Job, Observer, Partial, Result, Session, Threads, laws,
};
use proptest::prelude::ProptestConfig;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

const N_STEPS: u64 = 3;
const HEADER: usize = 60;

/// Sums up the rows, in its own way in each step.
#[derive(Serialize, Deserialize)]
struct Sum {
    seed: u64,
    step: u64,
    fails: bool,
}

#[derive(Serialize, Deserialize)]
struct Total(u64);

impl Partial for Total {
    fn merge(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }
}

impl Job for Sum {
    const NAME: &'static str = "test.sum/1";
    type State = ();
    type Partial = Total;

    fn empty(&self) -> Total {
        Total(0)
    }

    fn map(&self, rows: &BlockAt, (): &mut (), into: &mut Total) -> Result<()> {
        if self.fails {
            return Err(ErrorKind::Empty { what: "as the test asks".into() }.into());
        }
        let values = rows.block.records.to_f64();
        let sum = values.iter().fold(self.step, |sum, value| sum.wrapping_add(value.to_bits()));
        into.merge(Total(sum.wrapping_mul(2 * self.seed + 1)));
        Ok(())
    }
}

/// A small dataset that counts how often a block is read.
fn counted() -> (ChunkedDataset, Arc<AtomicUsize>) {
    let reads = Arc::new(AtomicUsize::new(0));
    let (inner, counter) = (laws::small_dataset(20, 5), Arc::clone(&reads));
    let data = ChunkedDataset::from_blocks(inner.layout().clone(), move |idx| {
        counter.fetch_add(1, Ordering::Relaxed);
        inner.read(idx)
    });
    (data, reads)
}

fn watched(
    executor: &dyn Executor,
    data: &ChunkedDataset,
    seed: u64,
    observer: &dyn Observer,
) -> Result<Vec<u64>> {
    let control = Control::default();
    let session = Session::new(executor, observer, &control);
    let data = session.with_known_rows(data)?;
    let run = |step| Ok(session.run(&data, &Sum { seed, step, fails: false })?.0);
    (0..N_STEPS).map(run).collect()
}

/// What some steps come to, on a checkpoint, and how many were done before.
fn resumed(path: &Path, seed: u64) -> Result<(Vec<u64>, u64)> {
    let inline = Inline::new(0);
    let checkpointed = Checkpointed::open(&inline, path)?;
    let found = watched(&checkpointed, &laws::small_dataset(20, 5), seed, &Silent)?;
    Ok((found, checkpointed.resumed_steps()))
}

fn plain() -> Vec<u64> {
    watched(&Inline::new(0), &laws::small_dataset(20, 5), 1, &Silent).expect("steps")
}

struct Journal {
    _directory: TempDir,
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Journal {
    /// Of all steps.
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("steps.journal");
        assert_eq!(resumed(&path, 1).expect("steps"), (plain(), 0));
        let bytes = std::fs::read(&path).expect("a journal");
        Self { _directory: directory, path, bytes }
    }

    /// Where each record begins, and where the last one ends.
    fn borders(&self) -> Vec<usize> {
        let mut borders = vec![HEADER];
        while let Some(&at) = borders.last().filter(|&&at| at < self.bytes.len()) {
            let length: [u8; 8] = self.bytes[at..at + 8].try_into().expect("eight bytes");
            borders.push(at + 16 + u64::from_le_bytes(length) as usize + 32);
        }
        borders
    }

    /// What becomes of a file of these bytes.
    fn with(&self, bytes: &[u8]) -> Result<(Vec<u64>, u64)> {
        std::fs::write(&self.path, bytes).expect("a file");
        let found = resumed(&self.path, 1);
        if found.is_err() {
            assert_eq!(std::fs::read(&self.path).expect("a file"), bytes, "it was changed");
        }
        found
    }

    fn error_of(&self, bytes: &[u8]) -> Error {
        let error = self.with(bytes).expect_err("no journal of these steps");
        assert_eq!(error.location().file.as_deref(), Some(&*self.path), "{error}");
        error
    }
}

fn is_refusal(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Format { .. } | ErrorKind::Limit { .. })
}

#[test]
fn the_laws_of_executors_hold() {
    let directory = tempfile::tempdir().expect("a directory");
    let threads = Threads::new(2).expect("threads").memory_budget(0);
    let inline = Inline::new(1 << 20);
    let data = laws::small_dataset(40, 6);
    for (idx, executor) in [&threads as &dyn Executor, &inline].into_iter().enumerate() {
        let path = directory.path().join(idx.to_string());
        for n_resumed in [0, 5, 5] {
            let checkpointed = Checkpointed::open(executor, &path).expect("a journal");
            laws::check_executor(&checkpointed, &data);
            assert_eq!(checkpointed.resumed_steps(), n_resumed);
        }
    }
}

#[test]
fn steps_that_are_done_read_no_block() {
    let journal = Journal::new();
    let (data, reads) = counted();
    let inline = Inline::new(0);
    let checkpointed = Checkpointed::open(&inline, &journal.path).expect("a journal");
    assert_eq!(watched(&checkpointed, &data, 1, &Silent).expect("steps"), plain());
    assert_eq!((checkpointed.resumed_steps(), reads.load(Ordering::Relaxed)), (N_STEPS, 0));
    drop(checkpointed);
    assert_eq!(std::fs::read(&journal.path).expect("a journal"), journal.bytes);
}

#[test]
fn a_journal_that_ends_anywhere_is_gone_on_with() {
    let journal = Journal::new();
    let borders = journal.borders();
    assert_eq!(borders.len() as u64, N_STEPS + 1);
    for end in 0..=journal.bytes.len() {
        let whole = borders.iter().filter(|&&border| border <= end).count().saturating_sub(1);
        let found = journal.with(&journal.bytes[..end]).expect("a journal");
        assert_eq!(found, (plain(), whole as u64), "cut at {end}");
        assert_eq!(std::fs::read(&journal.path).expect("a journal"), journal.bytes);
    }
}

#[test]
fn a_byte_that_is_another_is_an_error_or_changes_nothing() {
    let journal = Journal::new();
    let last = journal.borders()[N_STEPS as usize - 1];
    for at in 0..journal.bytes.len() {
        let mut bytes = journal.bytes.clone();
        bytes[at] ^= 1 << (at % 8);
        match journal.with(&bytes) {
            Ok(found) => {
                assert!(at >= last, "damage at {at} was not noticed");
                assert_eq!(found, (plain(), N_STEPS - 1));
            }
            Err(error) => assert!(is_refusal(&error), "{error}"),
        }
    }
}

#[test]
fn bytes_that_follow_whole_records() {
    let journal = Journal::new();
    let with = |more: &[u8]| [&journal.bytes[..], more].concat();
    for n in [1, 15, 16, 17, 4096] {
        // As a file may be after a power cut.
        assert_eq!(journal.with(&with(&vec![0; n])).expect("steps"), (plain(), N_STEPS));
    }
    let error = journal.error_of(&with(&[7; 40]));
    let text = "expected a journal as it was written; delete it to start again, found damage in \
                step 4 or the one before";
    assert!(error.to_string().ends_with(text), "{error}");
}

#[test]
fn records_that_are_gone_or_elsewhere() {
    let journal = Journal::new();
    let borders = journal.borders();
    let (header, record) =
        (&journal.bytes[..HEADER], |idx: usize| &journal.bytes[borders[idx]..borders[idx + 1]]);
    for order in [&[1, 2][..], &[0, 2], &[1, 0, 2], &[0, 0, 1, 2]] {
        let records: Vec<u8> = order.iter().flat_map(|&idx| record(idx)).copied().collect();
        assert!(is_refusal(&journal.error_of(&[header, &records].concat())), "{order:?}");
    }
}

#[test]
fn lengths_that_no_record_has() {
    let journal = Journal::new();
    let end = journal.borders()[1];
    let before: [u8; 32] = journal.bytes[end - 32..end].try_into().expect("a hash");
    let with_length = |length: u64| {
        let check = wire::digest(&(before, *b"length", length.to_le_bytes())).expect("a hash");
        [&journal.bytes[..end], &length.to_le_bytes(), &check[..8], &[1; 100]].concat()
    };
    for length in [MAX_FRAME as u64 + 1, u64::MAX / 2, u64::MAX] {
        let error = journal.error_of(&with_length(length));
        assert!(matches!(error.kind(), ErrorKind::Limit { found, .. } if *found == length));
    }
    assert_eq!(journal.with(&with_length(MAX_FRAME as u64)).expect("steps"), (plain(), 1));
}

#[test]
fn files_that_are_no_journal() {
    let journal = Journal::new();
    let found = |bytes: &[u8]| journal.error_of(bytes).to_string();
    let text = "expected a journal of steps, or a new file, found another file";
    for bytes in [&b"x"[..], b"id,price\n1,2\n", &[0; 500], b"drystone journey"] {
        assert!(found(bytes).ends_with(text), "{}", found(bytes));
    }
    let mut bytes = journal.bytes.clone();
    bytes[16] = 2;
    let text = "expected a journal of version 1; delete it to start again, found another version";
    assert!(found(&bytes).ends_with(text), "{}", found(&bytes));
    let directory = tempfile::tempdir().expect("a directory");
    let error = resumed(directory.path(), 1).expect_err("a directory");
    assert!(matches!(error.kind(), ErrorKind::Io { .. }), "{error}");
}

proptest::proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn random_bytes(bytes: Vec<u8>, from in 0_usize..600) {
        let journal = Journal::new();
        let from = from.min(journal.bytes.len());
        match journal.with(&[&journal.bytes[..from], &bytes].concat()) {
            Ok((found, _)) => assert_eq!(found, plain()),
            Err(error) => assert!(is_refusal(&error), "{error}"),
        }
    }
}

#[test]
fn another_fit_is_refused_and_the_file_stays() {
    let journal = Journal::new();
    let error = resumed(&journal.path, 2).expect_err("another seed");
    let advice = "it is the journal of another fit: give that fit's data, parameters and seed, \
                  or another file, or delete this one";
    let text = format!(
        "{}: expected step 1 of this fit, `test.sum/1`, found one with other parameters; {advice}",
        journal.path.display()
    );
    assert_eq!(error.to_string(), text);

    let inline = Inline::new(0);
    let on = |data: &ChunkedDataset| {
        let checkpointed = Checkpointed::open(&inline, &journal.path).expect("a journal");
        watched(&checkpointed, data, 1, &Silent).expect_err("other data").to_string()
    };
    for data in [laws::small_dataset(20, 4), laws::small_dataset(21, 5)] {
        assert!(on(&data).contains("found one over other data"), "{}", on(&data));
    }
    let uncounted = unknown_rows(&Arc::default());
    assert!(on(&uncounted).contains("`core.count_rows`, found `test.sum/1`"), "{}", on(&uncounted));
    assert_eq!(std::fs::read(&journal.path).expect("a journal"), journal.bytes);
}

/// Nothing may be added after a refusal, nor after a failure.
#[test]
fn after_an_error_nothing_is_written() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("steps.journal");
    let (inline, control) = (Inline::new(0), Control::default());
    let data = laws::small_dataset(20, 5);
    let run = |checkpointed: &Checkpointed<'_>, step, fails| {
        let session = Session::new(checkpointed, &Silent, &control);
        session.run(&data, &Sum { seed: 1, step, fails }).map(|total| total.0)
    };
    let checkpointed = Checkpointed::open(&inline, &path).expect("a journal");
    let first = run(&checkpointed, 0, false).expect("a step");
    assert!(run(&checkpointed, 1, true).is_err());
    let length = std::fs::metadata(&path).expect("a journal").len();
    assert_eq!(run(&checkpointed, 0, false).expect("a step"), first);
    assert_eq!(std::fs::metadata(&path).expect("a journal").len(), length);
    drop(checkpointed);
    assert_eq!(resumed(&path, 1).expect("steps"), (plain(), 1));
}

#[test]
fn a_fit_that_was_stopped_goes_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("steps.journal");
    let inline = Inline::new(0);
    let (cancel, data) = (CancelToken::new(), laws::small_dataset(20, 5));
    let control = Control::new(cancel.clone(), None);
    let checkpointed = Checkpointed::open(&inline, &path).expect("a journal");
    let session = Session::new(&checkpointed, &Silent, &control);
    let run = |step| session.run(&data, &Sum { seed: 1, step, fails: false });
    assert!(run(0).is_ok() && run(1).is_ok());
    cancel.cancel();
    let error = run(2).map(|total| total.0).expect_err("it is cancelled");
    assert!(matches!(error.kind(), ErrorKind::Stopped { .. }), "{error}");
    // What winds up is another step than the one that comes next.
    let unstoppable = Control::default();
    let winding_up = Session::new(&checkpointed, &Silent, &unstoppable);
    assert!(winding_up.run(&data, &Sum { seed: 1, step: 99, fails: false }).is_ok());
    drop((session, winding_up));
    drop(checkpointed);
    assert_eq!(resumed(&path, 1).expect("steps"), (plain(), 2));
}

/// Steps that are done come at once, but not after the end.
#[test]
fn a_fit_stops_while_it_resumes() {
    let journal = Journal::new();
    let inline = Inline::new(0);
    let checkpointed = Checkpointed::open(&inline, &journal.path).expect("a journal");
    let (cancel, data) = (CancelToken::new(), laws::small_dataset(20, 5));
    cancel.cancel();
    let control = Control::new(cancel, None);
    let session = Session::new(&checkpointed, &Silent, &control);
    let stopped = session.run(&data, &Sum { seed: 1, step: 0, fails: false });
    let error = stopped.map(|total| total.0).expect_err("it is cancelled");
    assert!(matches!(error.kind(), ErrorKind::Stopped { .. }), "{error}");
}

#[test]
fn one_process_has_the_file() {
    let journal = Journal::new();
    let inline = Inline::new(0);
    let first = Checkpointed::open(&inline, &journal.path).expect("a journal");
    let error = resumed(&journal.path, 1).expect_err("it is in use");
    let text = "another fit is using this checkpoint; wait for its end, or name another file";
    assert_eq!(error.to_string(), format!("{}: {text}", journal.path.display()));
    drop(first);
    assert_eq!(resumed(&journal.path, 1).expect("steps").1, N_STEPS);
}

#[test]
fn two_steps_at_once_are_an_error() {
    let directory = tempfile::tempdir().expect("a directory");
    let inline = Inline::new(0);
    let path = directory.path().join("steps.journal");
    let checkpointed = Checkpointed::open(&inline, path).expect("a journal");
    let ((begun, wait), (end, ended)) = (mpsc::channel(), mpsc::channel::<()>());
    let (inner, gates) = (laws::small_dataset(5, 5), Mutex::new((begun, ended)));
    let slow = ChunkedDataset::from_blocks(inner.layout().clone(), move |idx| {
        let gates = gates.lock().expect("gates");
        gates.0.send(()).expect("a test");
        gates.1.recv().expect("an end");
        inner.read(idx)
    });
    std::thread::scope(|scope| {
        let first = scope.spawn(|| {
            let control = Control::default();
            let session = Session::new(&checkpointed, &Silent, &control);
            session.run(&slow, &Sum { seed: 1, step: 0, fails: false }).map(|total| total.0)
        });
        wait.recv().expect("a read");
        let other = watched(&checkpointed, &laws::small_dataset(20, 5), 1, &Silent);
        let error = other.expect_err("another step runs");
        let text = "parameter `checkpoint` must be used by one fit at a time, since steps are \
                    known by their order, found two steps at once";
        assert_eq!(error.to_string(), text);
        end.send(()).expect("a reader");
        assert!(first.join().expect("a thread").is_ok());
    });
}

fn unknown_rows(counts: &Arc<AtomicUsize>) -> ChunkedDataset {
    let (inner, counter) = (laws::small_dataset(20, 5), Arc::clone(counts));
    let mut layout = inner.layout().clone();
    layout.rows = BlockRows::Unknown { n_blocks: inner.n_blocks() };
    ChunkedDataset::from_blocks(layout, move |idx| {
        counter.fetch_add(1, Ordering::Relaxed);
        inner.read(idx)
    })
}

#[test]
fn rows_are_counted_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("steps.journal");
    let reads = Arc::new(AtomicUsize::new(0));
    let (data, inline) = (unknown_rows(&reads), Inline::new(0));
    let mut n_read = Vec::new();
    for n_resumed in [0, N_STEPS + 1] {
        let checkpointed = Checkpointed::open(&inline, &path).expect("a journal");
        assert_eq!(watched(&checkpointed, &data, 1, &Silent).expect("steps"), plain());
        assert_eq!(checkpointed.resumed_steps(), n_resumed);
        n_read.push(reads.swap(0, Ordering::Relaxed));
    }
    assert_eq!(n_read, [4 * (1 + N_STEPS as usize), 0]);
}

#[test]
fn the_observer_is_told_once() {
    let journal = Journal::new();
    let notes = |bytes: &[u8]| {
        std::fs::write(&journal.path, bytes).expect("a file");
        let (inline, notes) = (Inline::new(0), Mutex::new(Vec::new()));
        let checkpointed = Checkpointed::open(&inline, &journal.path).expect("a journal");
        let observer = |event: &Event<'_>| {
            if let Event::Note { text } = event {
                notes.lock().expect("notes").push((*text).to_owned());
            }
        };
        let data = laws::small_dataset(20, 5);
        watched(&checkpointed, &data, 1, &observer).expect("steps");
        notes.into_inner().expect("notes")
    };
    let (borders, from) = (journal.borders(), journal.path.display());
    assert!(notes(&[]).is_empty());
    let all = format!("resuming from {from}: 3 steps are done");
    assert_eq!(notes(&journal.bytes), [all]);
    let one = format!(
        "resuming from {from}: 1 step is done; the one that was being written is done again"
    );
    assert_eq!(notes(&journal.bytes[..borders[1] + 9]), [one]);
}

/// How estimators go about their work may follow from the budget: it is that of the beginning.
#[test]
fn the_budget_stays() {
    let journal = Journal::new();
    let threads = Threads::new(2).expect("threads").memory_budget(1 << 30);
    let checkpointed = Checkpointed::open(&threads, &journal.path).expect("a journal");
    let resources = checkpointed.describe();
    assert_eq!((resources.threads, resources.memory_budget), (2, 0));
}
