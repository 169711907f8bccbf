//! The hinge's problem over rows in memory, and a linear part that stands for all others: a
//! primal-dual interior point method with predictor and corrector.
//!
//! Minimizes |w|^2 / 2 - p'w + sum of `c_i` max(0, 1 - `x_i`'w), of rows `x_i` that have been
//! multiplied by their side. With the multipliers a (of a row's slack being large enough) and
//! c - a (of its being positive), all that is solved is a system of as many unknowns as columns.
//!
//! # References
//! - S. Mehrotra, *On the implementation of a primal-dual interior point method*, SIAM J.
//!   Optimization 2(4), 1992, DOI 10.1137/0802028.
//! - M. Ferris, T. Munson, *Interior-point methods for massive support vector machines*, SIAM J.
//!   Optimization 13(3), 2002, DOI 10.1137/S1052623400374379.

use super::matrix::{Factor, Symmetric, dot};

const MAX_ITER: usize = 100;
/// The share of the way to the border that a step may go.
const NEARLY: f64 = 0.995;

/// The problem.
pub(super) struct Reduced {
    /// Rows times their side, row-major; a row is as long as `pull`.
    pub rows: Vec<f64>,
    pub costs: Vec<f64>,
    pub pull: Vec<f64>,
}

/// What is known of a row.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// The multipliers: of the margin, and of the slack's sign. Their sum is the cost.
    margin: f64,
    sign: f64,
    /// What is left to the margin, and the slack: both positive.
    rest: f64,
    slack: f64,
}

/// A change of a row.
#[derive(Clone, Copy, Debug, Default)]
struct Change {
    margin: f64,
    rest: f64,
    slack: f64,
}

/// How good weights are in the reduced problem.
#[derive(Clone, Debug)]
pub(super) struct Solution {
    pub w: Vec<f64>,
    /// A lower bound on the reduced problem's objective.
    pub dual: f64,
}

impl Reduced {
    fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.rows.chunks_exact(self.pull.len())
    }

    /// 1 - x'w for each row.
    fn margins(&self, w: &[f64]) -> Vec<f64> {
        self.rows().map(|row| 1.0 - dot(row, w)).collect()
    }

    /// The linear part's pull and that of the rows, given a coefficient for each.
    fn pulled(&self, coefs: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut sum = self.pull.clone();
        for (row, coef) in self.rows().zip(coefs) {
            sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += coef * x);
        }
        sum
    }

    /// The optimum, to a duality gap of `goal` or as near as rounding allows.
    pub fn solve(&self, start: &[f64], goal: f64) -> Solution {
        let mut w = start.to_vec();
        let mut margins = self.margins(&w);
        let mut rows = self.start(&margins);
        let mut best = Solution { w: w.clone(), dual: f64::NEG_INFINITY };
        let mut best_primal = f64::INFINITY;
        for _ in 0..MAX_ITER {
            let pulled = self.pulled(rows.iter().map(|row| row.margin));
            let sum: f64 = rows.iter().map(|row| row.margin).sum();
            let dual = sum - 0.5 * dot(&pulled, &pulled);
            let primal = self.primal(&w, &margins);
            best.dual = best.dual.max(dual);
            if primal < best_primal {
                best_primal = primal;
                best.w.clone_from(&w);
            }
            let is_far = best_primal - best.dual > goal;
            if !is_far || !self.advance(&mut w, &mut rows, &pulled) {
                break;
            }
            margins = self.margins(&w);
        }
        best
    }

    fn primal(&self, w: &[f64], margins: &[f64]) -> f64 {
        let loss: f64 = margins.iter().zip(&self.costs).map(|(m, cost)| cost * m.max(0.0)).sum();
        0.5 * dot(w, w) - dot(w, &self.pull) + loss
    }

    fn start(&self, margins: &[f64]) -> Vec<Row> {
        let mean = margins.iter().map(|m| m.abs()).sum::<f64>() / margins.len().max(1) as f64;
        let room = mean.max(1e-3);
        let row = |(m, cost): (&f64, &f64)| {
            let slack = m.max(0.0) + room;
            Row { margin: 0.5 * cost, sign: 0.5 * cost, rest: slack - m, slack }
        };
        margins.iter().zip(&self.costs).map(row).collect()
    }

    /// One step; says whether there was any.
    fn advance(&self, w: &mut [f64], rows: &mut [Row], pulled: &[f64]) -> bool {
        let factor = self.factor(rows);
        let lack: Vec<f64> = pulled.iter().zip(&*w).map(|(v, w)| v - w).collect();
        let aimed = |rows: &[Row], target: f64, guess: Option<&[Change]>| {
            self.direction(&factor, rows, &lack, target, guess)
        };
        let (_, guess) = aimed(rows, 0.0, None);
        let now = complementarity(rows, &[], 0.0);
        let then = complementarity(rows, &guess, longest(rows, &guess));
        let target = now * (then / now).powi(3);
        let (by, changes) = aimed(rows, target, Some(&guess));
        let length = (NEARLY * longest(rows, &changes)).min(1.0);
        // NaN ends it too.
        let moves = length > 1e-10;
        if !moves {
            return false;
        }
        w.iter_mut().zip(by).for_each(|(w, by)| *w += length * by);
        for (row, change) in rows.iter_mut().zip(changes) {
            row.margin += length * change.margin;
            row.sign -= length * change.margin;
            row.rest += length * change.rest;
            row.slack += length * change.slack;
        }
        true
    }

    /// The matrix I + sum of x x' / (rest / margin + slack / sign).
    fn factor(&self, rows: &[Row]) -> Factor {
        let m = self.pull.len();
        let mut lower = vec![0.0; m * (m + 1) / 2];
        for (x, row) in self.rows().zip(rows) {
            let share = row.share();
            let mut at = 0;
            for (i, &xi) in x.iter().enumerate() {
                let scaled = share * xi;
                let to = &mut lower[at..=at + i];
                to.iter_mut().zip(x).for_each(|(sum, xj)| *sum += scaled * xj);
                at += i + 1;
            }
        }
        let entry =
            |i: usize, j: usize| lower[i * (i + 1) / 2 + j] + if i == j { 1.0 } else { 0.0 };
        Symmetric::new(m, entry).factor()
    }

    /// The direction in which products of multipliers and what they belong to become `target`,
    /// to the first order, or to the second if a guess is at hand.
    fn direction(
        &self,
        factor: &Factor,
        rows: &[Row],
        lack: &[f64],
        target: f64,
        guess: Option<&[Change]>,
    ) -> (Vec<f64>, Vec<Change>) {
        let wanted = |idx: usize, row: &Row| {
            let guess = guess.map_or_else(Change::default, |guess| guess[idx]);
            let margin = target - row.margin * row.rest - guess.margin * guess.rest;
            let sign = target - row.sign * row.slack + guess.margin * guess.slack;
            (margin, sign)
        };
        let coefs: Vec<f64> = rows
            .iter()
            .enumerate()
            .map(|(idx, row)| {
                let (margin, sign) = wanted(idx, row);
                row.share() * (margin / row.margin - sign / row.sign)
            })
            .collect();
        let mut right = lack.to_vec();
        for (x, coef) in self.rows().zip(&coefs) {
            right.iter_mut().zip(x).for_each(|(sum, x)| *sum += coef * x);
        }
        let by = factor.solve(&right);
        let change = |(idx, (x, row)): (usize, (&[f64], &Row))| {
            let (margin, sign) = wanted(idx, row);
            let change = coefs[idx] - row.share() * dot(x, &by);
            Change {
                margin: change,
                rest: (margin - row.rest * change) / row.margin,
                slack: (sign + row.slack * change) / row.sign,
            }
        };
        let changes = self.rows().zip(rows).enumerate().map(change).collect();
        (by, changes)
    }
}

