//! A support vector classifier that trains over blocks, reaches the optimum of the whole
//! data and proves it.
//!
//! The solver is blocked sequential minimal optimization. Its outer step is a job over blocks:
//! each row's gradient takes in the coordinates that changed, and the rows that violate the
//! conditions of the optimum most come back; the problem over these and half of the former
//! ones is solved in memory. So the data need not fit in memory, and the same solver runs on
//! threads and on workers. At the end all gradients are summed up again in double precision,
//! and if the optimum is confirmed, its duality gap is measured.
//!
//! Nothing depends on where blocks are cut: a row's gradient is one chain of sums in the order
//! of the changes, candidates are ordered by gradient and row, and what the solver chooses
//! depends on the number of rows and on parameters only.
//!
//! # References
//! - C. Cortes, V. Vapnik, *Support-vector networks*, Machine Learning 20, 1995,
//!   DOI 10.1007/BF00994018.
//! - C.-C. Chang, C.-J. Lin, *LIBSVM: a library for support vector machines*, ACM TIST 2(3),
//!   2011, DOI 10.1145/1961189.1961199.
//! - Z. Wen et al., *ThunderSVM: a fast SVM library on GPUs and CPUs*, JMLR 19, 2018.

mod by_row;
pub mod calibrated;
mod certificate;
mod certify;
mod classes;
mod decision;
mod file;
mod fit;
mod kernel;
mod linear;
mod log;
mod model;
mod pair;
mod params;
mod plan;
mod rows;
mod survey;
mod sweep;
mod working_set;

pub use calibrated::{Calibrated, CalibratedParams};
pub use certificate::Certificate;
pub use classes::PredictedLabel;
pub use kernel::{Gamma, Kernel};
pub use linear::{LinearCertificate, LinearSvc, LinearSvcParams, LinearSvcValidParams, Loss};
pub use model::{History, Status, Svc};
pub use params::{ClassWeight, DecisionShape, SvcParams, SvcValidParams};

use drystone_core::Registry;
use drystone_core::collect::Collect;

pub(crate) fn register(registry: &mut Registry) {
    registry.job::<survey::Survey>().job::<sweep::Sweep>();
    registry.job::<Collect<by_row::Codes>>().job::<Collect<by_row::DecisionFunction>>();
    calibrated::register(registry);
    linear::register(registry);
}
