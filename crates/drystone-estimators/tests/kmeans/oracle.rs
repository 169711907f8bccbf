//! Costs, counts and means against sums written out naively, on data that are hard on
//! the arithmetic.

use drystone_core::block::RecordElement;
use drystone_core::{Inline, Records, input};
use drystone_estimators::kmeans::Status;
use drystone_estimators::{Init, KMeans, KMeansParams};
use ndarray::{Array2, Axis, concatenate};

use crate::support::{
    blobs, centroids, counts, difference, labels, lazy, naive, random, slices, to_block,
};
use rand::Rng;

/// Weighted means of the rows of each label, and of no more than f64 rounding.
fn naive_means(records: &Array2<f64>, weights: &[f64], labels: &[u32], k: usize) -> Array2<f64> {
    let mut sums = Array2::zeros((k, records.ncols()));
    let mut totals = vec![0.0; k];
    for ((record, &weight), &label) in records.rows().into_iter().zip(weights).zip(labels) {
        sums.row_mut(label as usize).scaled_add(weight, &record);
        totals[label as usize] += weight;
    }
    for (mut sum, total) in sums.rows_mut().into_iter().zip(totals) {
        sum /= total;
    }
    sums
}

/// Fits to unchanged labels, and compares everything with the naive results.
fn check<T: RecordElement>(
    name: &str,
    records: &Array2<f64>,
    weights: Option<&[f64]>,
    params: KMeansParams<'_>,
) -> KMeans {
    let is_f32 = T::DTYPE.size() == 4;
    let block = to_block::<T>(records, weights);
    // What the estimator sees, which for f32 is rounded.
    let records = Array2::from_shape_vec(records.dim(), block.records.to_f64()).expect("rows");
    let data = lazy(slices(&block, &[1, block.n_samples() / 2]), true);
    let model = params.tol(0.0).on(&Inline::new(0)).fit(&data).expect(name);
    assert_eq!(model.status(), Status::LabelsUnchanged, "{name}");

    let (k, labels) = (model.n_clusters(), labels(&model, &data));
    let (inertia, mut found) = naive(&records, weights, &centroids(&model));
    let tolerance = if is_f32 { 1e-6 } else { 1e-12 };
    assert!(
        (model.inertia() - inertia).abs() <= tolerance * inertia,
        "{name}: inertia {} is not {inertia}",
        model.inertia()
    );
    if is_f32 {
        // Ties of f32 distances are not ties of f64 ones.
        found = counts(&labels, k);
    }
    assert_eq!(model.cluster_counts(), found, "{name}");

    let ones = vec![1.0; records.nrows()];
    let means = naive_means(&records, weights.unwrap_or(&ones), &labels, k);
    // Column by column: a small column must not hide behind a large one.
    let tolerance = if is_f32 { f64::from(f32::EPSILON) } else { 1e-12 };
    for (column, (found, wanted)) in
        centroids(&model).columns().into_iter().zip(means.columns()).enumerate()
    {
        let error = difference(&found.to_vec(), &wanted.to_vec());
        assert!(error <= tolerance, "{name}: column {column} is {error:e} off");
    }
    model
}

fn params<'a>(n_clusters: usize) -> KMeansParams<'a> {
    KMeans::params(n_clusters).seed(5)
}

/// Columns at 1e6 and at 1e-3.
fn mixed_scales() -> Array2<f64> {
    let mut records = blobs((500, 4), 6, 0.5, -5.0, 8);
    for (column, scale) in [1e6, 1e-3, 1.0, 1e-3].into_iter().enumerate() {
        records.column_mut(column).mapv_inplace(|value| value * scale);
    }
    records
}

#[test]
fn agrees_with_naive_sums() {
    let far = blobs((600, 3), 5, 1e-2, 1e4, 1);
    let wide = blobs((40, 784), 3, 1.0, 0.0, 2);
    let scales = mixed_scales();
    let plain = blobs((300, 2), 4, 1.0, -3.0, 3);
    let weights: Vec<f64> = (0..600).map(|row| f64::from(row % 7) / 3.0).collect();
    check::<f64>("far", &far, None, params(5));
    check::<f32>("far f32", &far, None, params(5));
    check::<f64>("far weighted", &far, Some(&weights), params(5));
    check::<f32>("far weighted f32", &far, Some(&weights), params(5));
    let light: Vec<f64> = (0..600).map(|row| if row % 5 == 0 { 1e-6 } else { 1.0 }).collect();
    check::<f64>("far, a light group", &far, Some(&light), params(5));
    check::<f32>("far, a light group f32", &far, Some(&light), params(5));
    check::<f64>("mixed scales", &scales, None, params(6));
    check::<f32>("mixed scales f32", &scales, None, params(6));
    check::<f64>("mixed scales weighted", &scales, Some(&weights[..500]), params(6));
    check::<f64>("784 columns", &wide, None, params(3));
    check::<f32>("784 columns f32", &wide, None, params(3));
    check::<f64>("one cluster", &plain, None, params(1));
    check::<f32>("one cluster f32", &plain, None, params(1));
    check::<f64>("random", &plain, None, params(9).init(Init::Random));
    check::<f64>("k-means++", &plain, None, params(9).init(Init::PlusPlus));
}

#[test]
fn a_cluster_for_each_row_costs_nothing() {
    let records = blobs((23, 2), 23, 1.0, 0.0, 4);
    for init in [Init::default(), Init::PlusPlus, Init::Random, Init::centroids(records.clone())] {
        let model = check::<f64>("k = n", &records, None, params(23).init(init));
        assert_eq!(model.inertia(), 0.0);
        assert_eq!(model.cluster_counts(), [1; 23]);
    }
}

