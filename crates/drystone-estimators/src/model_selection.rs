//! Splitting datasets into parts to fit on and parts to test on, by row.
//!
//! Where a row goes is a pure function of the seed, its position in the dataset, its class
//! if the split is stratified, and how many rows there are: however the dataset is cut, the
//! same rows are in the same part, in their order. Parts are lazy, and can be made in another
//! process if the dataset can. Nothing is fitted or scored here.
//!
//! Rows are shuffled by a random key each. Each part takes the rows between two keys, which
//! are found exactly: by counting keys in bins, and then sorting the few of the bins that the
//! borders are in. So sizes are exact, and no list of rows is kept.
//!
//! # References
//! scikit-learn, `sklearn.model_selection`: `train_test_split`, `KFold`, `StratifiedKFold`.
//! Sizes are theirs; which rows are drawn is not.

mod allot;
mod borders;
mod classes;
mod k_fold;
#[cfg(test)]
mod laws;
mod parts;
mod strata;
mod stratified_k_fold;
mod test_size;
mod train_test;

pub use k_fold::KFold;
pub use stratified_k_fold::StratifiedKFold;
pub use test_size::TestSize;
pub use train_test::{
    stratified_train_test_split, stratified_train_test_split_on, train_test_split,
};

use drystone_core::{ChunkedDataset, Registry};

/// The rows to fit on, then those to test on.
pub type Split = (ChunkedDataset, ChunkedDataset);

pub(crate) fn register(registry: &mut Registry) {
    registry.job::<classes::Classes>();
}
