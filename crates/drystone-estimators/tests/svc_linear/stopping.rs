//! Fits that end early say so, and return weights that their certificates belong to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use drystone_core::{CancelToken, ErrorKind, Event, Inline};
use drystone_estimators::svc::{LinearSvc, Loss, Status};

use crate::support::{LOSSES, cut_into, noisy, objective};

#[test]
fn max_iter_is_said() {
    let block = noisy(500, 4, 3, 1);
    let data = cut_into(&block, 3);
    let params = LinearSvc::params().tol(1e-12).max_iter(1);
    let model = params.fit(&data).expect("a model");
    assert_eq!(model.status(), Status::MaxIter);
    assert!(!model.converged() && model.n_iter().iter().all(|&n| n <= 1));
    let naive = objective(&model, &block, Loss::SquaredHinge, |_, _| 1.0);
    let sum: f64 = model.certificates().iter().map(|one| one.primal_objective).sum();
    assert!((naive - sum).abs() < 1e-10 * naive);
}

#[test]
fn max_iter_of_the_hinge_before_rows_are_held() {
    let block = noisy(40_000, 2, 2, 1);
    let params = LinearSvc::params().loss(Loss::Hinge).tol(1e-9).max_iter(1);
    let model = params.fit(&cut_into(&block, 3)).expect("a model");
    assert_eq!(model.status(), Status::MaxIter);
    let naive = objective(&model, &block, Loss::Hinge, |_, _| 1.0);
    let found = model.certificates()[0].primal_objective;
    assert!((naive - found).abs() < 1e-10 * naive, "{naive} {found}");
}

/// Cancels when a pass begins.
fn cancelled(loss: Loss, pass: usize) -> drystone_core::Result<LinearSvc> {
    let data = cut_into(&noisy(40_000, 3, 2, 2), 4);
    let (token, passes) = (CancelToken::new(), AtomicUsize::new(0));
    let observer = |event: &Event<'_>| {
        if let Event::PassStarted { .. } = event
            && passes.fetch_add(1, Ordering::Relaxed) + 1 == pass
        {
            token.cancel();
        }
    };
    let inline = Inline::default();
    let params = LinearSvc::params().loss(loss).tol(1e-10).cancel(&token);
    params.on(&inline).observe(&observer).fit(&data)
}

#[test]
fn a_cancelled_fit_returns_what_it_has() {
    let block = noisy(40_000, 3, 2, 2);
    for loss in LOSSES {
        for pass in [1, 2] {
            let error = cancelled(loss, pass).map(|_| ()).expect_err("nothing was known");
            assert!(matches!(error.kind(), ErrorKind::Stopped { .. }), "{error}");
        }
        for pass in [3, 4] {
            let model = cancelled(loss, pass).expect("a model");
            assert_eq!(model.status(), Status::Cancelled, "{loss:?} {pass}");
            let naive = objective(&model, &block, loss, |_, _| 1.0);
            let found = model.certificates()[0].primal_objective;
            assert!((naive - found).abs() < 1e-10 * naive, "{loss:?}: {naive} {found}");
        }
    }
}

#[test]
fn no_time_at_all() {
    let data = cut_into(&noisy(100, 2, 2, 1), 2);
    let error = LinearSvc::params().max_time(Duration::ZERO).fit(&data).map(|_| ());
    assert!(matches!(error.expect_err("no time").kind(), ErrorKind::Stopped { .. }));
}

#[test]
fn whoever_watches_is_told() {
    let costs = std::sync::Mutex::new(Vec::new());
    let observer = |event: &Event<'_>| {
        if let Event::Iteration { cost, .. } = event {
            costs.lock().expect("costs").push(*cost);
        }
    };
    let data = cut_into(&noisy(300, 3, 3, 1), 2);
    let model = LinearSvc::params().observe(&observer).fit(&data).expect("a model");
    let costs = costs.lock().expect("costs");
    assert!(costs.len() >= 2 && costs.is_sorted_by(|a, b| a >= b), "{costs:?}");
    assert_eq!(model.history().passes, 1 + costs.len());
}
