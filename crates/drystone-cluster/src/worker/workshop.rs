//! What a worker does with a node: maps runs of blocks, merges partials.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use drystone_core::executor::{KeptBlocks, Mapped, Mapper, RemoteCount, RemoteStep};
use drystone_core::{
    CancelToken, Control, Error, ErrorKind, Event, Registry, Result, StatePolicy, wire,
};
use tokio::sync::Notify;

use crate::link::Report;
use crate::message::{Body, Done, Part, Run, Work};

/// Sessions whose state is kept: a driver that is gone cannot say that its session is over,
/// and state that is dropped too early is rebuilt.
const MAX_SESSIONS: usize = 8;
/// Steps whose results are kept, so that those tried again need not be mapped again.
const MAX_STEPS: usize = 8;

/// The blocks and the state of a worker process.
pub(crate) struct Workshop {
    /// The worker's name.
    name: String,
    mapper: Mapper,
    desk: Mutex<Desk>,
    /// Woken when there is something to report.
    pub news: Notify,
}

#[derive(Default)]
struct Desk {
    /// The latest last.
    sessions: VecDeque<u64>,
    /// The latest last.
    steps: VecDeque<StepWork>,
    busy: usize,
    blocks_mapped: u64,
    blocks_read: u64,
}

/// What was done for one step.
struct StepWork {
    id: u64,
    session: Option<u64>,
    runs: HashMap<Run, RunWork>,
}

enum RunWork {
    Doing { blocks: u64 },
    Done(Done),
}

impl Workshop {
    pub fn new(name: &str, registry: Registry, memory_budget: u64) -> Self {
        let mapper = Mapper::new(registry, memory_budget, StatePolicy::Keep);
        Self { name: name.to_owned(), mapper, desk: Mutex::default(), news: Notify::new() }
    }

    /// What the blocks of a run come to, as a row of the answer. A run that was mapped before
    /// for the same step, which somebody else's fault made the driver try again, is not mapped
    /// again.
    pub fn map(&self, body: &Body, run: Run, cancel: &CancelToken) -> Part {
        body.work.session().iter().for_each(|session| self.touch(*session));
        if let Some(done) = self.desk().start(body, run) {
            return Part::Done(done);
        }
        let outcome = self.try_map(body, run, cancel);
        self.desk().finish(body.id, run, outcome.as_ref().ok());
        self.news.notify_one();
        outcome.map_or_else(|error| Part::failed(run.0, &self.signed(error)), Part::Done)
    }

    /// Says who failed, where others might not have: what is wrong with the data is so for all.
    fn signed(&self, error: Error) -> Error {
        use ErrorKind::{Io, NotRegistered, OutsideDataRoot};
        match error.kind() {
            Io { .. } | NotRegistered { .. } | OutsideDataRoot { .. } => {
                error.on_worker(&self.name)
            }
            _ => error,
        }
    }

    fn try_map(&self, body: &Body, run: Run, cancel: &CancelToken) -> Result<Done> {
        match &body.work {
            Work::Step(step) => self.map_step(body.id, step, run, cancel),
            Work::Count(count) => self.count(body.id, count, run, cancel),
        }
    }

