//! Decision functions and predictions, row by row, lazily.

use drystone_core::block::RecordElement;
use drystone_core::label::Coded;
use drystone_core::{Block, ChunkedArray, ChunkedDataset, Error, Records, Result, ToChunked};
use drystone_kernels::Isa;
use drystone_kernels::linear::{Frame, Tile, Vectors, dots};
use ndarray::{Array1, ArrayBase, Data, Ix1, Ix2};

use super::by_row::{Codes, DecisionFunction};
use super::model::LinearSvc;
use crate::metrics::{Predicted, accuracy};
use crate::svc::classes::{PredictedLabel, labels_of};
use crate::svc::survey::check_records;

/// Rows that are decided together.
const CHUNK_ROWS: usize = 64;

/// Weights, ready to be multiplied with rows.
pub(super) struct Decider {
    frame: Frame,
    vectors: Vectors,
}

impl Decider {
    pub fn new(model: &LinearSvc) -> Self {
        let frame = Frame::identity(model.n_features);
        let rows = model.coef.chunks_exact(model.n_features).zip(&model.intercept);
        let vector = |(coef, intercept): (&[f64], &f64)| [coef, &[*intercept]].concat();
        let vectors: Vec<Vec<f64>> = rows.map(vector).collect();
        let vectors = Vectors::new(frame.stride(), &vectors);
        Self { frame, vectors }
    }

    /// The decisions of a block's rows, `(n_rows, n_problems)`, row-major.
    pub fn decisions(&self, block: &Block) -> Result<Vec<f64>> {
        let (expected, found) = (self.frame.n_features(), block.records.n_features());
        if expected != found {
            return Err(Error::shape("features", expected as u64, found as u64));
        }
        check_records(&block.records)?;
        Ok(match &block.records {
            Records::F32(rows) => self.decide(rows.values()),
            Records::F64(rows) => self.decide(rows.values()),
        })
    }

    fn decide<T: RecordElement>(&self, values: &[T]) -> Vec<f64> {
        let (d, n_problems) = (self.frame.n_features(), self.vectors.n_vectors());
        let mut out = Vec::with_capacity(values.len() / d * n_problems);
        let (mut tile, mut products) = (Tile::new(&self.frame), Vec::new());
        for values in values.chunks(CHUNK_ROWS * d) {
            // Nothing is scaled here, so that no value is too large.
            tile.load(&self.frame, values);
            dots(Isa::best(), &tile, &self.vectors, &mut products);
            let n_rows = tile.n_rows();
            let row = |row: usize| (0..n_problems).map(move |problem| problem * n_rows + row);
            out.extend((0..n_rows).flat_map(row).map(|at| products[at]));
        }
        out
    }

    /// The class of each row.
    pub fn codes(&self, block: &Block) -> Result<Vec<u32>> {
        let n_problems = self.vectors.n_vectors();
        let decisions = self.decisions(block)?;
        Ok(decisions.chunks_exact(n_problems).map(winner).collect())
    }
}

/// The class whose decision is greatest, the first of a tie; of two classes, the second where
/// the decision is positive.
fn winner(decisions: &[f64]) -> u32 {
    if let [decision] = decisions {
        return u32::from(*decision > 0.0);
    }
    let mut best = 0;
    for class in 1..decisions.len() {
        if decisions[class] > decisions[best] {
            best = class;
        }
    }
    best as u32
}

impl LinearSvc {
    /// The class of each row, lazily: as `i64`, `f64`, `String` or
    /// [`Label`](drystone_core::Label), which can be any of them.
    ///
    /// Of two classes, the first has a row whose decision is exactly 0; of more, the first of
    /// those with the greatest decision wins.
    ///
    /// # Errors
    /// [`Dtype`](drystone_core::ErrorKind::Dtype) when the classes are of another type. Computing the array fails
    /// when the data are of another width or not finite, with block, row and column.
    pub fn predict<L: PredictedLabel>(
        &self,
        data: &impl ToChunked,
    ) -> Result<ChunkedArray<L, Ix1>> {
        Ok(labels_of(&self.predict_codes(&data.to_chunked()?), self.labels()?))
    }

    /// As [`predict`](Self::predict), but positions among the [`classes`](Self::classes).
    pub fn predict_codes(&self, data: &ChunkedDataset) -> ChunkedArray<u32, Ix1> {
        ChunkedArray::by_row(data, Codes::new(self))
    }

    /// The decision function w'x + b, lazily: `(n_samples, 1)` for two classes, where positive
    /// speaks for the second; else `(n_samples, n_classes)`. A chain of fused multiply-adds, over
    /// columns in order.
    pub fn decision_function(&self, data: &ChunkedDataset) -> ChunkedArray<f64, Ix2> {
        ChunkedArray::by_row(data, DecisionFunction::new(self))
    }

    /// The labels of an array in memory.
    ///
    /// # Errors
    /// As for [`predict`](Self::predict).
    pub fn try_predict<L: PredictedLabel, F: RecordElement, D: Data<Elem = F>>(
        &self,
        records: &ArrayBase<D, Ix2>,
    ) -> Result<Array1<L>> {
        self.predict::<L>(records)?.compute()
    }

    /// The share of rows whose class is predicted, weighted as the rows are. One pass.
    ///
    /// # Errors
    /// Those of [`accuracy`] and, as for [`predict`](Self::predict), of data that do not fit.
    pub fn score(&self, data: &ChunkedDataset) -> Result<f64> {
        accuracy(data, self)
    }
}

impl Predicted for LinearSvc {
    fn classes_of(&self, block: &Block) -> Result<Coded> {
        let codes = Decider::new(self).codes(block)?;
        Ok(Coded { labels: self.classes.0.clone(), codes })
    }
}
