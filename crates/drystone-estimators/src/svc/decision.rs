//! Decision functions and predictions, row by row, lazily.
//!
//! Decisions are double precision. Predictions are found in single precision where its error
//! cannot change them, which is bounded for each row; the others are decided in double.

use std::ops::Range;
use std::sync::Arc;

use drystone_core::block::RecordElement;
use drystone_core::label::Coded;
use drystone_core::{Block, ChunkedArray, ChunkedDataset, Error, Records, Result, ToChunked};
use drystone_kernels::Isa;
use drystone_kernels::gram::{Real, TILE_ROWS, Tiles, accumulate};
use ndarray::{Array1, Array2, ArrayBase, Data, Ix1, Ix2};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::classes::PredictedLabel;
use super::kernel::{Frame, Kernel, Prepared};
use super::model::Svc;
use super::params::DecisionShape;
use crate::metrics::{Predicted, accuracy};

/// Rows that are decided together.
const CHUNK_ROWS: usize = 8 * TILE_ROWS;
/// Half a unit in the last place of 1 in single precision.
const HALF_UNIT: f64 = 1.0 / (1 << 24) as f64;

/// The support vectors of a model, as kernels want them.
#[derive(Debug)]
pub(super) struct Decider {
    frame: Frame,
    n_classes: usize,
    /// By class.
    groups: Vec<Group>,
    intercept: Vec<f64>,
    /// The sum of the magnitudes of the coefficients of each two classes.
    weights: Vec<f64>,
    /// The largest square of a support vector in the frame.
    largest: f64,
    /// Whether single precision may be asked at all.
    has_bound: bool,
}

/// The support vectors of a class.
#[derive(Debug)]
struct Group {
    single: Prepared<f32>,
    double: Prepared<f64>,
    /// `(n_support, n_classes - 1)`
    coefs: Vec<f64>,
}

impl Decider {
    fn new(model: &Svc) -> Self {
        let (n_classes, frame) = (model.n_classes(), model.frame.clone());
        let n_support = model.support.len();
        let mut first = 0;
        let mut groups = Vec::with_capacity(n_classes);
        for &n in &model.n_support {
            let rows = first..first + n as usize;
            let coef = |row: usize, other: usize| model.dual_coef[other * n_support + row];
            let coefs = rows.clone().flat_map(|row| (0..n_classes - 1).map(move |o| (row, o)));
            groups.push(Group {
                single: prepared(&frame, &model.support_vectors, rows.clone()),
                double: prepared(&frame, &model.support_vectors, rows.clone()),
                coefs: coefs.map(|(row, other)| coef(row, other)).collect(),
            });
            first = rows.end;
        }
        let mut decider = Self {
            n_classes,
            groups,
            intercept: model.intercept.clone(),
            weights: Vec::new(),
            largest: 0.0,
            has_bound: frame.kernel == Kernel::Rbf,
            frame,
        };
        decider.weights = decider.pairs().map(|(a, b)| decider.weight(a, b)).collect();
        let squares = decider.groups.iter().flat_map(|group| &group.double.offsets);
        decider.largest = squares.fold(0.0, |most: f64, offset| most.max(-2.0 * offset));
        decider
    }

