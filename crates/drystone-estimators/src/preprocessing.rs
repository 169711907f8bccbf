//! Scaling of columns: what is learnt in one or two passes, and lazy steps that apply it.
//!
//! Values are computed in double precision and rounded once to the data's own type. Sums
//! over rows are exact, so that a fit has the same bits however the data are cut. It is not
//! a pipeline: a transformed dataset is a dataset like any other.

mod affine;
mod extremes;
#[cfg(test)]
mod laws;
mod linfa;
mod min_max;
mod rows;
mod run;
mod spread;
mod standard;
mod sums;

pub use min_max::{MinMaxScaler, MinMaxScalerParams, MinMaxScalerValidParams};
pub use standard::{StandardScaler, StandardScalerParams, StandardScalerValidParams};

use drystone_core::Registry;

pub(crate) fn register(registry: &mut Registry) {
    registry.job::<sums::Sums>().job::<spread::Spread>().job::<extremes::Extremes>();
    registry.source(affine::KIND, affine::open);
}
