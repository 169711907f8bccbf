//! Our SVC against linfa-svm: the same problem, so the same optimum.
//!
//! linfa's `Gaussian(eps)` is exp(-|x - y|^2 / eps), so eps = 1 / gamma; its `rho` is minus our
//! intercept. Its positive class is `true`, ours the second.

use drystone_core::{Block, ChunkedDataset, Dtype, Targets};
use drystone_estimators::svc::{Gamma, Kernel, Svc};
use linfa::DatasetBase;
use linfa::traits::{Fit, Predict};
use linfa_svm::{Svm, SvmParams};
use ndarray::{Array1, ArrayView1, ArrayView2};

use crate::support::{heart, integers, rows};

struct Case {
    block: Block,
    kernel: Kernel,
    gamma: f64,
    c: f64,
}

impl Case {
    fn kernel(&self, x: ArrayView1<'_, f64>, y: ArrayView1<'_, f64>) -> f64 {
        match self.kernel {
            Kernel::Linear => x.dot(&y),
            _ => {
                let square: f64 = x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum();
                (-self.gamma * square * std::f64::consts::LOG2_E).exp2()
            }
        }
    }

    fn theirs(&self) -> Svm<f64, bool> {
        let records = self.block.records.view::<f64>().expect("records").to_owned();
        let targets = integers(&self.block).iter().map(|target| *target == 1).collect();
        let params: SvmParams<f64, bool> = Svm::params().pos_neg_weights(self.c, self.c).eps(1e-6);
        let params = match self.kernel {
            Kernel::Linear => params.linear_kernel(),
            _ => params.gaussian_kernel(1.0 / self.gamma),
        };
        params.fit(&DatasetBase::<_, Array1<bool>>::new(records, targets)).expect("a model")
    }

    fn ours(&self, data: &ChunkedDataset) -> Svc {
        let params = Svc::params().kernel(self.kernel).gamma(Gamma::Value(self.gamma));
        params.c(self.c).tol(1e-6).fit(data).expect("a model")
    }

    /// What the dual asks to be greatest, for signed coefficients.
    fn dual(&self, coefs: &[f64], records: ArrayView2<'_, f64>) -> f64 {
        let mut quadratic = 0.0;
        for (x, a) in records.rows().into_iter().zip(coefs) {
            for (y, b) in records.rows().into_iter().zip(coefs).filter(|(_, b)| **b != 0.0) {
                quadratic += if *a == 0.0 { 0.0 } else { a * b * self.kernel(x, y) };
            }
        }
        coefs.iter().map(|a| a.abs()).sum::<f64>() - quadratic / 2.0
    }

    fn check(&self) {
        let data = ChunkedDataset::from_resident(vec![self.block.clone()]).expect("a dataset");
        let data = data.rechunk(100);
        let (ours, theirs) = (self.ours(&data), self.theirs());
        assert!(ours.converged());
        let records = self.block.records.view::<f64>().expect("records");

        let mut coefs = vec![0.0; records.nrows()];
        ours.support().iter().zip(ours.dual_coef()).for_each(|(&row, &a)| coefs[row as usize] = a);
        let (our_dual, their_dual) =
            (self.dual(&coefs, records), self.dual(&theirs.alpha, records));
        let near = |a: f64, b: f64| (a - b).abs() < 1e-6 * a.abs().max(1.0);
        assert!(near(our_dual, their_dual), "dual objectives {our_dual} and {their_dual}");
        assert!(near(our_dual, ours.certificates()[0].dual_objective));

        let decisions = ours.decision_function(&data).compute().expect("decisions");
        let mut n_sure = 0;
        for (row, ours) in records.rows().into_iter().zip(decisions.column(0)) {
            let theirs = theirs.weighted_sum(&row) - theirs.rho;
            assert!((ours - theirs).abs() < 1e-3 * ours.abs().max(1.0), "{ours}, {theirs}");
            if ours.abs() > 1e-3 {
                assert_eq!(*ours > 0.0, theirs > 0.0);
                n_sure += 1;
            }
        }
        assert!(n_sure > records.nrows() * 9 / 10);
        let classes: Array1<bool> = theirs.predict(&records);
        let right = classes.iter().zip(integers(&self.block)).filter(|(c, t)| **c == (*t == 1));
        let their_score = right.count() as f64 / records.nrows() as f64;
        assert!((ours.score(&data).expect("a score") - their_score).abs() < 0.005);
    }
}

/// Rows of the digits 4 and 9, as 0 and 1, scaled to 0..1.
fn digits() -> Block {
    let all = rows("pendigits", 16, 4_000, Dtype::F64);
    let is_wanted = |digit: &i64| [4, 9].contains(digit);
    let targets = integers(&all);
    let kept: Vec<usize> = (0..targets.len()).filter(|row| is_wanted(&targets[*row])).collect();
    let kept = all.gather(&kept);
    let targets: Vec<i64> = integers(&kept).iter().map(|digit| i64::from(*digit == 9)).collect();
    let records = kept.records.view::<f64>().expect("records").mapv(|value| value / 100.0);
    let block = Block::new(records).with_targets(Targets::I64(targets.into()));
    block.slice(0..block.n_samples().min(700))
}

#[test]
fn radial_basis_functions() {
    for (gamma, c) in [(0.05, 1.0), (0.5, 10.0)] {
        Case { block: heart(Dtype::F64), kernel: Kernel::Rbf, gamma, c }.check();
    }
    Case { block: digits(), kernel: Kernel::Rbf, gamma: 0.5, c: 5.0 }.check();
}

#[test]
fn linear() {
    Case { block: heart(Dtype::F64), kernel: Kernel::Linear, gamma: 1.0, c: 0.5 }.check();
    Case { block: digits(), kernel: Kernel::Linear, gamma: 1.0, c: 1.0 }.check();
}
