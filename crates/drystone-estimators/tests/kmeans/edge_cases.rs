//! Data at the edge of what can be clustered have a defined outcome.

use std::sync::atomic::{AtomicUsize, Ordering};

use drystone_core::{Event, Executor, Inline, Threads};
use drystone_estimators::kmeans::Status;
use drystone_estimators::{Init, KMeans};
use ndarray::{Array2, array};

use crate::support::{blobs, centroids, labels, lazy, slices, to_block};

fn good() -> Array2<f64> {
    blobs((30, 2), 3, 0.5, 0.0, 1)
}

#[test]
fn equal_rows_are_one_cluster() {
    for value in [0.0, -0.1, 1e150] {
        let equal = Array2::from_elem((7, 3), value);
        for init in [Init::default(), Init::PlusPlus, Init::Random] {
            let model =
                KMeans::params(1).init(init.clone()).n_init(2).fit(&equal).expect("a model");
            assert_eq!((model.inertia(), model.cluster_counts()), (0.0, &[7][..]), "{init}");
            assert_eq!(model.status(), Status::LabelsUnchanged, "{init}");
            assert!(centroids(&model).iter().all(|&found| found == value), "{init}");
        }
    }
}

#[test]
fn clusters_beyond_the_distinct_rows_stay_empty() {
    let twins = array![[1.0], [2.0], [1.0], [2.0], [2.0]];
    for init in [Init::Random, Init::centroids(array![[1.0], [2.0], [2.0], [2.0]])] {
        let model = KMeans::params(4).init(init.clone()).fit(&twins).expect("a model");
        let mut counts = model.cluster_counts().to_vec();
        counts.sort_unstable();
        assert_eq!((model.inertia(), counts), (0.0, vec![0, 0, 2, 3]), "{init}");
        assert_eq!(model.status(), Status::LabelsUnchanged, "{init}");
        let values: Vec<f64> = centroids(&model).into_raw_vec_and_offset().0;
        assert!(values.iter().all(|value| [1.0, 2.0].contains(value)), "{init}: {values:?}");
    }
}

#[test]
fn empty_clusters_take_the_farthest_rows() {
    // All but the first centroid start where no row is nearest.
    let records = array![[0.0], [1.0], [2.0], [30.0], [40.0], [3.0]];
    let far = Init::centroids(array![[0.0], [500.0], [600.0], [700.0]]);
    let notes = AtomicUsize::new(0);
    let observer = |event: &Event<'_>| {
        if let Event::Note { text } = event {
            assert_eq!(*text, "3 clusters were empty: 3 took far rows");
            notes.fetch_add(1, Ordering::Relaxed);
        }
    };
    let model =
        KMeans::params(4).init(far).tol(0.0).observe(&observer).fit(&records).expect("a model");
    assert_eq!(notes.into_inner(), 1);
    // 40, 30 and 3 went to the clusters in turn; what was left has a mean of 1, and the row
    // at 2, as near to 3, stays with the lower index.
    assert_eq!(centroids(&model), array![[1.0], [40.0], [30.0], [3.0]]);
    assert_eq!(model.cluster_counts(), [3, 1, 1, 1]);
    assert_eq!(model.status(), Status::LabelsUnchanged);
}

#[test]
fn a_row_that_is_all_of_its_cluster_stays() {
    // The rows at 100 and 50 are far from their centroids, but alone with them.
    let records = array![[0.0], [0.5], [100.0], [50.0]];
    let start = Init::centroids(array![[0.0], [80.0], [40.0], [900.0]]);
    let model = KMeans::params(4).init(start).tol(0.0).fit(&records).expect("a model");
    assert_eq!(centroids(&model), array![[0.0], [100.0], [50.0], [0.5]]);
    assert_eq!(model.inertia(), 0.0);
}

#[test]
fn rows_of_zero_weight_are_not_moved_to_empty_clusters() {
    let records = array![[0.0], [1.0], [9.0], [1000.0]];
    let data = lazy(vec![to_block::<f64>(&records, Some(&[1.0, 1.0, 1.0, 0.0]))], true);
    let start = Init::centroids(array![[0.0], [5000.0]]);
    let model = KMeans::params(2).init(start).tol(0.0).fit(&data).expect("a model");
    assert_eq!(centroids(&model), array![[0.5], [9.0]]);
    assert_eq!(model.cluster_counts(), [2, 2]);
}

#[test]
fn blocks_without_rows_do_nothing() {
    let block = to_block::<f64>(&good(), None);
    let whole = KMeans::params(3).fit(&lazy(vec![block.clone()], true)).expect("a model");
    for known in [true, false] {
        let data = lazy(slices(&block, &[0, 0, 5, 5, 5, 30, 30]), known);
        let threads = Threads::new(3).expect("threads");
        for executor in [&threads as &dyn Executor, &Inline::new(0)] {
            let model = KMeans::params(3).on(executor).fit(&data).expect("a model");
            assert_eq!(model.sha256().expect("a hash"), whole.sha256().expect("a hash"));
        }
        assert_eq!(labels(&whole, &data), labels(&whole, &good()));
    }
}

/// Multiplying by a power of two is exact, so nothing but the units may change: not the
/// rows that are drawn, nor the labels, nor a bit of the mantissas.
#[test]
fn powers_of_two_change_the_units_only() {
    let records = blobs((3000, 10), 4, 4.0, 0.0, 9);
    let fit = |exponent: i32| {
        let scaled = records.mapv(|value| value * 2.0_f64.powi(exponent));
        let data = lazy(slices(&to_block::<f64>(&scaled, None), &[700, 1900]), true);
        KMeans::params(6).on(&Inline::new(0)).fit(&data).expect("a model")
    };
    let model = fit(0);
    for exponent in [-330, -100, 100, 330] {
        let scaled = fit(exponent);
        assert_eq!(scaled.n_iter(), model.n_iter(), "2^{exponent}");
        let unit = 2.0_f64.powi(exponent);
        assert_eq!(centroids(&scaled) / unit, centroids(&model), "2^{exponent}");
        assert_eq!(scaled.inertia() / unit / unit, model.inertia(), "2^{exponent}");
    }
}
