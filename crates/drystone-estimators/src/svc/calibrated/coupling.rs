//! Probabilities of all classes from those of each two.

use drystone_core::{Error, ErrorKind, Result};

/// Pairwise probabilities are kept this far from 0 and 1, as LIBSVM does: with one of 0 the
/// problem may have many solutions.
const LEAST: f64 = 1e-7;

/// The probabilities of `n_classes` classes that agree best with those of each two.
///
/// `pairwise` has r(i, j) = P(class i | class i or j) for (0, 1), (0, 2), ...; each is kept
/// between 1e-7 and 1 - 1e-7. The result is the minimum of the sum over all i, j of
/// (r(j, i) p(i) - r(i, j) p(j))^2 with p >= 0 of sum 1: the second method of Wu, Lin and Weng.
/// LIBSVM finds it by iteration, to within 0.005 / `n_classes`; here the linear system is solved.
///
/// ```
/// use drystone_estimators::svc::calibrated::couple;
/// // What 1/2, 1/3 and 1/6 say of each two.
/// let p = couple(3, &[3.0 / 5.0, 3.0 / 4.0, 2.0 / 3.0])?;
/// assert!((p[0] - 1.0 / 2.0).abs() < 1e-15 && (p[2] - 1.0 / 6.0).abs() < 1e-15);
/// # Ok::<(), drystone_core::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](ErrorKind::Shape) when there is not one probability for each two classes,
/// [`NotFinite`](ErrorKind::NotFinite) for one that is NaN.
///
/// # Performance
/// n^3 / 3 multiplications for n classes.
///
/// # References
/// Wu, Lin, Weng, *Probability estimates for multi-class classification by pairwise coupling*,
/// JMLR 5, 2004, equation 16.
pub fn couple(n_classes: usize, pairwise: &[f64]) -> Result<Vec<f64>> {
    let n_pairs = n_classes * n_classes.saturating_sub(1) / 2;
    if pairwise.len() != n_pairs {
        return Err(Error::shape("pairwise probabilities", n_pairs as u64, pairwise.len() as u64));
    }
    if let Some(pair) = pairwise.iter().position(|probability| probability.is_nan()) {
        let error: Error = ErrorKind::NotFinite { found: "NaN".to_owned() }.into();
        return Err(error.at_column(pair as u64));
    }
    let mut out = Vec::with_capacity(n_classes);
    Coupling::new(n_classes).couple(pairwise, &mut out);
    Ok(out)
}

/// The linear system, with its memory kept from row to row.
pub(super) struct Coupling {
    n_classes: usize,
    /// Row-major; the lower triangle counts.
    matrix: Vec<f64>,
    solution: Vec<f64>,
}

impl Coupling {
    pub fn new(n_classes: usize) -> Self {
        let (matrix, solution) = (vec![0.0; n_classes * n_classes], vec![0.0; n_classes]);
        Self { n_classes, matrix, solution }
    }

    /// Appends the probabilities of the classes.
    ///
    /// The minimum solves Q p = -b e, e'p = 1 for the matrix Q of the sum of squares. So it is
    /// the solution of (Q + ee') y = e, scaled to the sum 1; that matrix is positive definite.
    pub fn couple(&mut self, pairwise: &[f64], out: &mut Vec<f64>) {
        self.fill(pairwise);
        factor(&mut self.matrix, self.n_classes);
        self.solution.fill(1.0);
        solve(&self.matrix, &mut self.solution);
        // None is below 0 but by rounding.
        self.solution.iter_mut().for_each(|value| *value = value.max(0.0));
        let sum: f64 = self.solution.iter().sum();
        out.extend(self.solution.iter().map(|value| value / sum));
    }

    /// Q + ee'.
    fn fill(&mut self, pairwise: &[f64]) {
        let n = self.n_classes;
        self.matrix.fill(1.0);
        let mut pairs = pairwise.iter();
        for i in 0..n {
            for (j, &probability) in (i + 1..n).zip(&mut pairs) {
                let first = probability.clamp(LEAST, 1.0 - LEAST);
                let second = 1.0 - first;
                self.matrix[i * n + i] += second * second;
                self.matrix[j * n + j] += first * first;
                self.matrix[j * n + i] -= first * second;
            }
        }
    }
}

/// A = L D L' in place: L below the diagonal, D on it.
fn factor(matrix: &mut [f64], n: usize) {
    for row in 0..n {
        for column in 0..row {
            let known: f64 = (0..column)
                .map(|k| matrix[row * n + k] * matrix[column * n + k] * matrix[k * n + k])
                .sum();
            let value = matrix[row * n + column] - known;
            matrix[row * n + column] = value / matrix[column * n + column];
        }
        let squares: f64 =
            (0..row).map(|k| matrix[row * n + k] * matrix[row * n + k] * matrix[k * n + k]).sum();
        matrix[row * n + row] -= squares;
    }
}

/// Solves L D L' x = b; `x` is b before and x after.
fn solve(matrix: &[f64], x: &mut [f64]) {
    let n = x.len();
    for row in 0..n {
        let known: f64 = (0..row).map(|k| matrix[row * n + k] * x[k]).sum();
        x[row] -= known;
    }
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|k| matrix[k * n + row] * x[k]).sum();
        x[row] = x[row] / matrix[row * n + row] - known;
    }
}
