//! What a fit returns.

use std::sync::OnceLock;

use drystone_core::{Label, Records, Result, StopReason};

use super::certificate::Certificate;
use super::classes::{Classes, PredictedLabel, pairs};
use super::decision::Decider;
use super::kernel::{Frame, Kernel};
use super::pair::Pair;
use super::params::DecisionShape;

/// A support vector classifier: the optimum over all rows of a dataset, with its proof.
///
/// Several classes are told apart by a machine for each two of them (one-vs-one); arrays are
/// laid out as scikit-learn's are.
#[derive(Clone, Debug)]
pub struct Svc {
    pub(super) frame: Frame,
    pub(super) classes: Classes,
    pub(super) support_vectors: Records,
    pub(super) support: Vec<u64>,
    pub(super) n_support: Vec<u64>,
    pub(super) dual_coef: Vec<f64>,
    pub(super) intercept: Vec<f64>,
    pub(super) certificates: Vec<Certificate>,
    pub(super) n_iter: Vec<u64>,
    pub(super) status: Status,
    pub(super) shape: DecisionShape,
    pub(super) recipe: String,
    pub(super) history: History,
    /// The support vectors as kernels want them, made when first needed.
    pub(super) decider: OnceLock<std::sync::Arc<Decider>>,
}

/// Why a fit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// No two rows violate the conditions of the optimum by more than `tol`.
    Converged,
    /// A problem took `max_iter` steps.
    MaxIter,
    /// `max_time` passed.
    MaxTime,
    /// It was cancelled.
    Cancelled,
    /// Rounding hides what is left to be gained: `tol` is too small for these numbers. Or the
    /// optimum was not confirmed after twenty attempts.
    Stalled,
}

impl Status {
    pub(in crate::svc) const ALL: [(Self, &'static str); 5] = [
        (Self::Converged, "converged"),
        (Self::MaxIter, "max_iter"),
        (Self::MaxTime, "max_time"),
        (Self::Cancelled, "cancelled"),
        (Self::Stalled, "stalled"),
    ];

    /// As it is written in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(status, _)| *status == self).map_or("", |(_, name)| name)
    }

    pub(in crate::svc) fn of(reason: StopReason) -> Self {
        match reason {
            StopReason::Cancelled => Self::Cancelled,
            StopReason::MaxTime => Self::MaxTime,
        }
    }
}

/// What a fit took; not part of the model's identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Passes over the data.
    pub passes: usize,
    /// Blocks read or generated.
    pub blocks_read: usize,
    /// Bytes of state that were kept about rows, at most.
    pub state_bytes: u64,
}

/// The solutions of all problems in the layout of a model.
pub(super) struct Machine {
    /// Places in the pool of the rows of `support`.
    pub places: Vec<u32>,
    pub support: Vec<u64>,
    pub n_support: Vec<u64>,
    pub dual_coef: Vec<f64>,
    pub intercept: Vec<f64>,
}

impl Machine {
    pub fn new(n_classes: usize, pairs: &[Pair]) -> Self {
        let mut rows: Vec<std::collections::BTreeMap<u64, (u32, Vec<f64>)>> =
            vec![std::collections::BTreeMap::new(); n_classes];
        let sign = sign(n_classes);
        for pair in pairs {
            for (row, place, beta) in pair.support() {
                // Coordinates of the first class are positive.
                let (own, other) = match beta > 0.0 {
                    true => (pair.first, pair.second),
                    false => (pair.second, pair.first),
                };
                let none = || (place, vec![0.0; n_classes - 1]);
                let coefs = rows[own as usize].entry(row).or_insert_with(none);
                let opponent = if other > own { other - 1 } else { other };
                coefs.1[opponent as usize] = sign * beta;
            }
        }
        let all: Vec<_> = rows.iter().flatten().collect();
        let coef = |opponent: usize| all.iter().map(move |(_, (_, coefs))| coefs[opponent]);
        Self {
            places: all.iter().map(|(_, (place, _))| *place).collect(),
            support: all.iter().map(|(row, _)| **row).collect(),
            n_support: rows.iter().map(|rows| rows.len() as u64).collect(),
            dual_coef: (0..n_classes - 1).flat_map(coef).collect(),
            intercept: pairs.iter().map(|pair| sign * pair.intercept()).collect(),
        }
    }
}

