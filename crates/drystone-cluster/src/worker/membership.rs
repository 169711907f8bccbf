//! How a worker joins a scheduler, stays, comes back after it was lost, and leaves.

use std::time::{Duration, Instant};

use drystone_core::{Error, ErrorKind, Result};
use hyper::body::Incoming;

use super::{WorkerOptions, Workshop};
use crate::link::http::Connection;
use crate::link::lines::{Lines, Pen, written};
use crate::link::{FromWorker, ToWorker, WORKER_PATH, WorkerHello};
use crate::serve::Stop;

/// Between the first attempts to reach the scheduler, and the later ones.
const RETRY: Duration = Duration::from_millis(500);
const RETRY_LATER: Duration = Duration::from_secs(2);
/// How many are the first.
const SOON: u32 = 4;
/// How long a scheduler is waited for that was there: it may be started again.
const COMES_BACK: Duration = Duration::from_secs(600);
/// Reports of progress are at least so far apart.
const REPORT: Duration = Duration::from_millis(100);
/// A scheduler that is silent for so long is gone: it beats each second.
const SILENCE: Duration = Duration::from_secs(8);
/// How long a worker that leaves waits until nobody needs its results.
const LEAVING: Duration = Duration::from_secs(30);

/// A worker's place in a cluster.
pub(super) struct Membership<'a> {
    pub options: &'a WorkerOptions,
    pub hello: &'a WorkerHello,
    pub workshop: &'a Workshop,
}

/// A connection whose scheduler has accepted the worker.
struct Joined {
    lines: Lines<Incoming>,
    pen: Pen,
    /// How often it reports: often enough for this scheduler.
    heartbeat: Duration,
}

/// Why a connection ended.
enum End {
    /// The worker was told to stop, and did.
    Left,
    /// The scheduler is gone.
    Lost(Error),
}

impl Membership<'_> {
    /// Joins, again and again, until the worker is told to stop.
    ///
    /// # Errors
    /// [`Worker`](ErrorKind::Worker) when the scheduler was not there for the whole timeout.
    pub async fn keep(&self, mut stop: Stop, say: impl Fn(&str)) -> Result<()> {
        let mut timeout = self.options.connect_timeout;
        loop {
            let joined = tokio::select! {
                joined = self.join(timeout, &say) => joined?,
                () = stop.asked() => return Ok(()),
            };
            let slots = match self.hello.slots {
                1 => "1 slot".to_owned(),
                slots => format!("{slots} slots"),
            };
            let (name, scheduler) = (&self.hello.name, &self.options.scheduler);
            say(&format!("worker {name} is connected to {scheduler}: {slots}"));
            timeout = timeout.max(COMES_BACK);
            match self.stay(joined, &mut stop, &say).await {
                End::Left => return Ok(()),
                End::Lost(error) => say(&format!("lost the scheduler at {scheduler}: {error}")),
            }
        }
    }

    /// Tries until the scheduler accepts the worker or time is over; says each failure.
    async fn join(&self, timeout: Duration, say: &impl Fn(&str)) -> Result<Joined> {
        let started = Instant::now();
        let mut attempts = 0;
        loop {
            let error = match self.try_join().await {
                Ok(joined) => return Ok(joined),
                Err(error) => error,
            };
            // What is refused for good is not asked for again.
            if matches!(error.kind(), ErrorKind::Format { .. } | ErrorKind::Parameter { .. }) {
                return Err(error);
            }
            attempts += 1;
            let pause = if attempts <= SOON { RETRY } else { RETRY_LATER };
            let left = timeout.saturating_sub(started.elapsed());
            if left < RETRY {
                say(&format!("{error}; giving up after {} s", timeout.as_secs()));
                return Err(error);
            }
            say(&format!("{error}; trying again for {} s", left.as_secs()));
            tokio::time::sleep(pause.min(left)).await;
        }
    }

    async fn try_join(&self) -> Result<Joined> {
        let mut connection = Connection::open(&self.options.trust, &self.options.scheduler).await?;
        let (mut pen, body) = written();
        pen.write(&FromWorker::Hello(self.hello.clone()));
        let mut lines = Lines::new(connection.post(WORKER_PATH, body).await?);
        loop {
            match lines.next(SILENCE).await? {
                Some(ToWorker::Welcome { timeout_ms }) => {
                    let enough = Duration::from_millis(timeout_ms) / 3;
                    let heartbeat = self.options.heartbeat.min(enough);
                    return Ok(Joined { lines, pen, heartbeat });
                }
                // What is for all workers may come first.
                Some(ToWorker::Forget { .. } | ToWorker::Beat) => {}
                Some(ToWorker::Bye) | None => return Err(gone("it closed the connection")),
            }
        }
    }

    /// Reports, and does what it is told, until it leaves or the scheduler is gone.
    async fn stay(&self, mut joined: Joined, stop: &mut Stop, say: &impl Fn(&str)) -> End {
        let Joined { lines, pen, heartbeat } = &mut joined;
        let reports = self.report(pen.clone(), *heartbeat);
        let obeyed = self.obey(lines);
        tokio::pin!(reports, obeyed);
        tokio::select! {
            error = &mut obeyed => return End::Lost(error),
            () = &mut reports => return End::Lost(gone("it reads nothing")),
            () = stop.asked() => {}
        }
        say("leaving: nothing new is taken, and what is being mapped is finished");
        pen.write(&FromWorker::Leaving);
        tokio::select! {
            _ = &mut obeyed => {}
            () = &mut reports => {}
            () = tokio::time::sleep(LEAVING) => say("left before all results were fetched"),
            () = stop.asked_again() => say("left at once"),
        }
        End::Left
    }

    /// Says that it lives, and how far it is; ends when that cannot be said.
    async fn report(&self, mut pen: Pen, heartbeat: Duration) {
        while pen.write(&FromWorker::Report(self.workshop.report())) {
            tokio::time::sleep(REPORT.min(heartbeat)).await;
            let news = self.workshop.news.notified();
            let _ = tokio::time::timeout(heartbeat.saturating_sub(REPORT), news).await;
        }
    }

    /// Does what the scheduler says, until it is gone or says goodbye.
    async fn obey(&self, lines: &mut Lines<Incoming>) -> Error {
        loop {
            match lines.next(SILENCE).await {
                Ok(Some(ToWorker::Forget { session })) => self.workshop.forget(session),
                Ok(Some(ToWorker::Bye)) => return gone("it let this worker go"),
                Ok(Some(ToWorker::Welcome { .. } | ToWorker::Beat)) => {}
                Ok(None) => return gone("it closed the connection"),
                Err(error) => return error,
            }
        }
    }
}

fn gone(what: &str) -> Error {
    ErrorKind::Worker { found: what.to_owned() }.into()
}
