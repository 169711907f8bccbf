//! Machine learning over datasets larger than memory.
//!
//! A dataset is made of *blocks* that are generated or read where and when they are
//! needed, and never glued into one array. Estimators go over the blocks on all cores,
//! and give **the same bits** whatever the block size, the number of threads, the
//! executor, the memory budget and the instruction set.
//!
//! # Cluster 100,000 rows that never exist all at once
//!
//! ```
//! use drystone::prelude::*;
//!
//! let data = generate::Blobs::new(100_000, 5).centers(4).seed(0).block_rows(20_000).dataset();
//! assert_eq!(data.to_string(), "ChunkedDataset (100000, 5) f64, 5 blocks of up to 20000 rows, 4.8 MB, targets i64");
//!
//! let model = KMeans::params(4)
//!     .init(Init::parallel(Oversampling::PerCluster(2.0), 5))
//!     .seed(0)
//!     .fit(&data)?;
//! assert!(model.converged());
//!
//! let first = model.predict(&data).slice(0..10).compute()?; // touches one block
//! assert_eq!(first.len(), 10);
//!
//! // The same model, to the last bit, from other blocks on one thread without a cache.
//! let one = Threads::new(1)?.memory_budget(0);
//! let again = KMeans::params(4).seed(0).on(&one).fit(&data.rechunk(7_001))?;
//! assert_eq!(again.sha256()?, model.sha256()?);
//! # Ok::<(), drystone::Error>(())
//! ```
//!
//! # Blocks of your own
//!
//! ```
//! use drystone::prelude::*;
//! use ndarray::Array2;
//!
//! // What Dask calls `from_delayed`: a function that makes block `i`, and the shape.
//! let layout = Layout::new(Dtype::F32, 2, 4_000, 1_000);
//! let data = ChunkedDataset::from_blocks(layout, |block_idx| {
//!     let center = (block_idx % 2) as f32 * 10.0;
//!     let value = |(row, column)| center + (row * (column + 3) % 7) as f32 * 0.1;
//!     Ok(Block::new(Array2::from_shape_fn((1_000, 2), value)))
//! });
//!
//! let plan = KMeans::params(2).explain(&data)?; // passes, bytes and memory, before any work
//! assert_eq!(plan.data_bytes, Some(32_000));
//!
//! let (model, labels) = KMeans::params(2).fit_predict(&data)?;
//! assert_eq!(model.cluster_counts(), [2_000, 2_000]);
//! assert_eq!(labels.compute()?.len(), 4_000);
//! assert_eq!(data.mean().compute()?.len(), 2);
//! # Ok::<(), drystone::Error>(())
//! ```
//!
//! # Split, scale, fit, score
//!
//! ```
//! use drystone::model_selection::train_test_split;
//! use drystone::prelude::*;
//! use drystone::preprocessing::StandardScaler;
//!
//! let data = generate::Blobs::new(10_000, 3).centers(3).seed(0).block_rows(1_000).dataset();
//! let (train, test) = train_test_split(&data, 0.2, 7)?; // by row: the same rows in any blocks
//! let scaler = StandardScaler::params().fit(&train)?;
//! let (train, test) = (scaler.transform(&train), scaler.transform(&test)); // lazily
//! let model = KMeans::params(3).fit(&train)?;
//! assert!(metrics::adjusted_rand(&test, &model.predict(&test))? > 0.9);
//! # Ok::<(), drystone::Error>(())
//! ```
//!
//! # Classify, with a proof of the optimum
//!
//! ```
//! use drystone::model_selection::train_test_split;
//! use drystone::prelude::*;
//! use drystone::svc::{Gamma, Kernel};
//! use ndarray::Array2;
//!
//! // Records and classes in memory; classes may be integers, numbers or names.
//! let records = Array2::from_shape_fn((400, 2), |(row, column)| {
//!     (row % 2) as f64 * 2.0 + (row * (column + 3) % 11) as f64 / 4.0
//! });
//! let names: Vec<&str> = (0..400).map(|row| ["ham", "spam"][row % 2]).collect();
//! let block = Block::new(records).with_targets(Targets::categories(&names));
//! let data = ChunkedDataset::from_resident(vec![block])?.rechunk(100);
//!
//! let (train, test) = train_test_split(&data, 0.25, 0)?;
//! let model = Svc::params().kernel(Kernel::Rbf).gamma(Gamma::Scale).c(10.0).fit(&train)?;
//! assert!(model.score(&test)? > 0.7);
//! assert!(model.certificates()[0].duality_gap() < Some(1e-2)); // what is left to gain at most
//! let labels = model.predict::<String>(&test)?.slice(0..3).compute()?; // lazily; say as what
//! assert_eq!(labels.len(), 3);
//! let areas = metrics::roc_auc(&test, &model.decision_function(&test))?;
//! assert!(areas > 0.7);
//! # Ok::<(), drystone::Error>(())
//! ```
//!
//! # Go on after a crash
//!
//! ```
//! use drystone::prelude::*;
//!
//! let data = generate::Blobs::new(4_000, 3).centers(3).seed(0).block_rows(1_000).dataset();
//! let file = std::env::temp_dir().join(format!("fit-{}.journal", std::process::id()));
//! let threads = Threads::new(2)?;
//!
//! // Each step is on disk before the next one begins.
//! let checkpointed = Checkpointed::open(&threads, &file)?;
//! let model = KMeans::params(3).on(&checkpointed).fit(&data)?;
//! drop(checkpointed); // or the process is killed, in the middle of a fit
//!
//! // The same program again: what is done is not done again, and the bits are the same.
//! let checkpointed = Checkpointed::open(&threads, &file)?;
//! let again = KMeans::params(3).on(&checkpointed).fit(&data)?;
//! assert_eq!(again.sha256()?, model.sha256()?);
//! assert_eq!(checkpointed.resumed_steps(), model.history().passes as u64);
//! # std::fs::remove_file(&file)?;
//! # Ok::<(), drystone::Error>(())
//! ```
//!
//! # Where to look
//!
//! [`ChunkedDataset`] says what can be done with blocks, [`generate`], [`csv`], [`libsvm`],
//! [`npy`] and [`memory`] where they come from, [`preprocessing`] and [`model_selection`] how
//! they are scaled and split, [`KMeansParams`], [`svc::SvcParams`], [`svc::LinearSvcParams`] and
//! [`Calibrated`] what can be fitted and which errors to expect,
//! [`metrics`] how well it went, [`wrappers`] what linfa's estimators can do, [`Executor`] where it runs. `ARCHITECTURE.md` in the repository has
//! the map and the invariants.
//!
//! The examples of single items name the crates that drystone is made of: what they call
//! `drystone_core::X`, `drystone_sources::x` or `drystone_estimators::X` is `drystone::X`.
//! [`ndarray`] and [`linfa`] are re-exported in the versions that fit.

