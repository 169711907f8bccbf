//! Data and oracles that the tests share.

use std::path::{Path, PathBuf};

use ndarray::Array2;

/// A file of `datasets/`.
pub fn dataset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets").join(name)
}

/// The numbers of a text file, by lines; a first line of words is skipped.
pub fn read_text(name: &str) -> Array2<f64> {
    let text = std::fs::read_to_string(dataset(name)).expect("a dataset");
    let split = |line: &str| -> Option<Vec<f64>> {
        let fields = line.split(|c: char| c == ',' || c.is_whitespace());
        fields.filter(|field| !field.is_empty()).map(|field| field.parse().ok()).collect()
    };
    let rows: Vec<Vec<f64>> =
        text.lines().filter_map(split).filter(|row| !row.is_empty()).collect();
    let n_features = rows[0].len();
    let shape = (rows.len(), n_features);
    Array2::from_shape_vec(shape, rows.concat()).expect("rows of one width")
}

/// Weighted sum of squared distances to the nearest centroid, and rows per centroid, the
/// naive way.
pub fn naive(
    records: &Array2<f64>,
    weights: Option<&[f64]>,
    centroids: &Array2<f64>,
) -> (f64, Vec<u64>) {
    let mut inertia = 0.0;
    let mut counts = vec![0; centroids.nrows()];
    for (row, record) in records.rows().into_iter().enumerate() {
        let distance = |centroid: ndarray::ArrayView1<'_, f64>| -> f64 {
            record.iter().zip(centroid).map(|(x, c)| (x - c) * (x - c)).sum()
        };
        let all: Vec<f64> = centroids.rows().into_iter().map(distance).collect();
        let best = (0..all.len()).reduce(|a, b| if all[b] < all[a] { b } else { a }).expect("one");
        inertia += weights.map_or(1.0, |weights| weights[row]) * all[best];
        counts[best] += 1;
    }
    (inertia, counts)
}
