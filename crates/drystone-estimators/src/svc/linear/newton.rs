//! The driver's side of one problem under Newton's method with a line search: which weights
//! to look at next, given what was found at the last ones. Knows nothing of rows.

use drystone_kernels::linear::Shape;

use super::curve::Curve;
use super::evaluate::{Found, Place, Task};
use super::matrix::{Symmetric, dot, norm};
use super::products::Along;
use super::space::{Sides, Space};

/// A step is long enough if it lowers the loss by this share of what its slope promises.
const ENOUGH: f64 = 1e-4;
/// Differences below this share of the objective are rounding.
const ROUNDING: f64 = 1e-12;
/// A step is halved so often, about, before the problem is given up.
const MAX_SHORTER: u32 = 40;

/// What is known at some weights.
#[derive(Clone, Debug)]
struct Point {
    w: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// A direction from the best weights so far, and how far to go.
#[derive(Clone, Debug)]
struct Step {
    direction: Vec<f64>,
    slope: f64,
    length: f64,
    n_shorter: u32,
}

/// Conjugate gradients towards a direction.
#[derive(Clone, Debug)]
struct Conjugate {
    x: Vec<f64>,
    residual: Vec<f64>,
    direction: Vec<f64>,
    /// The residual's square in the metric of the diagonal.
    rho: f64,
    /// Done when it is below.
    goal: f64,
    n_left: usize,
}

/// A problem on its way to the optimum.
#[derive(Clone, Debug)]
pub(super) struct Newton {
    pub sides: Sides,
    pub curve: Curve,
    /// Where `curvature` belongs to.
    known: Option<Place>,
    best: Option<Point>,
    /// Where to look first, after the loss changed.
    start: Option<Vec<f64>>,
    /// Sums of cost x row x row', in units.
    curvature: Vec<i128>,
    unit: f64,
    step: Option<Step>,
    conjugate: Option<Conjugate>,
    n_weights: usize,
    /// Steps that were taken.
    pub n_iter: u64,
    /// The norm of the gradient at weights of 0.
    first_norm: f64,
    /// Rounding hides what is left to be gained.
    pub is_stalled: bool,
}

impl Newton {
    pub fn new(sides: Sides, curve: Curve, space: &Space) -> Self {
        Self {
            sides,
            curve,
            known: None,
            best: None,
            start: None,
            curvature: Vec::new(),
            unit: 0.0,
            step: None,
            conjugate: None,
            n_weights: space.n_weights(),
            n_iter: 0,
            first_norm: 0.0,
            is_stalled: false,
        }
    }

    /// The best weights so far.
    pub fn w(&self) -> Vec<f64> {
        let known = || self.known.as_ref().map(|known| &known.w);
        let w = self.best.as_ref().map(|best| &best.w).or_else(known);
        w.cloned().unwrap_or_else(|| vec![0.0; self.n_weights])
    }

    /// The objective there.
    pub fn value(&self) -> f64 {
        self.best.as_ref().map_or(f64::INFINITY, |best| best.value)
    }

    /// Whether anything is known yet.
    pub fn has_begun(&self) -> bool {
        self.known.is_some()
    }

    /// The norm of the gradient there.
    pub fn gradient_norm(&self) -> f64 {
        self.best.as_ref().map_or(f64::INFINITY, |best| norm(&best.gradient))
    }

    pub fn first_norm(&self) -> f64 {
        self.first_norm
    }

    /// What Newton's step promises to gain, once there is a direction.
    pub fn promise(&self) -> f64 {
        self.step.as_ref().map_or(f64::INFINITY, |step| -0.5 * step.slope)
    }

    /// Goes on with another loss, from where the last direction leads.
    pub fn change_curve(&mut self, curve: Curve) {
        let end = self.best.as_ref().zip(self.step.as_ref()).map(|(best, step)| step.end(&best.w));
        self.start = Some(end.unwrap_or_else(|| self.w()));
        self.curve = curve;
        self.step = None;
        self.conjugate = None;
        self.best = None;
    }

    /// The costs of the rows where the loss is curved.
    pub fn curved_cost(&self, space: &Space) -> f64 {
        let last = self.n_weights - 1;
        let at = match space.has_hessian {
            true => Shape::outer_at(space.frame().stride(), last, last),
            false => last,
        };
        self.curvature.get(at).map_or(0.0, |sum| *sum as f64 * self.unit)
    }

    /// What to look at next.
    pub fn task(&self) -> Task {
        let w = match (&self.best, &self.step) {
            (Some(best), Some(step)) => step.end(&best.w),
            _ => self.start.clone().unwrap_or_else(|| self.w()),
        };
        Task { sides: self.sides, point: Place { w, curve: self.curve }, known: self.known.clone() }
    }

    /// Takes in what was found for `task`; says whether a new point was reached.
    pub fn take_in(&mut self, task: Task, found: &Found, space: &Space) -> bool {
        let point = Point::new(&task, found, space);
        if let (Some(best), Some(step)) = (&self.best, &mut self.step) {
            if !step.is_good(best, &point) {
                step.shorten(&point);
                self.is_stalled = step.n_shorter > MAX_SHORTER;
                return false;
            }
            self.n_iter += 1;
        } else if self.first_norm == 0.0 {
            self.first_norm = norm(&point.gradient);
        }
        self.unit = task.curvature(space).unit();
        self.curvature.resize(found.curvature.len(), 0);
        super::evaluate::add(&mut self.curvature, &found.curvature);
        self.known = Some(task.point);
        self.best = Some(point);
        self.start = None;
        self.step = None;
        true
    }

