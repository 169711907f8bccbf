//! The parameters of the linear SVC, and what makes them valid.

use std::time::Duration;

use drystone_core::observe::Silent;
use drystone_core::{CancelToken, Error, Executor, Observer, Result, ToChunked};
use linfa::ParamGuard;
use serde::{Deserialize, Serialize};

use super::fit;
use super::model::LinearSvc;
use crate::svc::params::{ClassWeight, require};

/// What slack costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Loss {
    /// The slack: max(0, 1 - y (w'x + b)).
    Hinge,
    /// Its square.
    #[default]
    SquaredHinge,
}

/// What to fit, not checked yet. Made by [`LinearSvc::params`].
///
/// ```
/// use drystone_core::{Block, ChunkedDataset, Targets};
/// use drystone_estimators::svc::LinearSvc;
/// use ndarray::array;
///
/// let targets = Targets::I64(vec![0, 0, 1, 1].into());
/// let block = Block::new(array![[0.0, 0.1], [0.2, 0.0], [1.0, 0.9], [0.8, 1.0]]);
/// let data = ChunkedDataset::from_resident(vec![block.with_targets(targets)])?;
/// let model = LinearSvc::params().c(10.0).fit(&data)?;
/// assert_eq!(model.score(&data)?, 1.0);
/// assert!(model.converged());
/// assert!(model.certificates()[0].duality_gap() < 1e-6);
/// # Ok::<(), drystone_core::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "parameters do nothing until fit() is called"]
pub struct LinearSvcParams<'a>(LinearSvcValidParams<'a>);

/// Checked parameters.
#[derive(Clone)]
pub struct LinearSvcValidParams<'a> {
    pub(super) c: f64,
    pub(super) loss: Loss,
    pub(super) tol: f64,
    pub(super) class_weight: ClassWeight,
    pub(super) max_iter: usize,
    pub(super) max_time: Option<Duration>,
    pub(super) cancel: CancelToken,
    pub(super) executor: Option<&'a dyn Executor>,
    pub(super) observer: &'a dyn Observer,
}

impl LinearSvc {
    /// Parameters with scikit-learn's defaults: C = 1, the squared hinge, `tol` 1e-4, `max_iter`
    /// 1000.
    pub fn params<'a>() -> LinearSvcParams<'a> {
        LinearSvcParams(LinearSvcValidParams {
            c: 1.0,
            loss: Loss::default(),
            tol: 1e-4,
            class_weight: ClassWeight::default(),
            max_iter: 1000,
            max_time: None,
            cancel: CancelToken::new(),
            executor: None,
            observer: &Silent,
        })
    }
}

impl<'a> LinearSvcParams<'a> {
    /// What slack costs, beside the squared weights; above 0.
    pub fn c(mut self, c: f64) -> Self {
        self.0.c = c;
        self
    }

    /// The loss.
    pub fn loss(mut self, loss: Loss) -> Self {
        self.0.loss = loss;
        self
    }

    /// How much the classes count. With more than two classes, a class's factor is for its rows
    /// in the problem of the class against the others, whose rows count 1 there, as in LIBLINEAR.
    /// "Balanced" counts rows, as it does for [`Svc`](crate::svc::Svc); scikit-learn's LinearSVC
    /// adds up their weights.
    pub fn class_weight(mut self, class_weight: ClassWeight) -> Self {
        self.0.class_weight = class_weight;
        self
    }

    /// When to stop. Squared hinge, as LIBLINEAR: when the norm of the gradient is at most `tol`
    /// x min(rows of the class, other rows) / rows of what it is at weights of 0. Hinge: when the
    /// [duality gap](super::LinearCertificate::duality_gap) is at most `tol`.
    pub fn tol(mut self, tol: f64) -> Self {
        self.0.tol = tol;
        self
    }

    /// Steps for each problem, at most. A fit that ends here is not
    /// [`converged`](LinearSvc::converged), but has its certificate.
    pub fn max_iter(mut self, max_iter: usize) -> Self {
        self.0.max_iter = max_iter;
        self
    }

