//! Jobs, sources and partials pass through other processes, and processes may fail.
//!
//! The children are this test binary, asked for the one test that serves.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use drystone_core::column::Moments;
use drystone_core::executor::serve;
use drystone_core::{
    Block, BlockAt, BlockRows, BlockSource, ChunkedDataset, Control, Description, Dtype, Error,
    ErrorKind, Event, Executor, Job, Layout, Partial, Records, Registry, Result, Rows, Session,
    StatePolicy, Subprocess, laws, observe::Silent, wire,
};
use serde::{Deserialize, Serialize};

const WORKER: &str = "DRYSTONE_TEST_WORKER";

/// `n` rows (row, row % 7) in blocks of `block_rows`; a worker can make them.
struct Sevens {
    layout: Layout,
}

impl Sevens {
    fn dataset(n_samples: u64, block_rows: u64) -> ChunkedDataset {
        ChunkedDataset::new(Self { layout: Layout::new(Dtype::F64, 2, n_samples, block_rows) })
    }

    fn open(body: &[u8]) -> Result<Self> {
        Ok(Self { layout: wire::decode(body)? })
    }
}

impl BlockSource for Sevens {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        let rows = self.layout.rows.rows_of(block_idx).unwrap_or_default();
        let values = rows.flat_map(|row| [row as f64, (row % 7) as f64]).collect();
        Ok(Block::new(Records::F64(Rows::new(values, 2)?)))
    }

    fn describe(&self) -> Option<Description> {
        Some(Description { kind: "test.sevens/1".into(), body: wire::encode(&self.layout).ok()? })
    }
}

/// A job that ends its process, or panics, when it sees a row.
#[derive(Serialize, Deserialize)]
struct Dies {
    exits: bool,
}

#[derive(Serialize, Deserialize)]
struct Nothing;

impl Partial for Nothing {
    fn merge(&mut self, _: Self) {}
}

impl Job for Dies {
    const NAME: &'static str = "test.dies/1";
    type State = ();
    type Partial = Nothing;

    fn empty(&self) -> Nothing {
        Nothing
    }

    fn map(&self, rows: &BlockAt, (): &mut (), _: &mut Nothing) -> Result<()> {
        match rows.block_idx {
            2 if self.exits => std::process::exit(3),
            // As `panic!`, but without the hook, which would print a backtrace.
            2 => std::panic::resume_unwind(Box::new("as it was asked to")),
            _ => Ok(()),
        }
    }
}

/// Blocks of 3, 4, 5, ... rows that only a child can count; at the last it does as it is told.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Last {
    Counts,
    Panics,
    Exits,
}

struct CountedThere {
    last: Last,
    layout: Layout,
}

impl CountedThere {
    const N_BLOCKS: usize = 5;

    fn new(last: Last) -> Self {
        let rows = BlockRows::Unknown { n_blocks: Self::N_BLOCKS };
        Self { last, layout: Layout::with_rows(Dtype::F64, 1, rows) }
    }
}

impl BlockSource for CountedThere {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        Ok(Block::new(Records::F64(Rows::new(vec![1.0; block_idx + 3], 1)?)))
    }

    fn count_rows(&self, block_idx: usize) -> Result<u64> {
        assert!(std::env::var_os(WORKER).is_some(), "it is counted by the parent");
        match self.last {
            Last::Panics if block_idx + 1 == Self::N_BLOCKS => {
                std::panic::resume_unwind(Box::new("as it was asked to"))
            }
            Last::Exits if block_idx + 1 == Self::N_BLOCKS => std::process::exit(3),
            _ => Ok(block_idx as u64 + 3),
        }
    }

    fn describe(&self) -> Option<Description> {
        Some(Description { kind: "test.there/1".into(), body: wire::encode(&self.last).ok()? })
    }
}

fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.source("test.there/1", |body, _| Ok(Arc::new(CountedThere::new(wire::decode(body)?))));
    registry.source("test.sevens/1", |body, _| Ok(Arc::new(Sevens::open(body)?)));
    registry.job::<Dies>();
    registry
}

/// What the children run; it does nothing in the parent.
#[test]
fn worker_process() {
    if std::env::var_os(WORKER).is_some() {
        serve(&registry(), std::io::stdin(), std::io::stdout()).expect("requests");
    }
}

