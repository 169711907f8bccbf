//! Kernels, and rows as they want them.

use std::fmt;

use drystone_core::Records;
use drystone_kernels::Float;
use drystone_kernels::gram::{Map, Real, Sparse, Supports};
use serde::{Deserialize, Serialize};

/// Half a unit in the last place of 1, in single and in double precision.
pub(crate) const SINGLE: f64 = f32::EPSILON as f64 / 2.0;
pub(crate) const DOUBLE: f64 = f64::EPSILON / 2.0;
/// Arguments of kernels that single precision holds with room to spare.
const SINGLE_REACH: f64 = 1e30;
/// Share of a kernel of distances that may be lost to rounding.
const MAX_ERROR: f64 = 1e-8;

/// The largest exponent of a polynomial.
pub(crate) const MAX_DEGREE: u32 = 32;

/// The kernel of a support vector machine: what takes the place of the dot product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Kernel {
    /// x's
    Linear,
    /// exp(-gamma |x - s|^2), the radial basis function
    #[default]
    Rbf,
    /// (gamma x's + coef0)^degree
    Poly {
        /// The exponent; at most 32.
        degree: u32,
        /// What is added to the product.
        coef0: f64,
    },
    /// tanh(gamma x's + coef0). Not positive definite: there may be several optima, and there
    /// is no duality gap.
    Sigmoid {
        /// What is added to the product.
        coef0: f64,
    },
}

impl Kernel {
    /// Whether every kernel matrix is positive semidefinite, so that the optimum is unique
    /// and has no duality gap.
    #[must_use]
    pub fn is_convex(self) -> bool {
        match self {
            Self::Linear | Self::Rbf => true,
            Self::Poly { coef0, .. } => coef0 >= 0.0,
            Self::Sigmoid { .. } => false,
        }
    }

    /// Whether its numbers are ones that can be asked for: a kernel may come from a file, or
    /// from another process.
    pub(crate) fn is_sound(self) -> bool {
        match self {
            Self::Linear | Self::Rbf => true,
            Self::Poly { degree, coef0 } => (1..=MAX_DEGREE).contains(&degree) && coef0.is_finite(),
            Self::Sigmoid { coef0 } => coef0.is_finite(),
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linear => f.write_str("linear"),
            Self::Rbf => f.write_str("rbf"),
            Self::Poly { degree, coef0 } => write!(f, "poly(degree={degree}, coef0={coef0})"),
            Self::Sigmoid { coef0 } => write!(f, "sigmoid(coef0={coef0})"),
        }
    }
}

/// The gamma of [`Kernel`]s that have one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Gamma {
    /// 1 / (`n_features` times the variance of all values)
    #[default]
    Scale,
    /// 1 / `n_features`
    Auto,
    /// This one.
    Value(f64),
}

impl fmt::Display for Gamma {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scale => f.write_str("scale"),
            Self::Auto => f.write_str("auto"),
            Self::Value(gamma) => write!(f, "{gamma}"),
        }
    }
}

/// Where rows are seen from, so that a kernel is a function of one number: moved, for
/// kernels of distances, to where the numbers are small, and scaled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Frame {
    pub kernel: Kernel,
    pub gamma: f64,
    /// About the mean of each column for the radial basis function; zeros for the others.
    pub center: Vec<f64>,
    /// Whether rows are so far from the centre that distances must come from differences.
    pub far: bool,
}

impl Frame {
    pub fn new(kernel: Kernel, gamma: f64, center: Vec<f64>) -> Self {
        let center = if kernel == Kernel::Rbf { center } else { vec![0.0; center.len()] };
        Self { kernel, gamma, center, far: false }
    }

    /// As [`Kernel::is_sound`], for the whole frame.
    pub fn is_sound(&self) -> bool {
        let gamma = self.gamma > 0.0 && self.gamma.is_finite();
        let center = self.center.iter().all(|center| center.is_finite());
        self.kernel.is_sound() && gamma && center && !self.center.is_empty()
    }

    pub fn n_features(&self) -> usize {
        self.center.len()
    }

