//! Platt's sigmoid: what turns a decision into a probability.

use drystone_core::{Error, ErrorKind, Result};
use drystone_kernels::ExactSum;
use drystone_kernels::math::{exp, ln};
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSlice;
use serde::{Deserialize, Serialize};

/// Steps of Newton's method, at most; some 10 are usual.
const MAX_STEPS: usize = 100;
/// Step lengths below this are not tried.
const MIN_LENGTH: f64 = 1e-10;
/// What is added to the curvature, of its own size and of 1, so that it is never singular, not
/// by rounding either.
const RIDGE: f64 = 1e-12;
/// A step that promises less than this share of the loss is the last: the error after it is
/// the square of what it was.
const LAST_GAIN: f64 = 1e-14;
/// Rows that a thread sums up at a time.
const ROWS: usize = 16_384;

/// P(positive) = 1 / (1 + exp(a f + b)) for a decision f.
///
/// `a` is negative where greater decisions speak for the positive class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sigmoid {
    /// The slope.
    pub a: f64,
    /// The offset.
    pub b: f64,
}

impl Sigmoid {
    /// The probability of the class that positive decisions speak for.
    ///
    /// ```
    /// use drystone_estimators::svc::calibrated::Sigmoid;
    /// let sigmoid = Sigmoid { a: -2.0, b: 0.0 };
    /// assert_eq!(sigmoid.probability(0.0), 0.5);
    /// assert!(sigmoid.probability(1.0) > 0.88);
    /// ```
    #[must_use]
    pub fn probability(&self, decision: f64) -> f64 {
        self.probabilities(decision).0
    }

    /// The probabilities of the positive class and of the other, each to its last digits.
    pub(super) fn probabilities(&self, decision: f64) -> (f64, f64) {
        let (p, q, _) = logistic(self.a * decision + self.b);
        (p, q)
    }

    /// The most likely sigmoid for decisions of which it is known whose they are, with Platt's
    /// targets: (n+ + 1) / (n+ + 2) and 1 / (n- + 2) in place of 1 and 0.
    ///
    /// The same bits in whatever order the decisions come.
    ///
    /// ```
    /// use drystone_estimators::svc::calibrated::Sigmoid;
    /// let sigmoid = Sigmoid::fit(&[2.0, 1.0, 0.5, -0.2], &[-1.5, -1.0, 0.3])?;
    /// assert!(sigmoid.a < 0.0 && sigmoid.probability(2.0) > 0.8);
    /// # Ok::<(), drystone_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Empty`](ErrorKind::Empty) when one side has no decisions,
    /// [`NotFinite`](ErrorKind::NotFinite) for one that is NaN or infinite, with its position.
    ///
    /// # Performance
    /// Some 10 passes over the decisions, on all cores.
    ///
    /// # References
    /// Lin, Lin, Weng 2007, DOI 10.1007/s10994-007-5018-6: Newton's method with a line search,
    /// and formulas that lose no digits. Here it goes on to the last digits of the optimum.
    pub fn fit(positive: &[f64], negative: &[f64]) -> Result<Self> {
        Self::fit_sides(Side::new(positive, None)?, Side::new(negative, None)?)
    }

    /// As [`fit`](Self::fit), with a weight for each decision: a row of weight 2 counts as two.
    ///
    /// # Errors
    /// As for [`fit`](Self::fit); [`Shape`](ErrorKind::Shape) when there is not a weight for
    /// each decision, [`Weight`](ErrorKind::Weight) for a bad one, and
    /// [`Empty`](ErrorKind::Empty) when those of a side are all 0.
    pub fn fit_weighted(positive: (&[f64], &[f64]), negative: (&[f64], &[f64])) -> Result<Self> {
        let side = |(decisions, weights)| Side::new(decisions, Some(weights));
        Self::fit_sides(side(positive)?, side(negative)?)
    }

    fn fit_sides(positive: Side<'_>, negative: Side<'_>) -> Result<Self> {
        let start = ln((negative.weight + 1.0) / (positive.weight + 1.0));
        let problem = Problem::new(positive, negative);
        Ok(problem.unscaled(problem.optimum(Self { a: 0.0, b: start })))
    }
}

