//! Chains of lazy steps give the rows that the same steps on a plain `Vec` give.

use drystone_core::layout::{BlockRows, Dtype, Layout, TargetKind};
use drystone_core::rule::{Order, Place, Rule};
use drystone_core::{Block, BlockSource, ChunkedDataset, Records, Result, Rows, Targets};
use proptest::prelude::*;

/// A row as plain values: two features, the target as text, the weight.
#[derive(Clone, Debug, PartialEq)]
struct Row(Vec<f64>, Option<String>, Option<f64>);

#[derive(Clone, Copy, Debug)]
struct Kind {
    dtype: Dtype,
    targets: Option<TargetKind>,
    weighted: bool,
}

#[derive(Clone, Debug)]
enum Op {
    Slice(usize, usize),
    Rechunk(u64),
    Map,
    Persist,
    Scan,
    Select(u64, u64),
    Concat(Vec<usize>, bool),
    ConcatSelf,
}

struct Blocks {
    blocks: Vec<Block>,
    layout: Layout,
}

impl BlockSource for Blocks {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        Ok(self.blocks[block_idx].clone())
    }
}

impl Kind {
    fn row(self, id: usize) -> Row {
        let target = match self.targets {
            Some(TargetKind::F64) => Some(format!("{:?}", id as f64 / 2.0)),
            Some(TargetKind::I64) => Some(format!("{}", -(id as i64))),
            Some(TargetKind::Categories) => Some(format!("c{}", (id * 7) % 5)),
            None => None,
        };
        Row(vec![id as f64, -(id as f64)], target, self.weighted.then_some(id as f64 / 8.0))
    }

    fn block(self, rows: &[Row]) -> Block {
        let values: Vec<f64> = rows.iter().flat_map(|row| row.0.clone()).collect();
        let records = match self.dtype {
            Dtype::F64 => Records::F64(Rows::new(values, 2).unwrap()),
            Dtype::F32 => {
                let values = values.iter().map(|&value| value as f32).collect();
                Records::F32(Rows::new(values, 2).unwrap())
            }
        };
        let names: Vec<String> = rows.iter().filter_map(|row| row.1.clone()).collect();
        let targets = self.targets.map(|kind| match kind {
            TargetKind::F64 => Targets::F64(parsed(&names).into()),
            TargetKind::I64 => Targets::I64(parsed(&names).into()),
            TargetKind::Categories => Targets::categories(&names),
        });
        let weights: Option<Vec<f64>> =
            self.weighted.then(|| rows.iter().filter_map(|row| row.2).collect());
        Block { records, targets, weights: weights.map(Into::into) }
    }

