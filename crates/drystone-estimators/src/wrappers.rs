//! linfa's estimators over chunked datasets, as far as they go.
//!
//! An estimator that wants all rows in memory can be fitted to each block, and the models vote
//! ([`BlockwiseVoting`]); a model that was fitted in memory can judge any number of rows
//! ([`PostFit`]). Neither is the model of the whole dataset, and unlike drystone's own
//! estimators what comes out of voting depends on how the rows are cut into blocks.
//!
//! # References
//! dask-ml, `dask_ml.ensemble.BlockwiseVotingClassifier`, `BlockwiseVotingRegressor` and
//! `dask_ml.wrappers.ParallelPostFit`.

mod blockwise;
mod handed;
mod post_fit;
mod target;
mod vote;
mod voters;

pub use blockwise::{BlockwiseVoting, UnfitBlocks};
pub use post_fit::PostFit;
pub use target::BlockTarget;
pub use vote::Score;
pub use voters::Voters;
