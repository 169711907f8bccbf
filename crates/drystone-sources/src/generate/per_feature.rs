//! A parameter that applies to every feature, to each its own, or is drawn.

use drystone_core::{Error, Result};
use serde::{Deserialize, Serialize};

/// The `shift` or the `scale` of [`Classification`](super::Classification).
///
/// ```
/// use drystone_sources::generate::PerFeature;
/// assert_eq!(PerFeature::from(2.0), PerFeature::Same(2.0));
/// assert_eq!(PerFeature::from(vec![1.0, 2.0]), PerFeature::Each(vec![1.0, 2.0]));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PerFeature {
    /// One value for all features.
    Same(f64),
    /// A value for each feature, `(n_features,)`, in the order before columns are shuffled.
    Each(Vec<f64>),
    /// A value for each feature, drawn from the seed (scikit-learn's `None`).
    #[doc(alias = "None")]
    Random,
}

impl From<f64> for PerFeature {
    fn from(value: f64) -> Self {
        Self::Same(value)
    }
}

impl From<Vec<f64>> for PerFeature {
    fn from(values: Vec<f64>) -> Self {
        Self::Each(values)
    }
}

impl PerFeature {
    /// The value of each feature, with `draw` for random ones, if `holds` for all.
    pub(super) fn resolve(
        &self,
        name: &str,
        expected: &str,
        n_features: usize,
        holds: impl Fn(f64) -> bool,
        draw: impl FnOnce() -> Vec<f64>,
    ) -> Result<Vec<f64>> {
        let values = match self {
            Self::Same(value) => vec![*value; n_features],
            Self::Each(values) => values.clone(),
            Self::Random => draw(),
        };
        if values.len() != n_features {
            let expected = format!("one value, or one for each of {n_features} features");
            return Err(Error::parameter(name, expected, format!("{} values", values.len())));
        }
        match values.iter().find(|&&value| !holds(value)) {
            None => Ok(values),
            Some(value) => Err(Error::parameter(name, expected, value)),
        }
    }
}