/// P(positive), P(negative) and the logarithm of 1 + exp(-|z|), for z = a f + b.
fn logistic(z: f64) -> (f64, f64, f64) {
    let small = exp(-z.abs());
    let whole = 1.0 + small;
    let (less, more) = (small / whole, 1.0 / whole);
    let (p, q) = if z >= 0.0 { (less, more) } else { (more, less) };
    (p, q, ln_1p(small, whole))
}

/// ln(1 + u) to the last digits for a u of at most 1; `whole` is 1 + u, rounded, and what the
/// rounding took is given back by the factor.
///
/// W. Kahan; in D. Goldberg, *What every computer scientist should know about floating-point
/// arithmetic*, 1991, DOI 10.1145/103162.103163, theorem 4.
fn ln_1p(u: f64, whole: f64) -> f64 {
    if whole == 1.0 { u } else { ln(whole) * (u / (whole - 1.0)) }
}

/// The decisions of the rows of one class.
#[derive(Clone, Copy)]
struct Side<'a> {
    decisions: &'a [f64],
    weights: Option<&'a [f64]>,
    /// Of all rows.
    weight: f64,
}

impl<'a> Side<'a> {
    fn new(decisions: &'a [f64], weights: Option<&'a [f64]>) -> Result<Self> {
        if let Some(row) = decisions.iter().position(|decision| !decision.is_finite()) {
            let error: Error = ErrorKind::NotFinite { found: decisions[row].to_string() }.into();
            return Err(error.at_row(row as u64));
        }
        let weight = match weights {
            Some(weights) => total(decisions.len(), weights)?,
            None => decisions.len() as f64,
        };
        if weight > 0.0 {
            return Ok(Self { decisions, weights, weight });
        }
        let what = "a sigmoid needs decisions of rows of both classes".to_owned();
        Err(ErrorKind::Empty { what }.into())
    }

