//! The parameters of the SVC, and what makes them valid.

use std::time::Duration;

use drystone_core::observe::Silent;
use drystone_core::{
    CancelToken, ChunkedDataset, Error, Executor, Explanation, Observer, Result, ToChunked,
};
use linfa::ParamGuard;

use super::certificate::Certificate;
use super::kernel::{Gamma, Kernel, MAX_DEGREE};
use super::model::Svc;
use super::{certify, fit, plan};

/// How much the classes count.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ClassWeight {
    /// All the same.
    #[default]
    Uniform,
    /// Each by n / (number of classes x its rows), as scikit-learn's "balanced".
    Balanced,
    /// By these factors, in ascending order of the classes.
    Given(Vec<f64>),
}

/// What a decision function gives for more than two classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DecisionShape {
    /// A column a class: its votes, with the decisions of its problems to break ties, as
    /// scikit-learn's "ovr".
    #[default]
    OneVsRest,
    /// A column for each two classes.
    OneVsOne,
}

/// What to fit, not checked yet. Made by [`Svc::params`].
///
/// ```
/// use drystone_core::{Block, ChunkedDataset, Targets};
/// use drystone_estimators::svc::{Kernel, Svc};
/// use ndarray::array;
///
/// let targets = Targets::I64(vec![0, 1, 1, 0].into());
/// let block = Block::new(array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
/// let data = ChunkedDataset::from_resident(vec![block.with_targets(targets)])?;
/// let model = Svc::params().kernel(Kernel::Rbf).c(10.0).tol(1e-6).fit(&data)?;
/// assert_eq!(model.score(&data)?, 1.0);
/// assert!(model.converged());
/// assert!(model.certificates()[0].duality_gap().unwrap() < 1e-5);
/// # Ok::<(), drystone_core::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "parameters do nothing until fit() is called"]
pub struct SvcParams<'a>(SvcValidParams<'a>);

/// Checked parameters.
#[derive(Clone)]
pub struct SvcValidParams<'a> {
    pub(super) c: f64,
    pub(super) kernel: Kernel,
    pub(super) gamma: Gamma,
    pub(super) tol: f64,
    pub(super) class_weight: ClassWeight,
    pub(super) shrinking: bool,
    pub(super) memory_budget: Option<u64>,
    pub(super) max_iter: usize,
    pub(super) shape: DecisionShape,
    pub(super) seed: u64,
    pub(super) max_time: Option<Duration>,
    pub(super) cancel: CancelToken,
    pub(super) executor: Option<&'a dyn Executor>,
    pub(super) observer: &'a dyn Observer,
}

impl Svc {
    /// Parameters with scikit-learn's defaults: C = 1, the radial basis function with gamma
    /// "scale", `tol` 1e-3, shrinking.
    pub fn params<'a>() -> SvcParams<'a> {
        SvcParams(SvcValidParams {
            c: 1.0,
            kernel: Kernel::default(),
            gamma: Gamma::default(),
            tol: 1e-3,
            class_weight: ClassWeight::default(),
            shrinking: true,
            memory_budget: None,
            max_iter: usize::MAX,
            shape: DecisionShape::default(),
            seed: 0,
            max_time: None,
            cancel: CancelToken::new(),
            executor: None,
            observer: &Silent,
        })
    }
}

impl<'a> SvcParams<'a> {
    /// What a row on the wrong side costs; above 0.
    pub fn c(mut self, c: f64) -> Self {
        self.0.c = c;
        self
    }

    /// The kernel.
    pub fn kernel(mut self, kernel: Kernel) -> Self {
        self.0.kernel = kernel;
        self
    }

    /// The kernel's gamma; [`Kernel::Linear`] has none.
    pub fn gamma(mut self, gamma: Gamma) -> Self {
        self.0.gamma = gamma;
        self
    }

    /// Stops when no two rows violate the conditions of the optimum by more than this
    /// (LIBSVM's criterion), confirmed in double precision over all rows.
    pub fn tol(mut self, tol: f64) -> Self {
        self.0.tol = tol;
        self
    }

    /// How much the classes count.
    pub fn class_weight(mut self, weight: ClassWeight) -> Self {
        self.0.class_weight = weight;
        self
    }

    /// Whether rows that are not expected to move any more are laid aside, until the end: the
    /// optimum is the same within `tol`, though not its bits.
    pub fn shrinking(mut self, shrinking: bool) -> Self {
        self.0.shrinking = shrinking;
        self
    }

    /// Bytes that may be used to keep rows as the kernels want them between sweeps, which
    /// otherwise costs some time in each. By default half of the executor's memory budget.
    /// The bits are the same.
    pub fn memory_budget(mut self, bytes: u64) -> Self {
        self.0.memory_budget = Some(bytes);
        self
    }

    /// Steps of the inner solver for each two classes, at most. A fit that ends here is not
    /// [`converged`](Svc::converged), but has its certificate.
    pub fn max_iter(mut self, max_iter: usize) -> Self {
        self.0.max_iter = max_iter;
        self
    }

    /// What the decision function gives for more than two classes.
    pub fn decision_function_shape(mut self, shape: DecisionShape) -> Self {
        self.0.shape = shape;
        self
    }

