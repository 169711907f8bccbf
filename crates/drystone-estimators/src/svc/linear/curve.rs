//! The losses as functions of a row's slack, 1 - y (w'x + b): what Newton's method sees.

use serde::{Deserialize, Serialize};

/// A loss that is once differentiable, and quadratic piece by piece.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Curve {
    /// max(0, s)^2.
    SquaredHinge,
    /// max(0, s), but for slacks within half a width of 0 a parabola that touches it at both
    /// ends.
    SmoothHinge { width: f64 },
}

/// A loss at some slack, for a cost of 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Loss {
    pub value: f64,
    /// The derivative.
    pub slope: f64,
    /// Whether it is curved here, by [`Curve::curvature`].
    pub is_curved: bool,
}

impl Curve {
    #[inline(always)]
    pub fn at(self, slack: f64) -> Loss {
        match self {
            Self::SquaredHinge => {
                let slack = if slack > 0.0 { slack } else { 0.0 };
                Loss { value: slack * slack, slope: 2.0 * slack, is_curved: slack > 0.0 }
            }
            Self::SmoothHinge { width } => smooth(slack, width),
        }
    }

    /// The second derivative where it is not 0.
    pub fn curvature(self) -> f64 {
        match self {
            Self::SquaredHinge => 2.0,
            Self::SmoothHinge { width } => 1.0 / width,
        }
    }

    /// The largest slope at slacks of at most this magnitude.
    pub fn steepest(self, slack: f64) -> f64 {
        match self {
            Self::SquaredHinge => 2.0 * slack,
            Self::SmoothHinge { .. } => 1.0,
        }
    }

    pub fn is_sound(self) -> bool {
        match self {
            Self::SquaredHinge => true,
            Self::SmoothHinge { width } => width > 0.0 && width.is_finite(),
        }
    }
}

#[inline(always)]
fn smooth(slack: f64, width: f64) -> Loss {
    let slope = slack / width + 0.5;
    if slope <= 0.0 {
        Loss::default()
    } else if slope >= 1.0 {
        Loss { value: slack, slope: 1.0, is_curved: false }
    } else {
        Loss { value: 0.5 * width * slope * slope, slope, is_curved: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_those_of_the_values() {
        for curve in [Curve::SquaredHinge, Curve::SmoothHinge { width: 0.5 }] {
            for at in -40..40 {
                let slack = f64::from(at) / 16.0 + 0.01;
                let step = 1e-6;
                let [below, here, above] = [-step, 0.0, step].map(|by| curve.at(slack + by));
                let slope = (above.value - below.value) / (2.0 * step);
                assert!((slope - here.slope).abs() < 1e-5, "{curve:?} at {slack}");
                assert!(here.slope <= curve.steepest(slack.abs()));
                let bend = (above.slope - below.slope) / (2.0 * step);
                let wanted = if here.is_curved { curve.curvature() } else { 0.0 };
                assert!((bend - wanted).abs() < 1e-5, "{curve:?} at {slack}");
            }
        }
    }
}
