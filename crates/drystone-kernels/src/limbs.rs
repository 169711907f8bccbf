//! Sums of rows by cluster that do not depend on the order of the rows:
//! fixed-point integers, exact under addition and subtraction.
//!
//! A value is rounded once, to a multiple of a unit that is 2^-88 (`f64`) or
//! 2^-50 (`f32`) of a power of two that bounds its column ([`Scales`]); integers
//! are added from then on. It is not a general exact sum: that is
//! [`ExactSum`](crate::ExactSum), and it needs no scale.
//!
//! [`Accumulator`] adds many rows fast, [`ClusterSums`] holds what they came to.
//!
//! ```
//! use drystone_kernels::Isa;
//! use drystone_kernels::limbs::{Accumulator, ClusterSums, Scales};
//!
//! let records = [1.0, 10.0, 2.0, 20.0, 6.0, 60.0]; // (3, 2)
//! let scales = Scales::new::<f64>(&[6.0, 60.0], 1.0);
//! let mut accumulator = Accumulator::<f64>::new(2, &scales);
//! accumulator.add(Isa::best(), &records, None, &[0, 0, 1])?;
//! let mut sums = ClusterSums::new(2, 2);
//! accumulator.flush_into(&mut sums)?;
//! assert_eq!(sums.mean(0, 1, &scales), 15.0);
//! assert_eq!(sums.count(1), 1);
//! # Ok::<(), drystone_kernels::limbs::OutOfRange>(())
//! ```

mod accumulator;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
mod potential;
mod scalar;
mod scales;
mod sums;

use std::error::Error;
use std::fmt;

pub use accumulator::Accumulator;
#[cfg(target_arch = "x86_64")]
pub(crate) use accumulator::Pending;
pub use scales::Scales;
pub use sums::ClusterSums;

/// A value lies beyond the largest magnitude that its column, or the weights,
/// were declared to have, or is NaN: the data changed since they were scanned.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct OutOfRange {
    /// The row, counted from the first row of the call.
    pub row: usize,
    /// The column; `None` if it is the weight.
    pub column: Option<usize>,
    /// The value: of a weighted row, the weight times the element.
    pub value: f64,
    /// The largest magnitude allowed.
    pub bound: f64,
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { row, value, bound, .. } = self;
        match self.column {
            Some(column) => write!(f, "row {row}, column {column}: ")?,
            None => write!(f, "row {row}: weight ")?,
        }
        write!(f, "{value} is not within +-{bound}, the range of the first pass")
    }
}

impl Error for OutOfRange {}

#[cfg(test)]
mod tests;
