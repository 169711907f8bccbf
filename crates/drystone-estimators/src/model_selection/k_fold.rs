//! Parts that are tested on in turn.

use drystone_core::rule::Order;
use drystone_core::{ChunkedDataset, Error, Result, ToChunked};

use super::Split;
use super::allot::evenly;
use super::parts::Parts;
use super::strata::Strata;

/// Splits a dataset into `n_splits` folds; each is tested on once, while the others are fitted
/// on.
///
/// Folds differ by one row at most, larger ones first. Without [`shuffle`](Self::shuffle) they
/// are runs of rows; with it each row is in a fold at random, which depends on the seed and the
/// number of rows, not on blocks. Either way a part keeps its rows in their order.
///
/// ```
/// use drystone_core::laws::small_dataset;
/// use drystone_estimators::model_selection::KFold;
/// let data = small_dataset(10, 4);
/// let sizes = |(train, test): &(_, _)| {
///     let n = |part: &drystone_core::ChunkedDataset| part.n_samples().unwrap_or(0);
///     (n(train), n(test))
/// };
/// let folds = KFold::new(4).shuffle(3).split(&data)?;
/// assert_eq!(folds.iter().map(sizes).collect::<Vec<_>>(), [(7, 3), (7, 3), (8, 2), (8, 2)]);
/// let (train, test) = &KFold::new(5).split(&data)?[1];
/// assert_eq!(test.compute()?, data.slice(2..4).compute()?);
/// assert_eq!(train.n_samples(), Some(8));
/// # Ok::<(), drystone_core::Error>(())
/// ```
///
/// # References
/// scikit-learn, `sklearn.model_selection.KFold`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it does nothing until split() is called"]
pub struct KFold {
    n_splits: u64,
    shuffle: Option<u64>,
}

impl KFold {
    /// So many folds: at least 2, and no more than rows. Rows are not shuffled.
    pub fn new(n_splits: u64) -> Self {
        Self { n_splits, shuffle: None }
    }

    /// Shuffles rows before they are cut into folds.
    #[doc(alias = "random_state")]
    pub fn shuffle(mut self, seed: u64) -> Self {
        self.shuffle = Some(seed);
        self
    }

    /// `(train, test)` for each fold, lazily.
    ///
    /// # Errors
    /// [`Parameter`](drystone_core::ErrorKind::Parameter) for less than 2 folds or more than
    /// rows; the source's, if rows have to be counted.
    ///
    /// # Performance
    /// Nothing is read, but to count rows if their number is unknown: one pass then. Shuffled,
    /// each row's key is computed three times now and once in each pass over a part; 16 bytes
    /// a block and fold are kept.
    pub fn split(&self, data: &impl ToChunked) -> Result<Vec<Split>> {
        let data = data.to_chunked()?.scan()?;
        let n_samples = data.n_samples().unwrap_or(0);
        check_n_splits(self.n_splits, n_samples)?;
        let sizes = evenly(n_samples, self.n_splits);
        let Some(seed) = self.shuffle else {
            return runs(&data, &sizes);
        };
        let parts = Parts::new(&data, Strata::one(&data), Order::Shuffled { seed }, &[sizes]);
        Ok(splits(&parts, self.n_splits))
    }
}

pub(super) fn check_n_splits(n_splits: u64, most: u64) -> Result<()> {
    if n_splits >= 2 && n_splits <= most {
        return Ok(());
    }
    let expected = format!("at least 2 and at most the number of rows, {most}");
    Err(Error::parameter("n_splits", expected, n_splits))
}

pub(super) fn splits(parts: &Parts<'_>, n_splits: u64) -> Vec<Split> {
    (0..n_splits as usize).map(|fold| (parts.others(fold), parts.part(fold))).collect()
}

/// Folds of rows that follow each other.
fn runs(data: &ChunkedDataset, sizes: &[u64]) -> Result<Vec<Split>> {
    let n_samples = sizes.iter().sum();
    let mut first = 0;
    let split = |size: &u64| {
        let test = first..first + size;
        first = test.end;
        let rest = [0..test.start, test.end..n_samples];
        let rest = rest.into_iter().filter(|rows| !rows.is_empty());
        let rest: Vec<ChunkedDataset> = rest.map(|rows| data.slice(rows)).collect();
        Ok((ChunkedDataset::concat(&rest)?, data.slice(test)))
    };
    sizes.iter().map(split).collect()
}
