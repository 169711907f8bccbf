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
use ndarray::{Array1, ArrayBase, Data, Ix1, Ix2};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::by_row::{Codes, DecisionFunction};
use super::classes::{PredictedLabel, labels_of, pairs};
use super::kernel::{Frame, Kernel, Prepared, SINGLE};
use super::model::Svc;
use super::params::DecisionShape;
use crate::metrics::{Predicted, accuracy};

/// Rows that are decided together.
const CHUNK_ROWS: usize = 8 * TILE_ROWS;
/// The least normal number of single precision.
const LEAST_NORMAL: f64 = f32::MIN_POSITIVE as f64;

/// The support vectors of a model, as kernels want them.
#[derive(Debug)]
pub(super) struct Decider {
    frame: Frame,
    n_classes: usize,
    /// By class.
    groups: Vec<Group>,
    intercept: Vec<f64>,
    /// The largest square of a support vector in the frame.
    largest: f64,
    /// The least normal number of single precision times the magnitudes of all coefficients,
    /// and more: what kernels that underflow may come to.
    floor: f64,
    /// Whether single precision may be asked at all: its error has a bound for kernels that are
    /// never negative and coefficients that have one sign in each class, as those of a fit do.
    has_bound: bool,
}

/// What is found for some rows.
#[derive(Default)]
struct Decisions {
    /// The decisions, `(n_rows, n_pairs)`, row-major.
    values: Vec<f64>,
    /// The sum of the magnitudes of what each decision is a sum of.
    magnitudes: Vec<f64>,
}

/// The support vectors of a class.
#[derive(Debug)]
struct Group {
    single: Prepared<f32>,
    double: Prepared<f64>,
    /// `(n_support, n_classes - 1)`
    coefs: Vec<f64>,
}

impl Group {
    /// Whether the coefficients beside each other class have one sign.
    fn has_signs(&self, n_others: usize) -> bool {
        let column = |other: usize| self.coefs.iter().skip(other).step_by(n_others);
        let has_sign = |other| {
            column(other).all(|coef| *coef >= 0.0) || column(other).all(|coef| *coef <= 0.0)
        };
        (0..n_others).all(has_sign)
    }
}

impl Decider {
    fn new(model: &Svc) -> Self {
        let (n_classes, n_support) = (model.n_classes(), model.support.len());
        let all = prepared::<f64>(&model.frame, &model.support_vectors, 0..n_support);
        let largest = all.offsets.iter().fold(0.0, |most: f64, offset| most.max(-2.0 * offset));
        // Rows that are farther out than all support vectors have kernels of 0 either way.
        let far = model.frame.loses_digits(4.0 * largest);
        let frame = Frame { far, ..model.frame.clone() };
        let mut first = 0;
        let mut groups = Vec::with_capacity(n_classes);
        for &n in &model.n_support {
            let rows = first..first + n as usize;
            let coef = |row: usize, other: usize| model.dual_coef[other * n_support + row];
            let places = rows.clone().flat_map(|row| (0..n_classes - 1).map(move |o| (row, o)));
            groups.push(Group {
                single: prepared(&frame, &model.support_vectors, rows.clone()),
                double: prepared(&frame, &model.support_vectors, rows.clone()),
                coefs: places.map(|(row, other)| coef(row, other)).collect(),
            });
            first = rows.end;
        }
        let has_signs = groups.iter().all(|group| group.has_signs(n_classes - 1));
        let mut decider = Self {
            n_classes,
            groups,
            intercept: model.intercept.clone(),
            largest,
            floor: 0.0,
            has_bound: frame.kernel == Kernel::Rbf && !far && has_signs,
            frame,
        };
        let coefs = decider.groups.iter().flat_map(|group| &group.coefs);
        decider.floor = coefs.fold(0.0, |sum, coef| sum + coef.abs()) * LEAST_NORMAL / SINGLE;
        decider
    }

