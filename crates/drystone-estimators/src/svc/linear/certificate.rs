//! What proves that the weights of a linear SVC are the optimum.

use serde::{Deserialize, Serialize};

/// How near one problem, a class against the others, is to its optimum: found in double
/// precision over all rows, at the returned weights.
///
/// The problem: minimize P(w, b) = (|w|^2 + b^2) / 2 + sum of `C_i` loss(1 - `y_i` (w'`x_i` + b)),
/// where the loss is max(0, s) (hinge) or its square. Its dual is at most P everywhere, so that
/// their difference bounds how far P is from the optimum, and the square root of twice the
/// difference how far (w, b) is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LinearCertificate {
    /// P at the returned weights.
    pub primal_objective: f64,
    /// The largest value of the dual that was found.
    pub dual_objective: f64,
    /// The norm of P's gradient, which the squared hinge has; 0 for the hinge.
    pub gradient_norm: f64,
    /// Whether it is within `tol`: of the squared hinge, the gradient's norm relative to that at
    /// weights of 0, as LIBLINEAR measures it; of the hinge, the [duality
    /// gap](Self::duality_gap).
    pub converged: bool,
}

impl LinearCertificate {
    /// (P - D) / max(1, |P|): 0 at the optimum.
    #[must_use]
    pub fn duality_gap(&self) -> f64 {
        let gap = self.primal_objective - self.dual_objective;
        gap / self.primal_objective.abs().max(1.0)
    }

    /// Of the squared hinge: with the coefficients that the weights' slacks give to the rows,
    /// the gap is half the square of the gradient's norm.
    pub(super) fn smooth(primal_objective: f64, gradient_norm: f64, converged: bool) -> Self {
        let dual_objective = primal_objective - 0.5 * gradient_norm * gradient_norm;
        Self { primal_objective, dual_objective, gradient_norm, converged }
    }
}
