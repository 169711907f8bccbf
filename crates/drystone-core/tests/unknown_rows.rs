//! Datasets of unknown row counts: a slice counts and reads only the blocks it needs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use drystone_core::executor::{Outcome, Resources, Step};
use drystone_core::layout::{BlockRows, Dtype, Layout};
use drystone_core::observe::Silent;
use drystone_core::{
    Block, BlockSource, ChunkedDataset, Control, Executor, Inline, Records, Result, Rows, Session,
};

/// Blocks whose rows are known only to it, counting what is asked of it.
struct Counting {
    rows: Vec<u64>,
    layout: Layout,
    reads: Arc<AtomicUsize>,
    counts: Arc<AtomicUsize>,
}

impl BlockSource for Counting {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        self.reads.fetch_add(1, SeqCst);
        let first: u64 = self.rows[..block_idx].iter().sum();
        let values = (first..first + self.rows[block_idx]).map(|row| row as f64).collect();
        Ok(Block::new(Records::F64(Rows::new(values, 1)?)))
    }

    fn count_rows(&self, block_idx: usize) -> Result<u64> {
        self.counts.fetch_add(1, SeqCst);
        Ok(self.rows[block_idx])
    }
}

type Counter = Arc<AtomicUsize>;

fn counting(rows: &[u64]) -> (ChunkedDataset, Counter, Counter) {
    let layout = Layout::with_rows(Dtype::F64, 1, BlockRows::Unknown { n_blocks: rows.len() });
    let (reads, counts) = (Counter::default(), Counter::default());
    let (r, c) = (Arc::clone(&reads), Arc::clone(&counts));
    let source = Counting { rows: rows.to_vec(), layout, reads: r, counts: c };
    (ChunkedDataset::new(source), reads, counts)
}

fn values(data: &ChunkedDataset) -> Vec<f64> {
    (0..data.n_blocks()).flat_map(|idx| data.read(idx).expect("a block").records.to_f64()).collect()
}

/// Reading all of a slice reads `reads` blocks and counts `counts` of them.
fn check(rows: std::ops::Range<u64>, reads: usize, counts: usize) {
    let (data, n_reads, n_counts) = counting(&[4, 0, 3, 5, 2]);
    let slice = data.slice(rows.clone());
    assert_eq!((n_reads.load(SeqCst), n_counts.load(SeqCst)), (0, 0), "a slice is lazy");
    assert_eq!((slice.n_samples(), slice.n_blocks()), (None, 5));
    let expected: Vec<f64> = rows.clone().map(|row| row as f64).collect();
    assert_eq!(values(&slice), expected, "{rows:?}");
    assert_eq!((n_reads.load(SeqCst), n_counts.load(SeqCst)), (reads, counts), "{rows:?}");
    assert_eq!(values(&slice), expected, "{rows:?} again");
    assert_eq!(n_counts.load(SeqCst), counts, "blocks are counted once");
}

#[test]
fn a_slice_reads_what_it_needs() {
    check(0..4, 1, 1);
    check(0..5, 2, 3);
    check(5..6, 1, 3);
    check(7..8, 1, 4);
    check(0..14, 4, 5);
    check(13..14, 1, 5);
    check(0..0, 0, 0);
    check(14..14, 0, 5);
}

#[test]
fn a_slice_past_the_end_fails_where_the_end_is_found() {
    let (data, ..) = counting(&[4, 3]);
    let slice = data.slice(2..8);
    assert_eq!(slice.read(0).expect("its rows are there").n_samples(), 2);
    let error = slice.read(1).expect_err("there are 7 rows");
    let text = "block 1: parameter `rows` must be an ascending range within 0..7, found 2..8";
    assert_eq!(error.to_string(), text);
}

#[test]
fn scan_counts_each_block_once_and_reads_none() {
    let (data, reads, counts) = counting(&[4, 0, 3]);
    let known = data.scan().expect("counts");
    assert_eq!((reads.load(SeqCst), counts.load(SeqCst)), (0, 3));
    assert_eq!(known.n_samples(), Some(7));
    let again = known.scan().expect("counts");
    let tail = again.slice(5..7);
    assert_eq!((tail.n_samples(), tail.n_blocks()), (Some(2), 1));
    assert_eq!(values(&tail), [5.0, 6.0]);
    assert_eq!((reads.load(SeqCst), counts.load(SeqCst)), (1, 3));
}

#[test]
fn no_blocks_are_no_rows() {
    let (data, ..) = counting(&[]);
    assert_eq!(data.n_samples(), Some(0));
    let error = data.slice(0..1).read(0).expect_err("there are no rows");
    let text = "block 0: parameter `rows` must be an ascending range within 0..0, found 0..1";
    assert_eq!(error.to_string(), text);
}

/// An executor that counts wrongly, as another process may.
struct Liar(Vec<u64>);

impl Executor for Liar {
    fn run(&self, step: &Step<'_>) -> Result<Outcome> {
        Inline::new(0).run(step)
    }

    fn describe(&self) -> Resources {
        Inline::new(0).describe()
    }

    fn forget(&self, _: u64) {}

    fn count_rows(&self, _: &ChunkedDataset) -> Result<Vec<u64>> {
        Ok(self.0.clone())
    }
}

#[test]
fn counts_that_an_executor_got_wrong_are_an_error() {
    let sum = |counts: &[u64]| -> Result<f64> {
        let (data, ..) = counting(&[4, 0, 3]);
        let (liar, control) = (Liar(counts.to_vec()), Control::default());
        let session = Session::new(&liar, &Silent, &control);
        Ok(session.with_known_rows(&data)?.sum().compute_on(&liar)?[0])
    };
    let check = |counts: &[u64], expected: &str| {
        let error = sum(counts).expect_err("they are wrong");
        assert_eq!(error.to_string(), expected);
    };
    check(&[], "expected 3 counts, found 0");
    check(&[4, 0], "expected 3 counts, found 2");
    check(&[4, 0, 3, 0], "expected 3 counts, found 4");
    check(&[u64::MAX, 0, 1], "expected counts of at most 2^64 - 1 rows together, found more");
    let changed = "block 1: the source gave other data than in an earlier pass: expected 1 rows, \
                   found 0 rows; a source must give the same block each time it is read";
    check(&[4, 1, 3], changed);
    assert_eq!(sum(&[4, 0, 3]).expect("a sum"), 21.0);
}