    /// Stops after this time, with the best weights so far.
    pub fn max_time(mut self, max_time: Duration) -> Self {
        self.0.max_time = Some(max_time);
        self
    }

    /// Stops when the token is cancelled, with the best weights so far.
    pub fn cancel(mut self, token: &CancelToken) -> Self {
        self.0.cancel = token.clone();
        self
    }

    /// Where to run; by default on all cores of this machine.
    pub fn on(mut self, executor: &'a dyn Executor) -> Self {
        self.0.executor = Some(executor);
        self
    }

    /// Whom to tell what happens: the cost of an iteration is the sum of all problems'
    /// objectives.
    pub fn observe(mut self, observer: &'a dyn Observer) -> Self {
        self.0.observer = observer;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`ErrorKind::Parameter`](drystone_core::ErrorKind::Parameter) for the first that is not allowed.
    pub fn check(self) -> Result<LinearSvcValidParams<'a>> {
        ParamGuard::check(self)
    }

    /// Finds the optimum for a dataset with targets: integers, real numbers that stand for
    /// classes, or names.
    ///
    /// The model has the same bits whatever the blocks, threads, executor, memory budget and
    /// instruction set. Rows of weight 0 do not take part; other weights multiply C.
    ///
    /// # Errors
    /// - [`Parameter`](drystone_core::ErrorKind::Parameter): a parameter is not allowed.
    /// - [`Format`](drystone_core::ErrorKind::Format): no targets, or one class only.
    /// - [`Limit`](drystone_core::ErrorKind::Limit): more than 256 classes; the hinge with more
    ///   than 1,023 columns.
    /// - [`Empty`](drystone_core::ErrorKind::Empty): no rows, or a class without positive weight.
    /// - [`NotFinite`](drystone_core::ErrorKind::NotFinite), [`Weight`](drystone_core::ErrorKind::Weight):
    ///   a bad number, with its block, row and column.
    /// - [`Stopped`](drystone_core::ErrorKind::Stopped): stopped before the first gradient was
    ///   known.
    /// - the source's and the executor's.
    ///
    /// # Performance
    /// Passes: one to survey, one at weights of 0, and one for each step, of which there are
    /// seldom more than 15. With more than 511 columns, or many classes, some more in each
    /// step, by conjugate gradients. The hinge takes a few more passes, and solves problems of
    /// up to 32,768 rows each in memory.
    pub fn fit(&self, data: &impl ToChunked) -> Result<LinearSvc> {
        self.0.checked()?.fit(data)
    }
}

impl LinearSvcValidParams<'_> {
    /// As [`LinearSvcParams::fit`].
    ///
    /// # Errors
    /// As for [`LinearSvcParams::fit`], but for parameters.
    pub fn fit(&self, data: &impl ToChunked) -> Result<LinearSvc> {
        fit::fit(self, &data.to_chunked()?)
    }

    fn checked(&self) -> Result<&Self> {
        let positive = |value: f64| value > 0.0 && value.is_finite();
        require(positive(self.c), "c", "above 0 and finite", self.c)?;
        require(positive(self.tol), "tol", "above 0 and finite", self.tol)?;
        require(self.max_iter >= 1, "max_iter", "at least 1", self.max_iter)?;
        if let ClassWeight::Given(weights) = &self.class_weight {
            let bad = weights.iter().find(|weight| !positive(**weight));
            let expected = "above 0 and finite for each class";
            bad.map_or(Ok(()), |&weight| require(false, "class_weight", expected, weight))?;
        }
        Ok(self)
    }
}

impl<'a> ParamGuard for LinearSvcParams<'a> {
    type Checked = LinearSvcValidParams<'a>;
    type Error = Error;

    fn check_ref(&self) -> Result<&Self::Checked> {
        self.0.checked()
    }

    fn check(self) -> Result<Self::Checked> {
        self.0.checked()?;
        Ok(self.0)
    }
}
