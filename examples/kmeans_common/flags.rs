//! The flags of the `kmeans` example.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use drystone::{ChunkedDataset, Dtype, Error, Result};

use crate::common::checkpoint::CheckpointFlags;
use crate::common::executor::ClusterFlags;
use crate::common::files::{self, CsvFlags};

/// Scalable KMeans over lazily generated blocks, or over CSV and .npy files.
#[derive(Parser, Debug)]
#[command(name = "kmeans", allow_negative_numbers = true)]
pub struct Flags {
    /// Blocks to generate
    #[arg(long, default_value_t = 50, conflicts_with = "input", help_heading = "Generated data")]
    pub blocks: u64,
    /// Rows of a block [default: 200000; of files: blocks of about 8 MiB]
    #[arg(long, help_heading = "Generated data")]
    pub block_rows: Option<u64>,
    /// Columns to generate
    #[arg(long, default_value_t = 20, conflicts_with = "input", help_heading = "Generated data")]
    pub features: usize,
    /// Centres to generate rows around, and as many clusters to find
    #[arg(long, default_value_t = 50, help_heading = "Generated data")]
    pub centers: usize,
    /// Standard deviation around the centres
    #[arg(long, default_value_t = 1.0, conflicts_with = "input", help_heading = "Generated data")]
    pub cluster_std: f64,
    /// Element type [default: f64, or a .npy file's own]
    #[arg(long, value_enum)]
    pub dtype: Option<DtypeName>,

    /// Read rows from here: a CSV or .npy file, a directory of such, or a pattern as in 'part-[1-6].csv'
    #[arg(long, value_name = "PATH-OR-GLOB", help_heading = "Data from files")]
    pub input: Option<PathBuf>,
    #[command(flatten)]
    pub csv: CsvFlags,

    /// Clusters to find [default: as many as --centers]
    #[arg(long)]
    pub clusters: Option<usize>,
    /// How the first centroids are found
    #[arg(long, value_enum, default_value_t = InitName::Parallel)]
    pub init: InitName,
    /// Rounds of k-means|| [default: 5]
    #[arg(long)]
    pub init_max_iter: Option<usize>,
    /// Rows that a round of k-means|| draws, for each cluster [default: 2]
    #[arg(long, conflicts_with = "oversampling_rows")]
    pub oversampling_factor: Option<f64>,
    /// Rows that a round of k-means|| draws, in all (dask-ml's oversampling_factor)
    #[arg(long, value_name = "ROWS")]
    pub oversampling_rows: Option<f64>,
    /// Start from the centroids in this .npy file
    #[arg(long, value_name = "NPY", conflicts_with_all = ["init", "init_max_iter", "oversampling_factor", "oversampling_rows"])]
    pub init_centroids: Option<PathBuf>,
    /// Lloyd's iterations at most
    #[arg(long, default_value_t = 300)]
    pub max_iter: usize,
    /// Stop when centroids move less, relative to the variance of the columns
    #[arg(long, default_value_t = 1e-4, allow_hyphen_values = true)]
    pub tol: f64,
    /// Restarts, which share each pass; the best is kept
    #[arg(long, default_value_t = 1)]
    pub n_init: usize,
    /// Chooses the data and all random draws
    #[arg(long, default_value_t = 0)]
    pub seed: u64,

    /// Threads [default: one a core]
    #[arg(long)]
    pub threads: Option<usize>,
    #[command(flatten)]
    pub cluster: ClusterFlags,
    /// Memory for blocks kept between passes, as in 512MiB; 0: make them again in each pass; workers have their own [default: half of what is available]
    #[arg(long, value_name = "SIZE", conflicts_with = "cluster")]
    pub memory_budget: Option<String>,
    #[command(flatten)]
    pub checkpoint: CheckpointFlags,

    /// Write the model here (safetensors)
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    pub out: Option<PathBuf>,
    /// Write the label of each row here (.npy)
    #[arg(long, value_name = "NPY", help_heading = "Results")]
    pub labels_out: Option<PathBuf>,
    /// Draw a sample of rows and the centroids here [default: target/kmeans.svg, but nothing with --json]
    #[arg(long, value_name = "SVG", help_heading = "Results")]
    pub plot: Option<PathBuf>,
    /// Say what the fit would cost, and stop
    #[arg(long, help_heading = "Results")]
    pub explain: bool,
    /// Print one JSON object
    #[arg(long, help_heading = "Results")]
    pub json: bool,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum DtypeName {
    F32,
    F64,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitName {
    Parallel,
    Plusplus,
    Random,
}

/// The flag that sets a parameter of the library, if the name alone does not tell.
pub fn flag_of(parameter: &str) -> Option<&'static str> {
    let known = [
        ("n_clusters", "--clusters"),
        ("rounds", "--init-max-iter"),
        ("oversampling", "--oversampling-factor or --oversampling-rows"),
        ("init", "--init-centroids"),
        ("size", "--memory-budget"),
        ("n_features", "--features"),
        ("path", "--input"),
    ];
    known.iter().find(|(name, _)| *name == parameter).map(|(_, flag)| *flag)
}

impl Flags {
    /// Finds out before the fit that its results could not be written, or would replace
    /// what it reads or one another.
    pub fn check_results(&self) -> Result<()> {
        let results = [
            ("--checkpoint", &self.checkpoint.checkpoint),
            ("--out", &self.out),
            ("--labels-out", &self.labels_out),
            ("--plot", &self.plot),
        ];
        files::check_results(&[&self.input, &self.init_centroids], &results)
    }

    /// Rows of a generated block.
    pub fn generated_rows(&self) -> u64 {
        self.block_rows.unwrap_or(200_000)
    }

    /// What only k-means|| has a use for must not be given with another way of seeding.
    pub fn only_for_parallel(&self) -> Result<()> {
        let rounds = self.init_max_iter.map(|rounds| rounds as f64);
        let given = [
            ("--init-max-iter", rounds),
            ("--oversampling-factor", self.oversampling_factor),
            ("--oversampling-rows", self.oversampling_rows),
        ];
        match given.into_iter().find_map(|(flag, value)| Some((flag, value?))) {
            Some((flag, value)) => {
                Err(Error::parameter(flag, "left out: it is for --init parallel", value))
            }
            None => Ok(()),
        }
    }

    pub fn n_clusters(&self) -> usize {
        self.clusters.unwrap_or(self.centers)
    }

    pub fn dtype(&self) -> Dtype {
        match self.dtype {
            Some(DtypeName::F32) => Dtype::F32,
            Some(DtypeName::F64) | None => Dtype::F64,
        }
    }

    /// Files have a type of their own; another one that was asked for is an error.
    pub fn check_dtype(&self, data: ChunkedDataset) -> Result<ChunkedDataset> {
        if self.dtype.is_none() || self.dtype() == data.dtype() {
            return Ok(data);
        }
        let expected = format!("{}, the type of the file", data.dtype());
        Err(Error::parameter("--dtype", expected, self.dtype()))
    }
}
