//! Scalable KMeans over blocks that are generated lazily, or over CSV and `.npy` files.
//!
//! `cargo run --release --example kmeans` clusters 10 million rows; `-- --blocks 500
//! --memory-budget 0` the 100 million (16 GB) of the Dask tutorial; `-- --help` says what
//! else there is.

mod common;

use std::process::ExitCode;

use clap::Parser;
use drystone::prelude::*;
use drystone::{Executor, Result, csv::Csv};

use common::flags::{Flags, InitName, InputKind};
use common::progress::Progress;
use common::report::Outcome;

fn main() -> ExitCode {
    let flags = Flags::parse();
    match run(&flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", common::in_flags(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(flags: &Flags) -> Result<()> {
    flags.check_results()?;
    let threads = Threads::new(flags.threads()?)?.memory_budget(flags.memory_budget()?);
    let data = dataset(flags)?;
    let n_clusters = flags.n_clusters();
    let progress = Progress::new(flags.json);
    let params = KMeans::params(n_clusters)
        .init(init(flags)?)
        .n_init(flags.n_init)
        .max_iter(flags.max_iter)
        .tol(flags.tol)
        .seed(flags.seed)
        .on(&threads)
        .observe(&progress);
    if flags.explain {
        return common::print(params.explain(&data)?);
    }
    common::announce(flags, &data)?;

    let model = params.fit(&data);

    let seconds = progress.finish();
    let model = model?;
    // A fit may have taken hours: a result that cannot be written takes no other along.
    let saved = flags.out.as_ref().map_or(Ok(()), |path| model.save(path));
    let outcome = Outcome::new(&model, &data, threads.describe().threads, seconds)?;
    if flags.json { common::print(outcome.json()) } else { common::print(outcome) }?;
    saved?;
    if let Some(path) = &flags.labels_out {
        common::write_labels(&model.predict(&data), path)?;
    }
    common::plot::draw(flags, &data, &model)
}

/// The deck's blobs, or files.
fn dataset(flags: &Flags) -> Result<ChunkedDataset> {
    let Some(path) = &flags.input else { return common::blobs::around_class_means(flags) };
    match flags.input_kind(path)? {
        InputKind::Npy => common::check_dtype(npy_dataset(flags, path)?, flags),
        InputKind::Csv => csv_dataset(flags, csv::open(path)),
    }
}

fn npy_dataset(flags: &Flags, path: &std::path::Path) -> Result<ChunkedDataset> {
    flags.only_for_csv()?;
    let npy = npy::open(path);
    match flags.block_rows {
        Some(rows) => npy.block_rows(rows as usize).dataset(),
        None => npy.dataset(),
    }
}

fn csv_dataset(flags: &Flags, mut csv: Csv) -> Result<ChunkedDataset> {
    csv = csv.header(flags.header.into()).delimiter(flags.delimiter()?);
    csv = csv.dtype(flags.dtype());
    if let Some(rows) = flags.block_rows {
        csv = csv.block_rows(rows as usize);
    }
    if let Some(columns) = &flags.columns {
        csv = csv.columns(csv::Column::parse_list(columns)?);
    }
    if let Some(target) = &flags.target {
        csv = csv.target(csv::Column::parse(target)?);
    }
    if let Some(weights) = &flags.weights {
        csv = csv.weights(csv::Column::parse(weights)?);
    }
    csv.dataset()
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
