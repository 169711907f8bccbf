//! A worker with a source and a job of your own, and a driver that uses it: how many terms of
//! n² mod 1000 are above a limit?
//!
//! In three terminals:
//!
//! ```console
//! $ cargo run --release -p drystone-cli -- scheduler
//! $ cargo run --release --features cluster --example own_worker -- worker 127.0.0.1:8786
//! $ cargo run --release --features cluster --example own_worker -- count 127.0.0.1:8786
//! ```
//!
//! Code does not travel: the driver sends names and parameters, and this same program is the
//! worker that knows what they mean.

use std::process::ExitCode;
use std::sync::Arc;

use drystone::cluster::{self, Cluster, Trust, WorkerOptions};
use drystone::control::Control;
use drystone::observe::Silent;
use drystone::{
    Block, BlockAt, BlockSource, ChunkedDataset, Description, Dtype, Error, Job, Layout, Partial,
    Registry, Result, Session, wire,
};
use serde::{Deserialize, Serialize};

/// Blocks that are made where they are needed, of so many terms in all.
struct Squares {
    n_samples: u64,
    layout: Layout,
}

impl Squares {
    const KIND: &'static str = "example.squares/1";

    fn new(n_samples: u64) -> Self {
        Self { n_samples, layout: Layout::new(Dtype::F64, 1, n_samples, 100_000) }
    }
}

impl BlockSource for Squares {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        let rows = self.layout.rows.rows_of(block_idx).unwrap_or_default();
        let terms = ndarray::Array1::from_iter(rows.map(|n| (n * n % 1000) as f64));
        Ok(Block::new(terms.insert_axis(ndarray::Axis(1))))
    }

    /// What a worker needs to make the same blocks.
    fn describe(&self) -> Option<Description> {
        let body = wire::encode(&self.n_samples).ok()?;
        Some(Description { kind: Self::KIND.to_owned(), body })
    }
}

/// A job is data that can travel; what it finds is merged in any order.
#[derive(Serialize, Deserialize)]
struct Above(f64);
#[derive(Serialize, Deserialize)]
struct Count(usize);

impl Partial for Count {
    fn merge(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Job for Above {
    const NAME: &'static str = "example.above/1";
    type State = ();
    type Partial = Count;

    fn empty(&self) -> Count {
        Count(0)
    }

    fn map(&self, rows: &BlockAt, (): &mut (), into: &mut Count) -> Result<()> {
        let values = rows.block.records.as_rows::<f64>()?.values();
        into.0 += values.iter().filter(|&&value| value > self.0).count();
        Ok(())
    }
}

/// All that drystone has, and our own.
fn registry() -> Registry {
    let mut registry = drystone::registry();
    registry.job::<Above>();
    registry.source(Squares::KIND, |body, _| Ok(Arc::new(Squares::new(wire::decode(body)?))));
    registry
}

fn worker(scheduler: &str) -> Result<()> {
    let options = WorkerOptions::new(scheduler, Trust::of_user()?);
    cluster::serve_worker(registry(), options, Arc::new(|line| println!("{line}")))
}

fn count(scheduler: &str) -> Result<()> {
    let cluster = Cluster::connect(scheduler)?;
    let data = ChunkedDataset::new(Squares::new(5_000_000));
    let control = Control::default();
    let above = Session::new(&cluster, &Silent, &control).run(&data, &Above(900.0))?;
    println!("{data}: {} terms are above 900", above.0);
    Ok(())
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["worker", scheduler] => worker(scheduler),
        ["count", scheduler] => count(scheduler),
        _ => Err(Error::parameter("arguments", "worker or count, and a scheduler", "others")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
