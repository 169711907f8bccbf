//! A worker process that is asked for nonsense answers with an error, and goes on.

use std::io::Cursor;

use drystone_core::column::Moments;
use drystone_core::error::WireError;
use drystone_core::executor::{Mapper, RemoteCount, serve};
use drystone_core::wire::{self, encode};
use drystone_core::{
    Block, BlockRows, BlockSource, ChunkedDataset, Description, Dtype, Error, ErrorKind, Layout,
    Records, Registry, Result, Rows, StatePolicy,
};
use serde::{Deserialize, Serialize};

/// The messages of the protocol, as an enemy would write them.
#[derive(Serialize)]
enum Request {
    #[expect(dead_code)]
    Configure,
    Map(MapRequest),
    #[expect(dead_code)]
    Forget,
    Count(CountRequest),
}

#[derive(Serialize)]
struct CountRequest {
    data: Description,
    block_idx: u64,
}

#[derive(Clone, Serialize)]
struct MapRequest {
    session: u64,
    job: String,
    body: Vec<u8>,
    data: Description,
    rows: BlockRows,
    block_idx: u64,
}

#[derive(Deserialize)]
enum Reply {
    Done,
    #[expect(dead_code)]
    Mapped {
        partial: Vec<u8>,
        read: bool,
        rows: u64,
    },
    Failed(WireError),
    Counted(Vec<u64>),
}

/// Ten rows in blocks of four.
struct Ten(Layout);

impl BlockSource for Ten {
    fn layout(&self) -> &Layout {
        &self.0
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        let rows = self.0.rows.rows_of(block_idx).unwrap_or_default();
        Ok(Block::new(Records::F64(Rows::new(rows.map(|row| row as f64).collect(), 1)?)))
    }

    fn describe(&self) -> Option<Description> {
        Some(ten())
    }
}

/// Blocks whose rows cannot be counted without a panic.
struct Uncountable(Layout);

impl BlockSource for Uncountable {
    fn layout(&self) -> &Layout {
        &self.0
    }

    fn read(&self, _: usize) -> Result<Block> {
        // As `panic!`, but without the hook, which would print a backtrace.
        std::panic::resume_unwind(Box::new("when it is counted"))
    }
}

fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.source("test.ten/1", |_, _| {
        Ok(std::sync::Arc::new(Ten(Layout::new(Dtype::F64, 1, 10, 4))))
    });
    registry.source("test.panics/1", |_, _| std::panic::resume_unwind(Box::new("when it is made")));
    registry.source("test.uncountable/1", |_, _| {
        let rows = BlockRows::Unknown { n_blocks: 2 };
        Ok(std::sync::Arc::new(Uncountable(Layout::with_rows(Dtype::F64, 1, rows))))
    });
    registry
}

fn ten() -> Description {
    Description { kind: "test.ten/1".into(), body: Vec::new() }
}

fn request() -> MapRequest {
    let body = encode(&Moments { n_features: 1 }).expect("bytes");
    let rows = BlockRows::Uniform { n_samples: 10, block_rows: 4 };
    MapRequest { session: 1, job: "core.moments/1".into(), body, data: ten(), rows, block_idx: 0 }
}

/// The answers to these messages, after the greeting.
fn ask(messages: &[Vec<u8>]) -> Vec<Reply> {
    let (mut input, mut output) = (Vec::new(), Vec::new());
    for message in messages {
        wire::write_frame(&mut input, message).expect("a frame");
    }
    serve(&registry(), Cursor::new(input), &mut output).expect("it goes on to the end");
    let mut from = Cursor::new(output.strip_prefix(b"\ndrystone wire 1\n").expect("a greeting"));
    let next = || wire::read_frame(&mut from).expect("a frame");
    std::iter::from_fn(next).map(|bytes| wire::decode(&bytes).expect("a reply")).collect()
}

fn check(change: impl Fn(&mut MapRequest), expected: &str) {
    let mut bad = request();
    change(&mut bad);
    let messages = [bad, request()].map(|request| encode(&Request::Map(request)).expect("bytes"));
    let mut replies = ask(&messages).into_iter();
    let Some(Reply::Failed(error)) = replies.next() else { panic!("it did not fail: {expected}") };
    assert_eq!(Error::from(error).to_string(), expected);
    assert!(matches!(replies.next(), Some(Reply::Mapped { rows: 4, .. })), "it does not go on");
}

#[test]
fn requests_for_what_is_not_there() {
    for idx in [3, u64::MAX] {
        let text = format!("block {idx}: parameter `block_idx` must be below 3, found {idx}");
        check(|request| request.block_idx = idx, &text);
    }
    check(
        |request| request.job = "core.none/1".into(),
        "`core.none/1` is not registered in the process that was to run it; workers have to be of the program that registers it",
    );
    check(
        |request| request.data.kind = "x".into(),
        "`x` is not registered in the process that was to run it; workers have to be of the program that registers it",
    );
    let features = "expected 2 features, found 1";
    check(|request| request.body = encode(&Moments { n_features: 2 }).expect("bytes"), features);
}

fn check_count(data: Description, block_idx: u64, expected: &str) {
    let ask_for =
        |data, block_idx| encode(&Request::Count(CountRequest { data, block_idx })).expect("bytes");
    let mut replies = ask(&[ask_for(data, block_idx), ask_for(ten(), 2)]).into_iter();
    let Some(Reply::Failed(error)) = replies.next() else { panic!("it did not fail: {expected}") };
    assert_eq!(Error::from(error).to_string(), expected);
    let goes_on = matches!(replies.next(), Some(Reply::Counted(counts)) if counts == [2]);
    assert!(goes_on, "it does not go on");
}