    /// The classes of each problem.
    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let n = self.n_classes;
        (0..n).flat_map(move |a| (a + 1..n).map(move |b| (a, b)))
    }

    fn n_pairs(&self) -> usize {
        self.n_classes * (self.n_classes - 1) / 2
    }

    /// The sum of the magnitudes of the coefficients of two classes.
    fn weight(&self, a: usize, b: usize) -> f64 {
        let of = |class: usize, other: usize| -> f64 {
            let coefs = self.groups[class].coefs.chunks_exact(self.n_classes - 1);
            coefs.map(|coefs| coefs[other].abs()).sum()
        };
        of(a, b - 1) + of(b, a)
    }

    /// The decisions of some rows, `(n_rows, n_pairs)`, row-major.
    fn decide<V: Grouped>(&self, tiles: &Tiles<V>, out: &mut Vec<f64>) {
        let n_others = self.n_classes - 1;
        let sums: Vec<Vec<f64>> = self
            .groups
            .iter()
            .map(|group| {
                let mut sums = vec![0.0; tiles.n_tiles() * n_others * TILE_ROWS];
                let supports = V::of(group).supports();
                let (isa, map) = (Isa::best(), self.frame.map());
                accumulate(isa, map, tiles, supports, &group.coefs, n_others, &mut sums);
                sums
            })
            .collect();
        let sum = |class: usize, other: usize, row: usize| {
            sums[class][(row / TILE_ROWS * n_others + other) * TILE_ROWS + row % TILE_ROWS]
        };
        for row in 0..tiles.n_rows() {
            for ((a, b), intercept) in self.pairs().zip(&self.intercept) {
                out.push(sum(a, b - 1, row) + sum(b, a, row) + intercept);
            }
        }
    }

    /// The decisions of a block's rows in double precision, `(n_rows, n_pairs)`.
    fn decisions(&self, records: &Records) -> Vec<f64> {
        by_chunks(records, |rows| {
            let mut out = Vec::with_capacity(rows.len() * self.n_pairs());
            self.decide(Chunk::<f64>::new(&self.frame).load(records, rows), &mut out);
            out
        })
    }

    /// The class of each row.
    fn codes(&self, records: &Records) -> Vec<u32> {
        by_chunks(records, |rows| match self.has_bound {
            true => self.screened(records, rows),
            false => {
                let mut decisions = Vec::new();
                self.decide(Chunk::<f64>::new(&self.frame).load(records, rows), &mut decisions);
                decisions.chunks_exact(self.n_pairs()).map(|row| self.vote(row)).collect()
            }
        })
    }

    /// The class of each of some rows: by single precision, where it is sure.
    fn screened(&self, records: &Records, rows: Range<usize>) -> Vec<u32> {
        let mut single = Chunk::<f32>::new(&self.frame);
        let mut decisions = Vec::with_capacity(rows.len() * self.n_pairs());
        self.decide(single.load(records, rows.clone()), &mut decisions);
        let decided = decisions.chunks_exact(self.n_pairs()).zip(&single.squares);
        let mut codes = Vec::with_capacity(rows.len());
        let mut open = Vec::new();
        for (row, (decisions, &square)) in decided.enumerate() {
            if !self.is_sure(decisions, square) {
                open.push(row);
            }
            codes.push(self.vote(decisions));
        }
        let mut double = Chunk::<f64>::new(&self.frame);
        decisions.clear();
        let open_rows = open.iter().map(|row| rows.start + row);
        self.decide(double.load(records, open_rows), &mut decisions);
        for (&row, decisions) in open.iter().zip(decisions.chunks_exact(self.n_pairs())) {
            codes[row] = self.vote(decisions);
        }
        codes
    }

    /// Whether decisions in single precision, of a row of this square, have the signs that
    /// double precision gives.
    ///
    /// t is minus half of |x - s|^2: rounding the two rows and a chain of d multiply-adds
    /// moves it by at most (d / 2 + 4) (|x| + |s|)^2 half units, and 2^t by as much relative to
    /// its value, which is at most 1, and by four half units of its own.
    fn is_sure(&self, decisions: &[f64], square: f64) -> bool {
        let d = self.frame.n_features() as f64;
        let reach = square.sqrt() + self.largest.sqrt();
        let of_t = (d / 2.0 + 4.0) * reach * reach * HALF_UNIT;
        let error = if of_t < 0.5 { of_t + 4.0 * HALF_UNIT } else { f64::INFINITY };
        let sure = |(decision, weight): (&f64, &f64)| decision.abs() > error * weight;
        decisions.iter().zip(&self.weights).all(sure)
    }

    /// The class with the most votes; the first of a tie.
    fn vote(&self, decisions: &[f64]) -> u32 {
        if self.n_classes == 2 {
            return u32::from(decisions[0] > 0.0);
        }
        let mut votes = vec![0_u32; self.n_classes];
        for ((a, b), &decision) in self.pairs().zip(decisions) {
            votes[if decision > 0.0 { a } else { b }] += 1;
        }
        let mut best = 0;
        for class in 1..self.n_classes {
            if votes[class] > votes[best] {
                best = class;
            }
        }
        best as u32
    }

    /// A column a class: votes, and the decisions' sum squeezed to less than one vote.
    fn by_class(&self, decisions: &[f64], out: &mut Vec<f64>) {
        let first = out.len();
        out.resize(first + self.n_classes, 0.0);
        let mut confidence = vec![0.0; self.n_classes];
        let votes = &mut out[first..];
        for ((a, b), &decision) in self.pairs().zip(decisions) {
            confidence[a] += decision;
            confidence[b] -= decision;
            votes[if decision > 0.0 { a } else { b }] += 1.0;
        }
        for (vote, sum) in votes.iter_mut().zip(confidence) {
            *vote += sum / (3.0 * (sum.abs() + 1.0));
        }
    }
}

/// The precision of a group's rows.
trait Grouped: Real {
    fn of(group: &Group) -> &Prepared<Self>;
}

impl Grouped for f32 {
    fn of(group: &Group) -> &Prepared<Self> {
        &group.single
    }
}

impl Grouped for f64 {
    fn of(group: &Group) -> &Prepared<Self> {
        &group.double
    }
}

fn prepared<V: Real>(frame: &Frame, records: &Records, rows: Range<usize>) -> Prepared<V> {
    let all: Vec<Vec<f64>> = rows.map(|row| crate::rows::row_values(records, row)).collect();
    Prepared::new(frame, all.iter().map(Vec::as_slice))
}

