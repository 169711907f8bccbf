//! Fits that end early say so, and still give a model with its certificate.

use std::time::Duration;

use drystone_core::{CancelToken, ErrorKind, Event};
use drystone_estimators::svc::{Status, Svc};

use crate::support::{lattice, load};

#[test]
fn max_iter_is_said_and_leaves_a_model() {
    let data = load("spambase.data").cut(1000);
    let model = Svc::params().max_iter(700).fit(&data).expect("a model");
    assert_eq!((model.status(), model.converged()), (Status::MaxIter, false));
    assert!(model.n_iter()[0] <= 700);
    let certificate = model.certificates()[0];
    assert!(!certificate.converged && certificate.max_kkt_violation > 1e-3);
    assert!(certificate.max_kkt_violation.is_finite());
    let gap = certificate.duality_gap().expect("a convex kernel");
    assert!(gap > 1e-4, "so early the gap is not {gap}");
    assert!(model.score(&data).expect("a score") > 0.8);
}

#[test]
fn enough_steps_are_not_too_few() {
    let data = lattice().cut(100);
    let model = Svc::params().fit(&data).expect("a model");
    let most = *model.n_iter().iter().max().expect("pairs") as usize;
    let again = Svc::params().max_iter(most + 1).fit(&data).expect("a model");
    assert_eq!(again.status(), Status::Converged);
}

#[test]
fn a_cancelled_fit_gives_what_it_has() {
    let data = load("spambase.data").cut(1000);
    let cancel = CancelToken::new();
    let observer = |event: &Event<'_>| {
        if let Event::Iteration { iteration: 2, .. } = event {
            cancel.cancel();
        }
    };
    let model = Svc::params().cancel(&cancel).observe(&observer).fit(&data).expect("a model");
    assert_eq!(model.status(), Status::Cancelled);
    assert!(model.certificates()[0].max_kkt_violation.is_finite());
}

#[test]
fn without_time_there_is_no_model() {
    let data = lattice().cut(100);
    let error = Svc::params().max_time(Duration::ZERO).fit(&data).expect_err("no time");
    assert!(matches!(error.kind(), ErrorKind::Stopped { .. }), "{error}");
}