fn this_binary() -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["worker_process", "--exact", "--nocapture", "--test-threads=1"]).env(WORKER, "1");
    command
}

fn children(n: usize, memory_budget: u64, policy: StatePolicy) -> Subprocess {
    Subprocess::spawn(n, memory_budget, policy, this_binary).expect("children")
}

fn run<J: Job>(executor: &dyn Executor, data: &ChunkedDataset, job: &J) -> Result<J::Partial> {
    let control = Control::default();
    Session::new(executor, &Silent, &control).run(data, job)
}

#[test]
fn the_laws_hold_across_processes() {
    let data = Sevens::dataset(50, 7);
    laws::check_source(&data, &registry());
    laws::check_executor(&children(1, 0, StatePolicy::Discard), &data);
    let three = children(3, 60 * 16, StatePolicy::LoseSome { seed: 5 });
    laws::check_executor(&three, &data);
    laws::check_executor(&three, &Sevens::dataset(5, 3));
}

#[test]
fn steps_travel() {
    let (a, b) = (Sevens::dataset(30, 4), Sevens::dataset(9, 2));
    let both = ChunkedDataset::concat(&[a.slice(3..17), b.rechunk(5)]).expect("the same columns");
    laws::check_source(&both, &registry());
    let executor = children(2, 1 << 20, StatePolicy::Keep);
    laws::check_executor(&executor, &both);
    let sum = both.sum().compute_on(&executor).expect("a sum");
    assert_eq!(sum[0], (3..17).chain(0..9).map(f64::from).sum::<f64>());
}

#[test]
fn blocks_stay_in_the_children() {
    let data = Sevens::dataset(40, 4);
    let executor = children(2, 3 * 4 * 16, StatePolicy::Keep);
    let (control, done) = (Control::default(), AtomicUsize::new(0));
    let observer = |event: &Event<'_>| {
        if let Event::BlockDone { done: now, n_blocks: 10, .. } = event {
            done.fetch_max(*now, SeqCst);
        }
    };
    let session = Session::new(&executor, &observer, &control);
    for reads in [10, 14, 18] {
        session.run(&data, &Moments { n_features: 2 }).expect("moments");
        assert_eq!(session.blocks_read(), reads);
        assert_eq!(done.swap(0, SeqCst), 10, "all blocks are told of");
    }
}

#[test]
fn closures_and_data_in_memory_do_not_travel() {
    let executor = children(1, 0, StatePolicy::Keep);
    let data = Sevens::dataset(9, 3);
    let persisted = data.persist().expect("blocks");
    for data in [laws::small_dataset(9, 3), data.map(Ok), persisted.slice(0..3)] {
        let error = data.sum().compute_on(&executor).expect_err("it has no description");
        assert!(matches!(error.kind(), ErrorKind::NotDescribed { .. }));
        assert_eq!(
            error.to_string(),
            "a source of closures, or of data in memory, exists in this process only and cannot be \
             sent to another; use a generator, or a CSV or .npy file that the worker can read, or \
             run on local threads"
        );
    }
}

#[test]
fn rows_are_counted_in_the_children() {
    for n in [1, 2, 7] {
        let executor = children(n, 0, StatePolicy::Keep);
        let count = |last| executor.count_rows(&ChunkedDataset::new(CountedThere::new(last)));
        assert_eq!(count(Last::Counts).expect("counts"), [3, 4, 5, 6, 7]);
        let panicked = count(Last::Panics).expect_err("it panics");
        let text = "block 4: the user's code failed: it panicked: as it was asked to";
        assert_eq!(panicked.to_string(), text);
        let data = ChunkedDataset::new(CountedThere::new(Last::Counts));
        assert_eq!(data.sum().compute_on(&executor).expect("a sum")[0], 25.0);
        let died = count(Last::Exits).expect_err("it died");
        assert_eq!(died.to_string(), "a child process ended without an answer");
    }
}

#[test]
fn rows_of_closures_are_not_counted_elsewhere() {
    let layout = Layout::with_rows(Dtype::F64, 1, BlockRows::Unknown { n_blocks: 2 });
    let make = |_| Ok(Block::new(Records::F64(Rows::new(vec![1.0], 1)?)));
    let data = ChunkedDataset::from_blocks(layout, make);
    let error = children(1, 0, StatePolicy::Keep).count_rows(&data).expect_err("no description");
    assert!(matches!(error.kind(), ErrorKind::NotDescribed { .. }), "{error}");
}

