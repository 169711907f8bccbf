//! Work stops when it is told to, and when its time is over.

use std::time::{Duration, Instant};

use drystone_core::column::Moments;
use drystone_core::{
    CancelToken, ChunkedDataset, Control, ErrorKind, Executor, Inline, Session, StopReason,
    Threads, laws, observe::Silent,
};

/// Far more blocks than could be read in the time that these tests wait.
fn endless() -> ChunkedDataset {
    laws::small_dataset(300_000, 3).map(|block| {
        std::thread::sleep(Duration::from_millis(1));
        Ok(block)
    })
}

fn check(executor: &dyn Executor, control: &Control, expected: StopReason) {
    let started = Instant::now();
    let session = Session::new(executor, &Silent, control);
    let error =
        session.run(&endless(), &Moments { n_features: 3 }).map(|_| ()).expect_err("stopped");
    assert_eq!(*error.kind(), ErrorKind::Stopped { reason: expected });
    assert!(started.elapsed() < Duration::from_secs(10), "it stopped late");
    let fresh = Control::default();
    let session = Session::new(executor, &Silent, &fresh);
    session.run(&laws::small_dataset(9, 2), &Moments { n_features: 3 }).expect("it recovers");
}

fn executors() -> Vec<Box<dyn Executor>> {
    let threads = |n| Threads::new(n).expect("threads").memory_budget(0);
    vec![Box::new(Inline::new(0)), Box::new(threads(1)), Box::new(threads(3))]
}

#[test]
fn another_thread_cancels() {
    for executor in executors() {
        let cancel = CancelToken::new();
        let control = Control::new(cancel.clone(), None);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(20));
                cancel.cancel();
            });
            check(&*executor, &control, StopReason::Cancelled);
        });
        assert!(cancel.is_cancelled());
        check(&*executor, &control, StopReason::Cancelled);
    }
}

#[test]
fn the_time_is_over() {
    for executor in executors() {
        for millis in [0, 20] {
            let control = Control::new(CancelToken::new(), Some(Duration::from_millis(millis)));
            check(&*executor, &control, StopReason::MaxTime);
        }
    }
}

#[test]
fn time_enough() {
    for limit in [Duration::from_secs(3600), Duration::MAX] {
        let control = Control::new(CancelToken::new(), Some(limit));
        assert_eq!(control.stop_reason(), None);
        assert!(control.check().is_ok());
    }
}

#[test]
fn reasons_as_text() {
    let text = |reason| drystone_core::Error::from(ErrorKind::Stopped { reason }).to_string();
    assert_eq!(text(StopReason::Cancelled), "stopped before there was a result: it was cancelled");
    assert_eq!(text(StopReason::MaxTime), "stopped before there was a result: max_time has passed");
}
