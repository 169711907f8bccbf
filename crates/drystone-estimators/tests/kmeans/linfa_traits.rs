//! KMeans as linfa sees it, and linfa's own KMeans from the same centroids.

use std::panic::catch_unwind;

use drystone_core::{Error, Inline};
use drystone_estimators::{Init, KMeans, KMeansValidParams};
use linfa::traits::{Fit, Predict, PredictInplace};
use linfa::{Dataset, DatasetBase, ParamGuard};
use linfa_clustering::{KMeans as LinfaKMeans, KMeansInit};
use ndarray::{Array1, Array2, Axis, array, s};

use crate::support::{blobs, centroids, difference, labels, lazy, to_block};

fn sha(model: &KMeans) -> String {
    model.sha256().expect("a hash")
}

#[test]
fn parameters_are_checked_once() {
    let wanted = "parameter `n_clusters` must be between 1 and 16777216, found 0";
    let error = ParamGuard::check_ref(&KMeans::params(0)).map(|_| ()).expect_err("no clusters");
    assert_eq!(error.to_string(), wanted);
    let error = ParamGuard::check(KMeans::params(0)).map(|_| ()).expect_err("no clusters");
    assert_eq!(error.to_string(), wanted);
    let error = KMeans::params(0).check().map(|_| ()).expect_err("no clusters");
    assert_eq!(error.to_string(), wanted);
    let records = blobs((30, 2), 3, 0.5, 0.0, 1);
    let checked: KMeansValidParams<'_> = KMeans::params(3).check().expect("sound parameters");
    let model = checked.fit(&records).expect("a model");
    assert_eq!(sha(&model), sha(&KMeans::params(3).fit(&records).expect("a model")));
}

/// Fits as generic code does, which knows the trait only.
fn fit_by_trait<P, T>(params: &P, dataset: &DatasetBase<Array2<f64>, T>) -> KMeans
where
    P: Fit<Array2<f64>, T, Error, Object = KMeans>,
{
    params.fit(dataset).expect("a model")
}

#[test]
fn linfa_datasets_are_fitted_with_their_weights() {
    let records = blobs((60, 2), 4, 1.5, 0.0, 2);
    let weights: Array1<f32> = (0..60).map(|row| (row % 4) as f32 / 3.0).collect();
    let exact: Vec<f64> = weights.iter().map(|&weight| f64::from(weight)).collect();
    let data = lazy(vec![to_block::<f64>(&records, Some(&exact))], true);
    let wanted = sha(&KMeans::params(4).fit(&data).expect("a model"));

    let dataset = DatasetBase::from(records.clone()).with_weights(weights);
    let params = KMeans::params(4);
    assert_eq!(sha(&params.fit(&dataset).expect("a model")), wanted);
    assert_eq!(sha(&fit_by_trait(&params, &dataset)), wanted);
    assert_eq!(sha(&fit_by_trait(&params.clone().check().expect("sound"), &dataset)), wanted);
    let inline = Inline::new(0);
    assert_eq!(sha(&fit_by_trait(&params.clone().on(&inline), &dataset)), wanted);

    let plain = Dataset::new(records.clone(), Array1::from_elem(60, 1_usize));
    let unweighted = sha(&params.fit(&records).expect("a model"));
    assert_ne!(unweighted, wanted);
    assert_eq!(sha(&params.fit(&plain).expect("a model")), unweighted);
    assert_eq!(sha(&fit_by_trait(&params, &plain)), unweighted);
}

#[test]
fn errors_of_parameters_and_data_come_through_the_trait() {
    let dataset = DatasetBase::from(array![[1.0], [f64::NAN]]);
    let fit = |k: usize| Fit::fit(&KMeans::params(k), &dataset).map(|_: KMeans| ());
    let error = fit(0).expect_err("no clusters").to_string();
    assert_eq!(error, "parameter `n_clusters` must be between 1 and 16777216, found 0");
    let error = fit(1).expect_err("NaN").to_string();
    assert_eq!(error, "block 0, row 1, column 0: expected a finite number, found NaN");
}

