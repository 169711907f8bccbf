//! What a fit came to: a table for people, one JSON object for machines.

use std::fmt;

use drystone::executor::Resources;
use drystone::kernels::Isa;
use drystone::kernels::math::ln;
use drystone::svc::{Certificate, Kernel, Status};
use drystone::{Calibrated, Label, Result, Svc};
use serde_json::{Value, json};

use super::fitted::Fitted;
use super::flags::Flags;
use crate::common::machine::{memory_of, ran_on};
use crate::common::output::{counted, resumed};

/// Problems in the table.
const TABLE_ROWS: usize = 10;
/// Classes in a line.
const LINE_CLASSES: usize = 5;

/// What was measured around a fit.
pub struct Scores {
    pub fit_seconds: f64,
    pub predict_seconds: f64,
    pub peak_rss_bytes: Option<u64>,
    pub train_accuracy: f64,
    pub test_accuracy: f64,
    /// Of the held-out rows, if there are probabilities.
    pub log_loss: Option<f64>,
    pub n_train: u64,
    pub n_test: u64,
}

/// Everything that is reported.
pub struct Outcome<'a> {
    flags: &'a Flags,
    model: &'a Svc,
    calibrated: Option<&'a Calibrated<Svc>>,
    scores: &'a Scores,
    /// Of all problems: sums of objectives, what these leave to gain, the largest violation.
    whole: Certificate,
    duality_gap: Option<f64>,
    resources: Resources,
    resumed_steps: u64,
    model_sha256: String,
}

impl<'a> Outcome<'a> {
    pub fn new(
        flags: &'a Flags,
        fitted: &'a Fitted,
        scores: &'a Scores,
        resources: Resources,
        resumed_steps: u64,
    ) -> Result<Self> {
        let model = fitted.svc();
        let all = model.certificates();
        let whole = Certificate {
            primal_objective: all.iter().map(|one| one.primal_objective).sum(),
            dual_objective: all.iter().map(|one| one.dual_objective).sum(),
            max_kkt_violation: all.iter().fold(0.0, |most, one| one.max_kkt_violation.max(most)),
            converged: model.converged(),
            convex: all.iter().all(|one| one.convex),
        };
        let duality_gap = whole.duality_gap();
        let (calibrated, model_sha256) = (fitted.calibrated(), fitted.sha256()?);
        Ok(Self {
            flags,
            model,
            calibrated,
            scores,
            whole,
            duality_gap,
            resources,
            resumed_steps,
            model_sha256,
        })
    }

    /// For machines.
    pub fn json(&self) -> Value {
        let Self { model, scores, .. } = self;
        json!({
            "n_samples": scores.n_train,
            "n_features": model.n_features(),
            "classes": model.classes().iter().map(value).collect::<Vec<_>>(),
            "kernel": model.kernel().to_string(),
            "gamma": self.gamma(),
            "n_support": model.n_support(),
            "dual_objective": self.whole.dual_objective,
            "primal_objective": self.whole.primal_objective,
            "duality_gap": self.duality_gap,
            "max_kkt_violation": self.whole.max_kkt_violation,
            "pairs": self.pairs().map(|pair| self.pair_json(&pair)).collect::<Vec<_>>(),
            "log_loss": scores.log_loss,
            "train_accuracy": scores.train_accuracy,
            "test_accuracy": scores.test_accuracy,
            "n_iter": model.n_iter().iter().sum::<u64>(),
            "converged": model.converged(),
            "status": model.status().name(),
            "passes": model.history().passes,
            "resumed_steps": self.resumed_steps,
            "seconds": { "fit": scores.fit_seconds, "predict": scores.predict_seconds },
            "predict_rows": scores.n_test,
            "peak_rss_bytes": scores.peak_rss_bytes,
            "model_sha256": self.model_sha256,
            "threads": self.resources.threads,
            "isa": Isa::best().name(),
        })
    }