pub use drystone_core::memory as sizes;
pub use {linfa, ndarray};

#[cfg(feature = "cluster")]
pub use drystone_cluster as cluster;
pub use drystone_core::{
    Block, BlockAt, BlockRows, BlockSource, CancelToken, Checkpointed, ChunkedArray,
    ChunkedDataset, DataRoot, Description, Dtype, Error, ErrorKind, Event, Executor, Explanation,
    Inline, Job, Label, Layout, Observer, Opener, Partial, Records, Registry, Result, Rows,
    Session, StatePolicy, StopReason, Subprocess, TargetKind, Targets, Threads, ToChunked, run,
};
pub use drystone_core::{
    array, block, collect, column, control, data_root, executor, explain, input, label, laws,
    observe, rule, wire,
};
pub use drystone_estimators::{
    BlockwiseVoting, Calibrated, Init, KMeans, KMeansParams, KMeansValidParams, LinearSvc,
    Oversampling, PostFit, Svc, kmeans, metrics, model_selection, preprocessing, svc, wrappers,
};
pub use drystone_kernels as kernels;
pub use drystone_sources::{csv, generate, libsvm, memory, npy};

/// What most programs need.
pub mod prelude {
    pub use crate::{
        Block, Calibrated, CancelToken, Checkpointed, ChunkedArray, ChunkedDataset, Dtype, Event,
        Executor, Init, KMeans, Layout, LinearSvc, Observer, Oversampling, Svc, Targets, Threads,
        ToChunked, csv, generate, libsvm, memory, metrics, model_selection, npy, preprocessing,
    };
}

/// All jobs and sources of drystone, for a process that runs them on behalf of another.
///
/// ```
/// let registry = drystone::registry();
/// assert!(registry.open_job("kmeans.scan/1", &[]).is_err()); // known, but these are no bytes of it
/// ```
#[must_use]
pub fn registry() -> Registry {
    let mut registry = Registry::new();
    drystone_sources::register(&mut registry);
    drystone_estimators::register(&mut registry);
    registry
}
