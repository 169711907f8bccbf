//! How surprised probabilities are by what came about.

use drystone_core::{Block, ChunkedArray, ChunkedDataset, Error, Label, Result};
use drystone_kernels::ExactSum;
use drystone_kernels::math::ln;
use ndarray::{ArrayView1, Ix2};

use super::compared::{check_rows, check_weights, classes as targets_of, finite, no_rows};

/// The mean of minus the logarithm of the probability that each row's own class was given: 0 if
/// all were certain and right, ln `n_classes` for probabilities that know nothing, more for
/// ones that are certain and wrong. Weighted as the rows are.
///
/// `probabilities` are `(n_samples, n_classes)`, a column for each of `classes`, as
/// [`Calibrated::predict_proba`](crate::svc::Calibrated::predict_proba) has them. A probability
/// below 2.2e-16 counts as that, so that one row cannot make the mean infinite.
///
/// One pass over the data, on all cores. Each row's loss is rounded; their sum is exact.
///
/// ```
/// use drystone_core::{Block, ChunkedArray, ChunkedDataset, Label, Targets};
/// use drystone_estimators::metrics::log_loss;
/// use ndarray::array;
/// let block = Block::new(array![[0.0], [1.0]]).with_targets(Targets::I64(vec![0, 1].into()));
/// let data = ChunkedDataset::from_resident(vec![block])?;
/// let probabilities = ChunkedArray::new(&data, |_| Ok(array![[0.5, 0.5], [0.75, 0.25]]));
/// let classes = [Label::Integer(0), Label::Integer(1)];
/// assert!((log_loss(&data, &classes, &probabilities)? - 8_f64.ln() / 2.0).abs() < 1e-15);
/// # Ok::<(), drystone_core::Error>(())
/// ```
///
/// # Errors
/// Those of reading and predicting; [`Format`](drystone_core::ErrorKind::Format) when there are
/// no targets, when one is none of `classes`, or when a number is no probability;
/// [`Shape`](drystone_core::ErrorKind::Shape) when there is not a row of probabilities for each
/// row or a column for each class; [`NotFinite`](drystone_core::ErrorKind::NotFinite) and
/// [`Weight`](drystone_core::ErrorKind::Weight) for a bad target or weight, with block and row;
/// [`Empty`](drystone_core::ErrorKind::Empty) when no row has a positive weight.
///
/// # References
/// scikit-learn, `sklearn.metrics.log_loss`.
pub fn log_loss(
    data: &ChunkedDataset,
    classes: &[Label],
    probabilities: &ChunkedArray<f64, Ix2>,
) -> Result<f64> {
    let of_block = |block: &Block| Losses::of(block, classes, probabilities);
    let losses = data.fold_blocks(Losses::default, of_block, |mut all, block| {
        all.losses.merge(&block.losses);
        all.weights.merge(&block.weights);
        all
    })?;
    let (loss, weights) = (losses.losses.value(), losses.weights.value());
    if weights == 0.0 {
        return Err(no_rows());
    }
    finite(loss / weights)
}

#[derive(Default)]
struct Losses {
    losses: ExactSum,
    weights: ExactSum,
}

impl Losses {
    fn of(
        block: &Block,
        classes: &[Label],
        probabilities: &ChunkedArray<f64, Ix2>,
    ) -> Result<Self> {
        let targets = targets_of(block)?;
        check_weights(block)?;
        let probabilities = probabilities.of_block(block)?;
        check_rows("rows of probabilities", block, probabilities.nrows())?;
        if probabilities.ncols() != classes.len() {
            let (expected, found) = (classes.len() as u64, probabilities.ncols() as u64);
            return Err(Error::shape("columns of probabilities", expected, found));
        }
        let columns: Vec<Option<usize>> = targets
            .labels
            .iter()
            .map(|label| classes.iter().position(|class| class == label))
            .collect();
        let mut losses = Self::default();
        for (row, (&code, probabilities)) in
            targets.codes.iter().zip(probabilities.rows()).enumerate()
        {
            let column = columns[code as usize]
                .ok_or_else(|| unknown(&targets.labels[code as usize]).at_row(row as u64))?;
            check(probabilities).map_err(|error| error.at_row(row as u64))?;
            let weight = block.weights.as_ref().map_or(1.0, |weights| weights[row]);
            losses.losses.add(-weight * ln(probabilities[column].max(f64::EPSILON)));
            losses.weights.add(weight);
        }
        Ok(losses)
    }
}

fn check(probabilities: ArrayView1<'_, f64>) -> Result<()> {
    let bad = |probability: &f64| !(0.0..=1.0).contains(probability);
    probabilities.iter().position(bad).map_or(Ok(()), |column| {
        let error = Error::format("a probability from 0 to 1", probabilities[column]);
        Err(error.at_column(column as u64))
    })
}

fn unknown(label: &Label) -> Error {
    Error::format("targets of the classes that have probabilities", format!("class {label}"))
}
