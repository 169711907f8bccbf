//! Sources that change between passes, fail or panic are found out.

use std::sync::atomic::{AtomicUsize, Ordering};

use drystone_core::{
    BlockRows, ChunkedDataset, Dtype, Error, ErrorKind, Inline, Layout, Result, Threads,
};
use drystone_estimators::{Init, KMeans};
use ndarray::{Array2, s};

use crate::support::{blobs, to_block};

fn good() -> Array2<f64> {
    blobs((30, 2), 3, 0.5, 0.0, 1)
}

/// Good rows in two blocks, made by `make` from the block, the read (from 1) and its rows.
fn misbehaving(
    make: impl Fn(usize, usize, Array2<f64>) -> Result<Array2<f64>> + Send + Sync + 'static,
) -> ChunkedDataset {
    let reads = [(); 2].map(|()| AtomicUsize::new(0));
    ChunkedDataset::from_blocks(Layout::new(Dtype::F64, 2, 30, 15), move |block_idx| {
        let read = reads[block_idx].fetch_add(1, Ordering::Relaxed) + 1;
        let rows = good().slice_move(s![15 * block_idx..15 * (block_idx + 1), ..]);
        Ok(to_block::<f64>(&make(block_idx, read, rows)?, None))
    })
}

fn on_inline(data: &ChunkedDataset, init: Init) -> Error {
    let fit = KMeans::params(3).init(init).tol(0.0).on(&Inline::new(0)).fit(data);
    fit.map(|model| model.status()).expect_err("a source that misbehaves")
}

/// A change to the second block from some pass on, and the row in which it is found.
type Change = (fn(&mut Array2<f64>), Option<u64>);

#[test]
fn a_source_that_changes_is_found_out() {
    let changes: [Change; 4] = [
        (|rows| rows[(3, 1)] = 1e9, Some(18)),
        (|rows| rows[(3, 1)] = f64::NAN, Some(18)),
        (|rows| rows[(3, 0)] = f64::NEG_INFINITY, Some(18)),
        (|rows| *rows = rows.slice(s![..14, ..]).to_owned(), None),
    ];
    let passes = [(Init::Random, 2..=3), (Init::default(), 2..=9), (Init::PlusPlus, 2..=6)];
    for (init, pass) in
        passes.into_iter().flat_map(|(init, passes)| passes.map(move |pass| (init.clone(), pass)))
    {
        for (idx, (change, row)) in changes.into_iter().enumerate() {
            let data = misbehaving(move |block_idx, read, mut rows| {
                if block_idx == 1 && read >= pass {
                    change(&mut rows);
                }
                Ok(rows)
            });
            let error = on_inline(&data, init.clone());
            let name = format!("change {idx} in pass {pass}, {init}: {error}");
            // A source that declared how many rows it has breaks its word.
            let broken = row.is_none() && matches!(error.kind(), ErrorKind::Shape { .. });
            assert!(broken || matches!(error.kind(), ErrorKind::SourceChanged { .. }), "{name}");
            let place = error.location();
            assert_eq!((place.block, place.row), (Some(1), row), "{name}");
        }
    }
}

#[test]
fn rows_that_were_counted_must_not_change() {
    let reads = AtomicUsize::new(0);
    let layout = Layout::with_rows(Dtype::F64, 2, BlockRows::Unknown { n_blocks: 1 });
    let data = ChunkedDataset::from_blocks(layout, move |_| {
        let rows = 30 - reads.fetch_add(1, Ordering::Relaxed);
        Ok(to_block::<f64>(&good().slice_move(s![..rows, ..]), None))
    });
    let error = on_inline(&data, Init::default());
    let wanted = "block 0: the source gave other data than in an earlier pass: expected 30 rows, \
                  found 29 rows; a source must give the same block each time it is read";
    assert_eq!(error.to_string(), wanted);
}

#[test]
fn errors_and_panics_of_a_source_come_through() {
    let fails = misbehaving(|block_idx, read, rows| match (block_idx, read) {
        (1, 3) => Err(Error::external("the disk is gone")),
        _ => Ok(rows),
    });
    let error = on_inline(&fails, Init::default());
    assert_eq!(error.to_string(), "block 1: the user's code failed: the disk is gone");
    let panics = misbehaving(|block_idx, read, rows| {
        assert!((block_idx, read) != (1, 3), "no such thing");
        Ok(rows)
    });
    let error = on_inline(&panics, Init::default());
    assert_eq!(error.to_string(), "block 1: the user's code failed: it panicked: no such thing");
    let threads = Threads::new(2).expect("threads").memory_budget(0);
    let panics = misbehaving(|_, read, rows| {
        assert!(read < 3, "no such thing");
        Ok(rows)
    });
    let error = KMeans::params(3).on(&threads).fit(&panics).map(|_| ()).expect_err("a panic");
    assert!(error.to_string().ends_with("it panicked: no such thing"), "{error}");
    assert!(KMeans::params(3).on(&threads).fit(&good()).is_ok(), "the threads do not recover");
}
