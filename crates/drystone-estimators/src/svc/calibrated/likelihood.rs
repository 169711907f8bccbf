//! The most likely sigmoid: Newton's method on sums over all decisions.
//!
//! H.-T. Lin, C.-J. Lin, R. C. Weng, *A note on Platt's probabilistic outputs for support vector
//! machines*, Machine Learning 68, 2007, DOI 10.1007/s10994-007-5018-6. Decisions are centred
//! and scaled here, and it goes on to the last digits.

use drystone_kernels::math::ln;

use super::side::{Side, merged};
use super::sigmoid::{Sigmoid, logistic};

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

/// Minus the logarithm of the likelihood, over decisions that are centred and scaled to at
/// most 1, so that its curvature is far from singular.
pub(super) struct Problem<'a> {
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
    pub fn new(positive: Side<'a>, negative: Side<'a>) -> Self {
        let wanted = (positive.weight + 1.0) / (positive.weight + 2.0);
        let sides = [(positive, wanted), (negative, 1.0 / (negative.weight + 2.0))];
        let mut problem = Self { sides, center: 0.0, scale: 1.0 };
        let [sum] = problem.sum(|decision, _, weight| [decision * weight]);
        let center = sum / (positive.weight + negative.weight);
        // A sum beyond the range of numbers is left uncentred.
        problem.center = if center.is_finite() { center } else { 0.0 };
        let all = positive.decisions.iter().chain(negative.decisions);
        let widest = all.fold(0.0, |most: f64, f| most.max((f - problem.center).abs()));
        problem.scale = if widest > 1e-290 && widest.is_finite() { widest } else { 1.0 };
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
    fn scaled_optimum(&self) -> Sigmoid {
        let [(positive, _), (negative, _)] = &self.sides;
        let mut at = Sigmoid { a: 0.0, b: ln((negative.weight + 1.0) / (positive.weight + 1.0)) };
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

    /// The most likely sigmoid.
    pub fn optimum(&self) -> Sigmoid {
        let scaled = self.scaled_optimum();
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
