//! The laws of the seam as functions, for every implementation's tests to call.
//!
//! They panic with what does not hold, as tests do.

mod counting;

use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

use crate::block::{Block, BlockAt};
use crate::column::Moments;
use crate::control::{CancelToken, Control};
use crate::dataset::ChunkedDataset;
use crate::error::{Error, ErrorKind, Result};
use crate::executor::{Executor, Inline, SLICE_ROWS};
use crate::job::{Job, Partial};
use crate::layout::{Dtype, Layout};
use crate::observe::{Event, Silent};
use crate::registry::Registry;
use crate::session::Session;
use crate::state::StatePolicy;
use crate::wire;

/// A source is pure, keeps to its layout, and is the same after its description travelled.
///
/// # Panics
/// When a law does not hold.
pub fn check_source(data: &ChunkedDataset, registry: &Registry) {
    let n_blocks = data.n_blocks();
    let first: Vec<Block> = (0..n_blocks).map(|idx| data.read(idx).expect("a block")).collect();
    for block_idx in (0..n_blocks).rev() {
        let again = data.read(block_idx).expect("a block");
        assert_eq!(again, first[block_idx], "block {block_idx} differs when read again");
        let rows = data.count_rows(block_idx).expect("a count");
        assert_eq!(rows, again.n_samples() as u64, "block {block_idx} was counted wrongly");
    }
    std::thread::scope(|scope| {
        for start in 0..2 {
            let first = &first;
            scope.spawn(move || {
                for block_idx in (start..n_blocks).chain(0..start.min(n_blocks)) {
                    assert_eq!(data.read(block_idx).expect("a block"), first[block_idx]);
                }
            });
        }
    });
    assert!(data.read(n_blocks).is_err(), "there is no block {n_blocks}");
    if let Some(description) = data.describe() {
        let bytes = wire::encode(&description).expect("a description that travels");
        let description = wire::decode(&bytes).expect("a description that arrives");
        let other = registry.open_source(&description).expect("a registered source");
        let other = ChunkedDataset::from_arc(other);
        assert_eq!(other.layout(), data.layout(), "the layout changed on the way");
        assert_eq!(other.fingerprint(), data.fingerprint(), "the fingerprint changed");
        for (block_idx, block) in first.iter().enumerate() {
            assert_eq!(other.read(block_idx).expect("a block"), *block, "block {block_idx}");
        }
    }
}

/// A job's partials merge in any order and grouping, travel unchanged, and do not depend
/// on where blocks are cut or on whether state was kept.
///
/// # Panics
/// When a law does not hold.
pub fn check_job<J: Job>(job: &J, data: &ChunkedDataset) {
    let parts: Vec<BlockAt> = (0..data.n_blocks()).map(|idx| at(data, idx)).collect();
    let map = |rows: &BlockAt| {
        let mut partial = job.empty();
        let mut state = job.restore(rows).expect("a state");
        job.map(rows, &mut state, &mut partial).expect("a partial");
        partial
    };
    let bytes = |partial: &J::Partial| wire::encode(partial).expect("bytes");
    let forward = parts.iter().map(map).fold(job.empty(), merged);
    let backward = parts.iter().rev().map(map).fold(job.empty(), merged);
    assert_eq!(bytes(&forward), bytes(&backward), "the order of merging matters");
    let (left, right) = parts.split_at(parts.len() / 2);
    let left = left.iter().map(map).fold(job.empty(), merged);
    let right = right.iter().map(map).fold(job.empty(), merged);
    assert_eq!(bytes(&forward), bytes(&merged(right, left)), "the grouping of merges matters");
    let mut folded = job.empty();
    for rows in &parts {
        let mut state = job.restore(rows).expect("a state");
        job.map(rows, &mut state, &mut folded).expect("a partial");
    }
    assert_eq!(bytes(&forward), bytes(&folded), "mapping into a partial is not merging into it");
    let travelled: J::Partial = wire::decode(&bytes(&forward)).expect("a partial that travels");
    assert_eq!(bytes(&forward), bytes(&travelled), "a partial changes when it travels");
    let body = wire::encode(job).expect("a job that travels");
    let arrived: J = wire::decode(&body).expect("a job that arrives");
    assert_eq!(body, wire::encode(&arrived).expect("bytes"), "the job changes when it travels");
}

fn at(data: &ChunkedDataset, block_idx: usize) -> BlockAt {
    let first_row = data.layout().rows.rows_of(block_idx).expect("known rows").start;
    BlockAt { block: data.read(block_idx).expect("a block"), block_idx, first_row }
}

fn merged<P: Partial>(mut into: P, other: P) -> P {
    into.merge(other);
    into
}

