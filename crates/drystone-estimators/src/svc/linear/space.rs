//! What all jobs of a linear SVC know of the data: the frame of the rows, the classes, and
//! how far values and weights reach.

use std::sync::Arc;

use drystone_core::block::RecordElement;
use drystone_core::wire::raw;
use drystone_core::{BlockAt, Error, ErrorKind, Label, Layout, Records, Result, Targets};
use drystone_kernels::linear::{Frame, Shape, Tile};
use serde::{Deserialize, Serialize};

use crate::svc::classes::Classes;

/// Bytes of a tile: rows that stay near while all problems look at them.
const TILE_BYTES: usize = 16 << 10;
/// Most numbers in a row for a Hessian matrix to be held.
pub(super) const MAX_HESSIAN: usize = 512;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Space {
    #[serde(with = "raw")]
    scales: Vec<f64>,
    pub classes: Arc<Classes>,
    pub max_weight: f64,
    /// Whether second derivatives are matrices, or their diagonals only.
    pub has_hessian: bool,
}

impl Space {
    pub fn new(max_abs: &[f64], classes: Classes, max_weight: f64, has_hessian: bool) -> Self {
        let scales = Frame::new(max_abs).scales().to_vec();
        Self { scales, classes: Arc::new(classes), max_weight, has_hessian }
    }

    pub fn frame(&self) -> Frame {
        Frame::from_scales(self.scales.clone())
    }

    pub fn n_features(&self) -> usize {
        self.scales.len()
    }

    /// Numbers of a weight vector: one a column, and the intercept.
    pub fn n_weights(&self) -> usize {
        self.scales.len() + 1
    }

    pub fn scale(&self, column: usize) -> f64 {
        self.scales.get(column).copied().unwrap_or(1.0)
    }

    /// How second derivatives are summed up.
    pub fn curvature(&self) -> Shape {
        if self.has_hessian { Shape::Outer } else { Shape::Squares }
    }

    /// A weight vector as rows in the frame want it.
    pub fn to_frame(&self, w: &[f64]) -> Vec<f64> {
        w.iter().enumerate().map(|(column, w)| w / self.scale(column)).collect()
    }

    /// What the product of a row with a weight vector is at most.
    pub fn reach(&self, w: &[f64]) -> f64 {
        1.01 * self.to_frame(w).iter().map(|w| w.abs()).sum::<f64>()
    }

    /// # Errors
    /// When the data are of another width, or numbers make no sense.
    pub fn check(&self, layout: &Layout) -> Result<()> {
        layout.check_width(self.n_features())?;
        let fits = !self.has_hessian || self.frame().stride() <= MAX_HESSIAN;
        let scales = self.scales.iter().all(|scale| *scale > 0.0 && scale.is_normal());
        let sound = scales && self.max_weight > 0.0 && self.max_weight.is_finite();
        sound_or(fits && sound && self.classes.len() >= 2)
    }