    fn weight_of(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    /// Adds up a function of the decisions and weights.
    fn sum<const N: usize>(&self, f: impl Fn(f64, f64) -> [f64; N] + Sync) -> [ExactSum; N] {
        let none = || [const { ExactSum::new() }; N];
        let chunks = self.decisions.par_chunks(ROWS).enumerate();
        let of_chunk = |(chunk, decisions): (usize, &[f64])| {
            let mut sums = none();
            for (row, &decision) in (chunk * ROWS..).zip(decisions) {
                let values = f(decision, self.weight_of(row));
                sums.iter_mut().zip(values).for_each(|(sum, value)| sum.add(value));
            }
            sums
        };
        chunks.map(of_chunk).reduce(none, merged)
    }
}

fn merged<const N: usize>(mut sums: [ExactSum; N], more: [ExactSum; N]) -> [ExactSum; N] {
    sums.iter_mut().zip(&more).for_each(|(sum, more)| sum.merge(more));
    sums
}

/// The sum of weights.
fn total(n_rows: usize, weights: &[f64]) -> Result<f64> {
    if weights.len() != n_rows {
        return Err(Error::shape("weights", n_rows as u64, weights.len() as u64));
    }
    let sound = |weight: &f64| *weight >= 0.0 && weight.is_finite();
    if let Some(row) = weights.iter().position(|weight| !sound(weight)) {
        let error: Error = ErrorKind::Weight { found: weights[row].to_string() }.into();
        return Err(error.at_row(row as u64));
    }
    Ok(weights.iter().copied().collect::<ExactSum>().value())
}

/// Minus the logarithm of the likelihood, over decisions that are centred and scaled to at
/// most 1, so that its curvature is far from singular.
struct Problem<'a> {
    /// Positive, negative, with the probability that each is to have.
    sides: [(Side<'a>, f64); 2],
    center: f64,
    scale: f64,
}

/// The loss and its derivatives by a and b.
struct Derivatives {
    loss: f64,
    gradient: [f64; 2],
    /// By a twice, by both, by b twice.
    curvature: [f64; 3],
}

impl<'a> Problem<'a> {
    fn new(positive: Side<'a>, negative: Side<'a>) -> Self {
        let wanted = (positive.weight + 1.0) / (positive.weight + 2.0);
        let sides = [(positive, wanted), (negative, 1.0 / (negative.weight + 2.0))];
        let mut problem = Self { sides, center: 0.0, scale: 1.0 };
        let [sum] = problem.sum(|decision, _, weight| [decision * weight]);
        let center = sum / (positive.weight + negative.weight);
        // A sum beyond the range of numbers is left uncentred.
        problem.center = if center.is_finite() { center } else { 0.0 };
        let all = positive.decisions.iter().chain(negative.decisions);
        let widest = all.fold(0.0, |most: f64, f| most.max((f - problem.center).abs()));
        problem.scale = if widest > 0.0 && widest.is_finite() { widest } else { 1.0 };
        problem
    }

    /// Adds up a function of the scaled decision, the wanted probability and the weight.
    fn sum<const N: usize>(&self, f: impl Fn(f64, f64, f64) -> [f64; N] + Sync) -> [f64; N] {
        let of = |(side, wanted): &(Side<'_>, f64)| {
            side.sum(|decision, weight| f((decision - self.center) / self.scale, *wanted, weight))
        };
        merged(of(&self.sides[0]), of(&self.sides[1])).map(|sum| sum.value())
    }

    fn loss(&self, at: Sigmoid) -> f64 {
        let [loss] = self.sum(|x, wanted, weight| [weight * loss(at.a * x + at.b, wanted).0]);
        loss
    }

    fn derivatives(&self, at: Sigmoid) -> Derivatives {
        let [loss, by_a, by_b, by_aa, by_ab, by_bb] = self.sum(|x, wanted, weight| {
            let (loss, p, q) = loss(at.a * x + at.b, wanted);
            let (slope, bend) = (weight * (wanted - p), weight * (p * q));
            [weight * loss, slope * x, slope, bend * x * x, bend * x, bend]
        });
        Derivatives {
            loss,
            gradient: [by_a, by_b],
            curvature: [by_aa + RIDGE * (1.0 + by_aa), by_ab, by_bb + RIDGE * (1.0 + by_bb)],
        }
    }

    /// Newton's method, each step shortened until it is a gain.
    fn optimum(&self, start: Sigmoid) -> Sigmoid {
        let mut at = start;
        for _ in 0..MAX_STEPS {
            let derivatives = self.derivatives(at);
            let (step, slope) = derivatives.step();
            if -slope <= LAST_GAIN * derivatives.loss {
                return along(at, step, 1.0);
            }
            let Some(next) = self.descended(at, step, slope, derivatives.loss) else { break };
            at = next;
        }
        at
    }

    /// The first of the steps 1, 1/2, 1/4, ... that gains enough; none if rounding hides it.
    fn descended(&self, at: Sigmoid, step: [f64; 2], slope: f64, loss: f64) -> Option<Sigmoid> {
        let lengths = std::iter::successors(Some(1.0), |length| Some(length / 2.0));
        let mut tried = lengths.take_while(|length| *length >= MIN_LENGTH);
        let enough =
            |length: &f64| self.loss(along(at, step, *length)) < loss + 1e-4 * length * slope;
        tried.find(enough).map(|length| along(at, step, length))
    }

    /// The same sigmoid for decisions as they are.
    fn unscaled(&self, scaled: Sigmoid) -> Sigmoid {
        let a = scaled.a / self.scale;
        Sigmoid { a, b: scaled.b - a * self.center }
    }
}

/// The loss of a row at z = a f + b, and P(positive), P(negative).
fn loss(z: f64, wanted: f64) -> (f64, f64, f64) {
    let (p, q, rest) = logistic(z);
    let loss = if z >= 0.0 { wanted * z + rest } else { (wanted - 1.0) * z + rest };
    (loss, p, q)
}

fn along(from: Sigmoid, step: [f64; 2], length: f64) -> Sigmoid {
    Sigmoid { a: from.a + length * step[0], b: from.b + length * step[1] }
}

impl Derivatives {
    /// Newton's step, and the slope of the loss along it.
    fn step(&self) -> ([f64; 2], f64) {
        let ([by_a, by_b], [aa, ab, bb]) = (self.gradient, self.curvature);
        let determinant = aa * bb - ab * ab;
        let step = [(ab * by_b - bb * by_a) / determinant, (ab * by_a - aa * by_b) / determinant];
        (step, by_a * step[0] + by_b * step[1])
    }
}
