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

use super::classes::{PredictedLabel, pairs};
use super::kernel::{Frame, Kernel, Prepared};
use super::model::Svc;
use super::params::DecisionShape;
use crate::metrics::{Predicted, accuracy};

/// Rows that are decided together.
const CHUNK_ROWS: usize = 8 * TILE_ROWS;
/// Half a unit in the last place of 1 in single precision.
const HALF_UNIT: f64 = 1.0 / (1 << 24) as f64;
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
    /// Whether single precision may be asked at all.
    has_bound: bool,
}

/// What is found for some rows.
#[derive(Default)]
struct Decisions {
    /// The decisions, `(n_rows, n_pairs)`, row-major.
    values: Vec<f64>,
    /// As many sums of magnitudes, in single precision.
    magnitudes: Vec<f64>,
}

/// The support vectors of a class.
#[derive(Debug)]
struct Group {
    single: Prepared<f32>,
    double: Prepared<f64>,
    /// `(n_support, n_classes - 1)`
    coefs: Vec<f64>,
    /// The coefficients of each, then their magnitudes: `(n_support, 2 (n_classes - 1))`
    with_magnitudes: Vec<f64>,
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
            let places = rows.clone().flat_map(|row| (0..n_classes - 1).map(move |o| (row, o)));
            let coefs: Vec<f64> = places.map(|(row, other)| coef(row, other)).collect();
            let of_row = |coefs: &[f64]| [coefs.to_vec(), coefs.iter().map(|c| c.abs()).collect()];
            let with_magnitudes = coefs.chunks_exact(n_classes - 1).flat_map(of_row).flatten();
            groups.push(Group {
                single: prepared(&frame, &model.support_vectors, rows.clone()),
                double: prepared(&frame, &model.support_vectors, rows.clone()),
                with_magnitudes: with_magnitudes.collect(),
                coefs,
            });
            first = rows.end;
        }
        let mut decider = Self {
            n_classes,
            groups,
            intercept: model.intercept.clone(),
            largest: 0.0,
            floor: 0.0,
            has_bound: frame.kernel == Kernel::Rbf,
            frame,
        };
        let squares = decider.groups.iter().flat_map(|group| &group.double.offsets);
        let coefs = decider.groups.iter().flat_map(|group| &group.coefs);
        decider.floor = coefs.fold(0.0, |sum, coef| sum + coef.abs()) * LEAST_NORMAL / HALF_UNIT;
        decider.largest = squares.fold(0.0, |most: f64, offset| most.max(-2.0 * offset));
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
        let sums = self.groups.iter().map(|group| {
            let coefs = V::coefs(group);
            let n_outputs = V::OUTPUTS * (self.n_classes - 1);
            let mut sums = vec![0.0; tiles.n_tiles() * n_outputs * TILE_ROWS];
            let (supports, isa) = (V::of(group).supports(), Isa::best());
            accumulate(isa, self.frame.map(), tiles, supports, coefs, n_outputs, &mut sums);
            sums
        });
        sums.collect()
    }

    /// The decisions of some rows, `(n_rows, n_pairs)`, row-major; and with single precision as
    /// many sums of kernels times the magnitudes of their coefficients.
    fn decide<V: Grouped>(&self, tiles: &Tiles<V>) -> Decisions {
        let (sums, n_others) = (self.sums(tiles), self.n_classes - 1);
        let sum = |class: usize, output: usize, row: usize| {
            let tile = row / TILE_ROWS * V::OUTPUTS * n_others;
            sums[class][(tile + output) * TILE_ROWS + row % TILE_ROWS]
        };
        let mut found = Decisions::default();
        for row in 0..tiles.n_rows() {
            for ((a, b), intercept) in self.pairs().zip(&self.intercept) {
                found.values.push(sum(a, b - 1, row) + sum(b, a, row) + intercept);
                if V::OUTPUTS == 2 {
                    let magnitude = sum(a, n_others + b - 1, row) + sum(b, n_others + a, row);
                    found.magnitudes.push(magnitude);
                }
            }
        }
        found
    }

    /// The decisions of a block's rows in double precision, `(n_rows, n_pairs)`.
    fn decisions(&self, records: &Records) -> Vec<f64> {
        by_chunks(records, |rows| {
            self.decide(Chunk::<f64>::new(&self.frame).load(records, rows)).values
        })
    }

    /// The class of each row.
    fn codes(&self, records: &Records) -> Vec<u32> {
        if self.has_bound {
            return by_chunks(records, |rows| self.screened(records, rows));
        }
        let decisions = self.decisions(records);
        decisions.chunks_exact(self.n_pairs()).map(|row| self.vote(row)).collect()
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
    /// With u half a unit of 1, and r = |x| + |s|: rounding both rows moves t, minus half of
    /// |x - s|^2, by at most u r^2; their squares are chains of d operations, off by at most
    /// d u r^2 / 2 together, and so is the chain of their product, whose terms add up to no
    /// more than r^2 / 2. Their halves and sums are a few operations more. 2^t is off by as
    /// much relative to its value, and by four u of its own; a kernel below the least normal
    /// number by no more than that number.
    fn is_sure(&self, decisions: &[f64], magnitudes: &[f64], square: f64) -> bool {
        let d = self.frame.n_features() as f64;
        let reach = square.sqrt() + self.largest.sqrt();
        let of_t = (d + 8.0) * reach * reach * HALF_UNIT;
        let error = if of_t < 0.25 { of_t + 8.0 * HALF_UNIT } else { f64::INFINITY };
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

/// The precision of a group's rows, and what is found in it.
trait Grouped: Real {
    /// Sums for each coefficient: with that, and with its magnitude.
    const OUTPUTS: usize;
    fn of(group: &Group) -> &Prepared<Self>;
    fn coefs(group: &Group) -> &[f64];
}

impl Grouped for f32 {
    const OUTPUTS: usize = 2;

    fn of(group: &Group) -> &Prepared<Self> {
        &group.single
    }

    fn coefs(group: &Group) -> &[f64] {
        &group.with_magnitudes
    }
}

impl Grouped for f64 {
    const OUTPUTS: usize = 1;

    fn of(group: &Group) -> &Prepared<Self> {
        &group.double
    }

    fn coefs(group: &Group) -> &[f64] {
        &group.coefs
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
