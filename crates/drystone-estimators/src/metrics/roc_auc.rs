//! The area under the curve of true over false positives.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use drystone_core::{Block, ChunkedArray, ChunkedDataset, Error, ErrorKind, Label, Result};
use drystone_kernels::ExactSum;
use ndarray::RemoveAxis;

use super::compared::{check_rows, check_weights, classes, finite};

/// The chance that a random row of the greater class has a greater score than a random row of
/// the other, ties counting half: 1 if scores tell the two classes of targets apart, about 0.5
/// if they know nothing. Rows are drawn in proportion to the dataset's weights; 1 for rows
/// without.
///
/// Scores are `(n_samples,)`, or one column as
/// [`decision_function`](crate::svc::Svc::decision_function) gives for two classes.
///
/// The greater class is that of [`Label`]'s order: 1 of 0 and 1, the later name of two. For
/// rows without weights the result is the exact ratio but for its three last roundings;
/// scikit-learn sums trapezoids, each of which is rounded.
///
/// One pass over the data, on all cores. Scores are kept until all are there: 16 bytes a row,
/// sorted by block, then merged on one core: O(n log n).
///
/// ```
/// use drystone_core::{Block, ChunkedArray, ChunkedDataset, Targets};
/// use drystone_estimators::metrics::roc_auc;
/// use ndarray::array;
/// let targets = Targets::I64(vec![0, 0, 1, 1].into());
/// let block = Block::new(array![[0.0], [1.0], [2.0], [3.0]]).with_targets(targets);
/// let data = ChunkedDataset::from_resident(vec![block])?;
/// let scores = ChunkedArray::new(&data, |_| Ok(array![0.1, 0.4, 0.35, 0.8]));
/// assert_eq!(roc_auc(&data, &scores)?, 0.75);
/// # Ok::<(), drystone_core::Error>(())
/// ```
///
/// # Errors
/// Those of reading and scoring; [`Format`](ErrorKind::Format) when there are no targets, when
/// they are not of two classes, or when one of the two has no row of positive weight;
/// [`Shape`](ErrorKind::Shape) when there is not one score a row;
/// [`NotFinite`](ErrorKind::NotFinite) and [`Weight`](ErrorKind::Weight) for a bad score, target
/// or weight, with block and row.
///
/// # References
/// J. A. Hanley, B. J. McNeil, *The meaning and use of the area under a receiver operating
/// characteristic (ROC) curve*, Radiology 143(1), 1982, DOI 10.1148/radiology.143.1.7063747.
/// scikit-learn, `sklearn.metrics.roc_auc_score`.
#[doc(alias = "roc_auc_score")]
pub fn roc_auc<D: RemoveAxis>(data: &ChunkedDataset, scores: &ChunkedArray<f64, D>) -> Result<f64> {
    let of_block = |block: &Block| Ok(vec![Part::new(block, scores)?]);
    let mut parts = data.fold_blocks(Vec::new, of_block, |mut all, block| {
        all.extend(block);
        all
    })?;
    let labels: BTreeSet<&Label> = parts.iter().flat_map(|part| &part.labels).collect();
    check_classes(labels.len())?;
    let greater = labels.into_iter().next_back().cloned();
    parts.iter_mut().for_each(|part| part.settle(greater.as_ref()));
    Area::of(&parts).value()
}

fn check_classes(found: usize) -> Result<()> {
    if found == 2 {
        return Ok(());
    }
    Err(Error::format("targets of two classes", format!("{found}")))
}

/// The rows of a block, in the order of [`Scored::key`].
struct Part {
    labels: Vec<Label>,
    rows: Vec<Scored>,
}

/// A score, and the weight of its row: above 0 for the greater class, below for the other.
/// Rows of weight 0 are left out.
#[derive(Clone, Copy)]
struct Scored {
    score: f64,
    weight: f64,
}

impl Scored {
    /// Its order in a list, which is the same if the weights of all change their sign.
    fn key(&self) -> (i64, i64) {
        (ordered(self.score), ordered(self.weight.abs()))
    }
}

