//! Scalable KMeans over blocks that are generated lazily, or over CSV and `.npy` files.
//!
//! `cargo run --release --example kmeans` clusters 10 million rows; `-- --blocks 500
//! --memory-budget 0` the 100 million (16 GB) of the Dask tutorial; `-- --help` says what
//! else there is.

mod common;
mod kmeans_common;

use std::process::ExitCode;

use clap::Parser;
use drystone::Result;
use drystone::npy::NpyWriter;
use drystone::prelude::*;

use common::files::{holds_npy, npy_dataset};
use common::machine;
use common::output::{exit_code, print, write_npy};
use kmeans_common::flags::{Flags, InitName, flag_of};
use kmeans_common::progress::Progress;
use kmeans_common::report::Outcome;
use kmeans_common::{blobs, plot};

fn main() -> ExitCode {
    let flags = Flags::parse();
    exit_code(run(&flags), flag_of)
}

fn run(flags: &Flags) -> Result<()> {
    flags.check_results()?;
    let budget = machine::memory_budget(flags.memory_budget.as_deref());
    let executor = flags.cluster.executor(flags.threads, budget?)?;
    let place = flags.checkpoint.on(&*executor)?;
    let data = dataset(flags)?;
    let n_clusters = flags.n_clusters();
    let progress = Progress::new(flags.json);
    let params = KMeans::params(n_clusters)
        .init(init(flags)?)
        .n_init(flags.n_init)
        .max_iter(flags.max_iter)
        .tol(flags.tol)
        .seed(flags.seed)
        .on(place.executor())
        .observe(&progress);
    if flags.explain {
        return print(params.explain(&data)?);
    }
    if !flags.json {
        print(&data)?; // nothing has been read yet
    }

    let model = params.fit(&data);

    let seconds = progress.finish();
    let model = model?;
    // A fit may have taken hours: a result that cannot be written takes no other along.
    let saved = flags.out.as_ref().map_or(Ok(()), |path| model.save(path));
    let (resources, resumed) = (executor.describe(), place.resumed_steps());
    let outcome = Outcome::new(&model, &data, resources, seconds, resumed)?;
    if flags.json { print(outcome.json()) } else { print(outcome) }?;
    saved?;
    if let Some(path) = &flags.labels_out {
        write_npy(NpyWriter::<u32>::create(path)?, &model.predict(&data))?;
    }
    plot::draw(flags, &data, &model)
}

/// The deck's blobs, or files.
fn dataset(flags: &Flags) -> Result<ChunkedDataset> {
    let Some(path) = &flags.input else { return blobs::around_class_means(flags) };
    if holds_npy(path)? {
        flags.csv.only_for_csv()?;
        return flags.check_dtype(npy_dataset(path, None, flags.block_rows)?);
    }
    flags.csv.open(path, flags.block_rows)?.dtype(flags.dtype()).dataset()
}

fn init(flags: &Flags) -> Result<Init> {
    if let Some(path) = &flags.init_centroids {
        return Ok(Init::Centroids(npy::read_array(path)?));
    }
    if flags.init != InitName::Parallel {
        flags.only_for_parallel()?;
    }
    let oversampling = match flags.oversampling_rows {
        Some(rows) => Oversampling::Rows(rows),
        None => Oversampling::PerCluster(flags.oversampling_factor.unwrap_or(2.0)),
    };
    Ok(match flags.init {
        InitName::Parallel => Init::parallel(oversampling, flags.init_max_iter.unwrap_or(5)),
        InitName::Plusplus => Init::PlusPlus,
        InitName::Random => Init::Random,
    })
}
