//! The flags of the `svc` example.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use drystone::svc::{ClassWeight, Gamma, Kernel, SvcParams};
use drystone::{Error, Result, Svc};

use crate::common::checkpoint::CheckpointFlags;
use crate::common::executor::ClusterFlags;
use crate::common::files::{self, CsvFlags};

/// A support vector classifier over lazily generated blocks, or over LIBSVM, CSV and .npy files.
#[derive(Parser, Debug)]
#[command(
    name = "svc",
    allow_negative_numbers = true,
    mut_arg("target", |arg| arg
        .help("Column of a CSV file with the class of each row")
        .visible_alias("target-column"))
)]
pub struct Flags {
    /// Rows to generate
    #[arg(
        long,
        default_value_t = 10_000,
        conflicts_with = "input",
        help_heading = "Generated data"
    )]
    pub n: u64,
    /// Columns to generate
    #[arg(long, default_value_t = 4, conflicts_with = "input", help_heading = "Generated data")]
    pub d: usize,
    /// Columns that tell the classes apart; two more are mixtures of them, if there is room
    #[arg(long, default_value_t = 2, conflicts_with = "input", help_heading = "Generated data")]
    pub informative: usize,
    /// Classes to generate
    #[arg(long, default_value_t = 2, conflicts_with = "input", help_heading = "Generated data")]
    pub classes: usize,
    /// How far apart the classes are
    #[arg(long, default_value_t = 1.0, conflicts_with = "input", help_heading = "Generated data")]
    pub class_sep: f64,
    /// Rows of a block [default: 1000; of files: blocks of about 8 MiB]
    #[arg(long, help_heading = "Generated data")]
    pub block_rows: Option<u64>,

    /// Read rows from here: a file, or, of CSV and .npy files, a directory or a pattern as in 'part-[1-6].csv'
    #[arg(long, value_name = "PATH-OR-GLOB", help_heading = "Data from files")]
    pub input: Option<PathBuf>,
    /// Hold out the rows of these files, in place of some of --input
    #[arg(
        long,
        value_name = "PATH-OR-GLOB",
        requires = "input",
        conflicts_with = "test_size",
        help_heading = "Data from files"
    )]
    pub test: Option<PathBuf>,
    /// Format of the files [default: by the ending: .libsvm, .svm, .svmlight, .csv, .tsv, .data, .npy]
    #[arg(long, value_enum, requires = "input", help_heading = "Data from files")]
    pub format: Option<FormatName>,
    #[command(flatten)]
    pub csv: CsvFlags,
    /// The class of each row of a .npy file
    #[arg(long, value_name = "NPY", requires = "input", help_heading = "Data from files")]
    pub targets: Option<PathBuf>,
    /// The class of each row of --test, if that is a .npy file
    #[arg(long, value_name = "NPY", requires = "test", help_heading = "Data from files")]
    pub test_targets: Option<PathBuf>,
    /// Columns of a LIBSVM file [default: the largest index in --input]
    #[arg(long, requires = "input", help_heading = "Data from files")]
    pub n_features: Option<usize>,

    /// What takes the place of the dot product of two rows
    #[arg(long, value_enum, default_value_t = KernelName::Rbf)]
    pub kernel: KernelName,
    /// What a row on the wrong side costs
    #[arg(long, default_value_t = 1.0)]
    pub c: f64,
    /// The kernel's gamma: scale, auto or a number [default: scale]
    #[arg(long, value_parser = parse_gamma)]
    pub gamma: Option<Gamma>,
    /// The exponent of --kernel poly [default: 3]
    #[arg(long)]
    pub degree: Option<u32>,
    /// What --kernel poly and sigmoid add to the product of two rows [default: 0]
    #[arg(long)]
    pub coef0: Option<f64>,
    /// Stop when no two rows violate the conditions of the optimum by more
    #[arg(long, default_value_t = 1e-3)]
    pub tol: f64,
    /// How much the classes count: balanced counts the rows of a rare one more [default: all rows the same]
    #[arg(long, value_enum)]
    pub class_weight: Option<ClassWeightName>,
    /// Steps of the solver for each two classes, at most [default: as many as it takes]
    #[arg(long)]
    pub max_iter: Option<usize>,
    /// Fit probabilities too, on how five more fits judge rows that they did not see; classes are predicted as without
    #[arg(long)]
    pub calibrate: bool,
    /// Seconds for a fit, after which the best so far is what there is [default: as many as it takes]
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub max_time: Option<Duration>,
    /// The share of rows that is held out
    #[arg(long, value_name = "FRACTION", default_value_t = 0.2)]
    pub test_size: f64,
    /// Chooses the data, which rows are held out, and the folds of --calibrate; nothing random happens in a fit
    #[arg(long, default_value_t = 0)]
    pub seed: u64,

    /// Threads [default: one a core]
    #[arg(long)]
    pub threads: Option<usize>,
    #[command(flatten)]
    pub cluster: ClusterFlags,
    /// Memory kept between passes, as in 512MiB: half for blocks, half for rows as the kernel wants them; 0: make them again in each pass; workers have their own [default: half of what is available]
    #[arg(long, value_name = "SIZE", conflicts_with = "cluster")]
    pub memory_budget: Option<String>,
    #[command(flatten)]
    pub checkpoint: CheckpointFlags,

    /// Write the model here (safetensors); with --calibrate, one whose own predictions are the most probable classes
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    pub out: Option<PathBuf>,
    /// Write the predicted class of each held-out row here (.npy); of classes that are names, their positions in ascending order
    #[arg(long, value_name = "NPY", help_heading = "Results")]
    pub predictions_out: Option<PathBuf>,
    /// Write the decision function of each held-out row here (.npy): one column for two classes, else one a class
    #[arg(long, value_name = "NPY", help_heading = "Results")]
    pub decision_out: Option<PathBuf>,
    /// Write the probability of each class for each held-out row here (.npy)
    #[arg(long, value_name = "NPY", requires = "calibrate", help_heading = "Results")]
    pub probabilities_out: Option<PathBuf>,
    /// Draw the regions of the classes in two columns here [default: target/svc.svg, but nothing with --json]
    #[arg(long, value_name = "SVG", help_heading = "Results")]
    pub plot: Option<PathBuf>,
    /// Print what a fit would cost, and do nothing
    #[arg(long, conflicts_with_all = ["json", "calibrate"], help_heading = "Results")]
    pub explain: bool,
    /// Print one JSON object
    #[arg(long, help_heading = "Results")]
    pub json: bool,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatName {
    Libsvm,
    Csv,
    Npy,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelName {
    Linear,
    Rbf,
    Poly,
    Sigmoid,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassWeightName {
    Balanced,
}

fn parse_gamma(text: &str) -> std::result::Result<Gamma, String> {
    match text {
        "scale" => Ok(Gamma::Scale),
        "auto" => Ok(Gamma::Auto),
        number => {
            let number = number.parse().map_err(|_| "expected scale, auto or a number")?;
            Ok(Gamma::Value(number))
        }
    }
}

fn parse_seconds(text: &str) -> std::result::Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// The flag that sets a parameter of the library, if the name alone does not tell.
pub fn flag_of(parameter: &str) -> Option<&'static str> {
    let known = [
        ("n_samples", "--n"),
        ("n_features", "--d or --n-features"),
        ("n_informative", "--informative"),
        ("n_classes", "--classes"),
        ("size", "--memory-budget"),
        ("path", "--input or --test"),
    ];
    known.iter().find(|(name, _)| *name == parameter).map(|(_, flag)| *flag)
}

impl Flags {
    /// Finds out before anything is read which flags have no use here, and which results
    /// could not be written, or would replace what is read or one another.
    pub fn check(&self) -> Result<()> {
        self.only_for_kernel()?;
        let results = [
            ("--checkpoint", &self.checkpoint.checkpoint),
            ("--out", &self.out),
            ("--predictions-out", &self.predictions_out),
            ("--decision-out", &self.decision_out),
            ("--probabilities-out", &self.probabilities_out),
            ("--plot", &self.plot),
        ];
        let inputs = [&self.input, &self.test, &self.targets, &self.test_targets];
        files::check_results(&inputs, &results)
    }

    /// What the kernel has no use for must not be given.
    fn only_for_kernel(&self) -> Result<()> {
        let (poly, linear) = (self.kernel == KernelName::Poly, self.kernel == KernelName::Linear);
        let adds = poly || self.kernel == KernelName::Sigmoid;
        let given = [
            (
                "--gamma",
                self.gamma.map(|gamma| gamma.to_string()),
                !linear,
                "rbf, poly and sigmoid",
            ),
            ("--degree", self.degree.map(|degree| degree.to_string()), poly, "poly"),
            ("--coef0", self.coef0.map(|coef0| coef0.to_string()), adds, "poly and sigmoid"),
        ];
        for (flag, value, has_effect, kernels) in given {
            if let Some(value) = value
                && !has_effect
            {
                let expected = format!("left out: it is for --kernel {kernels}");
                return Err(Error::parameter(flag, expected, value));
            }
        }
        Ok(())
    }

    /// What to fit, but not where.
    pub fn params<'a>(&self) -> SvcParams<'a> {
        let params = Svc::params()
            .kernel(self.kernel())
            .c(self.c)
            .gamma(self.gamma())
            .tol(self.tol)
            .class_weight(match self.class_weight {
                Some(ClassWeightName::Balanced) => ClassWeight::Balanced,
                None => ClassWeight::Uniform,
            })
            .seed(self.seed);
        let params = match self.max_time {
            Some(max_time) => params.max_time(max_time),
            None => params,
        };
        match self.max_iter {
            Some(max_iter) => params.max_iter(max_iter),
            None => params,
        }
    }

    pub fn gamma(&self) -> Gamma {
        self.gamma.unwrap_or_default()
    }

    fn kernel(&self) -> Kernel {
        let coef0 = self.coef0.unwrap_or(0.0);
        match self.kernel {
            KernelName::Linear => Kernel::Linear,
            KernelName::Rbf => Kernel::Rbf,
            KernelName::Poly => Kernel::Poly { degree: self.degree.unwrap_or(3), coef0 },
            KernelName::Sigmoid => Kernel::Sigmoid { coef0 },
        }
    }
}
