//! The adjusted Rand index: how well labels agree with targets, whatever their names.

use std::collections::BTreeMap;

use drystone_core::{Block, ChunkedArray, ChunkedDataset, Error, ErrorKind, Result, Targets};
use ndarray::Ix1;

/// The adjusted Rand index between a dataset's targets (integers or categories) and
/// labels of its rows: 1 for the same partition, about 0 for independent ones. Names of
/// labels do not matter.
///
/// One pass over the data, on all cores.
///
/// ```
/// use drystone_core::{Block, ChunkedArray, ChunkedDataset, Targets};
/// use drystone_estimators::metrics::adjusted_rand;
/// use ndarray::{Array1, array};
/// let targets = Targets::I64(vec![7, 7, 9, 9].into());
/// let block = Block::new(array![[0.0], [1.0], [2.0], [3.0]]).with_targets(targets);
/// let data = ChunkedDataset::from_resident(vec![block])?;
/// let labels = ChunkedArray::new(&data, |_| Ok(array![1_u32, 1, 0, 0]));
/// assert_eq!(adjusted_rand(&data, &labels)?, 1.0);
/// # Ok::<(), drystone_core::Error>(())
/// ```
///
/// # Errors
/// Those of reading and labelling; [`ErrorKind::Format`] when there are no targets or they
/// are real numbers; [`ErrorKind::Empty`] when there are no rows.
///
/// # References
/// L. Hubert, P. Arabie, *Comparing partitions*, Journal of Classification 2, 1985,
/// DOI 10.1007/BF01908075.
pub fn adjusted_rand(data: &ChunkedDataset, labels: &ChunkedArray<u32, Ix1>) -> Result<f64> {
    let count = |block: &Block| {
        let labels = labels.of_block(block)?;
        count(block, labels.as_slice())
    };
    let table = data.fold_blocks(Table::new, count, |mut table, block| {
        block.into_iter().for_each(|(pair, n)| *table.entry(pair).or_default() += n);
        table
    })?;
    adjusted_rand_of(&table)
}

/// Rows by (target, label).
type Table = BTreeMap<(Target, u32), u64>;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Integer(i64),
    Name(String),
}

fn count(block: &Block, labels: Option<&[u32]>) -> Result<Table> {
    let labels = labels.unwrap_or_default();
    let expected = block.n_samples() as u64;
    if labels.len() as u64 != expected {
        return Err(Error::shape("labels", expected, labels.len() as u64));
    }
    match &block.targets {
        Some(Targets::I64(values)) => Ok(tally(values, labels, |&value| Target::Integer(value))),
        Some(Targets::Categories { codes, names }) => {
            Ok(tally(codes, labels, |&code| Target::Name(names[code as usize].clone())))
        }
        Some(Targets::F64(_)) => Err(Error::format("integer targets or categories", "f64 targets")),
        None => Err(Error::format("integer targets or categories", "no targets")),
    }
}

fn tally<T: Ord + Copy>(targets: &[T], labels: &[u32], name: impl Fn(&T) -> Target) -> Table {
    let mut counts: BTreeMap<(T, u32), u64> = BTreeMap::new();
    for (&target, &label) in targets.iter().zip(labels) {
        *counts.entry((target, label)).or_default() += 1;
    }
    counts.into_iter().map(|((target, label), n)| ((name(&target), label), n)).collect()
}

fn adjusted_rand_of(table: &Table) -> Result<f64> {
    let mut rows: BTreeMap<&Target, u64> = BTreeMap::new();
    let mut columns: BTreeMap<u32, u64> = BTreeMap::new();
    for ((target, label), n) in table {
        *rows.entry(target).or_default() += n;
        *columns.entry(*label).or_default() += n;
    }
    let n: u64 = rows.values().sum();
    if n == 0 {
        return Err(ErrorKind::Empty { what: "there are no rows to compare".into() }.into());
    }
    let pairs = |n: u64| n as f64 * (n as f64 - 1.0) / 2.0;
    let both: f64 = table.values().map(|&n| pairs(n)).sum();
    let by_row: f64 = rows.values().map(|&n| pairs(n)).sum();
    let by_column: f64 = columns.values().map(|&n| pairs(n)).sum();
    let expected = if n == 1 { 0.0 } else { by_row * by_column / pairs(n) };
    let most = f64::midpoint(by_row, by_column);
    // Both put every row alone, or all rows together: the same partition.
    Ok(if most == expected { 1.0 } else { (both - expected) / (most - expected) })
}
