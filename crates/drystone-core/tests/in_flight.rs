//! With no budget for a cache, no more blocks are alive at once than there are threads.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Weak};

use drystone_core::executor::SLICE_ROWS;
use drystone_core::{
    Block, ChunkedDataset, Dtype, Executor, Inline, Layout, Records, Rows, TargetKind, Targets,
    Threads,
};

/// Blocks are tracked by the dictionary of their targets, which all their slices share.
type Alive = Arc<Mutex<Vec<Weak<[String]>>>>;

/// The dataset, and the most of its blocks that were alive at once.
fn tracked(n_blocks: u64, block_rows: u64) -> (ChunkedDataset, Arc<AtomicUsize>) {
    let layout = Layout::new(Dtype::F32, 1, n_blocks * block_rows, block_rows);
    let most = Arc::new(AtomicUsize::new(0));
    let (alive, seen) = (Alive::default(), Arc::clone(&most));
    let data = ChunkedDataset::from_blocks(layout.targets(TargetKind::Categories), move |idx| {
        let names: Arc<[String]> = Arc::new([idx.to_string()]);
        let mut alive = alive.lock().expect("no panic");
        alive.retain(|names| names.strong_count() > 0);
        alive.push(Arc::downgrade(&names));
        seen.fetch_max(alive.len(), SeqCst);
        drop(alive);
        std::thread::sleep(std::time::Duration::from_micros(200 * (idx as u64 % 3)));
        let rows = block_rows as usize;
        let codes = vec![0; rows].into();
        let records = Records::F32(Rows::new(vec![1.0; rows], 1)?);
        Ok(Block::new(records).with_targets(Targets::Categories { codes, names }))
    });
    (data, most)
}

fn check(executor: &dyn Executor, n_blocks: u64, block_rows: u64) {
    let (data, most) = tracked(n_blocks, block_rows);
    let n_samples = (n_blocks * block_rows) as f64;
    assert_eq!(data.sum().compute_on(executor).expect("a sum")[0], n_samples);
    let (most, threads) = (most.load(SeqCst), executor.describe().threads);
    assert!((1..=threads).contains(&most), "{most} blocks at once on {threads} threads");
}

#[test]
fn no_more_blocks_than_threads() {
    check(&Inline::new(0), 10, 3);
    for n in [1, 2, 3, 7] {
        let threads = Threads::new(n).expect("threads").memory_budget(0);
        check(&threads, 60, 10);
        check(&threads, 12, 2 * SLICE_ROWS as u64 + 1);
    }
}