    fn pair_json(&self, pair: &Pair<'_>) -> Value {
        json!({
            "classes": [value(pair.first), value(pair.second)],
            "dual_objective": pair.certificate.dual_objective,
            "primal_objective": pair.certificate.primal_objective,
            "duality_gap": pair.certificate.duality_gap(),
            "max_kkt_violation": pair.certificate.max_kkt_violation,
            "converged": pair.certificate.converged,
            "n_iter": pair.n_iter,
        })
    }

    /// Each two classes, as the model has them.
    fn pairs(&self) -> impl Iterator<Item = Pair<'_>> {
        let classes = self.model.classes();
        let firsts = classes.iter().enumerate();
        let pairs = firsts.flat_map(move |(at, first)| {
            classes[at + 1..].iter().map(move |second| (first, second))
        });
        let proofs = self.model.certificates().iter().zip(self.model.n_iter());
        pairs.zip(proofs).map(|((first, second), (certificate, &n_iter))| Pair {
            first,
            second,
            certificate,
            n_iter,
        })
    }

    /// None for the kernel that has none.
    fn gamma(&self) -> Option<f64> {
        (self.model.kernel() != Kernel::Linear).then(|| self.model.gamma())
    }
}

/// The problem of two classes.
struct Pair<'a> {
    first: &'a Label,
    second: &'a Label,
    certificate: &'a Certificate,
    n_iter: u64,
}

fn value(class: &Label) -> Value {
    match class {
        Label::Integer(value) => json!(value),
        Label::Real(value) => json!(value),
        Label::Name(name) => json!(name),
    }
}

/// For people.
impl fmt::Display for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, scores, .. } = self;
        writeln!(f, "SVC: {} classes of {}", model.n_classes(), counted(scores.n_train, "row"))?;
        let mut line = |name: &str, value: String| writeln!(f, "  {name:<14} {value}");
        line("kernel", self.kernel())?;
        line(
            "test accuracy",
            format!("{:.4} of {}", scores.test_accuracy, held_out(scores.n_test)),
        )?;
        line("train accuracy", format!("{:.4}", scores.train_accuracy))?;
        if let Some(probabilities) = self.probabilities() {
            line("log loss", probabilities)?;
        }
        line("support", self.support())?;
        line("ended", self.ended())?;
        if let Some(advice) = self.advice() {
            line("what to do", advice)?;
        }
        if let Some(resumed) = resumed(self.resumed_steps) {
            line("resumed", resumed)?;
        }
        line("seconds", self.time())?;
        line("memory", self.memory())?;
        line("model", self.model_sha256.clone())?;
        if model.n_classes() == 2 { self.write_certificate(f) } else { self.write_certificates(f) }
    }
}

fn held_out(rows: u64) -> String {
    format!("{} held out", counted(rows, "row"))
}

