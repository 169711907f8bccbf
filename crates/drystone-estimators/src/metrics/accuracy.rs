//! The share of rows that are predicted rightly.

use drystone_core::{ChunkedDataset, Result};
use drystone_kernels::ExactSum;

use super::compared::{Compared, no_rows};
use super::predicted::Predicted;

/// The weight of the rows whose predicted class is their target, over that of all rows: a
/// number from 0 to 1. The dataset's weights count; 1 for rows without.
///
/// Classes are compared by value, as [`Label`](drystone_core::Label) says: the target 1 and
/// the prediction 1.0 are equal, and so are equal names in different dictionaries.
///
/// One pass over the data, on all cores. Both sums are exact before they are rounded.
///
/// ```
/// use drystone_core::{Block, ChunkedArray, ChunkedDataset, Targets};
/// use drystone_estimators::metrics::accuracy;
/// use ndarray::array;
/// let targets = Targets::I64(vec![0, 1, 2, 2].into());
/// let block = Block::new(array![[0.0], [1.0], [2.0], [3.0]]).with_targets(targets);
/// let data = ChunkedDataset::from_resident(vec![block])?;
/// let predicted = ChunkedArray::new(&data, |_| Ok(array![0.0, 1.0, 2.0, 0.5]));
/// assert_eq!(accuracy(&data, &predicted)?, 0.75);
/// # Ok::<(), drystone_core::Error>(())
/// ```
///
/// # Errors
/// Those of reading and predicting; [`Format`](drystone_core::ErrorKind::Format) when there are
/// no targets; [`Shape`](drystone_core::ErrorKind::Shape) when there is not one prediction a
/// row; [`NotFinite`](drystone_core::ErrorKind::NotFinite) and
/// [`Weight`](drystone_core::ErrorKind::Weight) for a bad target or weight, with block and row;
/// [`Empty`](drystone_core::ErrorKind::Empty) when no row has a positive weight.
///
/// # References
/// scikit-learn, `sklearn.metrics.accuracy_score`.
#[doc(alias = "accuracy_score")]
pub fn accuracy(data: &ChunkedDataset, predicted: &impl Predicted) -> Result<f64> {
    let of_block = |block: &_| {
        let mut weights = Weights::default();
        for (target, predicted, weight) in Compared::new(block, predicted)?.rows() {
            weights.all.add(weight);
            if target == predicted {
                weights.right.add(weight);
            }
        }
        Ok(weights)
    };
    let weights = data.fold_blocks(Weights::default, of_block, |mut all, block| {
        all.right.merge(&block.right);
        all.all.merge(&block.all);
        all
    })?;
    let all = weights.all.value();
    if all == 0.0 { Err(no_rows()) } else { Ok(weights.right.value() / all) }
}

#[derive(Default)]
struct Weights {
    right: ExactSum,
    all: ExactSum,
}
