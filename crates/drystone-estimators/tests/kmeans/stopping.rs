//! A fit that is stopped gives its latest model, or an error if it has none.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use drystone_core::{CancelToken, Event, Result};
use drystone_estimators::kmeans::Status;
use drystone_estimators::{Init, KMeans};
use ndarray::Array2;

use crate::support::{
    blobs, cancelled_at, centroids, counts, labels, lazy, naive, slices, to_block,
};

fn good() -> Array2<f64> {
    blobs((30, 2), 3, 0.5, 0.0, 1)
}

fn check(wanted: &str, result: Result<KMeans>) {
    let error = result.map(|model| model.status()).expect_err(wanted);
    assert_eq!(error.to_string(), wanted);
}

#[test]
fn before_there_is_a_model_stopping_is_an_error() {
    let token = CancelToken::new();
    token.cancel();
    let stopped = "stopped before there was a result: it was cancelled";
    check(stopped, KMeans::params(2).cancel(&token).fit(&good()));
    for job in ["kmeans.scan", "kmeans.round", "kmeans.lloyd"] {
        check(stopped, cancelled_at(KMeans::params(2), &good(), job, 1));
    }
    check(
        stopped,
        cancelled_at(KMeans::params(2).init(Init::PlusPlus), &good(), "kmeans.plus_plus", 2),
    );
    let wanted = "stopped before there was a result: max_time has passed";
    check(wanted, KMeans::params(2).max_time(Duration::ZERO).fit(&good()));
    assert!(KMeans::params(2).max_time(Duration::MAX).fit(&good()).is_ok());
}

#[test]
fn a_cancelled_fit_gives_its_latest_model() {
    let records = blobs((300, 2), 9, 2.0, 0.0, 3);
    let data = lazy(slices(&to_block::<f64>(&records, None), &[100, 200]), true);
    for n_init in [1, 3] {
        let params = || KMeans::params(6).init(Init::Random).n_init(n_init).tol(0.0);
        let whole = params().fit(&data).expect("a model");
        let mut costs = vec![f64::INFINITY];
        for pass in 2..=whole.n_iter().min(8) {
            let model = cancelled_at(params(), &data, "kmeans.lloyd", pass).expect("a model");
            assert_eq!((model.status(), model.converged()), (Status::Cancelled, false));
            assert_eq!(model.n_iter(), pass - 1);
            let (inertia, found) = naive(&records, None, &centroids(&model));
            assert!((model.inertia() / inertia - 1.0).abs() < 1e-12, "pass {pass}");
            assert_eq!(model.cluster_counts(), found, "pass {pass}");
            assert_eq!(counts(&labels(&model, &data), 6), found, "pass {pass}");
            assert!(model.inertia() <= costs[costs.len() - 1], "pass {pass}");
            costs.push(model.inertia());
        }
        assert!(costs.len() > 4, "too few iterations to cancel");
    }
}

#[test]
fn a_fit_that_was_cancelled_says_so_though_a_restart_was_done() {
    let records = blobs((300, 2), 9, 2.0, 0.0, 3);
    let params = || KMeans::params(6).init(Init::Random).n_init(6).tol(0.0);
    let iterations = AtomicUsize::new(0);
    let observer = |event: &Event<'_>| {
        if let Event::Iteration { iteration, .. } = event {
            iterations.store(*iteration, Ordering::Relaxed);
        }
    };
    params().observe(&observer).fit(&records).expect("a model");
    for pass in 2..=iterations.into_inner() {
        let model = cancelled_at(params(), &records, "kmeans.lloyd", pass).expect("a model");
        assert_eq!(model.status(), Status::Cancelled, "pass {pass}");
    }
}
