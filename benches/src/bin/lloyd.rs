//! Times whole fits of exactly so many of Lloyd's iterations, from given centroids on data
//! in memory, as `benches/peers/lloyd.py` does with scikit-learn on the same files: one
//! warm-up, then fits of one iteration, then the timed ones.
//!
//! A fit here scans the data, iterates, and then assigns the rows once more, so that a fit
//! of n iterations takes n + 2 passes. Reading files is not timed.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use drystone::{ChunkedDataset, Error, Init, KMeans, KMeansParams, Records, Result, Threads, npy};
use drystone_benches::statistics::median;
use serde_json::{Value, json};

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
    /// Iterations of a timed fit; at least 2.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(2..))]
    iters: u16,
    /// Timed fits.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    reps: u16,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let threads = Threads::new(args.threads)?;
    let data = npy::open(&args.data).dataset()?.persist()?;
    let centroids = npy::read_array(&args.init)?;
    let n_clusters = centroids.n_samples();
    let params = KMeans::params(n_clusters).init(Init::Centroids(centroids)).tol(0.0).on(&threads);
    let iters = usize::from(args.iters);
    let (_, model) = fit(&params, &data, iters)?; // warm-up
    let short = repeat(args, &params, &data, 1)?;
    let long = repeat(args, &params, &data, iters)?;
    let times = Times { iters, short, long };
    if args.json {
        println!("{}", times.to_json(args, &data, &model));
    } else {
        println!("{data}, {n_clusters} clusters, {} threads", args.threads);
        print!("{}", times.to_text(&model));
    }
    Ok(())
}

fn repeat(
    args: &Args,
    params: &KMeansParams<'_>,
    data: &ChunkedDataset,
    iters: usize,
) -> Result<Vec<f64>> {
    (0..args.reps).map(|_| Ok(fit(params, data, iters)?.0)).collect()
}

/// Seconds and model of one fit of exactly so many iterations.
fn fit(params: &KMeansParams<'_>, data: &ChunkedDataset, iters: usize) -> Result<(f64, KMeans)> {
    let params = params.clone().max_iter(iters);
    let start = Instant::now();
    let model = params.fit(data)?;
    let seconds = start.elapsed().as_secs_f64();
    if model.n_iter() == iters && !model.converged() {
        return Ok((seconds, model));
    }
    let found = format!("convergence after {} of {iters}", model.n_iter());
    Err(Error::parameter("init", "centroids that do not converge so soon", found))
}

/// Seconds of fits of one iteration and of `iters`.
struct Times {
    iters: usize,
    short: Vec<f64>,
    long: Vec<f64>,
}

impl Times {
    fn per_iteration(&self) -> f64 {
        median(&self.long) / self.iters as f64
    }

    /// What one more iteration costs: everything that a fit does once is taken out.
    fn marginal(&self) -> f64 {
        (median(&self.long) - median(&self.short)) / (self.iters - 1) as f64
    }

    /// The fields of `benches/peers/lloyd.py`.
    fn to_json(&self, args: &Args, data: &ChunkedDataset, model: &KMeans) -> Value {
        json!({
            "peer": "drystone",
            "version": env!("CARGO_PKG_VERSION"),
            "n": data.n_samples(),
            "d": data.n_features(),
            "k": model.n_clusters(),
            "dtype": dtype(model.centroids()),
            "threads": {"drystone": args.threads},
            "iterations": self.iters,
            "seconds": self.long,
            "median": median(&self.long),
            "seconds_per_iteration": self.per_iteration(),
            "marginal_seconds_per_iteration": self.marginal(),
            "seconds_one_iteration": self.short,
            "inertia": model.inertia(),
        })
    }

    fn to_text(&self, model: &KMeans) -> String {
        let (median, iters) = (median(&self.long), self.iters);
        let (each, marginal) = (1e3 * self.per_iteration(), 1e3 * self.marginal());
        format!(
            "fit of {iters} iterations  {median:.4} s (median of {})\n\
             an iteration          {each:.2} ms\n\
             one more iteration    {marginal:.2} ms\n\
             inertia               {:e}\n",
            self.long.len(),
            model.inertia(),
        )
    }
}

fn dtype(records: &Records) -> &'static str {
    match records {
        Records::F32(_) => "f32",
        Records::F64(_) => "f64",
    }
}
