//! The flags of the `kmeans` example.

use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};
use drystone::csv::{Delimiter, Header};
use drystone::{Dtype, Error, Result, sizes};

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
    /// Feature columns of a CSV file, by name or index from 0, as in 0-3,7,price [default: all]
    #[arg(long, requires = "input", help_heading = "Data from files")]
    pub columns: Option<String>,
    /// Column with labels to compare with; it is not clustered
    #[arg(long, requires = "input", help_heading = "Data from files")]
    pub target: Option<String>,
    /// Column with sample weights
    #[arg(long, requires = "input", help_heading = "Data from files")]
    pub weights: Option<String>,
    /// Whether a CSV file begins with names
    #[arg(long, value_enum, default_value_t = HeaderName::Auto, requires = "input", help_heading = "Data from files")]
    pub header: HeaderName,
    /// Character between fields, 'tab', 'space' for any white space, or 'auto'
    #[arg(long, default_value = "auto", requires = "input", help_heading = "Data from files")]
    pub delimiter: String,

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
    /// Memory for blocks kept between passes, as in 512MiB; 0: make them again in each pass [default: half of what is available]
    #[arg(long, value_name = "SIZE")]
    pub memory_budget: Option<String>,

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

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderName {
    Auto,
    Yes,
    No,
}

/// The format of a file.
pub enum InputKind {
    Csv,
    Npy,
}

impl From<HeaderName> for Header {
    fn from(name: HeaderName) -> Self {
        match name {
            HeaderName::Auto => Self::Auto,
            HeaderName::Yes => Self::Yes,
            HeaderName::No => Self::No,
        }
    }
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
        let results =
            [("--out", &self.out), ("--labels-out", &self.labels_out), ("--plot", &self.plot)];
        let mut taken: Vec<PathBuf> =
            [&self.input, &self.init_centroids].into_iter().filter_map(canonical).collect();
        for (flag, path) in results {
            let Some(path) = path else { continue };
            let place = place(flag, path)?;
            if taken.contains(&place) {
                let expected = "another file than the input and the other results";
                return Err(Error::parameter(flag, expected, path.display()));
            }
            taken.push(place);
        }
        Ok(())
    }

    pub fn threads(&self) -> Result<usize> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = self.threads.unwrap_or(cores);
        // Predictions run on rayon's own pool; Threads::new checks the number again.
        if (1..=1024).contains(&threads) {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
            pool.map_err(Error::external)?;
        }
        Ok(threads)
    }

    pub fn memory_budget(&self) -> Result<u64> {
        match &self.memory_budget {
            Some(size) => sizes::parse_bytes(size),
            None => Ok(sizes::default_budget()),
        }
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

    pub fn delimiter(&self) -> Result<Delimiter> {
        match self.delimiter.as_str() {
            "auto" => Ok(Delimiter::Auto),
            "space" | " " => Ok(Delimiter::WhiteSpace),
            "tab" | "\\t" => Ok(Delimiter::Byte(b'\t')),
            one if one.len() == 1 && one.is_ascii() => Ok(Delimiter::Byte(one.as_bytes()[0])),
            other => {
                let expected = "one ASCII character, 'tab', 'space' or 'auto'";
                Err(Error::parameter("--delimiter", expected, format!("{other:?}")))
            }
        }
    }

    /// By its ending; a directory holds .csv files, or else .npy files.
    pub fn input_kind(&self, path: &Path) -> Result<InputKind> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let holds_csv =
            || Ok(std::fs::read_dir(path)?.flatten().any(|entry| is_csv(&entry.path())));
        let npy = if path.is_dir() {
            !holds_csv()
                .map_err(|error| Error::io("cannot list the directory", error).in_file(path))?
        } else {
            ending.eq_ignore_ascii_case("npy")
        };
        Ok(if npy { InputKind::Npy } else { InputKind::Csv })
    }

    /// These flags say nothing about .npy files.
    pub fn only_for_csv(&self) -> Result<()> {
        let given = [
            ("--columns", &self.columns),
            ("--target", &self.target),
            ("--weights", &self.weights),
        ];
        for (flag, value) in given {
            if let Some(value) = value {
                return Err(Error::parameter(flag, "left out: it is for CSV files", value));
            }
        }
        if self.header != HeaderName::Auto || self.delimiter != "auto" {
            let expected = "left out: they are for CSV files";
            return Err(Error::parameter("--header and --delimiter", expected, "one of them"));
        }
        Ok(())
    }
}

fn canonical(path: &Option<PathBuf>) -> Option<PathBuf> {
    path.as_ref()?.canonicalize().ok()
}

/// Where a file is or will be, whatever the way that `path` takes to it.
fn place(flag: &str, path: &Path) -> Result<PathBuf> {
    let refused = || Error::parameter(flag, "a file in a directory that exists", path.display());
    if path.exists() && !path.is_file() {
        return Err(refused());
    }
    if let Ok(place) = path.canonicalize() {
        return Ok(place);
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new(".")).canonicalize().map_err(|_| refused())?;
    if !parent.is_dir() {
        return Err(refused());
    }
    Ok(parent.join(path.file_name().ok_or_else(refused)?))
}

fn is_csv(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"))
}
