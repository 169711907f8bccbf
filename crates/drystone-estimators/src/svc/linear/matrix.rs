//! Small dense linear algebra on the driver: a symmetric matrix, and solving with it.
//!
//! Plain loops in one order, so that the same numbers give the same bits on every machine.

/// A symmetric matrix; its lower half, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Symmetric {
    n: usize,
    lower: Vec<f64>,
}

impl Symmetric {
    /// A matrix from its entries at `(row, column)`, where the row is not below the column.
    pub fn new(n: usize, entry: impl Fn(usize, usize) -> f64) -> Self {
        let rows = (0..n).flat_map(|row| (0..=row).map(move |column| (row, column)));
        Self { n, lower: rows.map(|(row, column)| entry(row, column)).collect() }
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.lower[row * (row + 1) / 2..][..=row]
    }

    /// Solves for a right side, by Cholesky's factors. Where rounding has made the matrix
    /// indefinite, its diagonal is made larger until it is not.
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        self.factor().solve(right)
    }

    pub fn factor(&self) -> Factor {
        let mut share = 0.0;
        loop {
            if let Some(factor) = self.try_factor(share) {
                return factor;
            }
            share = if share == 0.0 { 1e-15 } else { 10.0 * share };
        }
    }

    fn try_factor(&self, share: f64) -> Option<Factor> {
        let mut factor = self.clone();
        for i in 0..self.n {
            let (above, row) = factor.lower.split_at_mut(i * (i + 1) / 2);
            for j in 0..i {
                let other = &above[j * (j + 1) / 2..][..=j];
                row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
            }
            let diagonal = row[i] * (1.0 + share);
            let pivot = diagonal - dot(&row[..i], &row[..i]);
            // NaN is not definite either; beyond that share nothing helps.
            let is_definite = pivot > diagonal * 1e-15;
            if !is_definite && share < 1.0 {
                return None;
            }
            row[i] = pivot.max(f64::MIN_POSITIVE).sqrt();
        }
        Some(Factor(factor))
    }
}

/// Cholesky's factor of a matrix.
pub(super) struct Factor(Symmetric);

impl Factor {
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        let n = self.0.n;
        let mut x = right.to_vec();
        for i in 0..n {
            let row = self.0.row(i);
            x[i] = (x[i] - dot(&row[..i], &x[..i])) / row[i];
        }
        for i in (0..n).rev() {
            let row = self.0.row(i);
            x[i] /= row[i];
            let last = x[i];
            x[..i].iter_mut().zip(row).for_each(|(x, l)| *x -= last * l);
        }
        x
    }
}

/// The dot product, in four chains of fused multiply-adds.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a, rest_a) = a.as_chunks::<4>();
    let (b, rest_b) = b.as_chunks::<4>();
    let mut sums = [0.0_f64; 4];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f64 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}

pub(super) fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solutions_solve() {
        for n in [1, 2, 5, 23] {
            let value = |at: usize| ((at * 37) % 19) as f64 / 7.0 - 1.0;
            let factor: Vec<Vec<f64>> =
                (0..n).map(|i| (0..n).map(|j| value(i * n + j)).collect()).collect();
            let gram =
                |i: usize, j: usize| dot(&factor[i], &factor[j]) + f64::from(u8::from(i == j));
            let right: Vec<f64> = (0..n).map(|i| value(i + 3)).collect();
            let x = Symmetric::new(n, gram).solve(&right);
            for (i, right) in right.iter().enumerate() {
                let left: f64 = (0..n).map(|j| gram(i, j) * x[j]).sum();
                assert!((left - right).abs() < 1e-10, "{n}: {left} {right}");
            }
        }
    }

    #[test]
    fn singular_and_undefined_matrices_end() {
        let x = Symmetric::new(3, |_, _| 1.0).solve(&[1.0, 1.0, 1.0]);
        assert!((x.iter().sum::<f64>() - 1.0).abs() < 1e-6, "{x:?}");
        assert_eq!(Symmetric::new(2, |_, _| f64::NAN).solve(&[1.0, 1.0]).len(), 2);
    }
}
