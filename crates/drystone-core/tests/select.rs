//! Rows that rules keep: the ones they say, in any blocks and in other processes.

use drystone_core::rule::{Order, Place, Rule};
use drystone_core::wire::encode;
use drystone_core::{
    Block, BlockRows, BlockSource, ChunkedDataset, Description, Dtype, ErrorKind, Label, Layout,
    Registry, Result, TargetKind, Targets, laws, wire,
};
use ndarray::Array2;
use proptest::prelude::*;

/// Rows of their position and a target of three, in blocks of these sizes, describable.
struct Threes {
    layout: Layout,
}

impl Threes {
    fn dataset(counts: &[u64]) -> ChunkedDataset {
        ChunkedDataset::new(Self::new(counts))
    }

    fn new(counts: &[u64]) -> Self {
        let rows = BlockRows::from_counts(counts);
        let layout = Layout::with_rows(Dtype::F64, 1, rows).targets(TargetKind::I64).weighted();
        Self { layout }
    }
}

impl BlockSource for Threes {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        let rows = self.layout.rows.rows_of(block_idx).unwrap_or_default();
        let (n, first) = ((rows.end - rows.start) as usize, rows.start);
        let records = Array2::from_shape_fn((n, 1), |(row, _)| (first + row as u64) as f64);
        let targets: Vec<i64> = rows.clone().map(class).collect();
        let weights: Vec<f64> = rows.map(|row| row as f64 / 2.0).collect();
        let block = Block::new(records).with_targets(Targets::I64(targets.into()));
        Ok(block.with_weights(weights))
    }

    fn describe(&self) -> Option<Description> {
        let body = encode(&self.layout.rows).ok()?;
        Some(Description { kind: "test.threes/1".into(), body })
    }
}

fn class(row: u64) -> i64 {
    (row % 3) as i64
}

fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.source("test.threes/1", |body, _| {
        let rows: BlockRows = wire::decode(body)?;
        let counts = (0..rows.n_blocks()).filter_map(|idx| rows.rows_of(idx));
        let counts: Vec<u64> = counts.map(|rows| rows.end - rows.start).collect();
        Ok(std::sync::Arc::new(Threes::new(&counts)))
    });
    registry
}

/// The rows that a rule keeps, and how many of each block.
fn kept(counts: &[u64], keeps: impl Fn(u64) -> bool) -> (Vec<u64>, Vec<u64>) {
    let (mut rows, mut kept) = (Vec::new(), Vec::new());
    let mut first = 0;
    for count in counts {
        let before = rows.len();
        rows.extend((first..first + count).filter(|&row| keeps(row)));
        kept.push((rows.len() - before) as u64);
        first += count;
    }
    (rows, kept)
}

fn check(data: &ChunkedDataset, rows: &[u64]) -> Result<(), TestCaseError> {
    let wanted: Vec<f64> = rows.iter().map(|&row| row as f64).collect();
    let blocks = (0..data.n_blocks()).map(|idx| data.read(idx).expect("a block"));
    let blocks: Vec<Block> = blocks.collect();
    let found: Vec<f64> = blocks.iter().flat_map(|block| block.records.to_f64()).collect();
    prop_assert_eq!(found, wanted);
    for block in blocks {
        let rows = block.records.to_f64();
        let targets: Vec<i64> = rows.iter().map(|&row| class(row as u64)).collect();
        let weights: Vec<f64> = rows.iter().map(|row| row / 2.0).collect();
        prop_assert_eq!(block.targets, Some(Targets::I64(targets.into())));
        prop_assert_eq!(block.weights.unwrap().to_vec(), weights);
    }
    Ok(())
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![Just(Order::Rows), any::<u64>().prop_map(|seed| Order::Shuffled { seed })]
}

proptest! {
    #[test]
    fn the_rows_of_a_rule_are_kept(
        counts in prop::collection::vec(0_u64..9, 1..8), order in order(), a in 0_u64..60, b in 0_u64..60,
        others: bool, by_class: bool,
    ) {
        let data = Threes::dataset(&counts);
        let (start, end) = (order.place(a), order.place(b));
        let places = start.min(end)..start.max(end);
        let rule = match by_class {
            false => Rule::new(order, places.clone()),
            // One class has other places, one none.
            true => Rule::by_class(order, vec![
                (Label::from(2), Place::START..start), (Label::from(0), places.clone()),
            ]),
        };
        let rule = if others { rule.others() } else { rule };
        let inside = |row: u64| match (by_class, class(row)) {
            (false, _) | (true, 0) => places.contains(&order.place(row)),
            (true, 1) => false,
            _ => order.place(row) < start,
        };
        let (rows, kept) = kept(&counts, |row| inside(row) != others);
        let selected = data.select(rule, &kept);
        prop_assert_eq!(selected.n_samples(), Some(rows.len() as u64));
        check(&selected, &rows)?;
        laws::check_source(&selected, &registry());
        check(&selected.rechunk(4), &rows)?;
        let some = selected.slice(rows.len() as u64 / 2..rows.len() as u64);
        check(&some, &rows[rows.len() / 2..])?;
    }
}