    fn dataset(self, cuts: &[usize], known: bool) -> (ChunkedDataset, Vec<Row>) {
        let rows: Vec<Row> = (0..cuts.iter().sum()).map(|id| self.row(id)).collect();
        let mut first = 0;
        let block = |&n: &usize| {
            first += n;
            self.block(&rows[first - n..first])
        };
        let blocks: Vec<Block> = cuts.iter().map(block).collect();
        let counts: Vec<u64> = cuts.iter().map(|&n| n as u64).collect();
        let cut = if known {
            BlockRows::from_counts(&counts)
        } else {
            BlockRows::Unknown { n_blocks: cuts.len() }
        };
        let mut layout = Layout::with_rows(self.dtype, 2, cut);
        layout.targets = self.targets;
        layout.weighted = self.weighted;
        (ChunkedDataset::new(Blocks { blocks, layout }), rows)
    }
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(names: &[String]) -> Vec<T> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn rows_of(block: &Block) -> Vec<Row> {
    let values = block.records.to_f64();
    let target = |row: usize| {
        block.targets.as_ref().map(|targets| match targets {
            Targets::F64(values) => format!("{:?}", values[row]),
            Targets::I64(values) => values[row].to_string(),
            Targets::Categories { codes, names } => names[codes[row] as usize].clone(),
        })
    };
    let weight = |row: usize| block.weights.as_ref().map(|weights| weights[row]);
    let row = |(idx, values): (usize, &[f64])| Row(values.to_vec(), target(idx), weight(idx));
    values.chunks(2).enumerate().map(row).collect()
}

fn double(block: Block) -> Result<Block> {
    let records = match &block.records {
        Records::F32(rows) => Records::from(&rows.view() * 2.0),
        Records::F64(rows) => Records::from(&rows.view() * 2.0),
    };
    Ok(Block { records, ..block })
}

/// The same step on the dataset and on the plain rows.
fn apply(
    kind: Kind,
    op: &Op,
    data: ChunkedDataset,
    mut rows: Vec<Row>,
) -> (ChunkedDataset, Vec<Row>) {
    match op {
        Op::Slice(a, b) => {
            let (a, b) = (a % (rows.len() + 1), b % (rows.len() + 1));
            let (start, end) = (a.min(b), a.max(b));
            (data.slice(start as u64..end as u64), rows[start..end].to_vec())
        }
        Op::Rechunk(block_rows) => (data.scan().unwrap().rechunk(*block_rows), rows),
        Op::Map => {
            rows.iter_mut().flat_map(|row| &mut row.0).for_each(|value| *value *= 2.0);
            (data.map(double), rows)
        }
        Op::Persist => (data.persist().unwrap(), rows),
        Op::Scan => (data.scan().unwrap(), rows),
        Op::Select(seed, row) => select(&data.scan().unwrap(), rows, *seed, *row),
        Op::Concat(cuts, known) => {
            let (other, more) = kind.dataset(cuts, *known);
            rows.extend(more);
            (ChunkedDataset::concat(&[data, other]).unwrap(), rows)
        }
        Op::ConcatSelf => {
            (ChunkedDataset::concat(&[data.clone(), data]).unwrap(), [rows.clone(), rows].concat())
        }
    }
}

/// The rows that stand before this one, shuffled.
fn select(
    data: &ChunkedDataset,
    rows: Vec<Row>,
    seed: u64,
    row: u64,
) -> (ChunkedDataset, Vec<Row>) {
    let order = Order::Shuffled { seed };
    let keeps = |other: u64| order.place(other) < order.place(row);
    let kept = |block_idx| {
        let rows = data.layout().rows.rows_of(block_idx).unwrap();
        rows.filter(|&row| keeps(row)).count() as u64
    };
    let counts: Vec<u64> = (0..data.n_blocks()).map(kept).collect();
    let rule = Rule::new(order, Place::START..order.place(row));
    let rows = rows.into_iter().zip(0..).filter(|(_, row)| keeps(*row));
    (data.select(rule, &counts), rows.map(|(row, _)| row).collect())
}

/// The dataset holds these rows, in blocks of the sizes that its layout declares.
fn check(data: &ChunkedDataset, rows: &[Row]) -> Result<(), TestCaseError> {
    let blocks = (0..data.n_blocks()).map(|idx| data.read(idx));
    let blocks: Vec<Block> =
        blocks.collect::<Result<_>>().map_err(|e| TestCaseError::fail(e.to_string()))?;
    for (block_idx, block) in blocks.iter().enumerate() {
        prop_assert_eq!(data.count_rows(block_idx).unwrap(), block.n_samples() as u64);
    }
    let found: Vec<Row> = blocks.iter().flat_map(rows_of).collect();
    prop_assert_eq!(&found[..], rows);
    prop_assert_eq!(data.n_samples().unwrap_or(rows.len() as u64), rows.len() as u64);
    Ok(())
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![Just(0), 0_usize..6], 0..6)
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (0_usize..100, 0_usize..100).prop_map(|(a, b)| Op::Slice(a, b)),
        2 => (1_u64..9).prop_map(Op::Rechunk),
        1 => Just(Op::Map),
        1 => Just(Op::Persist),
        1 => Just(Op::Scan),
        2 => (0_u64..4, 0_u64..50).prop_map(|(seed, row)| Op::Select(seed, row)),
        2 => (cuts(), any::<bool>()).prop_map(|(cuts, known)| Op::Concat(cuts, known)),
        1 => Just(Op::ConcatSelf),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    let targets = prop::option::of(prop::sample::select(vec![
        TargetKind::F64,
        TargetKind::I64,
        TargetKind::Categories,
    ]));
    let dtype = prop::sample::select(vec![Dtype::F32, Dtype::F64]);
    (dtype, targets, any::<bool>()).prop_map(|(dtype, targets, weighted)| Kind {
        dtype,
        targets,
        weighted,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn steps_match_a_plain_vec(
        kind in kind(), cuts in cuts(), known in any::<bool>(), ops in prop::collection::vec(op(), 0..7),
    ) {
        let (mut data, mut rows) = kind.dataset(&cuts, known);
        check(&data, &rows)?;
        for op in &ops {
            (data, rows) = apply(kind, op, data, rows);
            check(&data, &rows)?;
        }
    }
}