    /// The classes of each problem.
    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        pairs(self.n_classes as u32).map(|(a, b)| (a as usize, b as usize))
    }

    fn n_pairs(&self) -> usize {
        self.n_classes * (self.n_classes - 1) / 2
    }

    /// For each class, sums over its support vectors of kernels times coefficients, in runs of
    /// tiles as [`accumulate`] has them.
    fn sums<V: Grouped>(&self, tiles: &Tiles<V>) -> Vec<Vec<f64>> {
        let n_outputs = self.n_classes - 1;
        let sums = self.groups.iter().map(|group| {
            let mut sums = vec![0.0; tiles.n_tiles() * n_outputs * TILE_ROWS];
            let (map, supports) = (self.frame.map(), V::of(group).supports());
            accumulate(Isa::best(), map, tiles, supports, &group.coefs, n_outputs, &mut sums);
            sums
        });
        sums.collect()
    }

    /// The decisions of some rows.
    fn decide<V: Grouped>(&self, tiles: &Tiles<V>) -> Decisions {
        let (sums, n_others) = (self.sums(tiles), self.n_classes - 1);
        let sum = |class: usize, other: usize, row: usize| {
            sums[class][(row / TILE_ROWS * n_others + other) * TILE_ROWS + row % TILE_ROWS]
        };
        let mut found = Decisions::default();
        for row in 0..tiles.n_rows() {
            for ((a, b), intercept) in self.pairs().zip(&self.intercept) {
                let (of_a, of_b) = (sum(a, b - 1, row), sum(b, a, row));
                found.values.push(of_a + of_b + intercept);
                found.magnitudes.push(of_a.abs() + of_b.abs());
            }
        }
        found
    }

    /// The decisions of a block's rows in double precision, `(n_rows, n_pairs)`.
    ///
    /// # Errors
    /// When one is not finite: a polynomial of a row that is far out.
    fn decisions(&self, records: &Records) -> Result<Vec<f64>> {
        let decisions = by_chunks(records, |rows| {
            self.decide(Chunk::<f64>::new(&self.frame).load(records, rows)).values
        });
        match decisions.iter().position(|decision| !decision.is_finite()) {
            Some(at) => {
                let found = format!("a decision that is {}", decisions[at]);
                let error = Error::format("a row within the range of the kernel", found);
                Err(error.at_row((at / self.n_pairs()) as u64))
            }
            None => Ok(decisions),
        }
    }

    /// The class of each row.
    ///
    /// # Errors
    /// As for [`decisions`](Self::decisions).
    fn codes(&self, records: &Records) -> Result<Vec<u32>> {
        if self.has_bound {
            return Ok(by_chunks(records, |rows| self.screened(records, rows)));
        }
        let decisions = self.decisions(records)?;
        Ok(decisions.chunks_exact(self.n_pairs()).map(|row| self.vote(row)).collect())
    }

    /// The class of each of some rows: by single precision, where it is sure.
    fn screened(&self, records: &Records, rows: Range<usize>) -> Vec<u32> {
        let n_pairs = self.n_pairs();
        let mut single = Chunk::<f32>::new(&self.frame);
        let found = self.decide(single.load(records, rows.clone()));
        let magnitudes = found.magnitudes.chunks_exact(n_pairs);
        let decided = found.values.chunks_exact(n_pairs).zip(magnitudes).zip(&single.squares);
        let mut codes = Vec::with_capacity(rows.len());
        let mut open = Vec::new();
        for (row, ((decisions, magnitudes), &square)) in decided.enumerate() {
            if !self.is_sure(decisions, magnitudes, square) {
                open.push(row);
            }
            codes.push(self.vote(decisions));
        }
        let mut double = Chunk::<f64>::new(&self.frame);
        let found = self.decide(double.load(records, open.iter().map(|row| rows.start + row)));
        for (&row, decisions) in open.iter().zip(found.values.chunks_exact(n_pairs)) {
            codes[row] = self.vote(decisions);
        }
        codes
    }

    /// Whether decisions in single precision, of a row of this square, have the signs that
    /// double precision gives.
    ///
    /// 2^t is off by as much as t ([`Frame::error_of_t`]), relative to its value, and by four
    /// half units of its own; a kernel below the least normal number by no more than that
    /// number. All that is relative to the magnitudes that double precision would find.
    fn is_sure(&self, decisions: &[f64], magnitudes: &[f64], square: f64) -> bool {
        let reach = square.sqrt() + self.largest.sqrt();
        let of_t = self.frame.error_of_t(reach * reach, SINGLE);
        if of_t.is_nan() || of_t >= 0.25 {
            return false;
        }
        let of_kernels = of_t + 8.0 * SINGLE;
        let error = of_kernels / (1.0 - of_kernels);
        let mut rows = decisions.iter().zip(magnitudes);
        rows.all(|(decision, magnitude)| decision.abs() > error * (magnitude + self.floor))
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
    /// Made when it is first needed; clones of the model share it from then on.
    pub(super) fn decider(&self) -> Arc<Decider> {
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
    /// when the data are of another width or not finite, or so large that a decision is not,
    /// with block, row and column.
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

    /// The decision function, lazily: `(n_samples, 1)` for two classes, where positive speaks
    /// for the second; else a column a class, or one for each two classes, as
    /// [`decision_function_shape`](super::SvcParams::decision_function_shape) said.
    pub fn decision_function(&self, data: &ChunkedDataset) -> ChunkedArray<f64, Ix2> {
        ChunkedArray::by_row(data, DecisionFunction::new(self))
    }

    /// The position of each row's class.
    pub(super) fn codes_of(&self, block: &Block) -> Result<Vec<u32>> {
        let decider = self.decider();
        decider.codes(checked(block, &decider.frame)?)
    }

    /// The decision function of a block's rows, row-major.
    pub(super) fn decisions_of(&self, block: &Block) -> Result<Vec<f64>> {
        let decisions = self.pairwise_decisions()(block)?;
        if !self.by_class() {
            return Ok(decisions);
        }
        let decider = self.decider();
        let mut out = Vec::with_capacity(block.n_samples() * decider.n_classes);
        let rows = decisions.chunks_exact(decider.n_pairs());
        rows.for_each(|row| decider.by_class(row, &mut out));
        Ok(out)
    }

    /// Columns of the decision function.
    pub(super) fn n_decisions(&self) -> usize {
        if self.by_class() { self.n_classes() } else { self.intercept.len() }
    }

    fn by_class(&self) -> bool {
        self.n_classes() > 2 && self.shape == DecisionShape::OneVsRest
    }

    /// Gives the decisions of a block's rows for each two classes, `(n_rows, n_pairs)`,
    /// row-major: of two classes alone, positive speaks for the second, else for the first.
    pub(super) fn pairwise_decisions(
        &self,
    ) -> impl Fn(&Block) -> Result<Vec<f64>> + Send + Sync + 'static + use<> {
        let decider = self.decider();
        move |block| decider.decisions(checked(block, &decider.frame)?)
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
        Ok(Coded { labels: self.classes.0.clone(), codes: self.codes_of(block)? })
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