/// With two classes, scikit-learn counts the second as positive, LIBSVM the first.
fn sign(n_classes: usize) -> f64 {
    if n_classes == 2 { -1.0 } else { 1.0 }
}

impl Svc {
    pub(super) fn sign(&self) -> f64 {
        sign(self.n_classes())
    }

    /// For each problem, the rows whose coordinate is not 0, ascending: the row, its place
    /// among the support vectors, and its coordinate.
    pub(super) fn solutions(&self) -> Vec<Vec<(u64, u32, f64)>> {
        let n_support = self.support.len();
        let mut ends = vec![0_usize];
        self.n_support.iter().for_each(|&n| ends.push(ends[ends.len() - 1] + n as usize));
        let of_class = |class: u32, opponent: u32| {
            let places = ends[class as usize]..ends[class as usize + 1];
            let coef = move |at| self.sign() * self.dual_coef[opponent as usize * n_support + at];
            let rows = places.map(move |at| (self.support[at], at as u32, coef(at)));
            rows.filter(|(_, _, beta)| *beta != 0.0)
        };
        let solution = |(a, b)| {
            let mut rows: Vec<_> = of_class(a, b - 1).chain(of_class(b, a)).collect();
            rows.sort_unstable_by_key(|(row, _, _)| *row);
            rows
        };
        pairs(self.n_classes() as u32).map(solution).collect()
    }

    /// The kernel.
    #[must_use]
    pub fn kernel(&self) -> Kernel {
        self.frame.kernel
    }

    /// The kernel's gamma as a number; 1 for the linear kernel.
    #[must_use]
    pub fn gamma(&self) -> f64 {
        self.frame.gamma
    }

    /// The classes, ascending.
    #[must_use]
    pub fn classes(&self) -> &[Label] {
        &self.classes.0
    }

    /// Number of classes.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        self.classes.len()
    }

    /// Columns of the data.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.frame.n_features()
    }

    /// Positions of the support vectors in the dataset, by class, ascending within each.
    #[must_use]
    pub fn support(&self) -> &[u64] {
        &self.support
    }

    /// The support vectors, `(n_support, n_features)`, in the order of [`support`](Self::support).
    #[must_use]
    pub fn support_vectors(&self) -> &Records {
        &self.support_vectors
    }

    /// Support vectors of each class.
    #[must_use]
    pub fn n_support(&self) -> &[u64] {
        &self.n_support
    }

    /// Coefficients, `(n_classes - 1, n_support)`, row-major: for each other class, alpha
    /// times the label.
    #[must_use]
    pub fn dual_coef(&self) -> &[f64] {
        &self.dual_coef
    }

    /// The constant of each two classes' decision function, `(n_pairs,)`.
    #[must_use]
    pub fn intercept(&self) -> &[f64] {
        &self.intercept
    }

    /// How near each two classes' problem is to its optimum, `(n_pairs,)`: (0, 1), (0, 2), ...
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Steps of the inner solver for each two classes, `(n_pairs,)`.
    #[must_use]
    pub fn n_iter(&self) -> &[u64] {
        &self.n_iter
    }

    /// Whether all problems reached `tol`, confirmed in double precision over all rows.
    #[must_use]
    pub fn converged(&self) -> bool {
        self.status == Status::Converged
    }

    /// Why the fit ended.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// What the fit took.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The parameters that affect values, in words.
    #[must_use]
    pub fn recipe(&self) -> &str {
        &self.recipe
    }

    /// The classes as values of a type: what [`predict_codes`](Self::predict_codes) counts.
    ///
    /// # Errors
    /// [`ErrorKind::Dtype`](drystone_core::ErrorKind::Dtype) when the classes are of another type.
    pub fn labels<L: PredictedLabel>(&self) -> Result<Vec<L>> {
        self.classes.values()
    }
}
