//! Platt's sigmoid: what turns a decision into a probability.

use drystone_core::Result;
use drystone_kernels::math::{exp, ln};
use serde::{Deserialize, Serialize};

use super::likelihood::Problem;
use super::side::Side;

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
    /// [`Empty`](drystone_core::ErrorKind::Empty) when one side has no decisions,
    /// [`NotFinite`](drystone_core::ErrorKind::NotFinite) for one that is NaN or infinite, with
    /// its position.
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
    /// As for [`fit`](Self::fit); [`Shape`](drystone_core::ErrorKind::Shape) when there is not
    /// a weight for each decision, [`Weight`](drystone_core::ErrorKind::Weight) for a bad one, and
    /// [`Empty`](drystone_core::ErrorKind::Empty) when those of a side are all 0.
    pub fn fit_weighted(positive: (&[f64], &[f64]), negative: (&[f64], &[f64])) -> Result<Self> {
        let side = |(decisions, weights)| Side::new(decisions, Some(weights));
        Self::fit_sides(side(positive)?, side(negative)?)
    }

    fn fit_sides(positive: Side<'_>, negative: Side<'_>) -> Result<Self> {
        Ok(Problem::new(positive, negative).optimum())
    }
}

/// P(positive), P(negative) and the logarithm of 1 + exp(-|z|), for z = a f + b.
pub(super) fn logistic(z: f64) -> (f64, f64, f64) {
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