#[test]
fn arrays_of_any_memory_order_are_the_same_data() {
    let records = blobs((50, 4), 3, 1.0, 0.0, 3);
    let wanted = sha(&KMeans::params(3).fit(&records).expect("a model"));
    let transposed = records.t().as_standard_layout().into_owned();
    let by_column = transposed.t();
    assert!(!by_column.is_standard_layout());
    assert_eq!(sha(&KMeans::params(3).fit(&by_column).expect("a model")), wanted);
    let mut wider = Array2::from_elem((100, 5), 7.0);
    wider.slice_mut(s![..;2, 1..]).assign(&records);
    let view = wider.slice(s![..;2, 1..]);
    assert_eq!(sha(&KMeans::params(3).fit(&view).expect("a model")), wanted);
}

#[test]
fn predictions_are_the_same_by_every_way() {
    let records = blobs((50, 2), 3, 1.0, 0.0, 4);
    let model = KMeans::params(3).fit(&records).expect("a model");
    let wanted: Array1<usize> =
        labels(&model, &records).into_iter().map(|label| label as usize).collect();
    assert_eq!(Predict::predict(&model, &records), wanted);
    assert_eq!(Predict::predict(&model, &records.view()), wanted);
    assert_eq!(Predict::predict(&model, &DatasetBase::from(records.clone())), wanted);
    assert_eq!(Predict::predict(&model, DatasetBase::from(records.clone())).targets, wanted);
    let mut found = model.default_target(&records);
    model.predict_inplace(&records, &mut found);
    assert_eq!(found, wanted);
    assert_eq!(model.try_predict(&records).expect("labels"), wanted);
}

#[test]
fn predict_panics_where_try_predict_gives_an_error() {
    let model = KMeans::params(2).fit(&array![[0.0, 1.0], [2.0, 3.0]]).expect("a model");
    let cases = [
        (
            array![[0.0, 0.0], [0.0, f64::NAN]],
            "block 0, row 1: expected finite rows within the range of the element type, found one \
             at an infinite or undefined distance",
        ),
        (array![[0.0]], "block 0: expected 2 features, found 1"),
    ];
    for (records, wanted) in cases {
        let error = model.try_predict(&records).expect_err("bad records");
        assert_eq!(error.to_string(), wanted);
        let panic = catch_unwind(|| Predict::predict(&model, &records)).expect_err("a panic");
        assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some(wanted));
    }
}

#[test]
fn agrees_with_linfa_from_the_same_centroids() {
    for (seed, k) in [(1, 2), (2, 5), (3, 8)] {
        let records = blobs((400, 3), 6, 1.5, 0.0, seed);
        let start = records.select(Axis(0), &(0..k).collect::<Vec<usize>>());
        let ours = KMeans::params(k).init(Init::centroids(start.clone())).tol(0.0);
        let ours = ours.fit(&records).expect("a model");
        // Linfa counts the old centroid as a row of the new one, which a small tolerance
        // makes up for.
        let theirs = LinfaKMeans::params(k)
            .init_method(KMeansInit::Precomputed(start))
            .n_runs(1)
            .tolerance(1e-13)
            .max_n_iterations(2000)
            .fit(&DatasetBase::from(records.clone()))
            .expect("linfa's model");
        let found = centroids(&ours);
        let wanted: Vec<f64> = theirs.centroids().iter().copied().collect();
        assert!(difference(found.as_slice().expect("rows"), &wanted) < 1e-9, "k = {k}");
        let mean = ours.inertia() / 400.0;
        assert!(difference(&[mean], &[theirs.inertia()]) < 1e-9, "k = {k}");
        let labels = Predict::predict(&ours, &records);
        assert_eq!(labels, theirs.predict(&records), "k = {k}");
    }
}
