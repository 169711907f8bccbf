//! Probabilities of the classes: an SVC's decisions through a sigmoid for each two classes.
//!
//! A sigmoid that is fitted to decisions of the rows that the SVC was fitted to would be too
//! sure of itself. So the rows are dealt out to folds, each fold's rows are judged by an SVC
//! that was fitted without them, and the sigmoids are fitted to these decisions. The SVC that
//! predicts is fitted to all rows.
//!
//! The same bits whatever the blocks and threads: which fold a row is in follows from the seed,
//! its class and its position, a row's decision is one chain of sums, and the sigmoids' sums
//! over rows are exact.
//!
//! # References
//! - J. Platt, *Probabilistic outputs for support vector machines and comparisons to regularized
//!   likelihood methods*, in Advances in Large Margin Classifiers, MIT Press, 1999.
//! - H.-T. Lin, C.-J. Lin, R. C. Weng, *A note on Platt's probabilistic outputs for support
//!   vector machines*, Machine Learning 68, 2007, DOI 10.1007/s10994-007-5018-6.
//! - T.-F. Wu, C.-J. Lin, R. C. Weng, *Probability estimates for multi-class classification by
//!   pairwise coupling*, JMLR 5, 2004.

mod by_row;
mod coupling;
mod decided;
mod file;
mod fit;
mod held_out;
#[cfg(test)]
mod laws;
mod likelihood;
mod params;
mod predict;
mod side;
mod sigmoid;

pub use coupling::couple;
pub use params::CalibratedParams;
pub use sigmoid::Sigmoid;

use drystone_core::collect::Collect;
use drystone_core::{Label, Registry};

use super::Svc;

pub(super) fn register(registry: &mut Registry) {
    registry.job::<held_out::HeldOut>();
    registry.job::<Collect<by_row::Probabilities>>().job::<Collect<by_row::Codes>>();
}

/// A model whose decisions are made probabilities.
///
/// Made by [`Calibrated::params`]; what scikit-learn had as `SVC(probability=True)`, and has as
/// `CalibratedClassifierCV(SVC(), ensemble=False)`.
#[doc(alias = "CalibratedClassifierCV")]
#[derive(Clone, Debug)]
pub struct Calibrated<M> {
    model: M,
    sigmoids: Vec<Sigmoid>,
    folds: u64,
    seed: u64,
    converged: bool,
}

impl Calibrated<Svc> {
    /// The SVC, fitted to all rows.
    #[must_use]
    pub fn svc(&self) -> &Svc {
        &self.model
    }

    /// The sigmoid of each two classes, `(n_pairs,)`: (0, 1), (0, 2), ... Of two classes alone
    /// it tells the probability of the second, of more that of the first of the two, as the
    /// signs of [`Svc::decision_function`] do.
    #[doc(alias = "probA_")]
    #[doc(alias = "probB_")]
    #[must_use]
    pub fn sigmoids(&self) -> &[Sigmoid] {
        &self.sigmoids
    }

    /// The classes, ascending: the columns of the probabilities.
    #[must_use]
    pub fn classes(&self) -> &[Label] {
        self.model.classes()
    }

    /// In how many folds rows were judged by a model that did not know them.
    #[must_use]
    pub fn folds(&self) -> u64 {
        self.folds
    }

    /// What the folds were drawn by.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Whether the SVC and those of all folds reached their `tol`.
    #[must_use]
    pub fn converged(&self) -> bool {
        self.converged
    }
}
