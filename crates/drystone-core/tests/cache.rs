//! What the cache keeps between passes: as much as fits, and blocks of datasets in use.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use drystone_core::column::Moments;
use drystone_core::{
    Block, ChunkedDataset, Control, Dtype, Event, Executor, Inline, Layout, Observer, Records,
    Rows, Session, Threads, buffer, laws,
};

/// Blocks read by each pass, as the observer is told.
#[derive(Default)]
struct Reads(Mutex<Vec<usize>>);

impl Observer for Reads {
    fn event(&self, event: &Event<'_>) {
        if let Event::PassDone { blocks_read, .. } = event {
            self.0.lock().expect("no panic").push(*blocks_read);
        }
    }
}

/// Blocks read by passes over these datasets, in one session.
fn reads(executor: &dyn Executor, passes: &[&ChunkedDataset]) -> Vec<usize> {
    let (reads, control) = (Reads::default(), Control::default());
    let session = Session::new(executor, &reads, &control);
    for data in passes {
        session.run(data, &Moments { n_features: 3 }).expect("moments");
    }
    let reads = reads.0.lock().expect("no panic").clone();
    assert_eq!(session.blocks_read(), reads.iter().sum::<usize>());
    reads
}

/// Ten blocks of 240 bytes.
fn data() -> ChunkedDataset {
    laws::small_dataset(100, 10)
}

fn executors(budget: u64) -> Vec<Box<dyn Executor>> {
    let threads = |n| Threads::new(n).expect("threads").memory_budget(budget);
    vec![Box::new(Inline::new(budget)), Box::new(threads(1)), Box::new(threads(3))]
}

#[test]
fn later_passes_read_only_what_does_not_fit() {
    for (budget, later) in [(0, 10), (239, 10), (240, 9), (1200, 5), (1439, 5), (2400, 0)] {
        for executor in executors(budget) {
            let data = data();
            assert_eq!(reads(&*executor, &[&data; 4]), [10, later, later, later], "{budget}");
            assert_eq!(reads(&*executor, &[&data]), [later], "kept for the next session");
        }
    }
}

#[test]
fn blocks_in_memory_are_not_read() {
    for executor in executors(1200) {
        let data = data().persist().expect("blocks");
        assert_eq!(reads(&*executor, &[&data; 2]), [0, 0]);
    }
}

#[test]
fn a_new_session_takes_the_place_of_one_that_is_over() {
    for executor in executors(1200) {
        let (a, b) = (data(), data());
        assert_eq!(reads(&*executor, &[&a, &a]), [10, 5]);
        assert_eq!(reads(&*executor, &[&b, &b]), [10, 5]);
        assert_eq!(reads(&*executor, &[&a, &a]), [10, 5]);
    }
}

/// Regression: a first block that fitted beside the old dataset kept it there for good.
#[test]
fn the_old_dataset_makes_way_when_there_was_some_room() {
    for executor in executors(2400) {
        let (a, b) = (data().slice(0..90), data());
        assert_eq!(reads(&*executor, &[&a, &a]), [9, 0]);
        assert_eq!(reads(&*executor, &[&b, &b]), [10, 0]);
    }
}

#[test]
fn datasets_that_take_turns_do_not_evict_each_other() {
    for executor in executors(2400) {
        let (a, b) = (data(), data());
        assert_eq!(reads(&*executor, &[&a, &b, &a, &b, &a]), [10, 10, 0, 10, 0]);
    }
}

/// Regression: a cached slice kept all of the block that it was cut from.
#[test]
fn a_slice_is_kept_without_the_rest_of_its_block() {
    const ROWS: usize = 1 << 17;
    let made = Arc::new(AtomicUsize::new(0));
    let address = Arc::clone(&made);
    let layout = Layout::new(Dtype::F64, 3, ROWS as u64, ROWS as u64);
    let data = ChunkedDataset::from_blocks(layout, move |_| {
        let values = vec![1.0; 3 * ROWS];
        address.store(values.as_ptr().addr(), Ordering::SeqCst);
        Ok(Block::new(Records::F64(Rows::new(values, 3)?)))
    });
    let inline = Inline::new(1000);
    let few = data.slice(5..15);
    assert_eq!(reads(&inline, &[&few, &few]), [1, 0]);
    let free = buffer::take::<f64>(3 * ROWS);
    assert_eq!(free.as_ptr().addr(), made.load(Ordering::SeqCst), "the block is not free yet");
}