#[test]
fn requests_to_count_what_is_not_there() {
    for idx in [3, u64::MAX] {
        let text = format!("block {idx}: parameter `block_idx` must be below 3, found {idx}");
        check_count(ten(), idx, &text);
    }
    let other = |kind: &str| Description { kind: kind.into(), body: Vec::new() };
    check_count(
        other("x"),
        0,
        "`x` is not registered in the process that was to run it; workers have to be of the program that registers it",
    );
    let panics = "the user's code failed: it panicked: when it is made";
    check_count(other("test.panics/1"), 0, panics);
    let panics = "block 1: the user's code failed: it panicked: when it is counted";
    check_count(other("test.uncountable/1"), 1, panics);
}

#[test]
fn blocks_are_counted_in_the_order_asked_for() {
    let mapper = Mapper::new(registry(), 0, StatePolicy::Keep);
    let data = ChunkedDataset::new(Ten(Layout::new(Dtype::F64, 1, 10, 4)));
    let count = RemoteCount::of(&data).expect("a description");
    assert_eq!(mapper.count(&count, [2, 0, 1, 0]).expect("counts"), [2, 4, 4, 4]);
    assert_eq!(mapper.count(&count, []).expect("counts"), [0; 0]);
    let error = mapper.count(&count, 0..u64::MAX).expect_err("there are three");
    assert_eq!(error.location().block, Some(3));
}

#[test]
fn row_counts_that_make_no_sense() {
    let text = "expected blocks of at least 1 row at ascending offsets from 0, found others";
    let offsets = |offsets: &[u64]| BlockRows::Offsets(offsets.into());
    let cases = [
        BlockRows::Uniform { n_samples: 10, block_rows: 0 },
        offsets(&[]),
        offsets(&[1, 2, 3, 10]),
        offsets(&[0, 4, 3, 10]),
    ];
    for rows in cases {
        assert_eq!(rows.clone().validated().expect_err("nonsense").to_string(), text);
        check(|request| request.rows = rows.clone(), text);
    }
    let blocks = |found| format!("expected 3 blocks, found {found}");
    check(|request| request.rows = offsets(&[0, 10]), &blocks(1));
    let rows = BlockRows::Uniform { n_samples: u64::MAX, block_rows: 1 };
    check(|request| request.rows = rows.clone(), &blocks(usize::MAX));
    let huge = BlockRows::Uniform { n_samples: u64::MAX, block_rows: u64::MAX / 3 + 1 };
    check(
        |request| request.rows = huge.clone(),
        "block 0: the source gave other data than in an earlier pass: expected 6148914691236517206 \
         rows, found 4 rows; a source must give the same block each time it is read",
    );
    assert_eq!(huge.rows_of(2), Some(12_297_829_382_473_034_412..u64::MAX));
}

#[test]
fn messages_that_are_none() {
    let good = encode(&Request::Map(request())).expect("bytes");
    for message in [Vec::new(), vec![9; 4], vec![1; 40], good[..good.len() - 1].to_vec()] {
        let replies = ask(&[message, good.clone()]);
        assert!(matches!(replies[0], Reply::Failed(_)));
        assert!(matches!(replies[1], Reply::Mapped { .. }));
    }
}

#[test]
fn a_stream_that_breaks_off_ends_the_worker() {
    let error = serve(&registry(), Cursor::new([5, 0, 0]), Vec::new()).expect_err("cut off");
    assert!(matches!(error.kind(), ErrorKind::Io { .. }), "{error}");
    assert!(ask(&[]).is_empty());
    assert!(!matches!(ask(&[vec![1]])[0], Reply::Done));
}

/// A slice of a slice of ... of ten rows.
fn nested(depth: usize) -> Description {
    (0..depth).fold(ten(), |inner, _| {
        let body = encode(&(0..10_u64, inner)).expect("bytes");
        Description { kind: "core.slice/1".into(), body }
    })
}

#[test]
fn descriptions_nest_only_so_deep() {
    assert!(registry().open_source(&nested(31)).is_ok());
    for depth in [32, 1000] {
        let error = registry().open_source(&nested(depth)).map(|_| ()).expect_err("too deep");
        let text = "the depth of a dataset's description is 33, over the limit of 32";
        assert_eq!(error.to_string(), text);
        check(|request| request.data = nested(depth), text);
    }
}

#[test]
fn descriptions_of_steps_are_checked() {
    let open = |kind: &str, body: Vec<u8>| {
        let description = Description { kind: kind.into(), body };
        registry().open_source(&description).map(|_| ()).expect_err("nonsense").to_string()
    };
    let bytes = |body: &dyn Fn() -> Result<Vec<u8>>| body().expect("bytes");
    assert_eq!(
        open("core.slice/1", bytes(&|| encode(&(5..11_u64, ten())))),
        "parameter `rows` must be an ascending range within 0..10, found 5..11"
    );
    assert_eq!(
        open("core.rechunk/1", bytes(&|| encode(&(0_u64, ten())))),
        "parameter `block_rows` must be at least 1, found 0"
    );
    let rows = BlockRows::from_counts(&[4, 6]);
    assert_eq!(
        open("core.recounted/1", bytes(&|| encode(&(&rows, ten())))),
        "expected 3 blocks, found 2"
    );
    let none: [Description; 0] = [];
    let text = "there is nothing to concatenate";
    assert_eq!(open("core.concat/1", bytes(&|| encode(&none.to_vec()))), text);
    assert!(open("core.concat/1", vec![255; 16]).starts_with("expected a well-formed message"));
}
