//! The executor of a driver: sends each step to a scheduler as a plan, and tries it again when
//! others fail.

mod background;
mod channel;
mod news;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use drystone_core::executor::{
    Executor, Outcome, RemoteCount, RemoteStep, Resources, Step, StepStats,
};
use drystone_core::observe::{Observer, Silent};
use drystone_core::{ChunkedDataset, Control, Error, ErrorKind, Event, Result, wire};

use crate::link::News;
use crate::message::{Done, Part, Run, Work, check_blocks};
use crate::scheduler::WorkerState;
use crate::state;
use crate::trust::Trust;

use background::Background;
use channel::{Attempt, Channel};
use news::{Ahead, Link};

/// Partitions for each slot: more even out slow and fast ones, and each costs a millisecond or two.
const PARTITIONS_PER_SLOT: usize = 2;
/// How often a step that is under way asks whether it is to stop.
const LOOK: Duration = Duration::from_millis(20);
/// Between two attempts at a step.
const RETRY: Duration = Duration::from_millis(250);
/// A step is tried again when no worker has had anything to do for so long: what it waits for
/// was lost on the way.
const STALLED: Duration = Duration::from_secs(10);
/// Workers that may be lost in one step before the step itself counts as what ends them.
const MAX_LOST: usize = 4;

/// Workers behind a scheduler: the executor for a fit that outgrows one machine.
///
/// Blocks are read or made where they are mapped; descriptions, parameters and partials travel.
/// So the data must be ones that workers can have too: generators, and files that are there
/// under the same path. A fit gives the same bits as on local threads, whichever workers there
/// are, come, or die, and when the scheduler is started again.
///
/// ```no_run
/// use drystone_cluster::Cluster;
/// use drystone_estimators::KMeans;
/// use drystone_sources::generate::Blobs;
/// let data = Blobs::new(1_000_000, 20).centers(8).dataset();
/// let cluster = Cluster::connect("127.0.0.1:8786")?;
/// let model = KMeans::params(8).on(&cluster).fit(&data)?;
/// # Ok::<(), drystone_core::Error>(())
/// ```
pub struct Cluster {
    background: Background,
    channel: Channel,
    link: Link,
    scheduler: String,
    trust: Trust,
    slots: usize,
    /// Of all workers.
    memory_budget: u64,
    patience: Duration,
    /// Sessions and steps of all drivers must differ.
    salt: u64,
    steps: AtomicU64,
}

impl Cluster {
    /// Connects to the scheduler of the same user at `host:port`, which must have workers: with
    /// the token that the scheduler has left for them.
    ///
    /// # Errors
    /// As for [`connect_with`](Self::connect_with); those of [`Trust::of_user`].
    pub fn connect(scheduler: &str) -> Result<Self> {
        Self::connect_with(scheduler, Trust::of_user()?)
    }

    /// Connects to the scheduler at `host:port`, which must have workers.
    ///
    /// The number of partitions of each step follows from the slots that there are now, so that
    /// blocks stay where they are cached: connect once all usual workers are there. Workers
    /// that come later take their share of these partitions.
    ///
    /// # Errors
    /// [`Worker`](ErrorKind::Worker) when the scheduler cannot be reached, refuses this driver,
    /// or has no workers.
    pub fn connect_with(scheduler: &str, trust: Trust) -> Result<Self> {
        let background = Background::start()?;
        let known = background.run(state(scheduler, &trust))?;
        let slots = known.workers.iter().map(|worker| worker.slots).sum();
        if slots == 0 {
            let found = format!(
                "the scheduler at {scheduler} has no workers: start one with \
                 `drystone worker {scheduler}{}`",
                trust.flag()
            );
            return Err(ErrorKind::Worker { found }.into());
        }
        let id = ballista_core::ids::new_instance_id();
        let words: Vec<u64> = id.bytes().map(u64::from).collect();
        let link = background.run(Link::open(scheduler.to_owned(), trust.clone()))?;
        let channel = background.run(async { Channel::new(scheduler, &trust) })?;
        Ok(Self {
            background,
            channel,
            link,
            scheduler: scheduler.to_owned(),
            trust,
            slots,
            memory_budget: known.workers.iter().map(|worker| worker.cache_budget).sum(),
            patience: Duration::from_secs(60),
            salt: drystone_kernels::normal::mix(&words),
            steps: AtomicU64::new(0),
        })
    }

    /// How long a step is tried again when the scheduler or all workers are gone; 60 s by
    /// default.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The workers that the scheduler knows now.
    ///
    /// # Errors
    /// [`Worker`](ErrorKind::Worker) when it cannot be reached.
    pub fn workers(&self) -> Result<Vec<WorkerState>> {
        Ok(self.background.run(state(&self.scheduler, &self.trust))?.workers)
    }

