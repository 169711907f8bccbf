//! Times one fit over blobs that are generated anew in every pass: nothing is kept but the
//! state of rows. `benches/peers/peer_dask.py` does the same job with dask-ml.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use drystone::generate::Blobs;
use drystone::kernels::Isa;
use drystone::ndarray::{Array2, ArrayView2};
use drystone::{ChunkedDataset, Error, Init, KMeans, KMeansParams, Oversampling, Result};
use drystone::{Threads, npy};
use drystone_benches::program::{finish, timed};
use serde_json::{Value, json};

/// Time a fit over generated blocks.
#[derive(Parser)]
struct Args {
    /// Rows in all.
    #[arg(long, default_value_t = 4_000_000)]
    rows: u64,
    /// Rows of a block.
    #[arg(long, default_value_t = 200_000)]
    block_rows: u64,
    /// Columns.
    #[arg(long, default_value_t = 20)]
    features: usize,
    /// The centres of the blobs, a .npy file; drawn if there is none, as many as clusters.
    #[arg(long)]
    centers: Option<PathBuf>,
    /// Standard deviation around the centres.
    #[arg(long, default_value_t = 1.0)]
    cluster_std: f64,
    /// Clusters to find.
    #[arg(long, default_value_t = 50)]
    clusters: usize,
    /// Rows that a round of k-means|| draws, in expectation.
    #[arg(long, default_value_t = 100.0)]
    oversampling_rows: f64,
    /// Rounds of k-means||.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Lloyd's iterations at most.
    #[arg(long, default_value_t = 300)]
    max_iter: usize,
    /// Lloyd's tolerance, relative to the mean variance of the columns.
    #[arg(long, default_value_t = 1e-4)]
    tol: f64,
    /// Threads to run on.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Chooses the data and all draws.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Write the centroids here (.npy).
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    finish(run(&Args::parse()))
}

fn run(args: &Args) -> Result<()> {
    let threads = Threads::new(args.threads)?.memory_budget(0);
    let data = blobs(args, args.rows)?;
    let params = params(args).on(&threads);
    params.fit(&blobs(args, args.block_rows.min(args.rows))?)?; // warm-up: one block
    let (seconds, model) = timed(|| params.fit(&data))?;
    if let Some(path) = &args.out {
        let shape = (model.n_clusters(), model.n_features());
        let centroids = model.centroids().to_f64();
        npy::write(path, &ArrayView2::from_shape(shape, &centroids).map_err(Error::external)?)?;
    }
    println!("{}", to_json(args, &model, seconds));
    Ok(())
}

fn blobs(args: &Args, rows: u64) -> Result<ChunkedDataset> {
    let mut blobs = Blobs::new(rows, args.features);
    blobs = match &args.centers {
        Some(path) => {
            let centers = npy::read_array(path)?;
            let shape = (centers.n_samples(), centers.n_features());
            let centers = Array2::from_shape_vec(shape, centers.to_f64());
            blobs.center_points(centers.map_err(Error::external)?)
        }
        None => blobs.centers(args.clusters),
    };
    let blobs = blobs.cluster_std(args.cluster_std).seed(args.seed);
    blobs.block_rows(args.block_rows).try_dataset()
}

fn params(args: &Args) -> KMeansParams<'static> {
    let init = Init::parallel(Oversampling::Rows(args.oversampling_rows), args.rounds);
    let params = KMeans::params(args.clusters).init(init).seed(args.seed);
    params.max_iter(args.max_iter).tol(args.tol)
}

fn to_json(args: &Args, model: &KMeans, seconds: f64) -> Value {
    let history = model.history();
    json!({
        "library": "drystone",
        "version": env!("CARGO_PKG_VERSION"),
        "isa": Isa::best().name(),
        "rows": args.rows,
        "threads": args.threads,
        "seconds": [seconds],
        "n_iter": model.n_iter(),
        "converged": model.converged(),
        "passes": history.passes,
        "blocks_read": history.blocks_read,
        "inertia": model.inertia(),
    })
}
