//! Folds with each class in proportion.

use drystone_core::observe::Silent;
use drystone_core::rule::Order;
use drystone_core::{Control, Error, Executor, Result, Session, Threads, ToChunked};

use super::Split;
use super::allot::dealt;
use super::k_fold::{check_n_splits, splits};
use super::parts::Parts;
use super::strata::Strata;

/// As [`KFold`](super::KFold), with each class of the targets in proportion in each fold.
///
/// Folds differ by one row at most, and so do their rows of each class. Without
/// [`shuffle`](Self::shuffle) the first rows of a class are in the first fold, and so on; the
/// folds are those of scikit-learn. With it rows are in a fold at random, which depends on the
/// seed, the classes and the number of rows, not on blocks. Either way a part keeps its rows in
/// their order. A class of fewer rows than folds is missing from some folds.
///
/// Classes are those of [`Label`](drystone_core::Label): integers, names or real numbers by
/// their value.
///
/// # References
/// scikit-learn, `sklearn.model_selection.StratifiedKFold`.
#[derive(Clone)]
#[must_use = "it does nothing until split() is called"]
pub struct StratifiedKFold<'a> {
    n_splits: u64,
    shuffle: Option<u64>,
    executor: Option<&'a dyn Executor>,
}

impl<'a> StratifiedKFold<'a> {
    /// So many folds: at least 2, and no more than the rows of the largest class. Rows are not
    /// shuffled.
    pub fn new(n_splits: u64) -> Self {
        Self { n_splits, shuffle: None, executor: None }
    }

    /// Shuffles the rows of each class before they are dealt out to folds.
    #[doc(alias = "random_state")]
    pub fn shuffle(mut self, seed: u64) -> Self {
        self.shuffle = Some(seed);
        self
    }

    /// Where to read the targets; by default on all cores of this machine.
    pub fn on(mut self, executor: &'a dyn Executor) -> Self {
        self.executor = Some(executor);
        self
    }

    /// `(train, test)` for each fold, lazily.
    ///
    /// ```
    /// use drystone_core::{Block, ChunkedDataset, Targets};
    /// use drystone_estimators::model_selection::StratifiedKFold;
    /// use ndarray::array;
    /// let names = Targets::categories(&["a", "b", "a", "b", "a", "a"]);
    /// let records = array![[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]];
    /// let data = ChunkedDataset::from_resident(vec![Block::new(records).with_targets(names)])?;
    /// let (_, test) = &StratifiedKFold::new(2).split(&data)?[0];
    /// assert_eq!(test.compute()?.records.view::<f64>()?, array![[0.0], [1.0], [2.0]]);
    /// # Ok::<(), drystone_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`Parameter`](drystone_core::ErrorKind::Parameter): less than 2 folds, or more than the
    ///   largest class has rows.
    /// - [`Format`](drystone_core::ErrorKind::Format): there are no targets.
    /// - [`NotFinite`](drystone_core::ErrorKind::NotFinite): a target that is no class, with
    ///   block and row.
    /// - [`Limit`](drystone_core::ErrorKind::Limit): over 65,536 classes.
    /// - the source's and the executor's.
    ///
    /// # Performance
    /// One pass over the data for the targets, another before it if row counts are unknown; a
    /// byte a row in memory until the split is made, four if slices have over 256 classes.
    pub fn split(&self, data: &impl ToChunked) -> Result<Vec<Split>> {
        let (shared, control) = (Threads::shared(), Control::default());
        let session = Session::new(self.executor.unwrap_or(&*shared), &Silent, &control);
        let data = session.with_known_rows(&data.to_chunked()?)?;
        check_n_splits(self.n_splits, data.n_samples().unwrap_or(0))?;
        let strata = Strata::by_class(&session, &data)?;
        self.check_largest(&strata)?;
        let order = self.shuffle.map_or(Order::Rows, |seed| Order::Shuffled { seed });
        let sizes = dealt(&strata.classes, self.n_splits);
        let parts = Parts::new(&data, strata, order, &sizes);
        Ok(splits(&parts, self.n_splits))
    }

    fn check_largest(&self, strata: &Strata) -> Result<()> {
        let largest = strata.classes.iter().map(|class| class.n_samples).max().unwrap_or(0);
        if self.n_splits <= largest {
            return Ok(());
        }
        let expected = format!("at most the number of rows of the largest class, {largest}");
        Err(Error::parameter("n_splits", expected, self.n_splits))
    }
}
