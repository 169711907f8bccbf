//! Printing a dataset says what is known of it, and reads nothing.

use drystone_core::layout::{BlockRows, Dtype, Layout, TargetKind};
use drystone_core::{ChunkedDataset, Explanation, executor::Resources, explain::Pass};

fn unreadable(layout: Layout) -> ChunkedDataset {
    ChunkedDataset::from_blocks(layout, |_| panic!("printing must not read"))
}

fn check(layout: Layout, expected: &str) {
    assert_eq!(layout.to_string(), expected);
    let data = unreadable(layout);
    assert_eq!(data.to_string(), format!("ChunkedDataset {expected}"));
    assert!(format!("{data:?}").starts_with("ChunkedDataset { layout: "), "{data:?}");
}

#[test]
fn layouts_as_text() {
    check(
        Layout::new(Dtype::F64, 20, 100_000_000, 200_000),
        "(100000000, 20) f64, 500 blocks of up to 200000 rows, 16.0 GB",
    );
    check(Layout::new(Dtype::F32, 1, 5, 2), "(5, 1) f32, 3 blocks of up to 2 rows, 20 B");
    check(Layout::new(Dtype::F32, 1, 0, 0), "(0, 1) f32, 0 blocks of up to 0 rows, 0 B");
    check(
        Layout::new(Dtype::F64, 2, 3, 9).targets(TargetKind::Categories).weighted(),
        "(3, 2) f64, 1 block of up to 3 rows, 84 B, targets categories, weighted",
    );
    let rows = BlockRows::from_counts(&[3, 0, 7]);
    check(Layout::with_rows(Dtype::F64, 1, rows), "(10, 1) f64, 3 blocks of up to 7 rows, 80 B");
    let rows = BlockRows::Unknown { n_blocks: 7 };
    check(
        Layout::with_rows(Dtype::F64, 4, rows).targets(TargetKind::I64),
        "(unknown, 4) f64, 7 blocks, unknown bytes, targets i64",
    );
}

#[test]
fn steps_print_without_reading() {
    let data = unreadable(Layout::new(Dtype::F64, 2, 100, 30));
    let steps = [
        (data.slice(40..70), "ChunkedDataset (30, 2) f64, 2 blocks of up to 20 rows, 480 B"),
        (data.rechunk(7), "ChunkedDataset (100, 2) f64, 15 blocks of up to 7 rows, 1.6 kB"),
        (data.map(Ok), "ChunkedDataset (100, 2) f64, 4 blocks of up to 30 rows, 1.6 kB"),
        (
            ChunkedDataset::concat(&[data.clone(), data.slice(0..1)]).expect("the same columns"),
            "ChunkedDataset (101, 2) f64, 5 blocks of up to 30 rows, 1.6 kB",
        ),
        (data.slice(0..101), "ChunkedDataset (unknown, 2) f64, 1 block, unknown bytes"),
    ];
    for (data, expected) in steps {
        assert_eq!(data.to_string(), expected);
    }
    let unknown = unreadable(Layout::with_rows(Dtype::F64, 2, BlockRows::Unknown { n_blocks: 3 }));
    let expected = "ChunkedDataset (unknown, 2) f64, 3 blocks, unknown bytes";
    assert_eq!(unknown.slice(5..9).to_string(), expected);
}

fn explain(data: &ChunkedDataset) -> Explanation {
    let resources = Resources { name: "threads", threads: 3, memory_budget: 1_000 };
    let passes = [("count", 1), ("sum", 5)];
    let passes =
        passes.map(|(name, at_most)| Pass { name: name.into(), at_most: Some(at_most) }).to_vec();
    Explanation::new("Sum()".into(), data, resources, passes, 4)
}

#[test]
fn plans_as_text() {
    assert_eq!(
        explain(&unreadable(Layout::new(Dtype::F64, 2, 100, 30))).to_string(),
        "Sum()
  data       (100, 2) f64, 4 blocks of up to 30 rows, 1.6 kB
  runs on    threads (3)
  passes     at most 1 pass: count
  passes     at most 5 passes: sum
  reads      1.6 kB in the first pass, 600 B in each later one
  cache      1.0 kB of blocks (budget 1.0 kB)
  in flight  1.4 kB of blocks
  row state  400 B
  peak       about 2.8 kB of blocks and state"
    );
}

#[test]
fn plans_over_unknown_rows_say_so() {
    let rows = BlockRows::Unknown { n_blocks: 7 };
    let text = explain(&unreadable(Layout::with_rows(Dtype::F64, 2, rows))).to_string();
    assert!(
        text.contains("reads      unknown in the first pass, unknown in each later one"),
        "{text}"
    );
    assert!(text.contains("peak       about unknown of blocks and state"), "{text}");
}

#[test]
fn plans_of_absurd_sizes_saturate() {
    let plan = explain(&unreadable(Layout::new(Dtype::F64, 1 << 40, u64::MAX, u64::MAX)));
    assert_eq!(plan.peak_bytes(), Some(u64::MAX));
}