/// Bits that are ordered as `f64::total_cmp` orders numbers.
fn ordered(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

impl Part {
    fn new<D: RemoveAxis>(block: &Block, scores: &ChunkedArray<f64, D>) -> Result<Self> {
        let coded = classes(block)?;
        if coded.labels.len() > 2 {
            check_classes(coded.labels.len())?;
        }
        check_weights(block)?;
        let scores = scores.of_block(block)?;
        check_rows("scores", block, scores.len())?;
        if let Some(row) = scores.iter().position(|score| !score.is_finite()) {
            let found = scores.iter().nth(row).map_or(f64::NAN, |score| *score).to_string();
            let error: Error = ErrorKind::NotFinite { found }.into();
            return Err(error.at_row(row as u64));
        }
        let mut rows = Vec::with_capacity(block.n_samples());
        for (row, (&score, &code)) in scores.iter().zip(&coded.codes).enumerate() {
            let weight = block.weights.as_ref().map_or(1.0, |weights| weights[row]);
            // The only class of a block may turn out to be the greater one: see `settle`.
            let weight = if code == 1 { weight } else { -weight };
            if weight != 0.0 {
                // Adding 0 makes -0.0 to 0.0: they tie.
                rows.push(Scored { score: score + 0.0, weight });
            }
        }
        rows.sort_unstable_by_key(Scored::key);
        Ok(Self { labels: coded.labels, rows })
    }

    /// All classes are known.
    fn settle(&mut self, greater: Option<&Label>) {
        if self.labels.len() == 1 && self.labels.first() == greater {
            self.rows.iter_mut().for_each(|row| row.weight = -row.weight);
        }
    }
}

/// What adds up over rows in ascending order of scores.
#[derive(Default)]
struct Area {
    /// Weight of the rows of either class with lower scores, and with the same.
    lower: [Compensated; 2],
    same: [Compensated; 2],
    /// Of each row of the greater class: its weight times that of lower rows of the other.
    above: ExactSum,
}

impl Area {
    /// Rows of all parts, merged.
    fn of(parts: &[Part]) -> Self {
        let mut area = Self::default();
        let mut score = f64::NEG_INFINITY;
        let head = |(idx, part): (usize, &Part)| Some((part.rows.first()?.key(), idx, 0));
        let heads = parts.iter().enumerate().filter_map(head).map(Reverse);
        let mut heads: BinaryHeap<_> = heads.collect();
        while let Some(mut head) = heads.peek_mut() {
            let Reverse((_, idx, at)) = *head;
            let rows = &parts[idx].rows;
            if rows[at].score > score {
                area.end_ties();
                score = rows[at].score;
            }
            area.same[usize::from(rows[at].weight > 0.0)].add(rows[at].weight.abs());
            match rows.get(at + 1) {
                Some(next) => *head = Reverse((next.key(), idx, at + 1)),
                None => {
                    std::collections::binary_heap::PeekMut::pop(head);
                }
            }
        }
        area.end_ties();
        area
    }

    /// The rows with the same score are complete.
    fn end_ties(&mut self) {
        let [other, greater] = std::mem::take(&mut self.same).map(|sum| sum.value());
        let below = self.lower[0].value_and(other / 2.0);
        let product = greater * below;
        self.above.add(product);
        self.above.add(greater.mul_add(below, -product));
        self.lower[0].add(other);
        self.lower[1].add(greater);
    }

    fn value(&self) -> Result<f64> {
        let [other, greater] = [&self.lower[0], &self.lower[1]].map(Compensated::value);
        if other > 0.0 && greater > 0.0 {
            return finite(self.above.value() / (other * greater));
        }
        Err(Error::format("rows of positive weight in both classes", "none in one of them"))
    }
}

/// A sum with what its roundings have lost. Whole numbers below 2^53 are added exactly.
///
/// Not exact, but added in the one order of scores and weights, whatever the blocks.
#[derive(Default)]
struct Compensated {
    sum: f64,
    lost: f64,
}

impl Compensated {
    fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        let added = sum - self.sum;
        self.lost += (self.sum - (sum - added)) + (value - added);
        self.sum = sum;
    }

    fn value(&self) -> f64 {
        self.sum + self.lost
    }

    fn value_and(&self, more: f64) -> f64 {
        self.sum + (self.lost + more)
    }
}