/// An executor maps each row once, gives the bits of [`Inline`], keeps or restores state,
/// reports errors with their block, stops when it is told to, and counts rows as `Inline` does.
///
/// `data` needs at least two blocks with rows, and must be one that the executor can read.
///
/// # Panics
/// When a law does not hold.
pub fn check_executor(executor: &dyn Executor, data: &ChunkedDataset) {
    let control = Control::default();
    let inline = Inline::new(0).state_policy(StatePolicy::Discard);
    let both = [executor, &inline as &dyn Executor].map(|executor| {
        let session = Session::new(executor, &Silent, &control);
        let moments = Moments { n_features: data.n_features() };
        let moments = session.run(data, &moments).expect("moments");
        let steps: Vec<u64> = (0..4)
            .map(|step| session.run(data, &Visits { step, fail_at: None }).expect("visits").total)
            .collect();
        assert_eq!(session.passes(), 5);
        (wire::encode(&moments).expect("bytes"), steps)
    });
    assert_eq!(both[0], both[1], "the executor's results are not those of Inline");

    let session = Session::new(executor, &Silent, &control);
    let last = data.n_blocks() - 1;
    let failed = session.run(data, &Visits { step: 0, fail_at: Some(last as u64) });
    let error = failed.map(|partial| partial.total).expect_err("the job fails in the last block");
    assert_eq!(error.location().block, Some(last as u64), "the error does not say which block");
    assert!(session.run(data, &Visits { step: 0, fail_at: None }).is_ok(), "it does not recover");
    check_stopping(executor, data);
    counting::check(executor, data);
}

fn check_stopping(executor: &dyn Executor, data: &ChunkedDataset) {
    let cancel = CancelToken::new();
    let control = Control::new(cancel.clone(), None);
    let blocks = AtomicUsize::new(0);
    let observer = |event: &Event<'_>| {
        if let Event::BlockDone { .. } = event {
            blocks.fetch_add(1, Ordering::Relaxed);
            cancel.cancel();
        }
    };
    let session = Session::new(executor, &observer, &control);
    let first = session.run(data, &Visits { step: 0, fail_at: None });
    let second = session.run(data, &Visits { step: 1, fail_at: None });
    let stopped = |result: Result<VisitsPartial>| match result {
        Err(error) => matches!(error.kind(), ErrorKind::Stopped { .. }),
        Ok(_) => false,
    };
    assert!(blocks.load(Ordering::Relaxed) >= 1, "the observer was not told of a block");
    assert!(first.is_ok() || stopped(first), "it failed in another way than by being stopped");
    assert!(stopped(second), "it went on after it was cancelled");
}

/// Adds what the laws send to other processes.
pub(crate) fn register(registry: &mut Registry) {
    registry.job::<Visits>();
    counting::register(registry);
}

/// A job that knows whether its state is right: each row counts its steps.
#[derive(Serialize, Deserialize)]
struct Visits {
    step: u64,
    fail_at: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct VisitsPartial {
    total: u64,
}

impl Partial for VisitsPartial {
    fn merge(&mut self, other: Self) {
        self.total = self.total.wrapping_add(other.total);
    }
}

impl Job for Visits {
    const NAME: &'static str = "core.law_visits/1";
    type State = Vec<u64>;
    type Partial = VisitsPartial;

    fn empty(&self) -> VisitsPartial {
        VisitsPartial { total: 0 }
    }

    fn map(&self, rows: &BlockAt, state: &mut Vec<u64>, into: &mut VisitsPartial) -> Result<()> {
        if self.fail_at == Some(rows.block_idx as u64) {
            return Err(ErrorKind::Empty { what: "as the law asks".into() }.into());
        }
        if state.len() != rows.block.n_samples() || state.len() > SLICE_ROWS {
            return Err(Error::shape("rows of state", state.len() as u64, SLICE_ROWS as u64));
        }
        for (row, visits) in (rows.first_row..).zip(state) {
            *visits += row + self.step;
            into.total = into.total.wrapping_add(visits.wrapping_mul(row | 1));
        }
        Ok(())
    }

    fn step(&self) -> u64 {
        self.step
    }

    fn restore(&self, rows: &BlockAt) -> Result<Vec<u64>> {
        let past = |row: u64| (0..self.step).map(|step| row + step).sum();
        Ok((rows.first_row..).take(rows.block.n_samples()).map(past).collect())
    }

    fn state_bytes_per_row(&self) -> usize {
        8
    }
}

/// A small dataset of closures, for the laws of executors that need no description.
pub fn small_dataset(n_samples: u64, block_rows: u64) -> ChunkedDataset {
    let layout = Layout::new(Dtype::F64, 3, n_samples, block_rows);
    let rows = layout.rows.clone();
    ChunkedDataset::from_blocks(layout, move |block_idx| {
        let rows = rows.rows_of(block_idx).unwrap_or(0..0);
        let row = |row: u64| [row as f64, (row % 7) as f64, 1.0 / (row + 1) as f64];
        let values: Vec<f64> = rows.flat_map(row).collect();
        Ok(Block::new(crate::Records::F64(crate::Rows::new(values, 3)?)))
    })
}
