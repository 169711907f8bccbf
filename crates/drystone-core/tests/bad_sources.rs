//! Sources that do not keep their promises are typed errors with the block, on every
//! executor; nothing hangs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use drystone_core::column::Moments;
use drystone_core::{
    Block, BlockRows, ChunkedDataset, Control, Dtype, Error, ErrorKind, Executor, Inline, Layout,
    Records, Result, Rows, Session, Targets, Threads, laws, observe::Silent,
};

fn block(rows: usize, n_features: usize) -> Block {
    let rows = Rows::new(vec![1.0_f64; rows * n_features], n_features).expect("whole rows");
    Block::new(Records::F64(rows))
}

/// Twelve blocks of five rows, the tenth of which is made by `bad`.
fn bad(bad: impl Fn() -> Result<Block> + Send + Sync + 'static) -> ChunkedDataset {
    let layout = Layout::new(Dtype::F64, 2, 60, 5);
    ChunkedDataset::from_blocks(layout, move |idx| if idx == 9 { bad() } else { Ok(block(5, 2)) })
}

fn executors() -> Vec<Box<dyn Executor>> {
    let threads = |n| Threads::new(n).expect("threads").memory_budget(1 << 20);
    vec![
        Box::new(Inline::new(1 << 20)),
        Box::new(threads(1)),
        Box::new(threads(2)),
        Box::new(threads(7)),
    ]
}

fn check(make: impl Fn() -> Result<Block> + Send + Sync + Clone + 'static, expected: &str) {
    for executor in executors() {
        for _ in 0..2 {
            let error = bad(make.clone()).sum().compute_on(&*executor).expect_err("a bad block");
            assert_eq!(error.to_string(), expected, "{}", executor.describe().name);
            assert_eq!(error.location().block, Some(9));
        }
        laws::check_executor(&*executor, &laws::small_dataset(20, 3));
    }
}

#[test]
fn errors_of_the_source() {
    check(|| Err(Error::external("disk on fire")), "block 9: the user's code failed: disk on fire");
    check(
        || Err(Error::format("a number", "\"x\"").in_file("a.csv".as_ref()).at_line(3)),
        "a.csv, line 3, block 9: expected a number, found \"x\"",
    );
}

#[test]
fn panics_of_the_source() {
    let text = "block 9: the user's code failed: it panicked: no such block";
    check(|| panic!("no such block"), text);
    check(|| panic!("no such {}", "block"), text);
    check(
        || std::panic::panic_any(5),
        "block 9: the user's code failed: it panicked: without a message",
    );
}

#[test]
fn blocks_that_are_not_what_was_declared() {
    check(|| Ok(block(4, 2)), "block 9: expected 5 rows, found 4");
    check(|| Ok(block(5, 3)), "block 9: expected 2 features, found 3");
    check(
        || Ok(Block::new(ndarray::Array2::<f32>::zeros((5, 2)))),
        "block 9: expected f64 data, found f32",
    );
    check(
        || Ok(block(5, 2).with_targets(Targets::I64(vec![0; 5].into()))),
        "block 9: expected no targets, found targets i64",
    );
    check(
        || Ok(block(5, 2).with_weights(vec![1.0; 5])),
        "block 9: expected no weights, found weights",
    );
}

#[test]
fn panics_of_a_source_that_counts() {
    let rows = BlockRows::Unknown { n_blocks: 3 };
    let data = ChunkedDataset::from_blocks(Layout::with_rows(Dtype::F64, 2, rows), |_| {
        panic!("cannot count")
    });
    for executor in executors() {
        let error = executor.count_rows(&data).expect_err("a panic");
        assert!(error.location().block.is_some());
        let text = "the user's code failed: it panicked: cannot count";
        assert!(error.to_string().ends_with(text), "{error}");
    }
}

/// A source of unknown counts that gives another number of rows in its second pass.
#[test]
fn row_counts_that_change_between_passes() {
    for executor in executors() {
        let reads = Arc::new(AtomicUsize::new(0));
        let rows = BlockRows::Unknown { n_blocks: 3 };
        let layout = Layout::with_rows(Dtype::F64, 2, rows);
        let data = ChunkedDataset::from_blocks(layout, move |_| {
            Ok(block(if reads.fetch_add(1, SeqCst) < 3 { 5 } else { 6 }, 2))
        });
        let control = Control::default();
        let session = Session::new(&*executor, &Silent, &control);
        let known = session.with_known_rows(&data).expect("counts");
        let error =
            session.run(&known, &Moments { n_features: 2 }).map(|_| ()).expect_err("6 rows");
        assert!(error.location().block.is_some());
        let (expected, found) = ("5 rows".to_owned(), "6 rows".to_owned());
        assert_eq!(*error.kind(), ErrorKind::SourceChanged { expected, found });
    }
}

/// Regression: a source that itself computes on the same threads waited for itself.
#[test]
fn a_source_may_compute_on_the_threads_that_read_it() {
    for n in [1, 2, 3] {
        let threads = Arc::new(Threads::new(n).expect("threads"));
        let inner = Arc::clone(&threads);
        let data = laws::small_dataset(40, 10).map(move |block| {
            let sum = laws::small_dataset(9, 2).sum().compute_on(&*inner)?;
            assert_eq!(sum[0], 36.0);
            Ok(block)
        });
        assert_eq!(data.sum().compute_on(&*threads).expect("a sum")[0], 780.0);
    }
}

#[test]
fn steps_of_several_sessions_at_once() {
    let threads = Threads::new(2).expect("threads").memory_budget(500);
    std::thread::scope(|scope| {
        for n in 20..26 {
            let threads = &threads;
            scope.spawn(move || {
                let data = laws::small_dataset(n, 3);
                laws::check_executor(threads, &data);
                let sum = data.sum().compute_on(threads).expect("a sum")[0];
                assert_eq!(sum, (n * (n - 1) / 2) as f64);
            });
        }
    });
}