    /// The blocks of each partition: the same in each step over as many blocks.
    fn runs(&self, n_blocks: u64) -> Vec<Run> {
        let n = ((self.slots * PARTITIONS_PER_SLOT) as u64).min(n_blocks);
        (0..n).map(|idx| (idx * n_blocks / n, (idx + 1) * n_blocks / n)).collect()
    }

    fn session(&self, session: u64) -> u64 {
        self.salt.wrapping_add(session)
    }

    /// Blocks that are worked on, with a number that stays when it is tried again.
    fn work(&self, watch: &Watch<'_>, work: &Work) -> Result<Done> {
        let runs = self.runs(watch.n_blocks as u64);
        let attempt = Attempt { id: watch.step, runs: &runs, work };
        self.background.run(self.attempt_all(watch, &attempt))
    }

    fn next_step(&self) -> u64 {
        self.salt.wrapping_add(self.steps.fetch_add(1, Ordering::Relaxed))
    }

    /// A step, tried again for as long as the engine fails and patience lasts.
    async fn attempt_all(&self, watch: &Watch<'_>, attempt: &Attempt<'_>) -> Result<Done> {
        let mut ahead = self.link.ahead(attempt.id);
        let (mut failing, mut most, mut said) = (Since::default(), 0, String::new());
        loop {
            let error = match self.attempt(watch, attempt, &mut ahead).await? {
                Ok(Part::Done(done)) => match check_blocks(&done.blocks, watch.n_blocks as u64) {
                    Ok(()) => return Ok(done),
                    Err(error) => error,
                },
                Ok(Part::Failed { error, .. }) => return Err(error.into()),
                Err(error) => error,
            };
            // As long as there is progress between failures, patience is not used up.
            failing.while_true(ahead.blocks() <= most);
            most = most.max(ahead.blocks());
            if failing.while_true(true) > self.patience {
                return Err(self.gave_up().caused_by(error));
            }
            let text = self.trying_again(&error);
            if std::mem::replace(&mut said, text.clone()) != text {
                self.note(watch, &text);
            }
            tokio::time::sleep(RETRY).await;
            watch.control.check()?;
        }
    }

    /// One attempt: the outer error ends the step, the inner one is somebody else's fault.
    async fn attempt(
        &self,
        watch: &Watch<'_>,
        attempt: &Attempt<'_>,
        ahead: &mut Ahead,
    ) -> Result<Result<Part>> {
        let work = self.channel.run(attempt);
        tokio::pin!(work);
        let (mut alone, mut idle) = (Since::default(), Since::default());
        loop {
            tokio::select! {
                part = &mut work => return Ok(part),
                () = tokio::time::sleep(LOOK) => {}
            }
            watch.control.check()?;
            if let Some(done) = ahead.advanced() {
                watch.blocks_done(done as usize);
            }
            for worker in ahead.newly_lost() {
                self.note(
                    watch,
                    &format!("worker {worker} is gone: whoever is left maps its blocks"),
                );
            }
            self.check_lost(ahead)?;
            if ahead.nobody_there() && alone.0.is_none() {
                self.note(watch, &self.waiting_for_workers());
            }
            if alone.while_true(ahead.nobody_there()) > self.patience {
                return Err(self.gave_up().caused_by("there is no worker"));
            }
            if idle.while_true(ahead.nobody_busy()) > STALLED {
                return Ok(Err(failed("the workers have nothing to do".to_owned())));
            }
        }
    }

    /// A step that one worker after the other dies of is not tried for ever.
    fn check_lost(&self, ahead: &Ahead) -> Result<()> {
        if ahead.lost().len() <= MAX_LOST {
            return Ok(());
        }
        let names = ahead.lost().join(", ");
        let found = format!(
            "{} workers were lost in one step ({names}): does it take more memory than they have? \
             Smaller blocks (`block_rows`) and a smaller `--memory` need less",
            ahead.lost().len()
        );
        Err(ErrorKind::Worker { found }.into())
    }

    fn waiting_for_workers(&self) -> String {
        let (scheduler, seconds) = (&self.scheduler, self.patience.as_secs());
        format!(
            "no worker is left; waiting {seconds} s for one: start it with \
             `drystone worker {scheduler}{}`",
            self.trust.flag()
        )
    }

    fn trying_again(&self, error: &Error) -> String {
        format!("the step is tried again for {} s: {error}", self.patience.as_secs())
    }

