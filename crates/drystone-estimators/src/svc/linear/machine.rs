//! One problem from its first pass to its certificate: which of the two methods is at work,
//! and when it is done.

use super::bundle::Bundle;
use super::certificate::LinearCertificate;
use super::curve::Curve;
use super::nearest::{At, Margin};
use super::newton::Newton;
use super::params::Loss;
use super::space::{Sides, Space};

/// The widths that smooth the hinge while the rows near the margin are still too many: the
/// first one smoothes it for all rows at weights of 0, the next are this share of the last.
const FIRST_WIDTH: f64 = 4.0;
const NARROWER: f64 = 0.25;
/// A width is narrowed when a step promises to gain less than this share of the objective.
const LITTLE: f64 = 0.01;

/// What a problem is solved to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Goal {
    pub tol: f64,
    /// min(rows of the class, other rows) / rows: what LIBLINEAR multiplies `tol` with.
    pub share: f64,
    /// Steps, at most.
    pub max_iter: u64,
    /// Rows that take part.
    pub n_rows: u64,
    /// Rows near the margin that are held in memory.
    pub n_held: usize,
}

#[derive(Clone, Debug)]
enum Phase {
    Newton,
    /// Of the hinge.
    Bundle(Box<Bundle>),
    Done,
}

/// A problem on its way to the optimum.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    goal: Goal,
    loss: Loss,
    phase: Phase,
    pub newton: Newton,
    /// All costs together, once known.
    total_cost: f64,
    n_solved: u64,
    is_ending: bool,
    w: Vec<f64>,
    pub certificate: LinearCertificate,
}

impl Machine {
    pub fn new(sides: Sides, loss: Loss, goal: Goal, space: &Space) -> Self {
        let curve = match loss {
            Loss::SquaredHinge => Curve::SquaredHinge,
            Loss::Hinge => Curve::SmoothHinge { width: FIRST_WIDTH },
        };
        let mut machine = Self {
            goal,
            loss,
            phase: Phase::Newton,
            newton: Newton::new(sides, curve, space),
            total_cost: 0.0,
            n_solved: 0,
            is_ending: false,
            w: Vec::new(),
            certificate: LinearCertificate::default(),
        };
        if loss == Loss::Hinge && goal.n_rows <= goal.n_held as u64 {
            machine.hold_rows();
        }
        machine
    }

    pub fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Done)
    }

    /// Whether the next pass is Newton's.
    pub fn is_smooth(&self) -> bool {
        matches!(self.phase, Phase::Newton)
    }

    /// Whether the next pass is for the model of the hinge.
    pub fn is_bundled(&self) -> bool {
        matches!(self.phase, Phase::Bundle(_))
    }

    /// What that pass is to look at.
    pub fn at(&self) -> Option<At> {
        match &self.phase {
            Phase::Bundle(bundle) => Some(bundle.task()),
            _ => None,
        }
    }

    /// Whether there are weights to return.
    pub fn has_begun(&self) -> bool {
        self.is_done() || self.newton.has_begun() || self.n_solved > 0
    }

    pub fn n_iter(&self) -> u64 {
        self.newton.n_iter + self.n_solved
    }

    /// The weights that were found, once it is done.
    pub fn w(&self) -> &[f64] {
        &self.w
    }

    /// The objective so far.
    pub fn value(&self) -> f64 {
        match &self.phase {
            Phase::Newton => self.newton.value(),
            Phase::Bundle(bundle) => bundle.primal,
            Phase::Done => self.certificate.primal_objective,
        }
    }

    /// Whether it ended because of `max_iter`.
    pub fn is_out_of_steps(&self) -> bool {
        self.n_iter() >= self.goal.max_iter
    }

    fn hold_rows(&mut self) {
        let (sides, n_held) = (self.newton.sides, self.goal.n_held);
        self.phase = Phase::Bundle(Box::new(Bundle::new(sides, n_held, self.newton.w())));
    }

    /// Ends with what is known; the hinge's objective has yet to be measured.
    pub fn end(&mut self) {
        self.is_ending = true;
        match (&self.phase, self.loss) {
            (Phase::Newton, Loss::SquaredHinge) => self.finish_smooth(),
            (Phase::Newton, Loss::Hinge) => self.hold_rows(),
            (Phase::Bundle(bundle), _) if bundle.primal.is_finite() => self.finish_bundle(),
            _ => {}
        }
    }

    /// After Newton's method reached other weights: done, or where to go from there?
    pub fn reached(&mut self, space: &Space) {
        if self.loss == Loss::SquaredHinge && (self.is_optimum() || self.is_out_of_steps()) {
            self.finish_smooth();
        } else if self.is_out_of_steps() {
            self.end();
        } else {
            self.newton.turn(space);
        }
    }

    /// Once there is a direction.
    pub fn turned(&mut self, space: &Space) {
        if self.loss == Loss::SquaredHinge {
            if self.newton.is_stalled {
                self.finish_smooth();
            }
            return;
        }
        let Curve::SmoothHinge { width } = self.newton.curve else { return };
        let curved = self.newton.curved_cost(space);
        self.total_cost = self.total_cost.max(curved);
        let stalled = std::mem::take(&mut self.newton.is_stalled);
        if !stalled && self.newton.promise() > LITTLE * self.newton.value() {
            return;
        }
        let held = self.goal.n_held as f64 / self.goal.n_rows as f64;
        if stalled || curved <= 0.25 * held * self.total_cost {
            self.hold_rows();
        } else {
            self.newton.change_curve(Curve::SmoothHinge { width: NARROWER * width });
        }
    }

    fn is_optimum(&self) -> bool {
        let goal = self.goal.tol * self.goal.share * self.newton.first_norm();
        self.newton.gradient_norm() <= goal
    }

    fn finish_smooth(&mut self) {
        let (value, norm) = (self.newton.value(), self.newton.gradient_norm());
        self.certificate = LinearCertificate::smooth(value, norm, self.is_optimum());
        self.w = self.newton.w();
        self.phase = Phase::Done;
    }

    /// Takes in what the pass of the hinge found.
    pub fn measured(&mut self, found: &Margin, space: &Space) {
        let (tol, max_iter, n_iter) = (self.goal.tol, self.goal.max_iter, self.n_iter());
        let Phase::Bundle(bundle) = &mut self.phase else { return };
        bundle.take_in(found, space);
        let over = self.is_ending || bundle.gap() <= tol || n_iter >= max_iter || bundle.is_full();
        if over || !bundle.solve(tol) || bundle.gap() <= tol {
            return self.finish_bundle();
        }
        self.n_solved += 1;
    }

    fn finish_bundle(&mut self) {
        let Phase::Bundle(bundle) = &mut self.phase else { return };
        self.certificate = LinearCertificate {
            primal_objective: bundle.primal,
            dual_objective: bundle.dual,
            gradient_norm: 0.0,
            converged: bundle.gap() <= self.goal.tol,
        };
        self.w = std::mem::take(&mut bundle.w);
        self.phase = Phase::Done;
    }
}
