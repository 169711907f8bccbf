//! The adjusted Rand index against counting pairs, and known values.

use std::sync::Arc;

use drystone_core::{Block, ChunkedArray, ChunkedDataset, Result, Targets};
use drystone_estimators::KMeans;
use drystone_estimators::metrics::adjusted_rand;
use ndarray::{Array1, Array2, Ix1};
use proptest::prelude::*;

use crate::support::blobs;

/// Blocks of `block_rows` rows with these targets, each record its row.
fn dataset(targets: &Targets, block_rows: usize) -> ChunkedDataset {
    let n = targets.len();
    let records = Array2::from_shape_fn((n, 1), |(row, _)| row as f64);
    let whole = Block::new(records).with_targets(targets.clone());
    let firsts = (0..n).step_by(block_rows);
    let blocks = firsts.map(|first| whole.slice(first..n.min(first + block_rows))).collect();
    ChunkedDataset::from_resident(blocks).expect("blocks")
}

fn labelled(data: &ChunkedDataset, labels: &[u32]) -> ChunkedArray<u32, Ix1> {
    let labels: Arc<[u32]> = labels.into();
    ChunkedArray::new(data, move |block| {
        let rows = block.records.to_f64();
        Ok(rows.into_iter().map(|row| labels[row as usize]).collect::<Array1<u32>>())
    })
}

fn of(targets: &[i64], labels: &[u32]) -> Result<f64> {
    let data = dataset(&Targets::I64(targets.to_vec().into()), 3);
    adjusted_rand(&data, &labelled(&data, labels))
}

/// Over all pairs of rows: together in both, in one, in none.
fn naive(targets: &[i64], labels: &[u32]) -> f64 {
    let n = targets.len();
    let (mut both, mut by_target, mut by_label, mut all) = (0.0, 0.0, 0.0, 0.0);
    for a in 0..n {
        for b in a + 1..n {
            let (target, label) = (targets[a] == targets[b], labels[a] == labels[b]);
            both += f64::from(target && label);
            by_target += f64::from(target);
            by_label += f64::from(label);
            all += 1.0;
        }
    }
    let expected = if n < 2 { 0.0 } else { by_target * by_label / all };
    let most = (by_target + by_label) / 2.0;
    if most == expected { 1.0 } else { (both - expected) / (most - expected) }
}

proptest! {
    #[test]
    fn agrees_with_counting_pairs(rows in prop::collection::vec((-2_i64..3, 0_u32..5), 1..40)) {
        let (targets, labels): (Vec<i64>, Vec<u32>) = rows.into_iter().unzip();
        let (found, wanted) = (of(&targets, &labels).expect("an index"), naive(&targets, &labels));
        prop_assert!((found - wanted).abs() < 1e-12, "{} is not {}", found, wanted);
    }

    #[test]
    fn names_do_not_matter(rows in prop::collection::vec((0_i64..4, 0_u32..4), 1..40)) {
        let (targets, labels): (Vec<i64>, Vec<u32>) = rows.into_iter().unzip();
        let others: Vec<u32> = labels.iter().map(|label| 90 - 7 * label).collect();
        let names: Vec<String> = targets.iter().map(|target| format!("class {}", 9 - target)).collect();
        let data = dataset(&Targets::categories(&names), 7);
        let found = adjusted_rand(&data, &labelled(&data, &others)).expect("an index");
        prop_assert!((found - of(&targets, &labels).expect("an index")).abs() < 1e-12);
    }
}

#[test]
fn known_values() {
    // scikit-learn's documentation of adjusted_rand_score.
    let cases: [(&[i64], &[u32], f64); 7] = [
        (&[0, 0, 1, 1], &[0, 0, 1, 1], 1.0),
        (&[0, 0, 1, 1], &[1, 1, 0, 0], 1.0),
        (&[0, 0, 1, 2], &[0, 0, 1, 1], 0.571_428_571_428_571_4),
        (&[0, 0, 0, 0], &[0, 1, 2, 3], 0.0),
        (&[0, 0, 1, 1], &[0, 1, 0, 1], -0.5),
        (&[3, 3, 3], &[1, 1, 1], 1.0),
        (&[7], &[0], 1.0),
    ];
    for (targets, labels, wanted) in cases {
        let found = of(targets, labels).expect("an index");
        assert!((found - wanted).abs() < 1e-15, "{targets:?} {labels:?}: {found}");
    }
}

#[test]
fn labels_of_a_model_are_compared_block_by_block() {
    let records = blobs((90, 2), 3, 0.1, 0.0, 1);
    let targets: Vec<i64> = (0..90).map(|row| row % 3).collect();
    let block = Block::new(records).with_targets(Targets::I64(targets.into()));
    let data = drystone_core::input::cut(block, 40).expect("data");
    let model = KMeans::params(3).fit(&data).expect("a model");
    assert_eq!(adjusted_rand(&data, &model.predict(&data)).expect("an index"), 1.0);
}

#[test]
fn what_cannot_be_compared_is_an_error() {
    let error = |data: &ChunkedDataset, labels: &[u32]| {
        adjusted_rand(data, &labelled(data, labels)).expect_err("nothing to compare").to_string()
    };
    let real = dataset(&Targets::F64(vec![1.0; 4].into()), 4);
    let wanted = "block 0: expected integer targets or categories, found f64 targets";
    assert_eq!(error(&real, &[0; 4]), wanted);
    let none =
        drystone_core::input::cut(Block::new(Array2::<f64>::zeros((2, 1))), 2).expect("data");
    let wanted = "block 0: expected integer targets or categories, found no targets";
    assert_eq!(error(&none, &[0; 2]), wanted);
    let block = Block::new(Array2::<f64>::zeros((0, 1))).with_targets(Targets::I64(vec![].into()));
    let empty = ChunkedDataset::from_resident(vec![block]).expect("a block");
    assert_eq!(error(&empty, &[]), "there are no rows to compare");
    let data = dataset(&Targets::I64(vec![1; 4].into()), 4);
    let short = ChunkedArray::new(&data, |_| Ok(Array1::zeros(3)));
    let error = adjusted_rand(&data, &short).expect_err("too few labels").to_string();
    assert_eq!(error, "block 0: expected 4 labels, found 3");
}
