//! Rows far from all others: they neither hide the others nor decide when to stop.

use drystone_estimators::{Init, KMeans};
use drystone_sources::memory::Memory;
use ndarray::Array2;

#[test]
fn rows_of_no_weight_and_far_given_centroids_do_not_change_tol() {
    let near: Vec<f64> = (0..2000).map(|i| f64::from((i * 7919) % 2003) / 2003.0).collect();
    let column = |values: Vec<f64>| Array2::from_shape_vec((values.len(), 1), values).unwrap();
    let init = || Init::centroids(Array2::from_shape_fn((8, 1), |(i, _)| i as f64 * 0.01));
    let wanted = KMeans::params(8).init(init()).fit(&column(near.clone())).unwrap();
    for far in [1e6, 1e9] {
        let all: Vec<f64> = near.iter().copied().chain([far]).collect();
        let weights = (0..2001).map(|row| if row < 2000 { 1.0 } else { 0.0 }).collect();
        let data = Memory::new(column(all)).weights(weights).dataset().unwrap();
        let found = KMeans::params(8).init(init()).fit(&data).unwrap();
        assert_eq!(found.n_iter(), wanted.n_iter(), "{far:e}");
        assert!((found.inertia() - wanted.inertia()).abs() < 1e-9, "{far:e}");
    }
}

#[test]
fn one_far_row_does_not_make_the_others_equal() {
    for far in [1e22, 1e25, 1e30] {
        let row = |i: i32| if i < 999 { f64::from(i % 5) * 10.0 } else { far };
        let data = Array2::from_shape_vec((1000, 1), (0..1000).map(row).collect()).unwrap();
        for init in [Init::default(), Init::PlusPlus] {
            let model = KMeans::params(6).init(init).fit(&data).unwrap();
            assert_eq!(model.cluster_counts().iter().filter(|&&count| count == 1).count(), 1);
        }
    }
}
