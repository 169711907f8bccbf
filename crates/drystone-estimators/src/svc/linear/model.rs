//! What a fit returns.

use drystone_core::{Label, Result};

use super::certificate::LinearCertificate;
use crate::svc::classes::{Classes, PredictedLabel};
use crate::svc::model::{History, Status};

/// A linear support vector classifier: the optimum over all rows of a dataset, with its proof.
///
/// Two classes are told apart by one problem, in which the second is positive; more of them by
/// a problem for each, against all others. Arrays are laid out as scikit-learn's are.
#[derive(Clone, Debug)]
#[doc(alias = "LinearSVC")]
pub struct LinearSvc {
    pub(super) classes: Classes,
    pub(super) n_features: usize,
    pub(super) coef: Vec<f64>,
    pub(super) intercept: Vec<f64>,
    pub(super) certificates: Vec<LinearCertificate>,
    pub(super) n_iter: Vec<u64>,
    pub(super) status: Status,
    pub(super) recipe: String,
    pub(super) history: History,
}

impl LinearSvc {
    /// The classes, ascending.
    #[must_use]
    pub fn classes(&self) -> &[Label] {
        &self.classes.0
    }

    /// Number of classes.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        self.classes.len()
    }

    /// Columns of the data.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Number of problems: 1 for two classes, else one a class.
    #[must_use]
    pub fn n_problems(&self) -> usize {
        self.intercept.len()
    }

    /// The weights of the columns, `(n_problems, n_features)`, row-major.
    #[must_use]
    pub fn coef(&self) -> &[f64] {
        &self.coef
    }

    /// The constant of each problem's decision function, `(n_problems,)`.
    #[must_use]
    pub fn intercept(&self) -> &[f64] {
        &self.intercept
    }

    /// How near each problem is to its optimum, `(n_problems,)`.
    #[must_use]
    pub fn certificates(&self) -> &[LinearCertificate] {
        &self.certificates
    }

    /// Steps for each problem, `(n_problems,)`.
    #[must_use]
    pub fn n_iter(&self) -> &[u64] {
        &self.n_iter
    }

    /// Whether all problems reached `tol`.
    #[must_use]
    pub fn converged(&self) -> bool {
        self.status == Status::Converged
    }

    /// Why the fit ended.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// What the fit took.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The parameters that affect values, in words.
    #[must_use]
    pub fn recipe(&self) -> &str {
        &self.recipe
    }

    /// The classes as values of a type: what [`predict_codes`](Self::predict_codes) counts.
    ///
    /// # Errors
    /// [`ErrorKind::Dtype`](drystone_core::ErrorKind::Dtype) when the classes are of another type.
    pub fn labels<L: PredictedLabel>(&self) -> Result<Vec<L>> {
        self.classes.values()
    }
}
