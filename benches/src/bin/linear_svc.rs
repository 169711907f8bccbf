//! Times whole fits and predictions of the linear SVC on data in memory: one warm-up, then the
//! timed fits. Reading files is not timed.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use drystone::kernels::Isa;
use drystone::svc::{LinearCertificate, LinearSvc, Loss};
use drystone::{ChunkedDataset, Error, Result, Threads};
use drystone_benches::program::{finish, labelled, timed};
use drystone_benches::statistics::median;
use serde_json::{Value, json};

/// Time a linear SVC on data in memory.
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
    /// The hinge in place of its square.
    #[arg(long)]
    hinge: bool,
    /// When to stop.
    #[arg(long, default_value_t = 1e-4)]
    tol: f64,
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
    let loss = if args.hinge { Loss::Hinge } else { Loss::SquaredHinge };
    let params = LinearSvc::params().c(args.c).loss(loss).tol(args.tol).on(&threads);
    let mut model = params.fit(&data)?;
    let mut seconds = Vec::new();
    for _ in 0..args.fits {
        let took;
        (took, model) = timed(|| params.fit(&data))?;
        seconds.push(took);
    }
    let predictions = (0..args.fits).map(|_| timed(|| model.predict_codes(&data).compute()));
    let predictions = predictions.collect::<Result<Vec<_>>>()?;
    let predict: Vec<f64> = predictions.iter().map(|(took, _)| *took).collect();
    if args.json {
        println!("{}", to_json(args, &data, &model, (&seconds, &predict))?);
    } else {
        println!("{data}, {} threads", args.threads);
        println!("fit {:.4} s, predict {:.4} s", median(&seconds), median(&predict));
        println!("{:?}, steps {:?}", model.history(), model.n_iter());
        println!("{:?}", &model.certificates()[0]);
    }
    Ok(())
}

fn to_json(
    args: &Args,
    data: &ChunkedDataset,
    model: &LinearSvc,
    (fit, predict): (&[f64], &[f64]),
) -> Result<Value> {
    let all = model.certificates();
    let sum = |of: fn(&LinearCertificate) -> f64| all.iter().map(of).sum::<f64>();
    let largest =
        |of: fn(&LinearCertificate) -> f64| all.iter().map(of).fold(0.0_f64, |a, b| a.max(b));
    let steps = model.n_iter().iter().max();
    Ok(json!({
        "library": "drystone",
        "version": env!("CARGO_PKG_VERSION"),
        "n": data.n_samples(),
        "d": data.n_features(),
        "classes": model.n_classes(),
        "dtype": data.dtype().to_string(),
        "threads": args.threads,
        "isa": Isa::best().name(),
        "loss": if args.hinge { "hinge" } else { "squared_hinge" },
        "tol": args.tol,
        "seconds": fit,
        "predict_seconds": predict,
        "converged": model.converged(),
        "passes": model.history().passes,
        "n_iter": steps.ok_or_else(|| Error::parameter("classes", "at least 2", 0))?,
        "primal_objective": sum(|certificate| certificate.primal_objective),
        "dual_objective": sum(|certificate| certificate.dual_objective),
        "gradient_norm": largest(|certificate| certificate.gradient_norm),
        "duality_gap": largest(LinearCertificate::duality_gap),
        "accuracy": model.score(data)?,
        "sha256": model.sha256()?,
    }))
}