    /// The rows of a slice, some at a time.
    ///
    /// # Errors
    /// When a target is unknown, and when the data changed since they were surveyed; and those
    /// of `f`.
    pub fn for_each_tile(
        &self,
        at: &BlockAt,
        f: impl FnMut(&Tile, Marks<'_>) -> Result<()>,
    ) -> Result<()> {
        let codes = self.codes(at)?;
        self.check_weights(at)?;
        match &at.block.records {
            Records::F32(rows) => self.tiles(at, rows.values(), &codes, f),
            Records::F64(rows) => self.tiles(at, rows.values(), &codes, f),
        }
    }

    fn tiles<T: RecordElement>(
        &self,
        at: &BlockAt,
        values: &[T],
        codes: &[u32],
        mut f: impl FnMut(&Tile, Marks<'_>) -> Result<()>,
    ) -> Result<()> {
        let frame = self.frame();
        let n_rows = tile_rows(frame.stride());
        let mut tile = Tile::new(&frame);
        let weights = at.block.weights.as_deref();
        let tiles = values.chunks(n_rows * self.n_features()).zip(codes.chunks(n_rows));
        for (idx, (values, codes)) in tiles.enumerate() {
            let first = idx * n_rows;
            if !tile.load(&frame, values) {
                return Err(at.locate(changed("values in the range of the first pass"), None));
            }
            let weights = weights.map(|all| &all[first..first + codes.len()]);
            f(&tile, Marks { first, codes, weights })?;
        }
        Ok(())
    }

    fn check_weights(&self, at: &BlockAt) -> Result<()> {
        let mut weights = at.block.weights.iter().flat_map(|weights| weights.iter());
        match weights.position(|weight| !(0.0..=self.max_weight).contains(weight)) {
            Some(row) => Err(at.locate(changed("the weights of the first pass"), Some(row))),
            None => Ok(()),
        }
    }

    /// The class of each row; quickly for numbers.
    fn codes(&self, at: &BlockAt) -> Result<Vec<u32>> {
        let quick = match &at.block.targets {
            Some(Targets::I64(values)) => self.integers().and_then(|all| find(&all, values)),
            Some(Targets::F64(values)) => self.reals().and_then(|all| find(&all, values)),
            _ => None,
        };
        quick.map_or_else(|| self.classes.codes(at), Ok)
    }

    fn integers(&self) -> Option<Vec<i64>> {
        let integer = |label: &Label| match label {
            Label::Integer(value) => Some(*value),
            _ => None,
        };
        self.classes.0.iter().map(integer).collect()
    }

    fn reals(&self) -> Option<Vec<f64>> {
        const EXACT: i64 = 1 << 53;
        let real = |label: &Label| match label {
            Label::Integer(value) if (-EXACT..EXACT).contains(value) => Some(*value as f64),
            Label::Real(value) => Some(*value),
            _ => None,
        };
        self.classes.0.iter().map(real).collect()
    }
}

/// Positions of values among others, if all are there.
fn find<T: Copy + PartialOrd>(all: &[T], values: &[T]) -> Option<Vec<u32>> {
    let position = |value: T| match all {
        [first, second] => {
            (value == *first || value == *second).then(|| u32::from(value == *second))
        }
        _ => {
            let at = all.partition_point(|other| *other < value);
            (all.get(at) == Some(&value)).then_some(at as u32)
        }
    };
    values.iter().map(|&value| position(value)).collect()
}

fn tile_rows(stride: usize) -> usize {
    (TILE_BYTES / (stride * size_of::<f64>())).clamp(8, 256) / 4 * 4
}

/// Classes and weights of the rows of a tile.
#[derive(Clone, Copy)]
pub(crate) struct Marks<'a> {
    /// The position of the tile's first row in the slice.
    pub first: usize,
    pub codes: &'a [u32],
    weights: Option<&'a [f64]>,
}

impl Marks<'_> {
    pub fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }
}

/// One class against the others, and what slack costs a row of each side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sides {
    pub positive: u32,
    /// The cost of rows of the other classes.
    pub others: f64,
    /// The cost of rows of the class.
    pub own: f64,
}

impl Sides {
    /// Which side a row is on, 1 or -1, and what its slack costs.
    #[inline(always)]
    pub fn of(&self, marks: &Marks<'_>, row: usize) -> (f64, f64) {
        let is_own = marks.codes[row] == self.positive;
        let (sign, cost) = if is_own { (1.0, self.own) } else { (-1.0, self.others) };
        (sign, cost * marks.weight(row))
    }

    /// The largest cost of a row.
    pub fn largest(&self, space: &Space) -> f64 {
        self.own.max(self.others) * space.max_weight
    }

    pub fn check(&self, space: &Space) -> Result<()> {
        let sound = |cost: f64| cost > 0.0 && cost.is_finite();
        let known = (self.positive as usize) < space.classes.len();
        sound_or(known && sound(self.own) && sound(self.others))
    }
}

/// # Errors
/// When what arrived makes no sense.
pub(super) fn sound_or(sound: bool) -> Result<()> {
    let malformed = || Error::format("a job of a linear SVC that fits the data", "another");
    if sound { Ok(()) } else { Err(malformed()) }
}

/// A bound that sums can be made with.
pub(super) fn bounded(bound: f64) -> f64 {
    // NaN becomes the largest.
    if bound < 1e240 { bound.max(1e-240) } else { 1e240 }
}

pub(super) fn changed(expected: &str) -> Error {
    let (expected, found) = (expected.to_owned(), "others".to_owned());
    ErrorKind::SourceChanged { expected, found }.into()
}
