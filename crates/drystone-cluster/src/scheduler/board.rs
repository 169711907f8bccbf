//! What a scheduler knows of workers, drivers and their fits: for placement, for drivers that
//! show how far a step is, and for people.

mod document;
mod fit;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::link::lines::Pen;
use crate::link::{News, Report, ToDriver, ToWorker, WorkerHello};

pub use document::{FitState, PassState, State, WorkerState};
use fit::{Fit, Status};

/// Fits that are remembered.
const MAX_FITS: usize = 20;
/// Steps that a report may speak of.
const MAX_STEPS: usize = 16;

pub(crate) struct Board {
    address: SocketAddr,
    dashboard: String,
    started: Instant,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    workers: BTreeMap<String, Worker>,
    drivers: BTreeMap<u64, Driver>,
    /// The newest first.
    fits: VecDeque<Fit>,
    next_driver: u64,
}

struct Worker {
    hello: WorkerHello,
    pen: Pen,
    heard: Instant,
    report: Report,
    leaving: Option<Instant>,
}

struct Driver {
    name: String,
    pen: Pen,
}

/// A worker that takes work.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub id: String,
    pub slots: usize,
}

impl Board {
    pub fn new(address: SocketAddr, dashboard: String) -> Self {
        Self { address, dashboard, started: Instant::now(), known: Mutex::default() }
    }

    /// Where the scheduler listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A worker comes.
    ///
    /// # Errors
    /// Why it cannot stay: another one has its name.
    pub fn join(&self, hello: WorkerHello, pen: Pen) -> Result<(), String> {
        let mut known = self.known();
        if let Some(other) = known.workers.get(&hello.name) {
            let (pid, host) = (other.hello.pid, &other.hello.host);
            let name = &hello.name;
            return Err(format!("there is a worker {name:?} already: process {pid} on {host}"));
        }
        let (heard, report) = (Instant::now(), Report::default());
        let name = hello.name.clone();
        known.workers.insert(name, Worker { hello, pen, heard, report, leaving: None });
        Ok(())
    }

    /// A worker lives, and says what it does: drivers hear how far their steps are.
    pub fn report(&self, name: &str, mut report: Report) {
        let mut known = self.known();
        let Some(worker) = known.workers.get_mut(name) else { return };
        report.busy = report.busy.min(worker.hello.slots);
        report.steps.truncate(MAX_STEPS);
        worker.heard = Instant::now();
        let changed = worker.report.steps != report.steps;
        worker.report = report;
        if changed {
            known.tell_progress();
        }
    }

    /// A worker wants to leave: it gets nothing more.
    pub fn leaving(&self, name: &str) {
        if let Some(worker) = self.known().workers.get_mut(name) {
            worker.leaving = Some(Instant::now());
        }
    }

    /// Whether a worker may end: it wants to, maps nothing, and no step that may have results
    /// there is under way.
    pub fn may_go(&self, name: &str) -> bool {
        let known = self.known();
        let Some(worker) = known.workers.get(name) else { return false };
        let Some(since) = worker.leaving else { return false };
        let needed = known.fits.iter().any(|fit| fit.step_began().is_some_and(|at| at <= since));
        worker.report.busy == 0 && !needed
    }

    /// A worker is gone.
    pub fn lost(&self, name: &str) {
        let mut known = self.known();
        if known.workers.remove(name).is_some() {
            known.tell_drivers(&ToDriver::Lost { worker: name.to_owned() });
            known.tell_progress();
        }
    }

    /// Workers that take work, by name.
    pub(super) fn live(&self) -> Vec<Live> {
        let known = self.known();
        let staying = known.workers.values().filter(|worker| worker.leaving.is_none());
        staying
            .map(|worker| Live { id: worker.hello.name.clone(), slots: worker.hello.slots })
            .collect()
    }

    /// A driver comes; its number.
    pub fn driver(&self, name: String, pen: Pen) -> u64 {
        let mut known = self.known();
        known.next_driver += 1;
        let number = known.next_driver;
        known.drivers.insert(number, Driver { name, pen });
        number
    }

    /// Something happens in a session of a driver.
    pub fn news(&self, driver: u64, session: u64, what: News) {
        let mut known = self.known();
        let ends = matches!(what, News::Over);
        let begins = matches!(what, News::Step { .. });
        let at = known.fits.iter().position(|fit| fit.is_of(driver, session));
        let at = at.or_else(|| begins.then(|| known.begin(driver, session)));
        let Some(fit) = at.and_then(|at| known.fits.get_mut(at)) else { return };
        let had_state = fit.has_state();
        fit.hear(what);
        // Only what is there is forgotten: nobody makes workers forget the sessions of others.
        if ends && had_state {
            known.tell_workers(&ToWorker::Forget { session });
        }
    }

    /// A driver is gone: what it did not end is lost, and its sessions are over.
    pub fn driver_gone(&self, driver: u64) {
        let mut known = self.known();
        known.drivers.remove(&driver);
        let mut sessions = Vec::new();
        for fit in known.fits.iter_mut().filter(|fit| fit.driver == driver) {
            if fit.status == Status::Running {
                fit.end(Status::Lost);
                sessions.push(fit.session);
            }
        }
        for session in sessions {
            known.tell_workers(&ToWorker::Forget { session });
        }
    }

    /// The slots of all workers, and how many of them are busy.
    pub fn slots(&self) -> (usize, usize) {
        let known = self.known();
        let add = |(slots, busy): (usize, usize), worker: &Worker| {
            (slots + worker.hello.slots, busy + worker.report.busy)
        };
        known.workers.values().fold((0, 0), add)
    }

    /// All of it, for people and programs.
    pub fn state(&self) -> State {
        document::state(self)
    }
}

impl Known {
    fn begin(&mut self, driver: u64, session: u64) -> usize {
        let name = self.drivers.get(&driver).map_or_else(String::new, |driver| driver.name.clone());
        self.fits.push_front(Fit::new(driver, name, session));
        if self.fits.len() > MAX_FITS {
            // The oldest that is over, or else the oldest.
            let over = self.fits.iter().rposition(|fit| fit.status != Status::Running);
            self.fits.remove(over.unwrap_or(MAX_FITS));
        }
        0
    }

    fn tell_drivers(&mut self, line: &ToDriver) {
        for driver in self.drivers.values_mut() {
            driver.pen.write(line);
        }
    }

    fn tell_workers(&mut self, line: &ToWorker) {
        for worker in self.workers.values_mut() {
            worker.pen.write(line);
        }
    }

    /// Tells each driver whose step has advanced how far it is.
    fn tell_progress(&mut self) {
        let Self { workers, drivers, fits, .. } = self;
        for fit in fits.iter_mut().filter(|fit| fit.step_began().is_some()) {
            let step = fit.step;
            let of_worker = |worker: &Worker| {
                let steps = worker.report.steps.iter().filter(|(id, _)| *id == step);
                steps.fold(0_u64, |sum, (_, blocks)| sum.saturating_add(*blocks))
            };
            let blocks = workers.values().map(of_worker).fold(0, u64::saturating_add);
            let blocks = blocks.min(fit.n_blocks);
            if blocks != fit.blocks_done
                && let Some(driver) = drivers.get_mut(&fit.driver)
            {
                fit.blocks_done = blocks;
                driver.pen.write(&ToDriver::Done { step, blocks });
            }
        }
    }
}
