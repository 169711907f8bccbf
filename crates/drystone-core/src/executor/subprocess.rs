//! Other processes of this machine: for tests, so that what has to travel does.
//!
//! Jobs, descriptions of sources and partials pass through [`wire`](crate::wire). It is
//! not the cluster: there is no network, no retry and no placement.

use std::io::{BufReader, BufWriter, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::counting::FirstFailed;
use super::remote::{Mapped, Mapper, RemoteCount, RemoteStep};
use super::{Executor, Outcome, Resources, Step, StepStats};
use crate::control::Control;
use crate::dataset::ChunkedDataset;
use crate::error::{Error, ErrorKind, Result, WireError};
use crate::job::{AnyPartial, ErasedJob};
use crate::observe::Silent;
use crate::registry::Registry;
use crate::state::StatePolicy;
use crate::wire;

/// A child says this before its first message; what its runtime prints before is skipped.
const PREAMBLE: &[u8] = b"\ndrystone wire 1\n";
/// Bytes before the preamble that are tolerated.
const MAX_BANNER: usize = 4096;

/// Maps blocks in child processes, each of which takes every n-th block.
pub struct Subprocess {
    children: Vec<Mutex<Worker>>,
    memory_budget: u64,
}

struct Worker {
    child: Child,
    to: BufWriter<ChildStdin>,
    from: BufReader<ChildStdout>,
}

#[derive(Serialize, Deserialize)]
enum Request {
    Configure { memory_budget: u64, state: WirePolicy },
    Map(MapRequest),
    Forget { session: u64 },
    Count(CountRequest),
}

#[derive(Serialize, Deserialize)]
struct MapRequest {
    step: RemoteStep,
    block_idx: u64,
}

#[derive(Serialize, Deserialize)]
struct CountRequest {
    count: RemoteCount,
    block_idx: u64,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum WirePolicy {
    Keep,
    Discard,
    LoseSome(u64),
}

#[derive(Serialize, Deserialize)]
enum Reply {
    Done,
    Mapped {
        #[serde(with = "wire::bytes")]
        partial: Vec<u8>,
        read: bool,
        rows: u64,
    },
    Failed(WireError),
    Counted(Vec<u64>),
}

impl Subprocess {
    /// Starts `n` children by `command`, each of which must call [`serve`] with its
    /// standard input and output. They end when this value is dropped.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when they cannot be started, [`ErrorKind::Worker`] when they do
    /// not speak this protocol.
    pub fn spawn(
        n: usize,
        memory_budget: u64,
        policy: StatePolicy,
        command: impl Fn() -> Command,
    ) -> Result<Self> {
        let state = match policy {
            StatePolicy::Keep => WirePolicy::Keep,
            StatePolicy::Discard => WirePolicy::Discard,
            StatePolicy::LoseSome { seed } => WirePolicy::LoseSome(seed),
        };
        let start = |_| {
            let mut worker = Worker::start(command())?;
            worker.ask(&Request::Configure { memory_budget, state })?;
            Ok(Mutex::new(worker))
        };
        let children = (0..n.max(1)).map(start).collect::<Result<Vec<_>>>()?;
        Ok(Self { children, memory_budget })
    }

    /// What `work` makes of the number of each child, on a thread for each.
    fn each_child<T: Send>(&self, work: impl Fn(usize) -> Result<T> + Sync) -> Vec<Result<T>> {
        std::thread::scope(|scope| {
            let work = &work;
            let start = |share| scope.spawn(move || work(share));
            let threads: Vec<_> = (0..self.children.len()).map(start).collect();
            let gone = |_| {
                Err(ErrorKind::Worker { found: "the thread of a child process panicked".into() }
                    .into())
            };
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(gone)).collect()
        })
    }

    /// The blocks of one child, one after the other.
    fn map_share(
        &self,
        step: &Step<'_>,
        remote: &RemoteStep,
        share: usize,
        done: &AtomicUsize,
    ) -> Result<Outcome> {
        let mut worker = lock(&self.children[share]);
        let mut outcome = Outcome { partial: step.job.empty_any(), stats: StepStats::default() };
        for block_idx in (share..step.data.n_blocks()).step_by(self.children.len()) {
            step.control.check()?;
            let (partial, stats) = map(remote, step.job, &mut worker, block_idx)?;
            step.job.merge_any(&mut outcome.partial, partial)?;
            outcome.stats.merge(stats);
            step.block_done(done.fetch_add(1, Ordering::AcqRel) + 1);
        }
        Ok(outcome)
    }
}

fn map(
    step: &RemoteStep,
    job: &dyn ErasedJob,
    worker: &mut Worker,
    block_idx: usize,
) -> Result<(AnyPartial, StepStats)> {
    let request = MapRequest { step: step.clone(), block_idx: block_idx as u64 };
    match worker.ask(&Request::Map(request))? {
        Reply::Mapped { partial, read, rows } => {
            let stats = StepStats { blocks: 1, blocks_read: usize::from(read), rows };
            Ok((job.decode_partial(&partial)?, stats))
        }
        Reply::Failed(error) => Err(error.into()),
        Reply::Done | Reply::Counted(_) => Err(Error::format("a partial", "no partial")),
    }
}

fn count(remote: &RemoteCount, worker: &mut Worker, block_idx: usize) -> Result<u64> {
    let request = CountRequest { count: remote.clone(), block_idx: block_idx as u64 };
    match worker.ask(&Request::Count(request))? {
        Reply::Counted(counts) => match counts[..] {
            [count] => Ok(count),
            _ => Err(Error::shape("counts", 1, counts.len() as u64)),
        },
        Reply::Failed(error) => Err(error.into()),
        Reply::Done | Reply::Mapped { .. } => Err(Error::format("a count", "no count")),
    }
}

impl Executor for Subprocess {
    fn run(&self, step: &Step<'_>) -> Result<Outcome> {
        let (remote, done) = (RemoteStep::of(step)?, AtomicUsize::new(0));
        step.merge(self.each_child(|share| self.map_share(step, &remote, share, &done)))
    }

    fn describe(&self) -> Resources {
        let threads = self.children.len();
        Resources { name: "subprocess", threads, memory_budget: self.memory_budget }
    }

    fn forget(&self, session: u64) {
        for child in &self.children {
            // A child that is gone has forgotten already.
            let _ = lock(child).ask(&Request::Forget { session });
        }
    }

    fn count_rows(&self, data: &ChunkedDataset) -> Result<Vec<u64>> {
        let (remote, failed) = (RemoteCount::of(data)?, FirstFailed::new());
        let shares = self.each_child(|share| {
            let mut worker = lock(&self.children[share]);
            let blocks = (share..data.n_blocks()).step_by(self.children.len());
            let mut counted =
                |block_idx| failed.count(block_idx, || count(&remote, &mut worker, block_idx));
            Ok(blocks.map(&mut counted).collect::<Vec<Result<u64>>>())
        });
        let shares = shares.into_iter().collect::<Result<Vec<_>>>()?;
        let mut shares: Vec<_> = shares.into_iter().map(Vec::into_iter).collect();
        let n_shares = shares.len();
        let next = |block_idx: usize| shares[block_idx % n_shares].next();
        (0..data.n_blocks()).filter_map(next).collect()
    }
}

fn lock(worker: &Mutex<Worker>) -> MutexGuard<'_, Worker> {
    worker.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Worker {
    fn start(mut command: Command) -> Result<Self> {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child =
            command.spawn().map_err(|error| Error::io("cannot start a worker", error))?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(ErrorKind::Worker { found: "a child process has no pipes".into() }.into());
        };
        let mut worker = Self { child, to: BufWriter::new(to), from: BufReader::new(from) };
        worker.skip_banner()?;
        Ok(worker)
    }

    fn skip_banner(&mut self) -> Result<()> {
        let mut seen = Vec::new();
        while !seen.ends_with(PREAMBLE) {
            let mut byte = [0];
            let read = self.from.read(&mut byte);
            if seen.len() > MAX_BANNER || !matches!(read, Ok(1)) {
                let found = "a child process does not speak drystone's protocol".to_owned();
                return Err(ErrorKind::Worker { found }.into());
            }
            seen.push(byte[0]);
        }
        Ok(())
    }

    fn ask(&mut self, request: &Request) -> Result<Reply> {
        let request = wire::encode(request)?;
        let failed = |found: &str| Error::from(ErrorKind::Worker { found: found.to_owned() });
        let gone = |error| failed("a child process does not answer").caused_by(error);
        wire::write_frame(&mut self.to, &request).map_err(gone)?;
        match wire::read_frame(&mut self.from).map_err(gone)? {
            Some(bytes) => wire::decode(&bytes),
            None => Err(failed("a child process ended without an answer")),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The child ends by itself when its input closes; this makes sure of it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a child process does: answers requests until its input ends.
///
/// # Errors
/// When the streams break off or carry something else than requests.
pub fn serve(registry: &Registry, mut from: impl Read, mut to: impl Write) -> Result<()> {
    let preamble = to.write_all(PREAMBLE).and_then(|()| to.flush());
    preamble.map_err(|error| Error::io("cannot greet the parent", error))?;
    let mut server =
        Server { mapper: Mapper::new(registry.clone(), 0, StatePolicy::Keep), registry };
    while let Some(bytes) = wire::read_frame(&mut from)? {
        let reply = match wire::decode(&bytes).and_then(|request| server.answer(request)) {
            Ok(reply) => reply,
            Err(error) => Reply::Failed(error.to_wire()),
        };
        wire::write_frame(&mut to, &wire::encode(&reply)?)?;
    }
    Ok(())
}

struct Server<'a> {
    registry: &'a Registry,
    mapper: Mapper,
}

impl Server<'_> {
    fn answer(&mut self, request: Request) -> Result<Reply> {
        match request {
            Request::Configure { memory_budget, state } => {
                let policy = match state {
                    WirePolicy::Keep => StatePolicy::Keep,
                    WirePolicy::Discard => StatePolicy::Discard,
                    WirePolicy::LoseSome(seed) => StatePolicy::LoseSome { seed },
                };
                self.mapper = Mapper::new(self.registry.clone(), memory_budget, policy);
                Ok(Reply::Done)
            }
            Request::Forget { session } => {
                self.mapper.forget(session);
                Ok(Reply::Done)
            }
            Request::Count(CountRequest { count, block_idx }) => {
                Ok(Reply::Counted(self.mapper.count(&count, [block_idx])?))
            }
            Request::Map(MapRequest { step, block_idx }) => {
                let Mapped { partial, stats } =
                    self.mapper.map(&step, [block_idx], &Control::default(), &Silent)?;
                let StepStats { blocks_read, rows, .. } = stats;
                Ok(Reply::Mapped { partial, read: blocks_read > 0, rows })
            }
        }
    }
}