    fn gave_up(&self) -> Error {
        let seconds = self.patience.as_secs();
        failed(format!(
            "nothing could be done for {seconds} s; with --checkpoint a fit goes on from its last step"
        ))
    }

    fn note(&self, watch: &Watch<'_>, text: &str) {
        let event = Event::Note { text };
        watch.observer.event(&event);
        Executor::note(self, watch.session, &event);
    }

    fn try_run(&self, step: &Step<'_>) -> Result<(Outcome, u64)> {
        let mut remote = RemoteStep::of(step)?;
        remote.session = self.session(step.session);
        let n_blocks = step.data.n_blocks();
        if n_blocks == 0 {
            let stats = StepStats::default();
            return Ok((Outcome { partial: step.job.empty_any(), stats }, 0));
        }
        let watch = Watch {
            step: self.next_step(),
            session: step.session,
            pass: step.pass,
            n_blocks,
            control: step.control,
            observer: step.observer,
        };
        self.tell(
            step.session,
            News::Step {
                step: watch.step,
                pass: step.pass,
                job: step.job.name().to_owned(),
                data: step.data.to_string(),
                rows: step.data.n_samples(),
                n_blocks: n_blocks as u64,
            },
        );
        let done = self.work(&watch, &Work::Step(remote))?;
        watch.blocks_done(n_blocks);
        let stats =
            StepStats { blocks: n_blocks, blocks_read: done.blocks_read as usize, rows: done.rows };
        let partial = step.job.decode_partial(&done.partial)?;
        Ok((Outcome { partial, stats }, done.blocks_read))
    }

    fn tell(&self, session: u64, what: News) {
        self.link.tell(self.session(session), what);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // What was told of the last session would be lost otherwise, and the session with it.
        let closed = self.background.run(async {
            self.link.close().await;
            Ok(())
        });
        drop(closed);
    }
}

impl Executor for Cluster {
    fn run(&self, step: &Step<'_>) -> Result<Outcome> {
        let started = Instant::now();
        let done = self.try_run(step);
        let what = match &done {
            Ok((_, blocks_read)) => News::StepDone {
                seconds: started.elapsed().as_secs_f64(),
                blocks_read: *blocks_read,
            },
            Err(error) if matches!(error.kind(), ErrorKind::Stopped { .. }) => News::Stopped,
            Err(error) => News::Failed { error: error.to_string() },
        };
        self.tell(step.session, what);
        done.map(|(outcome, _)| outcome)
    }

    fn describe(&self) -> Resources {
        let memory_budget = self.memory_budget;
        Resources { name: "cluster", threads: self.slots, memory_budget }
    }

    fn note(&self, session: u64, event: &Event<'_>) {
        match *event {
            Event::Iteration { cost, .. } => self.tell(session, News::Cost { cost }),
            Event::Note { text } => self.tell(session, News::Note { text: text.to_owned() }),
            _ => {}
        }
    }

    fn forget(&self, session: u64) {
        self.tell(session, News::Over);
    }

    fn count_rows(&self, data: &ChunkedDataset) -> Result<Vec<u64>> {
        let work = Work::Count(RemoteCount::of(data)?);
        let n_blocks = data.n_blocks();
        if n_blocks == 0 {
            return Ok(Vec::new());
        }
        let control = Control::default();
        let (session, pass, observer) = (0, 1, &Silent as _);
        let step = self.next_step();
        let watch = Watch { step, session, pass, n_blocks, control: &control, observer };
        let counts: Vec<u64> = wire::decode(&self.work(&watch, &work)?.partial)?;
        if counts.len() != n_blocks {
            let (expected, found) = (n_blocks as u64, counts.len() as u64);
            return Err(Error::shape("counted blocks", expected, found));
        }
        Ok(counts)
    }
}

fn failed(found: String) -> Error {
    ErrorKind::Worker { found }.into()
}

/// Since when something has been so.
#[derive(Default)]
struct Since(Option<Instant>);

impl Since {
    /// How long it has been so without a break.
    fn while_true(&mut self, so: bool) -> Duration {
        self.0 = so.then(|| self.0.unwrap_or_else(Instant::now));
        self.0.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// Who waits for a step.
struct Watch<'a> {
    /// Its number.
    step: u64,
    session: u64,
    pass: usize,
    n_blocks: usize,
    control: &'a Control,
    observer: &'a dyn Observer,
}

impl Watch<'_> {
    fn blocks_done(&self, done: usize) {
        let (pass, n_blocks) = (self.pass, self.n_blocks);
        self.observer.event(&Event::BlockDone { pass, done, n_blocks });
    }
}
