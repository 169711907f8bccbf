//! The driver's side of one problem with the hinge, near its optimum: rows near the margin are
//! held in memory, and all others stand for the linear piece of their loss that they are on.
//!
//! That is a model of the objective which is never above it, so its least value is a lower
//! bound, and where it is least is where to look next. Objectives at the weights that were
//! looked at are upper bounds. If the model was wrong, because rows that it does not hold have
//! changed sides, it is given the rows that are near the margin there.

use std::collections::BTreeMap;

use super::interior::Reduced;
use super::matrix::dot;
use super::nearest::{At, Margin};
use super::space::{Sides, Space};
use crate::draws::Drawn;

/// Rows are held until they are so many times those that one pass brings.
const MAX_SHARES: usize = 8;

/// A model of the objective around the best weights so far.
#[derive(Clone, Debug)]
pub(super) struct Bundle {
    sides: Sides,
    /// Rows that a pass brings, at most.
    n_rows: usize,
    /// Where to look next.
    trial: Vec<f64>,
    pub w: Vec<f64>,
    pub primal: f64,
    pub dual: f64,
    /// The pull and the costs of all rows whose slack is positive at `w`.
    pull: Vec<f64>,
    cost: f64,
    /// By position: cost x side, and the values with a 1 at the end.
    rows: BTreeMap<u64, (f64, Vec<f64>)>,
}

impl Bundle {
    pub fn new(sides: Sides, n_rows: usize, w: Vec<f64>) -> Self {
        Self {
            sides,
            n_rows,
            trial: w.clone(),
            w,
            primal: f64::INFINITY,
            dual: f64::NEG_INFINITY,
            pull: Vec::new(),
            cost: 0.0,
            rows: BTreeMap::new(),
        }
    }

    pub fn task(&self) -> At {
        At { sides: self.sides, w: self.trial.clone() }
    }

    pub fn gap(&self) -> f64 {
        (self.primal - self.dual) / self.primal.abs().max(1.0)
    }

    /// Takes in what was found at the trial.
    pub fn take_in(&mut self, found: &Margin, space: &Space) {
        let primal = 0.5 * dot(&self.trial, &self.trial) + found.loss();
        if primal < self.primal {
            let gained = self.primal - primal;
            // Rows that did not bring much are not needed, unless steps are small.
            if gained > 0.5 * (self.primal - self.dual) || self.is_full() {
                self.rows.clear();
            }
            let unit = self.task().pull(space).unit();
            let pull = |column: usize| found.pull[column] as f64 * unit / space.scale(column);
            self.pull = (0..self.trial.len()).map(pull).collect();
            self.cost = found.cost();
            self.primal = primal;
            self.w.clone_from(&self.trial);
            self.dual = self.dual.max(self.cost - 0.5 * dot(&self.pull, &self.pull));
        }
        self.rows.extend(found.rows.winners().iter().map(held));
    }

    pub fn is_full(&self) -> bool {
        self.rows.len() >= MAX_SHARES * self.n_rows
    }

    /// Finds the least value of the model, to a share of `tol`, and where to look next. Says
    /// whether that is another place.
    pub fn solve(&mut self, tol: f64) -> bool {
        let (reduced, fixed) = self.reduced();
        let goal = 0.1 * tol.min(0.1) * self.primal.abs().max(1.0);
        let solution = reduced.solve(&self.w, goal);
        self.dual = self.dual.max(fixed + solution.dual);
        let moved = solution.w != self.trial && solution.w != self.w;
        self.trial = solution.w;
        moved && self.trial.iter().all(|w| w.is_finite())
    }

    /// The model: the rows that are held, and the linear part and the costs of all others.
    fn reduced(&self) -> (Reduced, f64) {
        let mut pull = self.pull.clone();
        let mut fixed = vec![self.cost];
        let mut rows = Vec::with_capacity(self.rows.len() * self.w.len());
        for (cost, values) in self.rows.values() {
            let product =
                values.iter().zip(&self.w).fold(0.0, |sum: f64, (x, w)| x.mul_add(*w, sum));
            if 1.0 - cost.signum() * product > 0.0 {
                pull.iter_mut().zip(values).for_each(|(sum, x)| *sum -= cost * x);
                fixed.push(-cost.abs());
            }
            rows.extend(values.iter().map(|x| cost.signum() * x));
        }
        let costs = self.rows.values().map(|(cost, _)| cost.abs()).collect();
        (Reduced { rows, costs, pull }, fixed.iter().sum())
    }
}

fn held(drawn: &Drawn) -> (u64, (f64, Vec<f64>)) {
    (drawn.row, (drawn.weight, [&drawn.values[..], &[1.0]].concat()))
}