/// What is found for the rows of some records, in their order: on all threads of the pool
/// that this is called on, so that one block keeps them all busy.
fn by_chunks<T: Send>(
    records: &Records,
    of: impl Fn(Range<usize>) -> Vec<T> + Send + Sync,
) -> Vec<T> {
    let n_rows = records.n_samples();
    let chunks = (0..n_rows.div_ceil(CHUNK_ROWS)).into_par_iter();
    let rows = |chunk: usize| chunk * CHUNK_ROWS..n_rows.min((chunk + 1) * CHUNK_ROWS);
    chunks.flat_map_iter(|chunk| of(rows(chunk))).collect()
}

/// Rows of records in the frame.
struct Chunk<'a, V> {
    frame: &'a Frame,
    tiles: Tiles<V>,
    values: Vec<V>,
    /// The square of each row.
    squares: Vec<f64>,
}

impl<'a, V: Real> Chunk<'a, V> {
    fn new(frame: &'a Frame) -> Self {
        let tiles = Tiles::new(frame.n_features());
        Self { frame, tiles, values: Vec::new(), squares: Vec::new() }
    }

    fn load(&mut self, records: &Records, rows: impl IntoIterator<Item = usize>) -> &Tiles<V> {
        self.tiles.clear();
        self.squares.clear();
        let map = self.frame.map();
        for row in rows {
            self.values.clear();
            self.frame.prepare_row(records, row, &mut self.values);
            self.tiles.push(&self.values, map);
            self.squares.push(-2.0 * map.offset(&self.values).to_f64());
        }
        &self.tiles
    }
}

impl Svc {
    fn decider(&self) -> Arc<Decider> {
        Arc::clone(self.decider.get_or_init(|| Arc::new(Decider::new(self))))
    }

    /// The class of each row, lazily: as `i64`, `f64`, `String` or
    /// [`Label`](drystone_core::Label), which can be any of them.
    ///
    /// Where two classes' decision is exactly 0, the second has it; of classes with as many
    /// votes, the first wins.
    ///
    /// # Errors
    /// [`Dtype`](drystone_core::ErrorKind::Dtype) when the classes are of another type. Computing the array fails
    /// when the data are of another width or not finite, with block, row and column.
    pub fn predict<L: PredictedLabel>(
        &self,
        data: &impl ToChunked,
    ) -> Result<ChunkedArray<L, Ix1>> {
        let labels = self.labels::<L>()?;
        let decider = self.decider();
        Ok(ChunkedArray::new(&data.to_chunked()?, move |block: &Block| {
            let codes = decider.codes(checked(block, &decider.frame)?);
            Ok(codes.into_iter().map(|code| labels[code as usize].clone()).collect())
        }))
    }

    /// As [`predict`](Self::predict), but positions among the [`classes`](Self::classes).
    pub fn predict_codes(&self, data: &ChunkedDataset) -> ChunkedArray<u32, Ix1> {
        let decider = self.decider();
        ChunkedArray::new(data, move |block: &Block| {
            Ok(decider.codes(checked(block, &decider.frame)?).into())
        })
    }

    /// The decision function, lazily: `(n_samples, 1)` for two classes, where positive speaks
    /// for the second; else a column a class, or one for each two classes, as
    /// [`decision_function_shape`](super::SvcParams::decision_function_shape) said.
    pub fn decision_function(&self, data: &ChunkedDataset) -> ChunkedArray<f64, Ix2> {
        let (decider, shape) = (self.decider(), self.shape);
        ChunkedArray::new(data, move |block: &Block| {
            let decisions = decider.decisions(checked(block, &decider.frame)?);
            let n_rows = block.n_samples();
            if decider.n_classes == 2 || shape == DecisionShape::OneVsOne {
                let shape = (n_rows, decider.n_pairs());
                return Array2::from_shape_vec(shape, decisions).map_err(Error::external);
            }
            let mut out = Vec::with_capacity(n_rows * decider.n_classes);
            let rows = decisions.chunks_exact(decider.n_pairs());
            rows.for_each(|row| decider.by_class(row, &mut out));
            Array2::from_shape_vec((n_rows, decider.n_classes), out).map_err(Error::external)
        })
    }

    /// Gives the decisions of a block's rows for each two classes, `(n_rows, n_pairs)`,
    /// row-major: of two classes alone, positive speaks for the second, else for the first.
    pub(super) fn pairwise_decisions(
        &self,
    ) -> impl Fn(&Block) -> Result<Vec<f64>> + Send + Sync + 'static + use<> {
        let decider = self.decider();
        move |block| Ok(decider.decisions(checked(block, &decider.frame)?))
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

impl Predicted for Svc {
    fn classes_of(&self, block: &Block) -> Result<Coded> {
        let decider = self.decider();
        let codes = decider.codes(checked(block, &decider.frame)?);
        Ok(Coded { labels: self.classes.0.clone(), codes })
    }
}

/// The records of a block, if the model can judge them.
fn checked<'a>(block: &'a Block, frame: &Frame) -> Result<&'a Records> {
    let (expected, found) = (frame.n_features() as u64, block.records.n_features() as u64);
    if expected != found {
        return Err(Error::shape("features", expected, found));
    }
    super::survey::check_records(&block.records)?;
    Ok(&block.records)
}
