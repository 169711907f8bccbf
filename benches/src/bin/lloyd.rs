//! Times whole fits of Lloyd's iterations, from given centroids on data in memory, as
//! `benches/peers/peer_kmeans.py` does with other libraries on the same files: one warm-up
//! of at most ten iterations, then the timed fits.
//!
//! With `--tol 0` a fit has exactly `--max-iter` iterations, and it is an error if labels
//! settle sooner. A fit here scans the data, iterates, and then assigns the rows once more
//! unless it converged. Reading files is not timed.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use drystone::kernels::Isa;
use drystone::{ChunkedDataset, Error, Init, KMeans, KMeansParams, Result, Threads, npy};
use drystone_benches::program::{dtype, finish, timed};
use drystone_benches::statistics::median;
use serde_json::{Value, json};

/// Iterations of the warm-up, at most.
const WARM_UP: usize = 10;

/// Time Lloyd's iterations on data in memory.
#[derive(Parser)]
struct Args {
    /// Records, (n_samples, n_features), a .npy file of f32 or f64.
    #[arg(long)]
    data: PathBuf,
    /// Initial centroids, (n_clusters, n_features), of the same type.
    #[arg(long)]
    init: PathBuf,
    /// Threads to run on.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Iterations of a timed fit: at most, or with a tolerance of 0 exactly.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    max_iter: u16,
    /// Lloyd's tolerance, relative to the mean variance of the columns.
    #[arg(long, default_value_t = 0.0)]
    tol: f64,
    /// Whether distances that bounds rule out are left out.
    #[arg(long, value_enum, default_value_t = Switch::Off)]
    pruning: Switch,
    /// Timed fits.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    fits: u16,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    Off,
    On,
}

/// Seconds and model.
type Fit = Result<(f64, KMeans)>;

fn main() -> ExitCode {
    finish(run(&Args::parse()))
}

fn run(args: &Args) -> Result<()> {
    let threads = Threads::new(args.threads)?;
    let data = npy::open(&args.data).dataset()?.persist()?;
    let params = params(args)?.on(&threads);
    let max_iter = usize::from(args.max_iter);
    fit(args, &params, &data, max_iter.min(WARM_UP))?;
    let fits = (0..args.fits).map(|_| fit(args, &params, &data, max_iter));
    let (seconds, models): (Vec<f64>, Vec<KMeans>) =
        fits.collect::<Result<Vec<_>>>()?.into_iter().unzip();
    let model = &models[0];
    if args.json {
        println!("{}", to_json(args, &data, model, &seconds));
    } else {
        println!("{data}, {} clusters, {} threads", model.n_clusters(), args.threads);
        print!("{}", to_text(model, &seconds));
    }
    Ok(())
}

fn params(args: &Args) -> Result<KMeansParams<'static>> {
    let centroids = npy::read_array(&args.init)?;
    let n_clusters = centroids.n_samples();
    let params = KMeans::params(n_clusters).init(Init::Centroids(centroids)).tol(args.tol);
    Ok(params.pruning(args.pruning == Switch::On))
}

/// Seconds and model of one fit; of exactly so many iterations if the tolerance is 0.
fn fit(args: &Args, params: &KMeansParams<'_>, data: &ChunkedDataset, iters: usize) -> Fit {
    let params = params.clone().max_iter(iters);
    let (seconds, model) = timed(|| params.fit(data))?;
    if args.tol > 0.0 || (model.n_iter() == iters && !model.converged()) {
        return Ok((seconds, model));
    }
    let found = format!("convergence after {} of {iters}", model.n_iter());
    Err(Error::parameter("init", "centroids that do not converge so soon", found))
}

/// The fields of `benches/peers/peer_kmeans.py`.
fn to_json(args: &Args, data: &ChunkedDataset, model: &KMeans, seconds: &[f64]) -> Value {
    json!({
        "library": "drystone",
        "version": env!("CARGO_PKG_VERSION"),
        "n": data.n_samples(),
        "d": data.n_features(),
        "k": model.n_clusters(),
        "dtype": dtype(model.centroids()),
        "threads": args.threads,
        "isa": Isa::best().name(),
        "pruning": args.pruning == Switch::On,
        "tol": args.tol,
        "seconds": seconds,
        "n_iter": model.n_iter(),
        "converged": model.converged(),
        "passes": model.history().passes,
        "inertia": model.inertia(),
    })
}

fn to_text(model: &KMeans, seconds: &[f64]) -> String {
    let (fit, iters) = (median(seconds), model.n_iter());
    format!(
        "fit of {iters} iterations  {fit:.4} s (median of {})\n\
         an iteration          {:.2} ms\n\
         inertia               {:e}\n",
        seconds.len(),
        1e3 * fit / iters as f64,
        model.inertia(),
    )
}
