//! Plain statistics for the tests.

pub fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    values.into_iter().for_each(|value| (sum, n) = (sum + value, n + 1.0));
    sum / n
}

pub fn variance(values: &[f64]) -> f64 {
    let mean_value = mean(values.iter().copied());
    mean(values.iter().map(|value| (value - mean_value).powi(2)))
}

/// One column of rows of `n_features` values.
pub fn column(values: &[f64], n_features: usize, column: usize) -> Vec<f64> {
    values.iter().skip(column).step_by(n_features).copied().collect()
}

/// The rank of row-major rows, by elimination with full pivoting.
pub fn rank(values: &[f64], n_features: usize, columns: &[usize]) -> usize {
    let rows = values.chunks_exact(n_features);
    let mut rows: Vec<Vec<f64>> =
        rows.map(|row| columns.iter().map(|&column| row[column]).collect()).collect();
    let mut first_pivot = 0.0;
    for rank in 0..columns.len() {
        let entries = (rank..rows.len()).flat_map(|i| (rank..columns.len()).map(move |j| (i, j)));
        let size = |&(i, j): &(usize, usize)| rows[i][j].abs();
        let Some(pivot) = entries.max_by(|a, b| size(a).total_cmp(&size(b))) else { return rank };
        let pivot_size = size(&pivot);
        first_pivot = f64::max(first_pivot, pivot_size);
        if pivot_size <= 1e-11 * first_pivot {
            return rank;
        }
        rows.swap(rank, pivot.0);
        rows.iter_mut().for_each(|row| row.swap(rank, pivot.1));
        let (above, below) = rows.split_at_mut(rank + 1);
        let pivot_row = &above[rank];
        for row in below {
            let factor = row[rank] / pivot_row[rank];
            row.iter_mut().zip(pivot_row).for_each(|(value, p)| *value -= factor * p);
        }
    }
    columns.len()
}