impl Outcome<'_> {
    fn kernel(&self) -> String {
        let gamma = self.gamma().map(|gamma| match self.flags.gamma() {
            drystone::svc::Gamma::Value(_) => format!(", gamma = {gamma}"),
            rule => format!(", gamma = {gamma:.6} ({rule})"),
        });
        format!("{}{}, C = {}", self.model.kernel(), gamma.unwrap_or_default(), self.flags.c)
    }

    fn probabilities(&self) -> Option<String> {
        let (calibrated, log_loss) = (self.calibrated?, self.scores.log_loss?);
        let (folds, clueless) = (calibrated.folds(), ln(calibrated.classes().len() as f64));
        let doubt = if calibrated.converged() { "" } else { ", not all of which converged" };
        Some(format!(
            "{log_loss:.4} of the rows held out, {clueless:.4} if it knew nothing; from {folds} folds{doubt}"
        ))
    }

    fn support(&self) -> String {
        let (model, n_support) = (self.model, self.model.n_support());
        let of = |(n, class): (&u64, &Label)| format!("{n} of class {class}");
        let classes = n_support.iter().zip(model.classes()).take(LINE_CLASSES).map(of);
        let more = if n_support.len() > LINE_CLASSES { ", ..." } else { "" };
        let rows = counted(n_support.iter().sum(), "row");
        format!("{rows}: {}{more}", classes.collect::<Vec<_>>().join(", "))
    }

    fn ended(&self) -> String {
        let model = self.model;
        let steps = counted(model.n_iter().iter().sum(), "step");
        let passes = model.history().passes;
        format!("{} after {steps} in {passes} passes over the data", model.status().name())
    }

    /// For a fit that did not converge.
    fn advice(&self) -> Option<String> {
        let tol = self.flags.tol;
        Some(match self.model.status() {
            Status::Converged => return None,
            Status::MaxIter => {
                let max_iter = self.flags.max_iter.unwrap_or(usize::MAX);
                format!(
                    "raise --max-iter {max_iter}, or leave it out; scaled columns take fewer steps"
                )
            }
            Status::Stalled => format!(
                "rounding hides what is left to gain: raise --tol {tol}, scale the columns, or lower --c"
            ),
            _ => "raise --max-time, or scale the columns: that takes fewer steps".to_owned(),
        })
    }

    fn time(&self) -> String {
        let Scores { fit_seconds, predict_seconds, n_test, .. } = self.scores;
        let rows = counted(*n_test, "row");
        let ran_on = ran_on(&self.resources);
        format!("{fit_seconds:.2} fitting + {predict_seconds:.2} predicting {rows}, {ran_on}")
    }

    fn memory(&self) -> String {
        let state = self.model.history().state_bytes;
        memory_of(&self.resources, self.scores.peak_rss_bytes, state)
    }

    /// Of two classes: what each number means.
    fn write_certificate(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tol = self.flags.tol;
        let Certificate { dual_objective: dual, primal_objective: primal, .. } = self.whole;
        writeln!(f, "  certificate, in double precision over all rows")?;
        match self.duality_gap {
            Some(gap) => {
                writeln!(f, "    dual         {dual:>16.6}  no solution costs less than this")?;
                writeln!(f, "    primal       {primal:>16.6}  what this solution costs")?;
                let share = match self.whole.primal_objective {
                    cost if cost < 1.0 => "what is left to gain at most; the cost is below 1",
                    _ => "what is left to gain at most, as a share of the cost",
                };
                writeln!(f, "    duality gap  {gap:>16.1e}  {share}")?;
            }
            None => {
                writeln!(f, "    objective    {dual:>16.6}  of a kernel that is not convex:")?;
                writeln!(f, "    duality gap              none  there may be several optima")?;
            }
        }
        let violation = self.whole.max_kkt_violation;
        let words = "how far a row is from the optimum's conditions at most";
        write!(f, "    violation    {violation:>16.1e}  {words}; tol is {tol:e}")
    }

    /// Of several classes: a line for each two.
    fn write_certificates(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "  certificates, in double precision over all rows: no solution costs less than"
        )?;
        writeln!(
            f,
            "  dual, this one costs primal, and no row is further than violation from the"
        )?;
        writeln!(f, "  optimum's conditions; tol is {:e}", self.flags.tol)?;
        write!(
            f,
            "    {:<16} {:>16} {:>16} {:>9} {:>9} {:>9}",
            "classes", "dual", "primal", "gap", "violation", "steps"
        )?;
        for Pair { first, second, certificate, n_iter } in self.pairs().take(TABLE_ROWS) {
            let name = format!("{first}, {second}");
            write_row(f, &name, certificate, certificate.duality_gap(), n_iter)?;
        }
        if let Some(more @ 1..) = self.model.certificates().len().checked_sub(TABLE_ROWS) {
            write!(f, "\n    ... and {more} more")?;
        }
        let steps = self.model.n_iter().iter().sum();
        write_row(f, "all together", &self.whole, self.duality_gap, steps)
    }
}

/// A row of the table, in a line of its own.
fn write_row(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    certificate: &Certificate,
    gap: Option<f64>,
    steps: u64,
) -> fmt::Result {
    let Certificate { dual_objective: dual, primal_objective: primal, .. } = certificate;
    let gap = gap.map_or("none".to_owned(), |gap| format!("{gap:.1e}"));
    let violation = certificate.max_kkt_violation;
    let mark = if certificate.converged { "" } else { "  not converged" };
    write!(
        f,
        "\n    {name:<16} {dual:>16.6} {primal:>16.6} {gap:>9} {violation:>9.1e} {steps:>9}{mark}"
    )
}
