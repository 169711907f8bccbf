//! A support vector classifier over blocks: fit, proof of the optimum, accuracy on rows that
//! were held out.
//!
//! `cargo run --release --example svc` is the deck's `make_classification(10000, 4)`, fitted
//! and scored; `-- --input FILE` reads LIBSVM, CSV or `.npy` files; `-- --help` says what else
//! there is.

mod common;
mod svc_common;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use drystone::Result;
use drystone::prelude::*;

use common::machine;
use common::output::{exit_code, print};
use svc_common::fitted::Fitted;
use svc_common::flags::{Flags, flag_of};
use svc_common::progress::Progress;
use svc_common::report::{Outcome, Scores};
use svc_common::{data, plot, results};

fn main() -> ExitCode {
    let flags = Flags::parse();
    exit_code(run(&flags), flag_of)
}

fn run(flags: &Flags) -> Result<()> {
    flags.check()?;
    // Half of the memory for blocks between passes, half for rows as the kernels want them.
    let budget = machine::memory_budget(flags.memory_budget.as_deref())?;
    let executor = flags.cluster.executor(flags.threads, budget / 2)?;
    let place = flags.checkpoint.on(&*executor)?;
    let (train, test) = data::open(flags)?.announce(flags.json)?.split(flags)?;
    let progress = Progress::new(flags);
    let params = flags.params().memory_budget(budget - budget / 2);
    let params = params.on(place.executor()).observe(&progress);

    if flags.explain {
        return print(params.explain(&train)?);
    }
    let model = Fitted::fit(params, flags.calibrate, &train);

    let fit_seconds = progress.finish();
    let model = model?;
    // A fit may have taken hours: a result that cannot be written takes no other along.
    let saved = flags.out.as_ref().map_or(Ok(()), |path| model.save(path));
    let scores = score(&model, &train, &test, fit_seconds)?;
    let (resources, resumed) = (executor.describe(), place.resumed_steps());
    let outcome = Outcome::new(flags, &model, &scores, resources, resumed)?;
    if flags.json { print(outcome.json()) } else { print(outcome) }?;
    saved?;
    results::write(flags, &model, &test)?;
    plot::draw(flags, &train, model.svc(), &scores)
}

/// The memory is that of the fit; the seconds of predictions are those of the held-out rows,
/// which are read meanwhile.
fn score(
    model: &Fitted,
    train: &ChunkedDataset,
    test: &ChunkedDataset,
    fit: f64,
) -> Result<Scores> {
    let (svc, peak_rss_bytes) = (model.svc(), machine::peak_rss_bytes());
    let started = Instant::now();
    let test_accuracy = svc.score(test)?;
    Ok(Scores {
        fit_seconds: fit,
        predict_seconds: started.elapsed().as_secs_f64(),
        peak_rss_bytes,
        test_accuracy,
        train_accuracy: svc.score(train)?,
        log_loss: model.log_loss(test).unwrap_or_else(|error| {
            eprintln!("no log loss: {error}"); // as of a class that no fitted row had
            None
        }),
        n_train: train.scan()?.n_samples().unwrap_or(0),
        n_test: test.scan()?.n_samples().unwrap_or(0),
    })
}
