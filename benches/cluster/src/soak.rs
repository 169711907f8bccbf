//! Random schedules of faults in the middle of fits. Each fault is seen to have happened, and
//! each model has the bits of this thread alone.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::Args;
use drystone_core::{ChunkedDataset, Executor, Inline, Observer, Result};
use drystone_estimators::{KMeans, svc::Svc};
use drystone_sources::generate::{Blobs, Classification};
use drystone_trials::{At, Processes};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};
use rustix::process::Signal;
use serde_json::json;

use crate::Setting;

#[derive(Args, Debug)]
pub struct Soak {
    /// Schedules
    #[arg(long, default_value_t = 50)]
    schedules: u64,
    /// Chooses the schedules
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// What is done, in one pass of a fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Kill,
    KillLater,
    KillAndReplace,
    Stop,
    StopForAWhile,
    Leave,
    Join,
    RestartScheduler,
}

const FAULTS: [Fault; 8] = [
    Fault::Kill,
    Fault::KillLater,
    Fault::KillAndReplace,
    Fault::Stop,
    Fault::StopForAWhile,
    Fault::Leave,
    Fault::Join,
    Fault::RestartScheduler,
];

#[derive(Clone, Copy, Debug)]
enum Estimator {
    KMeans,
    Svc,
}

/// One schedule.
#[derive(Debug)]
struct Schedule {
    estimator: Estimator,
    slots: Vec<usize>,
    pass: usize,
    fault: Fault,
}

impl Soak {
    pub fn run(&self, setting: &Setting) -> Result<()> {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(self.seed);
        let expected = [Estimator::KMeans, Estimator::Svc].map(expected);
        let [kmeans, svc] = expected;
        let (kmeans, svc) = (kmeans?, svc?);
        let mut counts: BTreeMap<Fault, usize> = BTreeMap::new();
        for idx in 0..self.schedules {
            let schedule = Schedule::draw(&mut random);
            let started = Instant::now();
            let (sha256, fired) = schedule.run(setting)?;
            let hash = match schedule.estimator {
                Estimator::KMeans => &kmeans,
                Estimator::Svc => &svc,
            };
            assert_eq!(&sha256, hash, "schedule {idx} has other bits: {schedule:?}");
            assert!(fired, "schedule {idx}: its fault never happened: {schedule:?}");
            *counts.entry(schedule.fault).or_default() += 1;
            let seconds = started.elapsed().as_secs_f64();
            eprintln!("schedule {idx}: {schedule:?}: the same bits after {seconds:.1} s");
        }
        let counts: BTreeMap<String, usize> =
            counts.into_iter().map(|(fault, n)| (format!("{fault:?}"), n)).collect();
        match setting.json {
            true => println!("{}", json!({"schedules": self.schedules, "faults": counts})),
            false => println!("{} schedules, the same bits in all: {counts:?}", self.schedules),
        }
        Ok(())
    }
}

fn draw(random: &mut Xoshiro256PlusPlus, n: usize) -> usize {
    (random.next_u64() % n as u64) as usize
}

impl Schedule {
    fn draw(random: &mut Xoshiro256PlusPlus) -> Self {
        let workers = 2 + draw(random, 2);
        Self {
            estimator: [Estimator::KMeans, Estimator::KMeans, Estimator::Svc][draw(random, 3)],
            slots: (0..workers).map(|_| 1 + draw(random, 3)).collect(),
            pass: 1 + draw(random, 6),
            fault: FAULTS[draw(random, FAULTS.len())],
        }
    }

    /// The model's hash, and whether the fault happened.
    fn run(&self, setting: &Setting) -> Result<(String, bool)> {
        let processes = Processes::start(&setting.program, &self.slots, "4");
        let cluster = processes.connect();
        let processes = Mutex::new(processes);
        std::thread::scope(|scope| {
            let act = At::pass(self.pass, || match self.fault.is_at_once() {
                true => self.fault.act(&processes),
                false => drop(scope.spawn(|| self.fault.act(&processes))),
            });
            let sha256 = fit(self.estimator, &cluster, &act)?;
            Ok((sha256, act.has_fired()))
        })
    }
}

impl Fault {
    /// Whether the fit waits until it is done.
    fn is_at_once(self) -> bool {
        matches!(self, Self::Kill | Self::Stop | Self::Leave | Self::Join)
    }

    fn act(self, processes: &Mutex<Processes>) {
        let Ok(mut all) = processes.lock() else { return };
        match self {
            Self::Kill => all.workers[0].kill(),
            Self::KillLater => {
                std::thread::sleep(Duration::from_millis(30));
                all.workers[0].kill();
            }
            Self::KillAndReplace => {
                all.workers[0].kill();
                all.add_worker(1);
            }
            Self::Stop => all.workers[0].signal(Signal::STOP),
            Self::StopForAWhile => {
                all.workers[0].signal(Signal::STOP);
                std::thread::sleep(Duration::from_secs(6));
                all.workers[0].signal(Signal::CONT);
            }
            Self::Leave => all.workers[0].signal(Signal::TERM),
            Self::Join => all.add_worker(2),
            Self::RestartScheduler => all.restart_scheduler(Duration::from_millis(500)),
        }
    }
}

fn blobs() -> ChunkedDataset {
    Blobs::new(60_000, 6).centers(5).cluster_std(3.0).seed(3).block_rows(1_700).dataset()
}

fn fit(estimator: Estimator, executor: &dyn Executor, observer: &dyn Observer) -> Result<String> {
    match estimator {
        Estimator::KMeans => {
            KMeans::params(5).on(executor).observe(observer).fit(&blobs())?.sha256()
        }
        Estimator::Svc => {
            let data = Classification::new(4_000, 6).seed(1).block_rows(190).dataset();
            Svc::params().on(executor).observe(observer).fit(&data)?.sha256()
        }
    }
}

fn expected(estimator: Estimator) -> Result<String> {
    fit(estimator, &Inline::default(), &drystone_core::observe::Silent)
}