    /// Finds a direction from the matrix of second derivatives, or begins to find one by
    /// conjugate gradients.
    pub fn turn(&mut self, space: &Space) {
        let Some(best) = &self.best else { return };
        if space.has_hessian {
            let right: Vec<f64> = best.gradient.iter().map(|g| -g).collect();
            let direction = self.hessian(space).solve(&right);
            self.go(direction);
        } else {
            let share = (norm(&best.gradient) / self.first_norm).sqrt().min(0.1);
            self.conjugate = Some(Conjugate::new(&best.gradient, &self.diagonal(space), share));
        }
    }

    fn go(&mut self, direction: Vec<f64>) {
        let Some(best) = &self.best else { return };
        let slope = dot(&best.gradient, &direction);
        // Only rounding makes it rise.
        let falls = slope < 0.0;
        self.is_stalled |= !falls;
        self.step = Some(Step { direction, slope, length: 1.0, n_shorter: 0 });
    }

    fn hessian(&self, space: &Space) -> Symmetric {
        let stride = space.frame().stride();
        let unit = self.unit * self.curve.curvature();
        Symmetric::new(self.n_weights, |row, column| {
            let sum = self.curvature[Shape::outer_at(stride, column, row)] as f64 * unit;
            let ridge = if row == column { 1.0 } else { 0.0 };
            sum / space.scale(row) / space.scale(column) + ridge
        })
    }

    fn diagonal(&self, space: &Space) -> Vec<f64> {
        let unit = self.unit * self.curve.curvature();
        let square = |column: usize| space.scale(column) * space.scale(column);
        let sums = self.curvature.iter().take(self.n_weights).enumerate();
        sums.map(|(column, sum)| *sum as f64 * unit / square(column) + 1.0).collect()
    }

    /// The product that conjugate gradients ask for; None when they are done.
    pub fn along(&self) -> Option<Along> {
        let conjugate = self.conjugate.as_ref()?;
        let point = Place { w: self.w(), curve: self.curve };
        Some(Along { sides: self.sides, point, direction: conjugate.direction.clone() })
    }

    /// Takes in the product.
    pub fn take_product(&mut self, along: &Along, found: &[i128], space: &Space) {
        let diagonal = self.diagonal(space);
        let unit = along.sums(space).unit() * self.curve.curvature();
        let sums = found.iter().take(self.n_weights).enumerate();
        let product = sums
            .zip(&along.direction)
            .map(|((column, sum), direction)| *sum as f64 * unit / space.scale(column) + direction);
        let product: Vec<f64> = product.collect();
        let Some(conjugate) = &mut self.conjugate else { return };
        if conjugate.advance(&product, &diagonal) {
            let direction = std::mem::take(&mut conjugate.x);
            self.conjugate = None;
            self.go(direction);
        }
    }
}

impl Point {
    fn new(task: &Task, found: &Found, space: &Space) -> Self {
        let w = task.point.w.clone();
        let unit = task.pull(space).unit();
        let pull = |column: usize| found.pull[column] as f64 * unit / space.scale(column);
        let gradient = w.iter().enumerate().map(|(column, w)| w - pull(column)).collect();
        Self { value: 0.5 * dot(&w, &w) + found.loss(), gradient, w }
    }
}

impl Step {
    fn end(&self, from: &[f64]) -> Vec<f64> {
        let pairs = from.iter().zip(&self.direction);
        pairs.map(|(w, step)| self.length.mul_add(*step, *w)).collect()
    }

    /// Whether the step gains enough; or, where rounding hides the gain, whether the slope has
    /// become flatter.
    fn is_good(&self, from: &Point, to: &Point) -> bool {
        let gain = ENOUGH * self.length * self.slope;
        let slope = dot(&to.gradient, &self.direction);
        to.value <= from.value + gain
            || slope.abs() <= 0.9 * self.slope.abs()
                && to.value <= from.value + ROUNDING * from.value.abs()
    }

    /// To where the slope would be 0 if it changed evenly.
    fn shorten(&mut self, end: &Point) {
        let slope = dot(&end.gradient, &self.direction);
        let share = self.slope / (self.slope - slope);
        // Written so that NaN halves.
        let share = if slope > 0.0 && share < 0.5 { share.max(0.1) } else { 0.5 };
        self.length *= share;
        self.n_shorter += 1;
    }
}

impl Conjugate {
    fn new(gradient: &[f64], diagonal: &[f64], share: f64) -> Self {
        let residual: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let direction = divided(&residual, diagonal);
        let rho = dot(&residual, &direction);
        let n_left = gradient.len().clamp(5, 500);
        let x = vec![0.0; residual.len()];
        Self { x, residual, direction, rho, goal: share * share * rho, n_left }
    }

    /// Takes a step, given the matrix times the direction; says whether it was the last.
    fn advance(&mut self, product: &[f64], diagonal: &[f64]) -> bool {
        let length = self.rho / dot(&self.direction, product);
        let pairs = self.x.iter_mut().zip(&self.direction);
        pairs.for_each(|(x, p)| *x += length * p);
        self.residual.iter_mut().zip(product).for_each(|(r, q)| *r -= length * q);
        let next = divided(&self.residual, diagonal);
        let rho = dot(&self.residual, &next);
        let share = rho / self.rho;
        let pairs = self.direction.iter_mut().zip(&next);
        pairs.for_each(|(p, z)| *p = share.mul_add(*p, *z));
        self.rho = rho;
        self.n_left -= 1;
        // NaN ends it too.
        let is_far = rho > self.goal;
        !is_far || self.n_left == 0
    }
}

fn divided(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a / b).collect()
}