#[test]
fn places_differ_and_keys_are_spread() {
    let order = Order::Shuffled { seed: 3 };
    let mut keys: Vec<u64> = (0..10_000).map(|row| order.place(row).key >> 54).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 1024, "all of the leading ten bits");
    assert!(Order::Rows.place(3) < Order::Rows.place(4));
    assert!(Place::START <= order.place(0) && order.place(u64::MAX - 1) < Place::END);
}

/// Changing these is value-breaking.
#[test]
fn values_are_pinned() {
    let key = |seed, row| drystone_core::rng::row_key(seed, row);
    let wanted =
        [13_985_836_591_153_480_016, 17_884_930_423_024_832_174, 10_870_759_137_850_584_762];
    assert_eq!([key(0, 0), key(0, 1), key(1, 0)], wanted);
}

fn fails(data: &ChunkedDataset, expected: &str) {
    assert_eq!(data.read(0).expect_err("it cannot be read").to_string(), expected);
}

#[test]
fn what_cannot_be_selected_is_an_error_when_it_is_read() {
    let all = || Rule::new(Order::Rows, Place::START..Place::END);
    let data = laws::small_dataset(10, 4);
    fails(&data.select(all(), &[4, 4]), "block 0: expected 3 blocks, found 2");
    fails(&data.select(all(), &[4, 4, 3]), "block 2: expected at most 2 rows kept, found 3");
    let unknown = ChunkedDataset::from_blocks(
        Layout::with_rows(Dtype::F64, 1, BlockRows::Unknown { n_blocks: 1 }),
        |_| Ok(Block::new(Array2::<f64>::zeros((2, 1)))),
    );
    fails(
        &unknown.select(all(), &[2]),
        "block 0: parameter `select` must be used on known row counts; call scan() first, found \
         unknown row counts",
    );
    let by_class = |labels: &[i64]| {
        let range = |&label: &i64| (Label::from(label), Place::START..Place::END);
        Rule::by_class(Order::Rows, labels.iter().map(range).collect())
    };
    let text = "block 0: expected targets, whose classes rows are chosen by, found no targets";
    fails(&data.select(by_class(&[1]), &[1, 1, 1]), text);
    let text = "block 0: expected classes in ascending order, found others";
    fails(&Threes::dataset(&[3]).select(by_class(&[1, 1]), &[1]), text);
    let error = data.select(all(), &[4, 3, 2]).read(1).expect_err("another number of rows");
    assert!(matches!(error.kind(), ErrorKind::SourceChanged { .. }), "{error}");
}

#[test]
fn descriptions_of_rules_are_checked() {
    let inner = Threes::dataset(&[3, 4]).describe().expect("a description");
    let open = |rule: &Rule, counts: &[u64]| {
        let body = encode(&(rule, counts.to_vec(), &inner)).expect("bytes");
        let description = Description { kind: "core.select/1".into(), body };
        registry().open_source(&description).map(|_| ()).map_err(|error| error.to_string())
    };
    let all = Rule::new(Order::Shuffled { seed: 1 }, Place::START..Place::END);
    assert_eq!(open(&all, &[3, 4]), Ok(()));
    assert_eq!(open(&all, &[3]), Err("expected 2 blocks, found 1".into()));
    let text = "block 0: expected at most 3 rows kept, found 18446744073709551615";
    assert_eq!(open(&all, &[u64::MAX, u64::MAX]), Err(text.into()));
    let twice = vec![(Label::from("a"), Place::START..Place::END); 2];
    let text = "expected classes in ascending order, found others";
    assert_eq!(open(&Rule::by_class(Order::Rows, twice), &[3, 4]), Err(text.into()));
}

#[test]
fn a_block_that_keeps_all_or_nothing_is_not_copied() {
    let data = Threes::dataset(&[3, 4]).persist().expect("blocks");
    let rule = Rule::new(Order::Rows, Place::START..Order::Rows.place(3));
    let selected = data.select(rule, &[3, 0]);
    let address = |data: &ChunkedDataset| {
        data.read(0).expect("a block").records.as_rows::<f64>().expect("f64").values().as_ptr()
    };
    assert_eq!(address(&selected), address(&data));
    let empty = selected.read(1).expect("a block");
    assert_eq!((empty.n_samples(), empty.records.n_features()), (0, 1));
}
