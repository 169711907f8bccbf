//! A linear support vector classifier for many rows: the optimum of the whole data in some ten
//! passes, with its proof.
//!
//! The intercept is regularised as if it were one more column of ones, as in LIBLINEAR.
//!
//! - Squared hinge: Newton's method with a line search. A pass finds the loss, its gradient,
//!   and by which rows the matrix of second derivatives has changed: those that crossed the
//!   margin. The equations of a step are solved on the driver, or, with more than 511 columns,
//!   by conjugate gradients, which take a pass for each product.
//! - Hinge: the same, on a hinge that is smoothed less and less, until most rows are far from
//!   the margin. From then on, these are linear, and the problem over the others is solved in
//!   memory by an interior point method; a pass tells whether that was the whole truth.
//!
//! Nothing depends on where blocks are cut: all sums over rows are of integers (see
//! [`drystone_kernels::linear`]), and nothing is kept about rows between passes.
//!
//! # References
//! - R.-E. Fan, K.-W. Chang, C.-J. Hsieh, X.-R. Wang, C.-J. Lin, *LIBLINEAR: a library for large
//!   linear classification*, JMLR 9, 2008.
//! - O. Mangasarian, *A finite Newton method for classification*, Optimization Methods and
//!   Software 17(5), 2002, DOI 10.1080/1055678021000028375.
//! - S. Keerthi, D. DeCoste, *A modified finite Newton method for fast solution of large scale
//!   linear SVMs*, JMLR 6, 2005.

mod bundle;
mod by_row;
mod certificate;
mod curve;
mod decision;
mod evaluate;
mod file;
mod fit;
mod interior;
#[cfg(test)]
mod laws;
mod machine;
mod matrix;
mod model;
mod nearest;
mod newton;
mod params;
mod products;
mod space;

pub use certificate::LinearCertificate;
pub use model::LinearSvc;
pub use params::{LinearSvcParams, LinearSvcValidParams, Loss};

use drystone_core::Registry;
use drystone_core::collect::Collect;

pub(super) fn register(registry: &mut Registry) {
    registry.job::<evaluate::Evaluate>().job::<products::Products>().job::<nearest::Nearest>();
    registry.job::<Collect<by_row::Codes>>().job::<Collect<by_row::DecisionFunction>>();
}
