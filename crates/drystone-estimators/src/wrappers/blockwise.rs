//! An estimator for each block.

use std::error::Error as StdError;

use drystone_core::block::RecordElement;
use drystone_core::{Block, Error, ErrorKind, Result, ToChunked, catch_panic};
use linfa::DatasetBase;
use linfa::traits::Fit;
use ndarray::{Array1, Array2};

use super::handed::records;
use super::target::BlockTarget;
use super::voters::Voters;

/// What to do with blocks that cannot be fitted: those without rows, and for classes those
/// with rows of one class only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnfitBlocks {
    /// An error that names the block.
    #[default]
    Error,
    /// No model of them; [`Voters::skipped`] tells which.
    Skip,
}

/// Fits a linfa estimator to each block on its own; the models vote.
///
/// **This is not the estimator fitted to the whole dataset.** Each model knows the rows of one
/// block, and others come out when the rows are cut otherwise: it depends on the blocks as
/// nothing else in drystone does. Blocks whose rows are not alike, as in data sorted by class
/// or time, make poor voters: shuffle before. Where all rows are to count at once, use an
/// estimator of drystone's own, such as [`Svc`](crate::Svc).
///
/// ```
/// use drystone_core::{Block, ChunkedDataset, Targets};
/// use drystone_estimators::wrappers::BlockwiseVoting;
/// use linfa_svm::Svm;
/// use ndarray::array;
///
/// let block = |shift: f64| {
///     let records = array![[0.0], [1.0 + shift], [3.0 - shift], [4.0]];
///     Block::new(records).with_targets(Targets::I64(vec![-1, -1, 1, 1].into()))
/// };
/// let data = ChunkedDataset::from_resident(vec![block(0.0), block(0.1), block(0.2)])?;
/// let svm = Svm::<f64, bool>::params().linear_kernel().pos_neg_weights(1.0, 1.0);
/// let voters = BlockwiseVoting::new(svm).fit::<f64, bool, _>(&data)?;
/// assert_eq!(voters.models().len(), 3);
/// let classes = voters.predict::<bool>(&array![[0.5], [3.5]])?;
/// assert_eq!(classes.compute()?, array![false, true]);
/// # Ok::<(), drystone_core::Error>(())
/// ```
///
/// # References
/// dask-ml, `BlockwiseVotingClassifier` and `BlockwiseVotingRegressor`. Theirs asks for the
/// classes, and for the kind of vote when it is made; here the call that predicts says it.
#[doc(alias = "BlockwiseVotingClassifier")]
#[doc(alias = "BlockwiseVotingRegressor")]
#[derive(Clone, Debug)]
#[must_use = "it does nothing until fit() is called"]
pub struct BlockwiseVoting<E> {
    estimator: E,
    unfit: UnfitBlocks,
}

impl<E> BlockwiseVoting<E> {
    /// With this estimator, checked or not.
    pub fn new(estimator: E) -> Self {
        Self { estimator, unfit: UnfitBlocks::default() }
    }

    /// What to do with blocks that cannot be fitted; by default they are an error.
    pub fn unfit_blocks(mut self, unfit: UnfitBlocks) -> Self {
        self.unfit = unfit;
        self
    }

    /// Fits the estimator to each block, on all cores: `F` is the element type of the records,
    /// `Y` that of the targets (`bool`, `usize` or `String` for classes, `f64` or `f32` for
    /// numbers), `X` the estimator's error, which is inferred.
    ///
    /// Weights are handed over as linfa has them, in single precision; many of linfa's
    /// estimators do not look at them, its SVM among them.
    ///
    /// # Errors
    /// All with the block; when several fail, that of any.
    /// - [`Empty`](ErrorKind::Empty): a block has no rows, unless such are skipped; no block is
    ///   left.
    /// - [`Format`](ErrorKind::Format): no targets; a target that is no `Y`; rows of one class
    ///   only, unless such blocks are skipped.
    /// - [`Dtype`](ErrorKind::Dtype), [`NotFinite`](ErrorKind::NotFinite): records that are not
    ///   `F`, or not finite.
    /// - [`External`](ErrorKind::External): the estimator failed, which is the cause, or
    ///   panicked.
    /// - the source's.
    ///
    /// # Performance
    /// One pass; each block is copied once, as linfa's estimators take arrays that they own.
    pub fn fit<F, Y, X>(&self, data: &impl ToChunked) -> Result<Voters<E::Object, F>>
    where
        F: RecordElement,
        Y: BlockTarget,
        X: StdError + From<linfa::Error> + Send + Sync + 'static,
        E: Fit<Array2<F>, Array1<Y>, X> + Sync,
        E::Object: Send,
    {
        let data = data.to_chunked()?;
        let fitted = data.collect_blocks(|block| {
            let dataset = match linfa_dataset::<F, Y>(block) {
                Err(Unfit::Block(_)) if self.unfit == UnfitBlocks::Skip => return Ok(None),
                Err(Unfit::Block(error) | Unfit::Data(error)) => return Err(error),
                Ok(dataset) => dataset,
            };
            let fit = || self.estimator.fit(&dataset).map_err(Error::external);
            catch_panic(fit).map(Some)
        })?;
        if fitted.iter().all(Option::is_none) {
            return Err(empty("there is no block that a model can be fitted to"));
        }
        Ok(Voters::new(fitted, data.n_features()))
    }
}

fn empty(what: &str) -> Error {
    ErrorKind::Empty { what: what.to_owned() }.into()
}

/// Why a block is not fitted.
enum Unfit {
    /// There is too little in it.
    Block(Error),
    /// Something is wrong with its rows.
    Data(Error),
}

/// A block as linfa has it.
fn linfa_dataset<F: RecordElement, Y: BlockTarget>(
    block: &Block,
) -> Result<DatasetBase<Array2<F>, Array1<Y>>, Unfit> {
    let expected = "targets to fit an estimator to";
    let targets = block.targets.as_ref().ok_or_else(|| Error::format(expected, "no targets"));
    let targets = targets.and_then(Y::values).map_err(Unfit::Data)?;
    let records = records::<F>(block).map_err(Unfit::Data)?.to_owned();
    check_fit(&targets).map_err(Unfit::Block)?;
    let dataset = DatasetBase::new(records, targets);
    Ok(match block.weights.as_deref() {
        Some(weights) => dataset.with_weights(weights.iter().map(|&w| w as f32).collect()),
        None => dataset,
    })
}

/// Whether there are rows, and of two classes if they are classes.
fn check_fit<Y: BlockTarget>(targets: &Array1<Y>) -> Result<()> {
    let Some(first) = targets.first() else {
        return Err(empty("no model can be fitted to a block without rows"));
    };
    if !Y::IS_CLASS || targets.iter().any(|target| target != first) {
        return Ok(());
    }
    let expected = "rows of at least two classes in each block (shuffle them, or skip such blocks)";
    Err(Error::format(expected, format!("class {first:?} only")))
}
