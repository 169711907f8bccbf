//! What proves that a solution is the optimum.

use serde::{Deserialize, Serialize};

/// How near a problem of two classes is to its optimum, computed in double precision over
/// all rows after the solver said that it was done.
///
/// The problem: minimize P(w, b) = |w|^2 / 2 + sum of `C_i` max(0, 1 - `y_i` (w'phi(`x_i`) + b)).
/// Its dual, D(a) = sum of `a_i` - |w|^2 / 2 with w = sum of `a_i y_i` phi(`x_i`), is at most P
/// for every feasible a, so their difference bounds how far either is from the optimum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// P at the returned coefficients and intercept.
    pub primal_objective: f64,
    /// D at the returned coefficients.
    pub dual_objective: f64,
    /// By how much a row violates the conditions of the optimum (Karush, Kuhn and Tucker),
    /// at most, for the returned intercept, in units of the decision function; or by how much
    /// the coefficients violate theirs, in units of C, if that is more.
    pub max_kkt_violation: f64,
    /// Whether the largest violation between two rows is within `tol`, and what rounding may have
    /// done to it as well.
    pub converged: bool,
    /// Whether the kernel makes the problem convex; if not, there is no duality gap, and the
    /// conditions hold at every local optimum.
    pub convex: bool,
}

impl Certificate {
    pub(crate) fn new(quadratic: f64, linear: f64, convex: bool) -> Self {
        Self {
            primal_objective: quadratic / 2.0,
            dual_objective: linear - quadratic / 2.0,
            max_kkt_violation: f64::INFINITY,
            converged: false,
            convex,
        }
    }

    pub(crate) fn measured(&mut self, loss: f64, violation: f64) {
        self.primal_objective += loss;
        self.max_kkt_violation = violation;
    }

    /// (P - D) / max(1, |P|): 0 at the optimum. None where the kernel is not convex.
    #[must_use]
    pub fn duality_gap(&self) -> Option<f64> {
        let gap = self.primal_objective - self.dual_objective;
        self.convex.then(|| gap / self.primal_objective.abs().max(1.0))
    }
}