    /// Accepted, as scikit-learn does: nothing random happens in a fit. Calibration uses it.
    #[doc(alias = "random_state")]
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }

    /// Stops after this time, then takes two more passes to find the intercept and the
    /// certificate.
    pub fn max_time(mut self, max_time: Duration) -> Self {
        self.0.max_time = Some(max_time);
        self
    }

    /// Stops when the token is cancelled, then takes two more passes to find the intercept
    /// and the certificate.
    pub fn cancel(mut self, token: &CancelToken) -> Self {
        self.0.cancel = token.clone();
        self
    }

    /// Where to run; by default on all cores of this machine.
    pub fn on(mut self, executor: &'a dyn Executor) -> Self {
        self.0.executor = Some(executor);
        self
    }

    /// Whom to tell what happens: an iteration is a sweep, its cost the largest violation.
    pub fn observe(mut self, observer: &'a dyn Observer) -> Self {
        self.0.observer = observer;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`ErrorKind::Parameter`](drystone_core::ErrorKind::Parameter) for the first that is not allowed.
    pub fn check(self) -> Result<SvcValidParams<'a>> {
        ParamGuard::check(self)
    }

    /// Finds the optimum for a dataset with targets: integers, real numbers that stand for
    /// classes, or names.
    ///
    /// The model has the same bits whatever the blocks, threads, executor, memory budget and
    /// instruction set. Rows of weight 0 do not take part; other weights multiply C.
    ///
    /// # Errors
    /// - [`Parameter`](drystone_core::ErrorKind::Parameter): a parameter is not allowed;
    ///   gamma "scale" of data that do not vary; kernels above 1e150.
    /// - [`Format`](drystone_core::ErrorKind::Format): no targets, or one class only; with the
    ///   linear kernel, products above 1e150.
    /// - [`Limit`](drystone_core::ErrorKind::Limit): more than 256 classes.
    /// - [`Empty`](drystone_core::ErrorKind::Empty): no rows, or a class without positive weight.
    /// - [`NotFinite`](drystone_core::ErrorKind::NotFinite), [`Weight`](drystone_core::ErrorKind::Weight):
    ///   a bad number, with its block, row and column.
    /// - [`Stopped`](drystone_core::ErrorKind::Stopped): stopped before the solver began.
    /// - the source's and the executor's.
    ///
    /// # Performance
    /// Passes: one to survey, one more for gamma "scale"; then a sweep for each working set
    /// of up to 1,024 rows; two at the end. A sweep costs, for each row that takes part, the
    /// kernels with the rows of the working set that changed.
    pub fn fit(&self, data: &impl ToChunked) -> Result<Svc> {
        self.0.checked()?.fit(data)
    }

    /// What a fit would cost, without reading anything.
    ///
    /// # Errors
    /// [`Parameter`](drystone_core::ErrorKind::Parameter) as for [`fit`](Self::fit).
    pub fn explain(&self, data: &ChunkedDataset) -> Result<Explanation> {
        Ok(plan::explain(self.0.checked()?, data))
    }

    /// How near a model is to the optimum of these parameters on a dataset, from nothing but
    /// its coefficients and intercepts: for a model that was fitted to the same rows, but may
    /// have come from a file or from elsewhere.
    ///
    /// # Errors
    /// As for [`fit`](Self::fit); [`Format`](drystone_core::ErrorKind::Format) when the
    /// classes are others, or a support vector is not a row of its class.
    ///
    /// # Performance
    /// Four passes at most, of which one takes the kernels of all rows with all support
    /// vectors, in double precision.
    pub fn certify(&self, model: &Svc, data: &impl ToChunked) -> Result<Vec<Certificate>> {
        certify::certify(self.0.checked()?, model, &data.to_chunked()?)
    }
}

impl SvcValidParams<'_> {
    /// As [`SvcParams::fit`].
    ///
    /// # Errors
    /// As for [`SvcParams::fit`], but for parameters.
    pub fn fit(&self, data: &impl ToChunked) -> Result<Svc> {
        fit::fit(self, &data.to_chunked()?)
    }

    /// Bytes for rows as kernels want them, of what the executor has for blocks.
    pub(super) fn tiles_budget(&self, executor_budget: u64) -> u64 {
        self.memory_budget.unwrap_or(executor_budget / 2)
    }

    fn checked(&self) -> Result<&Self> {
        let positive = |value: f64| value > 0.0 && value.is_finite();
        require(positive(self.c), "c", "above 0 and finite", self.c)?;
        require(positive(self.tol), "tol", "above 0 and finite", self.tol)?;
        require(self.max_iter >= 1, "max_iter", "at least 1", self.max_iter)?;
        if let Gamma::Value(gamma) = self.gamma {
            require(positive(gamma), "gamma", "above 0 and finite", gamma)?;
        }
        match self.kernel {
            Kernel::Poly { degree, coef0 } => {
                require((1..=MAX_DEGREE).contains(&degree), "degree", "between 1 and 32", degree)?;
                require(coef0.is_finite(), "coef0", "finite", coef0)?;
            }
            Kernel::Sigmoid { coef0 } => {
                require(coef0.is_finite(), "coef0", "finite", coef0)?;
            }
            Kernel::Linear | Kernel::Rbf => {}
        }
        if let ClassWeight::Given(weights) = &self.class_weight {
            let bad = weights.iter().find(|weight| !positive(**weight));
            let expected = "above 0 and finite for each class";
            bad.map_or(Ok(()), |&weight| require(false, "class_weight", expected, weight))?;
        }
        Ok(self)
    }
}

pub(super) fn require(
    sound: bool,
    name: &str,
    expected: &str,
    found: impl std::fmt::Display,
) -> Result<()> {
    if sound { Ok(()) } else { Err(Error::parameter(name, expected, found)) }
}

impl<'a> ParamGuard for SvcParams<'a> {
    type Checked = SvcValidParams<'a>;
    type Error = Error;

    fn check_ref(&self) -> Result<&Self::Checked> {
        self.0.checked()
    }

    fn check(self) -> Result<Self::Checked> {
        self.0.checked()?;
        Ok(self.0)
    }
}
