//! Times whole calls of a generator on one thread, as `benches/peers/peer_generators.py`
//! does with scikit-learn's: a dataset of one block, another seed each time, made and read.

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use drystone::generate::{Blobs, Classification};
use drystone::kernels::Isa;
use drystone::{Block, Result};
use drystone_benches::program::{finish, timed};
use drystone_benches::{spread, statistics::median};
use serde_json::json;

/// Time a generator.
#[derive(Parser)]
struct Args {
    /// What to generate.
    #[arg(long, value_enum)]
    kind: Kind,
    /// Rows of a call.
    #[arg(long, default_value_t = 200_000)]
    rows: u64,
    /// Columns.
    #[arg(long, default_value_t = 20)]
    features: usize,
    /// Centres of blobs.
    #[arg(long, default_value_t = 50)]
    centers: usize,
    /// Timed calls, after one that is not.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    calls: u16,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Blobs,
    Classification,
}

fn main() -> ExitCode {
    finish(run(&Args::parse()))
}

fn run(args: &Args) -> Result<()> {
    let (_, block) = timed(|| make(args, 0))?; // warm-up
    let calls = (1..=u64::from(args.calls)).map(|seed| Ok(timed(|| make(args, seed))?.0));
    let seconds = calls.collect::<Result<Vec<f64>>>()?;
    if args.json {
        let report = json!({
            "library": "drystone",
            "version": env!("CARGO_PKG_VERSION"),
            "isa": Isa::best().name(),
            "threads": 1,
            "seconds": seconds,
            "data": spread::describe(&block)?,
        });
        println!("{report}");
    } else {
        println!("{:.2} ms, median of {}", 1e3 * median(&seconds), seconds.len());
    }
    Ok(())
}

/// All rows of a new dataset.
fn make(args: &Args, seed: u64) -> Result<Block> {
    let data = match args.kind {
        Kind::Blobs => {
            let blobs = Blobs::new(args.rows, args.features).centers(args.centers);
            blobs.seed(seed).block_rows(args.rows).try_dataset()?
        }
        Kind::Classification => {
            let problem = Classification::new(args.rows, args.features);
            problem.seed(seed).block_rows(args.rows).try_dataset()?
        }
    };
    data.read(0)
}