    fn map_step(&self, id: u64, step: &RemoteStep, run: Run, cancel: &CancelToken) -> Result<Done> {
        let observer = |event: &Event<'_>| {
            if let Event::BlockDone { done, .. } = *event {
                self.advanced(id, run, done as u64);
            }
        };
        let control = Control::new(cancel.clone(), None);
        let mapped = self.mapper.map(step, run.0..run.1, &control, &observer)?;
        let Mapped { partial, stats } = mapped;
        let (blocks_read, rows) = (stats.blocks_read as u64, stats.rows);
        Ok(Done { blocks: vec![run], blocks_read, rows, partial })
    }

    fn count(&self, id: u64, count: &RemoteCount, run: Run, cancel: &CancelToken) -> Result<Done> {
        let control = Control::new(cancel.clone(), None);
        let mut counts = Vec::new();
        for block_idx in run.0..run.1 {
            control.check()?;
            counts.extend(self.mapper.count(count, [block_idx])?);
            self.advanced(id, run, counts.len() as u64);
        }
        let (blocks_read, rows) = (counts.len() as u64, counts.iter().sum());
        Ok(Done { blocks: vec![run], blocks_read, rows, partial: wire::encode(&counts)? })
    }

    fn advanced(&self, id: u64, run: Run, blocks: u64) {
        self.desk().advance(id, run, blocks);
        self.news.notify_one();
    }

    /// What some rows come to together: the error of the first blocks that have one.
    pub fn merge(&self, work: &Work, rows: &[Vec<u8>]) -> Part {
        self.try_merge(work, rows).unwrap_or_else(|error| Part::failed(0, &error))
    }

    fn try_merge(&self, work: &Work, rows: &[Vec<u8>]) -> Result<Part> {
        let parts = rows.iter().map(|row| wire::decode(row)).collect::<Result<Vec<Part>>>()?;
        let mut done = Vec::with_capacity(parts.len());
        let mut failed: Option<(u64, Part)> = None;
        for part in parts {
            match part {
                Part::Done(part) => done.push(part),
                Part::Failed { first_block, .. } => {
                    if failed.as_ref().is_none_or(|(block, _)| first_block < *block) {
                        failed = Some((first_block, part));
                    }
                }
            }
        }
        if let Some((_, part)) = failed {
            return Ok(part);
        }
        done.sort_unstable_by(|a, b| a.blocks.cmp(&b.blocks));
        let partials = done.iter().map(|part| part.partial.as_slice());
        let partial = match work {
            Work::Step(step) => self.mapper.merge(step, partials)?,
            Work::Count(_) => concat_counts(partials)?,
        };
        Ok(Part::Done(Done {
            blocks: done.iter().flat_map(|part| part.blocks.clone()).collect(),
            blocks_read: done.iter().map(|part| part.blocks_read).sum(),
            rows: done.iter().map(|part| part.rows).sum(),
            partial,
        }))
    }

    /// Drops the state of a session that is over.
    pub fn forget(&self, session: u64) {
        let mut desk = self.desk();
        desk.sessions.retain(|other| *other != session);
        desk.steps.retain(|step| step.session != Some(session));
        self.mapper.forget(session);
    }

    /// The session is in use; the one that was longest not is dropped, if there are many.
    fn touch(&self, session: u64) {
        let mut desk = self.desk();
        desk.sessions.retain(|other| *other != session);
        desk.sessions.push_back(session);
        while desk.sessions.len() > MAX_SESSIONS {
            if let Some(oldest) = desk.sessions.pop_front() {
                self.mapper.forget(oldest);
            }
        }
    }

    /// What there is and was done, for the scheduler.
    pub fn report(&self) -> Report {
        let KeptBlocks { blocks, bytes, .. } = self.mapper.kept();
        let desk = self.desk();
        Report {
            busy: desk.busy,
            resident_bytes: resident_bytes(),
            cache_bytes: bytes,
            cached_blocks: blocks,
            blocks_mapped: desk.blocks_mapped,
            blocks_read: desk.blocks_read,
            steps: desk.steps.iter().map(|step| (step.id, step.blocks())).collect(),
        }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    /// The result of a run if there is one; otherwise it is being worked on from now.
    fn start(&mut self, body: &Body, run: Run) -> Option<Done> {
        let step = self.step(body.id, body.work.session());
        if let Some(RunWork::Done(done)) = step.runs.get(&run) {
            return Some(done.clone());
        }
        step.runs.insert(run, RunWork::Doing { blocks: 0 });
        self.busy += 1;
        None
    }

    /// The work of a step. Results of the session's former steps are not asked for again.
    fn step(&mut self, id: u64, session: Option<u64>) -> &mut StepWork {
        if !self.steps.iter().any(|step| step.id == id) {
            self.steps.retain(|step| step.session.is_none() || step.session != session);
            self.steps.push_back(StepWork { id, session, runs: HashMap::new() });
            if self.steps.len() > MAX_STEPS {
                self.steps.pop_front();
            }
        }
        let at = self.steps.iter().position(|step| step.id == id).unwrap_or_default();
        &mut self.steps[at]
    }

    fn advance(&mut self, id: u64, run: Run, blocks: u64) {
        let step = self.steps.iter_mut().find(|step| step.id == id);
        if let Some(work) = step.and_then(|step| step.runs.get_mut(&run)) {
            *work = RunWork::Doing { blocks };
        }
    }

    fn finish(&mut self, id: u64, run: Run, done: Option<&Done>) {
        self.busy -= 1;
        self.blocks_mapped += done.map_or(0, |_| run.1 - run.0);
        self.blocks_read += done.map_or(0, |done| done.blocks_read);
        let Some(step) = self.steps.iter_mut().find(|step| step.id == id) else { return };
        match done {
            Some(done) => step.runs.insert(run, RunWork::Done(done.clone())),
            None => step.runs.remove(&run),
        };
    }
}

impl StepWork {
    fn blocks(&self) -> u64 {
        let blocks = |(run, work): (&Run, &RunWork)| match work {
            RunWork::Doing { blocks } => *blocks,
            RunWork::Done(_) => run.1 - run.0,
        };
        self.runs.iter().map(blocks).sum()
    }
}

/// The counts of blocks, whose parts are in the order of blocks.
fn concat_counts<'a>(parts: impl Iterator<Item = &'a [u8]>) -> Result<Vec<u8>> {
    let counts = parts.map(wire::decode).collect::<Result<Vec<Vec<u64>>>>()?;
    wire::encode(&counts.concat())
}

/// Memory of this process, where the system says.
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
