//! Errors as text: what is wrong, where, and what it travels with.

use std::error::Error as _;
use std::path::Path;

use drystone_core::{Error, ErrorKind, StopReason};

fn check(kind: ErrorKind, expected: &str) {
    let error = Error::from(kind.clone());
    assert_eq!(error.to_string(), expected);
    let located = Error::from(kind.clone()).in_block(3).on_worker("w2");
    assert_eq!(located.to_string(), format!("worker w2, block 3: {expected}"));
    let travelled: Error = located.to_wire().into();
    assert_eq!((travelled.kind(), travelled.location()), (&kind, located.location()));
    assert_eq!(travelled.to_string(), located.to_string());
}

#[test]
fn kinds_as_text() {
    let text = |text: &str| text.to_owned();
    check(
        ErrorKind::Parameter {
            name: text("tol"),
            expected: text("at least 0"),
            found: text("NaN"),
        },
        "parameter `tol` must be at least 0, found NaN",
    );
    check(ErrorKind::Io { action: text("cannot open the file") }, "cannot open the file");
    check(
        ErrorKind::Format { expected: text("a number"), found: text("\"x\"") },
        "expected a number, found \"x\"",
    );
    check(
        ErrorKind::MissingValue { hint: text("drop the row") },
        "a value is missing; drop the row",
    );
    check(
        ErrorKind::Shape { what: text("features"), expected: 3, found: 2 },
        "expected 3 features, found 2",
    );
    check(
        ErrorKind::Dtype { expected: text("f64"), found: text("f32") },
        "expected f64 data, found f32",
    );
    check(ErrorKind::NotFinite { found: text("-inf") }, "expected a finite number, found -inf");
    check(
        ErrorKind::Weight { found: text("-1") },
        "expected a finite sample weight of at least 0, found -1",
    );
    check(
        ErrorKind::OutsideDataRoot { root: Some(text("/data")) },
        "the file is not in /data, the data root of this process; start the worker with \
         --data-root DIR, a directory that the file is in",
    );
    check(
        ErrorKind::OutsideDataRoot { root: None },
        "this process opens no files for others; start the worker with --data-root DIR, a \
         directory that the file is in",
    );
    check(ErrorKind::Empty { what: text("there are no rows") }, "there are no rows");
    check(
        ErrorKind::TooFewRows { n_clusters: 5, found: 3, distinct: false },
        "5 clusters need at least 5 rows of positive weight, found 3; ask for fewer clusters",
    );
    check(
        ErrorKind::TooFewRows { n_clusters: 5, found: 3, distinct: true },
        "5 clusters need at least 5 distinct rows of positive weight, found 3; ask for fewer clusters",
    );
    check(
        ErrorKind::Range { dtype: text("f32"), found: text("1e30") },
        "squared distances leave the range of f32: the data are 1e30 wide; rescale the columns or use f64",
    );
    check(
        ErrorKind::Range { dtype: text("f64"), found: text("1e300") },
        "squared distances leave the range of f64: the data are 1e300 wide; rescale the columns",
    );
    check(
        ErrorKind::SourceChanged { expected: text("5 rows"), found: text("6 rows") },
        "the source gave other data than in an earlier pass: expected 5 rows, found 6 rows; \
         a source must give the same block each time it is read",
    );
    check(
        ErrorKind::NotDescribed { source: text("a closure"), alternative: text("use a generator") },
        "a closure exists in this process only and cannot be sent to another; use a generator",
    );
    check(
        ErrorKind::NotRegistered { name: text("x/1") },
        "`x/1` is not registered in the process that was to run it; workers have to be of the program that registers it",
    );
    check(ErrorKind::Worker { found: text("a child ended") }, "a child ended");
    check(
        ErrorKind::Stopped { reason: StopReason::Cancelled },
        "stopped before there was a result: it was cancelled",
    );
    check(
        ErrorKind::Limit { what: text("the size of a message"), limit: 5, found: 6 },
        "the size of a message is 6, over the limit of 5",
    );
    check(ErrorKind::External, "the user's code failed");
}

fn empty() -> Error {
    ErrorKind::NotFinite { found: "NaN".into() }.into()
}

fn check_place(error: Error, expected: &str) {
    assert_eq!(error.to_string(), format!("{expected}expected a finite number, found NaN"));
    let travelled: Error = error.to_wire().into();
    assert_eq!(travelled.location(), error.location());
}

#[test]
fn places_as_text() {
    check_place(empty(), "");
    check_place(empty().in_file(Path::new("a/b.csv")).at_line(7), "a/b.csv, line 7: ");
    check_place(empty().in_block(0).at_row(5), "block 0, row 5: ");
    check_place(empty().at_column(2), "column 2: ");
    check_place(empty().in_column_named("width"), "column \"width\": ");
    check_place(
        empty()
            .in_column_named("a \"b\"")
            .at_column(2)
            .at_row(1)
            .in_block(9)
            .at_line(3)
            .in_file(Path::new("c")),
        "c, line 3, block 9, row 1, column 2 (\"a \\\"b\\\"\"): ",
    );
}

#[test]
fn the_first_place_is_kept() {
    let error = empty().in_block(1).in_block(2).at_row(3).at_row(4).at_line(5).at_line(6);
    let error = error.at_column(7).at_column(8).in_column_named("a").in_column_named("b");
    let error = error.in_file(Path::new("a")).in_file(Path::new("b"));
    check_place(error, "a, line 5, block 1, row 3, column 7 (\"a\"): ");
}

#[test]
fn causes_travel_as_text() {
    let cause = std::io::Error::other("no space left");
    let error = Error::io("cannot write a message", cause).in_block(1);
    let text = "block 1: cannot write a message: no space left";
    assert_eq!(error.to_string(), text);
    assert!(error.source().is_some_and(|cause| cause.is::<std::io::Error>()));
    let travelled: Error = error.to_wire().into();
    assert_eq!(travelled.to_string(), text);
    assert_eq!(travelled.source().map(ToString::to_string).as_deref(), Some("no space left"));
    assert_eq!(error.duplicate().to_string(), text);
}

#[test]
fn errors_of_users_and_of_linfa_are_external() {
    let error = Error::external("my own");
    assert_eq!(error.to_string(), "the user's code failed: my own");
    let error = Error::from(linfa::Error::NotEnoughSamples);
    assert_eq!(*error.kind(), ErrorKind::External);
}

#[test]
fn errors_cross_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Error>();
}