/// A job that only this process knows.
#[derive(Serialize, Deserialize)]
struct Unregistered;

impl Job for Unregistered {
    const NAME: &'static str = "test.unregistered/1";
    type State = ();
    type Partial = Nothing;

    fn empty(&self) -> Nothing {
        Nothing
    }

    fn map(&self, _: &BlockAt, (): &mut (), _: &mut Nothing) -> Result<()> {
        Ok(())
    }
}

#[test]
fn errors_come_back() {
    let executor = children(2, 0, StatePolicy::Keep);
    let data = Sevens::dataset(9, 3);
    let fails = |error: Result<Nothing>| error.map(|_| ()).expect_err("it fails").to_string();
    let text = "`test.unregistered/1` is not registered in the process that was to run it; workers have to be of the program that registers it";
    assert_eq!(fails(run(&executor, &data, &Unregistered)), text);
    let text = "block 2: the user's code failed: it panicked: as it was asked to";
    assert_eq!(fails(run(&executor, &data, &Dies { exits: false })), text);
    laws::check_executor(&executor, &data);
}

#[test]
fn a_child_that_dies_in_mid_step() {
    let executor = children(2, 0, StatePolicy::Keep);
    let data = Sevens::dataset(15, 3);
    let died = run(&executor, &data, &Dies { exits: true }).map(|_| ()).expect_err("it died");
    assert_eq!(died.to_string(), "a child process ended without an answer");
    for _ in 0..2 {
        let gone = run(&executor, &data, &Moments { n_features: 2 }).map(|_| ()).expect_err("gone");
        assert!(matches!(gone.kind(), ErrorKind::Worker { .. }), "{gone}");
    }
}

#[test]
fn children_that_do_not_speak_the_protocol() {
    let spawn = |program: &str, args: &[&str]| -> Error {
        let command = || {
            let mut command = Command::new(program);
            command.args(args);
            command
        };
        let spawned = Subprocess::spawn(2, 0, StatePolicy::Keep, command);
        spawned.map(|_| ()).expect_err("it is no worker")
    };
    let text = "a child process does not speak drystone's protocol";
    assert_eq!(spawn("true", &[]).to_string(), text);
    assert_eq!(spawn("echo", &["garbage"]).to_string(), text);
    assert_eq!(spawn("yes", &[]).to_string(), text);
    let garbage = spawn("printf", &["\\ndrystone wire 1\\n12345678garbage"]);
    assert!(matches!(garbage.kind(), ErrorKind::Worker { .. }), "{garbage}");
    let missing = spawn("/no/such/program", &[]);
    assert!(missing.to_string().starts_with("cannot start a worker: "), "{missing}");
}

/// Processes that this one started and that are not gone, zombies among them.
#[cfg(target_os = "linux")]
fn living_children(with: &[u32]) -> usize {
    with.iter().filter(|pid| std::path::Path::new(&format!("/proc/{pid}")).exists()).count()
}

#[test]
#[cfg(target_os = "linux")]
fn no_child_is_left_behind() {
    // The shell tells its process id before it becomes the child.
    let file = std::env::temp_dir().join(format!("drystone-pids-{}", std::process::id()));
    let command = || {
        let mut shell = Command::new("sh");
        let inner = this_binary();
        let script = "echo $$ >> \"$PIDS\"; exec \"$0\" \"$@\"";
        shell.arg("-c").arg(script).arg(inner.get_program()).args(inner.get_args());
        shell.env(WORKER, "1").env("PIDS", &file);
        shell
    };
    let executor = Subprocess::spawn(3, 0, StatePolicy::Keep, command).expect("children");
    let text = std::fs::read_to_string(&file).expect("process ids");
    std::fs::remove_file(&file).expect("its file");
    let pids: Vec<u32> = text.lines().map(|pid| pid.parse().expect("a process id")).collect();
    assert_eq!((pids.len(), living_children(&pids)), (3, 3));
    let died = run(&executor, &Sevens::dataset(9, 3), &Dies { exits: true });
    assert!(died.is_err());
    drop(executor);
    assert_eq!(living_children(&pids), 0);
}
