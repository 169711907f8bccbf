//! What it costs that a step travels.

use std::time::Instant;

use clap::Args;
use drystone_core::column::Moments;
use drystone_core::observe::Silent;
use drystone_core::{ChunkedDataset, Control, Executor, Result, Session, Threads};
use drystone_estimators::{Init, KMeans};
use drystone_sources::generate::Blobs;
use drystone_trials::Processes;
use serde_json::json;

use crate::{Setting, median};

/// Partitions of a step: twice as many as there are slots, but no more than blocks.
const PARTITIONS: [u64; 3] = [1, 2, 4];
/// The cached blocks, as the issue has them.
const BLOCKS: u64 = 500;
const BLOCK_ROWS: u64 = 20_000;
const FEATURES: usize = 20;
const CLUSTERS: usize = 8;
const ITERATIONS: usize = 20;

#[derive(Args, Debug)]
pub struct Overhead {
    /// Workers of one slot each
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Empty steps that are timed
    #[arg(long, default_value_t = 200)]
    steps: usize,
    /// Fits that are timed, by turns on the cluster and on threads
    #[arg(long, default_value_t = 5)]
    fits: usize,
    /// Blocks of the fit
    #[arg(long, default_value_t = BLOCKS)]
    blocks: u64,
}

impl Overhead {
    pub fn run(&self, setting: &Setting) -> Result<()> {
        let processes = Processes::start(&setting.program, &vec![1; self.workers], "4");
        let cluster = processes.connect();
        for partitions in PARTITIONS {
            let milliseconds = 1e3 * self.empty_step(&cluster, partitions)?;
            match setting.json {
                true => println!("{}", json!({"partitions": partitions, "step_ms": milliseconds})),
                false => println!("an empty step of {partitions} partitions: {milliseconds:.2} ms"),
            }
        }
        self.cached(setting, &cluster)
    }

    /// Seconds of a step over as many blocks of one row as there are partitions.
    fn empty_step(&self, executor: &dyn Executor, partitions: u64) -> Result<f64> {
        let data = Blobs::new(partitions, 1).centers(1).block_rows(1).dataset();
        let control = Control::default();
        let session = Session::new(executor, &Silent, &control);
        let job = Moments { n_features: 1 };
        session.run(&data, &job)?;
        let mut seconds = Vec::with_capacity(self.steps);
        for _ in 0..self.steps {
            let started = Instant::now();
            session.run(&data, &job)?;
            seconds.push(started.elapsed().as_secs_f64());
        }
        Ok(median(seconds))
    }

    /// A fit whose blocks are in memory, on workers and on as many threads.
    fn cached(&self, setting: &Setting, cluster: &dyn Executor) -> Result<()> {
        let data = Blobs::new(self.blocks * BLOCK_ROWS, FEATURES).centers(CLUSTERS);
        // Wide blobs, so that iterations have something to do.
        let data = data.cluster_std(6.0).seed(0).block_rows(BLOCK_ROWS).dataset();
        let threads = Threads::new(self.workers)?.memory_budget(8 << 30);
        let (mut remote, mut local) = (Vec::new(), Vec::new());
        let hash = fit(&data, cluster)?.0;
        fit(&data, &threads)?;
        for _ in 0..self.fits {
            for (executor, seconds) in [(cluster, &mut remote), (&threads as _, &mut local)] {
                let (sha256, taken) = fit(&data, executor)?;
                assert_eq!(sha256, hash, "a fit has other bits");
                seconds.push(taken);
            }
        }
        let (remote, local) = (median(remote), median(local));
        let ratio = remote / local;
        match setting.json {
            true => {
                println!("{}", json!({"cluster_s": remote, "threads_s": local, "ratio": ratio}))
            }
            false => println!(
                "{} cached blocks of {BLOCK_ROWS} x {FEATURES}, k = {CLUSTERS}, {ITERATIONS} \
                 iterations: {remote:.3} s on {} workers, {local:.3} s on as many threads, ratio \
                 {ratio:.2}",
                self.blocks, self.workers
            ),
        }
        Ok(())
    }
}

fn fit(data: &ChunkedDataset, executor: &dyn Executor) -> Result<(String, f64)> {
    let started = Instant::now();
    let params = KMeans::params(CLUSTERS).init(Init::Random).max_iter(ITERATIONS).tol(0.0);
    let model = params.on(executor).fit(data)?;
    let seconds = started.elapsed().as_secs_f64();
    Ok((model.sha256()?, seconds))
}
