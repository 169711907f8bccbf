//! The decisions of the rows of one class, and exact sums over them.

use drystone_core::{Error, ErrorKind, Result};
use drystone_kernels::ExactSum;
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSlice;

/// Rows that a thread sums up at a time.
const ROWS: usize = 16_384;

/// The decisions of the rows of one class.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub decisions: &'a [f64],
    weights: Option<&'a [f64]>,
    /// Of all rows.
    pub weight: f64,
}

impl<'a> Side<'a> {
    pub fn new(decisions: &'a [f64], weights: Option<&'a [f64]>) -> Result<Self> {
        if let Some(row) = decisions.iter().position(|decision| !decision.is_finite()) {
            let error: Error = ErrorKind::NotFinite { found: decisions[row].to_string() }.into();
            return Err(error.at_row(row as u64));
        }
        let weight = match weights {
            Some(weights) => total(decisions.len(), weights)?,
            None => decisions.len() as f64,
        };
        if weight > 0.0 {
            return Ok(Self { decisions, weights, weight });
        }
        let what = "a sigmoid needs decisions of rows of both classes".to_owned();
        Err(ErrorKind::Empty { what }.into())
    }

    fn weight_of(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    /// Adds up a function of the decisions and weights.
    pub fn sum<const N: usize>(&self, f: impl Fn(f64, f64) -> [f64; N] + Sync) -> [ExactSum; N] {
        let none = || [const { ExactSum::new() }; N];
        let chunks = self.decisions.par_chunks(ROWS).enumerate();
        let of_chunk = |(chunk, decisions): (usize, &[f64])| {
            let mut sums = none();
            for (row, &decision) in (chunk * ROWS..).zip(decisions) {
                let values = f(decision, self.weight_of(row));
                sums.iter_mut().zip(values).for_each(|(sum, value)| sum.add(value));
            }
            sums
        };
        chunks.map(of_chunk).reduce(none, merged)
    }
}

pub(super) fn merged<const N: usize>(
    mut sums: [ExactSum; N],
    more: [ExactSum; N],
) -> [ExactSum; N] {
    sums.iter_mut().zip(&more).for_each(|(sum, more)| sum.merge(more));
    sums
}

/// The sum of weights.
fn total(n_rows: usize, weights: &[f64]) -> Result<f64> {
    if weights.len() != n_rows {
        return Err(Error::shape("weights", n_rows as u64, weights.len() as u64));
    }
    let sound = |weight: &f64| *weight >= 0.0 && weight.is_finite();
    if let Some(row) = weights.iter().position(|weight| !sound(weight)) {
        let error: Error = ErrorKind::Weight { found: weights[row].to_string() }.into();
        return Err(error.at_row(row as u64));
    }
    Ok(weights.iter().copied().collect::<ExactSum>().value())
}