impl Row {
    fn share(&self) -> f64 {
        1.0 / (self.rest / self.margin + self.slack / self.sign)
    }
}

/// The mean product of multipliers and what they belong to, after a change.
fn complementarity(rows: &[Row], changes: &[Change], length: f64) -> f64 {
    let product = |(idx, row): (usize, &Row)| {
        let change = changes.get(idx).copied().unwrap_or_default();
        (row.margin + length * change.margin) * (row.rest + length * change.rest)
            + (row.sign - length * change.margin) * (row.slack + length * change.slack)
    };
    rows.iter().enumerate().map(product).sum::<f64>() / (2 * rows.len()).max(1) as f64
}

/// The longest step of at most 1 that leaves all numbers positive, or 0.
fn longest(rows: &[Row], changes: &[Change]) -> f64 {
    let reach = |value: f64, change: f64| if change < 0.0 { -value / change } else { 1.0 };
    rows.iter().zip(changes).fold(1.0, |most: f64, (row, change)| {
        most.min(reach(row.margin, change.margin))
            .min(reach(row.sign, -change.margin))
            .min(reach(row.rest, change.rest))
            .min(reach(row.slack, change.slack))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_with_a_known_answer() {
        // One column: minimize w^2/2 + 10 max(0, 1 - w) + max(0, 1 + w): the margin holds.
        let reduced = Reduced { rows: vec![1.0, -1.0], costs: vec![10.0, 1.0], pull: vec![0.0] };
        let solution = reduced.solve(&[0.0], 1e-10);
        assert!((solution.w[0] - 1.0).abs() < 1e-8, "{solution:?}");
        assert!((solution.dual - 2.5).abs() < 1e-8, "{solution:?}");
    }

    #[test]
    fn the_linear_part_counts() {
        let reduced = Reduced { rows: vec![1.0], costs: vec![1e-9], pull: vec![3.0] };
        let solution = reduced.solve(&[0.0], 1e-10);
        assert!((solution.w[0] - 3.0).abs() < 1e-4, "{solution:?}");
        assert!((solution.dual + 4.5).abs() < 1e-6, "{solution:?}");
        let none = Reduced { rows: vec![], costs: vec![], pull: vec![1.0, 2.0] };
        assert!((none.solve(&[0.0, 0.0], 1e-12).dual + 2.5).abs() < 1e-12);
    }
}