    pub fn map(&self) -> Map {
        match self.kernel {
            Kernel::Linear => Map::Identity,
            Kernel::Rbf if self.far => Map::Exp2OfDifferences,
            Kernel::Rbf => Map::Exp2,
            Kernel::Poly { degree, coef0 } => Map::Power { coef0, degree },
            Kernel::Sigmoid { coef0 } => Map::Tanh { coef0 },
        }
    }

    fn scale(&self) -> f64 {
        match self.kernel {
            Kernel::Linear => 1.0,
            Kernel::Rbf => (2.0 * std::f64::consts::LOG2_E * self.gamma).sqrt(),
            Kernel::Poly { .. } | Kernel::Sigmoid { .. } => self.gamma.sqrt(),
        }
    }

    /// Appends a row in this frame.
    pub fn prepare<T: Float, V: Real>(&self, row: &[T], into: &mut Vec<V>) {
        let scale = self.scale();
        let values = row.iter().zip(&self.center);
        into.extend(values.map(|(&x, &center)| V::from_f64((x.to_f64() - center) * scale)));
    }

    /// Appends a row of some records.
    pub fn prepare_row<V: Real>(&self, records: &Records, row: usize, into: &mut Vec<V>) {
        match records {
            Records::F32(rows) => self.prepare(rows.row(row), into),
            Records::F64(rows) => self.prepare(rows.row(row), into),
        }
    }

    /// The kernel of a row with itself.
    pub fn kernel_of_itself(&self, row: &[f64]) -> f64 {
        let (map, mut values) = (self.map(), Vec::with_capacity(row.len()));
        self.prepare::<f64, f64>(row, &mut values);
        let offset = map.offset(&values);
        map.kernel(&values, offset, &values, offset)
    }

    /// By how much minus half a squared distance is off at most, in a precision of which this
    /// is half a unit of 1, if it is found from products of rows within this square of |x| + |s|.
    ///
    /// With u half a unit, and r = |x| + |s|: rounding both rows moves it by at most u r^2; their
    /// squares are chains of d operations, off by at most d u r^2 / 2 together, and so is the
    /// chain of their product, whose terms add up to no more than r^2 / 2. Their halves and sums
    /// are a few operations more.
    pub fn error_of_t(&self, square_reach: f64, half_unit: f64) -> f64 {
        (self.n_features() as f64 + 8.0) * square_reach * half_unit
    }

    /// Whether that is too much in double precision, for a kernel of distances.
    pub fn loses_digits(&self, square_reach: f64) -> bool {
        self.kernel == Kernel::Rbf && self.error_of_t(square_reach, DOUBLE) > MAX_ERROR
    }

    /// Whether single precision may look for the solution.
    pub fn suits_single(&self, square_reach: f64) -> bool {
        square_reach < SINGLE_REACH
            && (self.kernel != Kernel::Rbf || self.error_of_t(square_reach, SINGLE) < 0.25)
    }

    /// The largest magnitude of t, given that of each column: what may overflow.
    pub fn reach(&self, max_abs: &[f64]) -> f64 {
        let scale = self.scale();
        let widths = max_abs.iter().zip(&self.center);
        2.0 * widths.map(|(max, center)| ((max + center.abs()) * scale).powi(2)).sum::<f64>()
    }
}

/// Rows in a frame, one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prepared<V> {
    rows: Vec<V>,
    pub offsets: Vec<V>,
    /// If most values are 0.
    sparse: Option<Sparse<V>>,
}

impl<V: Real> Prepared<V> {
    pub fn new<'a, T: Float>(frame: &Frame, rows: impl Iterator<Item = &'a [T]>) -> Self {
        let (map, d) = (frame.map(), frame.n_features());
        let mut prepared = Self { rows: Vec::new(), offsets: Vec::new(), sparse: None };
        for row in rows {
            frame.prepare(row, &mut prepared.rows);
            let last = prepared.rows.len() - d;
            prepared.offsets.push(map.offset(&prepared.rows[last..]));
        }
        prepared.sparse = Sparse::of(&prepared.rows, d);
        prepared
    }

    pub fn supports(&self) -> Supports<'_, V> {
        Supports { rows: &self.rows, offsets: &self.offsets, sparse: self.sparse.as_ref() }
    }
}