#[test]
fn one_row_is_its_own_centroid() {
    let records = ndarray::array![[0.1, -7e5, 3e-9]];
    for init in [Init::default(), Init::PlusPlus, Init::Random, Init::centroids(&records + 1.0)] {
        let model = params(1).init(init).fit(&records).expect("a model");
        assert_eq!(centroids(&model), records);
        assert_eq!((model.inertia(), model.cluster_counts()), (0.0, &[1][..]));
        assert!(model.converged());
    }
}

#[test]
fn blobs_far_from_the_origin_are_found_in_f32() {
    // Single precision has a step of 1e-3 there: |x|^2 - 2xc + |c|^2 would see noise only.
    let records = blobs((2000, 2), 4, 1e-2, 1e4, 1);
    let model = check::<f32>("far f32", &records, None, params(4).n_init(5));
    assert_eq!(model.cluster_counts(), [500; 4]);
    let std = (model.inertia() / 4000.0).sqrt();
    assert!((std - 1e-2).abs() < 1e-3, "{std}");
}

fn given(records: &Array2<f64>, k: usize) -> Init {
    Init::centroids(records.select(Axis(0), &(0..k).collect::<Vec<usize>>()))
}

#[test]
fn a_row_twice_is_a_row_of_weight_two() {
    let records = blobs((200, 3), 4, 2.0, 1.0, 6);
    let twice: Vec<usize> = (0..200).step_by(3).collect();
    let both = concatenate![Axis(0), records, records.select(Axis(0), &twice)];
    let weights: Vec<f64> = (0..200).map(|row| if row % 3 == 0 { 2.0 } else { 1.0 }).collect();
    // The tolerance is scaled by the data's spread, which must count the weights too.
    for tol in [0.0, 1e-4, 1e-2] {
        let params = || KMeans::params(6).init(given(&records, 6)).tol(tol);
        let a = params().fit(&both).expect("a model");
        let data = input::cut(to_block::<f64>(&records, Some(&weights)), 50).expect("data");
        let b = params().fit(&data).expect("a model");
        let error = difference(&b.centroids().to_f64(), &a.centroids().to_f64());
        assert!(error < 1e-12, "tol {tol}: {error:e}");
        assert!(difference(&[b.inertia()], &[a.inertia()]) < 1e-12);
        assert_eq!((a.n_iter(), a.status()), (b.n_iter(), b.status()), "tol {tol}");
    }
}

#[test]
fn rows_of_zero_weight_change_nothing_but_counts() {
    let records = blobs((200, 3), 4, 2.0, 1.0, 7);
    let mut rng = random(1);
    let others = Array2::from_shape_simple_fn((80, 3), || rng.gen_range(-900.0..900.0));
    let both = concatenate![Axis(0), others, records];
    let weights: Vec<f64> = (0..280).map(|row| if row < 80 { 0.0 } else { 1.5 }).collect();
    for tol in [0.0, 1e-3] {
        let params = || KMeans::params(5).init(given(&records, 5)).tol(tol);
        let block = to_block::<f64>(&records, Some(&weights[80..]));
        let without = params().fit(&lazy(vec![block], true)).expect("a model");
        let block = to_block::<f64>(&both, Some(&weights));
        let data = lazy(slices(&block, &[3, 99]), true);
        let with = params().fit(&data).expect("a model");
        let error = difference(&with.centroids().to_f64(), &without.centroids().to_f64());
        assert!(error < 1e-12, "{error:e}");
        assert!(difference(&[with.inertia()], &[without.inertia()]) < 1e-12);
        assert_eq!((with.n_iter(), with.status()), (without.n_iter(), without.status()));
        assert_eq!(with.cluster_counts(), counts(&labels(&with, &data), 5));
        assert_eq!(with.cluster_counts().iter().sum::<u64>(), 280);
    }
}

#[test]
fn weights_may_be_scaled() {
    let records = blobs((150, 2), 3, 1.0, 0.0, 9);
    let weights: Vec<f64> = (0..150).map(|row| 1.0 + f64::from(row % 4)).collect();
    let fit = |scale: f64, init: Init| {
        let weights: Vec<f64> = weights.iter().map(|weight| weight * scale).collect();
        let data = lazy(vec![to_block::<f64>(&records, Some(&weights))], true);
        KMeans::params(4).init(init).fit(&data).expect("a model")
    };
    for init in [Init::default(), Init::PlusPlus, Init::Random, given(&records, 4)] {
        let one = fit(1.0, init.clone());
        for scale in [0.5, 2f64.powi(300), 2f64.powi(-300)] {
            let other = fit(scale, init.clone());
            assert_eq!(other.centroids(), one.centroids(), "{init} {scale:e}");
            assert_eq!(other.inertia(), one.inertia() * scale, "{init} {scale:e}");
        }
    }
}

#[test]
fn transform_and_score_agree_with_predict() {
    let records = blobs((100, 3), 3, 1.0, 0.0, 10);
    let model = params(3).fit(&records).expect("a model");
    let distances = model.transform(&records).compute().expect("distances");
    assert_eq!(distances.dim(), (100, 3));
    let labels = labels(&model, &records);
    let mut inertia = 0.0;
    for (row, &label) in distances.rows().into_iter().zip(&labels) {
        let least = row.iter().copied().fold(f64::INFINITY, f64::min);
        assert_eq!(least, row[label as usize]);
        inertia += least * least;
    }
    assert!(difference(&[inertia], &[model.inertia()]) < 1e-12);
    assert_eq!(model.score(&records).expect("a score"), -model.inertia());
    assert!(matches!(model.centroids(), Records::F64(_)));
}
