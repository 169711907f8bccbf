//! Times whole fits and predictions of the SVC on data in memory, as
//! `benches/peers/peer_svc.py` does with other libraries on the same files: one warm-up, then
//! the timed fits. Reading files is not timed.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use drystone::kernels::Isa;
use drystone::svc::{Kernel, Svc};
use drystone::{ChunkedDataset, Error, Records, Result, Threads};
use drystone_benches::program::{dtype, finish, labelled, timed};
use drystone_benches::statistics::median;
use serde_json::{Value, json};

/// Time an SVC on data in memory.
#[derive(Parser)]
struct Args {
    /// Records, (n_samples, n_features), a .npy file of f32 or f64.
    #[arg(long)]
    data: PathBuf,
    /// Integers that name classes, (n_samples, 1), a .npy file of f64.
    #[arg(long)]
    targets: PathBuf,
    /// C.
    #[arg(long, default_value_t = 1.0)]
    c: f64,
    /// The linear kernel in place of the radial basis function.
    #[arg(long)]
    linear: bool,
    /// Stops when no two rows violate the conditions of the optimum by more.
    #[arg(long, default_value_t = 1e-3)]
    tol: f64,
    /// Rows to predict, from the first.
    #[arg(long, default_value_t = 20_000)]
    predict_rows: u64,
    /// Rows of a block.
    #[arg(long, default_value_t = 65_536)]
    block_rows: usize,
    /// Threads to run on.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Timed fits.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    fits: u16,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    finish(run(&Args::parse()))
}

fn run(args: &Args) -> Result<()> {
    let threads = Threads::new(args.threads)?;
    let data = labelled(&args.data, &args.targets, args.block_rows)?;
    let kernel = if args.linear { Kernel::Linear } else { Kernel::Rbf };
    let params = Svc::params().c(args.c).kernel(kernel).tol(args.tol).on(&threads);
    params.fit(&data)?;
    let mut seconds = Vec::new();
    let mut last = None;
    for _ in 0..args.fits {
        let (took, model) = timed(|| params.fit(&data))?;
        seconds.push(took);
        last = Some(model);
    }
    let model = last.ok_or_else(|| Error::parameter("fits", "at least 1", 0))?;
    let head = data.slice(0..args.predict_rows.min(data.n_samples().unwrap_or(0)));
    let head = head.persist()?;
    model.predict_codes(&head).compute()?;
    let predictions = (0..args.fits).map(|_| timed(|| model.predict_codes(&head).compute()));
    let predictions = predictions.collect::<Result<Vec<_>>>()?;
    let predict: Vec<f64> = predictions.iter().map(|(took, _)| *took).collect();
    if args.json {
        println!("{}", to_json(args, &data, &model, (&seconds, &predict))?);
    } else {
        println!("{data}, {} threads", args.threads);
        println!("fit {:.4} s, predict {:.4} s", median(&seconds), median(&predict));
        println!("{} support vectors, {:?}", model.support().len(), model.history());
        println!("{:?}, {:?} steps", &model.certificates()[0], &model.n_iter()[..1]);
    }
    Ok(())
}

/// The fields of `benches/peers/peer_svc.py`.
fn to_json(
    args: &Args,
    data: &ChunkedDataset,
    model: &Svc,
    (fit, predict): (&[f64], &[f64]),
) -> Result<Value> {
    let all = model.certificates();
    let sum = |of: fn(&drystone::svc::Certificate) -> f64| all.iter().map(of).sum::<f64>();
    let records: &Records = model.support_vectors();
    Ok(json!({
        "library": "drystone",
        "version": env!("CARGO_PKG_VERSION"),
        "n": data.n_samples(),
        "d": data.n_features(),
        "classes": model.n_classes(),
        "dtype": dtype(records),
        "threads": args.threads,
        "isa": Isa::best().name(),
        "tol": args.tol,
        "seconds": fit,
        "predict_seconds": predict,
        "converged": model.converged(),
        "passes": model.history().passes,
        "n_support": model.support().len(),
        "n_iter": model.n_iter().iter().sum::<u64>(),
        "dual_objective": sum(|certificate| certificate.dual_objective),
        "primal_objective": sum(|certificate| certificate.primal_objective),
        "max_kkt_violation": all.iter().fold(0.0_f64, |most, one| most.max(one.max_kkt_violation)),
        "accuracy": model.score(data)?,
        "sha256": model.sha256()?,
    }))
}
