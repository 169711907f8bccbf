//! Kernel functions as functions of one number.

use super::real::Real;
use super::vector::{Vector, constant, exp2, tanh};

/// A kernel of two prepared rows as a function of t: their dot product, plus the
/// [`offset`](Map::offset) of each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Map {
    /// t: the linear kernel.
    Identity,
    /// 2^t, where t is minus half the squared distance: the radial basis function
    /// exp(-gamma |x - s|^2), for rows that are prepared as x sqrt(2 gamma log2 e).
    Exp2,
    /// The same from differences, feature by feature, each of which takes three operations and
    /// not one: right for rows that are far from 0, whose squares would swallow the distance.
    Exp2OfDifferences,
    /// (t + coef0)^degree: the polynomial kernel, for rows prepared as x sqrt(gamma).
    Power {
        /// What is added to t.
        coef0: f64,
        /// The exponent.
        degree: u32,
    },
    /// tanh(t + coef0): the sigmoid kernel, for rows prepared as x sqrt(gamma).
    Tanh {
        /// What is added to t.
        coef0: f64,
    },
}

/// t - d^2 / 2, rounded once.
#[inline(always)]
pub(super) fn minus_half_square<V: Vector>(d: V, t: V) -> V {
    d.fma(d * constant(-0.5), t)
}

impl Map {
    /// What a prepared row adds to t: minus half its square, one chain over features in
    /// order, for [`Exp2`](Self::Exp2); nothing for the others.
    #[must_use]
    pub fn offset<T: Real>(self, row: &[T]) -> T {
        if self != Self::Exp2 {
            return T::default();
        }
        let square = row.iter().fold(T::default(), |sum, &x| x.fma(x, sum));
        T::from_f64(-0.5) * square
    }

    /// The kernel of two prepared rows with these offsets: what
    /// [`accumulate`](super::accumulate) finds, to the bit.
    #[must_use]
    pub fn kernel<T: Real>(self, a: &[T], a_offset: T, b: &[T], b_offset: T) -> T {
        let term = |t, (&x, &y): (&T, &T)| match self {
            Self::Exp2OfDifferences => minus_half_square(x - y, t),
            _ => x.fma(y, t),
        };
        self.of(a.iter().zip(b).fold(a_offset + b_offset, term))
    }

    /// The function of t.
    #[inline(always)]
    pub(super) fn of<V: Vector>(self, t: V) -> V {
        match self {
            Self::Identity => t,
            // Rounding may put t above 0, where no distance is.
            Self::Exp2 => exp2(t.min(constant(0.0))),
            Self::Exp2OfDifferences => exp2(t),
            Self::Power { coef0, degree } => {
                let base = t + constant(coef0);
                let mut power = constant(1.0);
                for _ in 0..degree {
                    power = power * base;
                }
                power
            }
            Self::Tanh { coef0 } => tanh(t + constant(coef0)),
        }
    }
}
