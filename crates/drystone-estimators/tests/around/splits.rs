//! Splits against sorting all rows, and the same rows however data are cut.

use std::collections::BTreeMap;

use drystone_core::rng::row_key;
use drystone_core::{Block, ChunkedDataset, Targets, laws};
use drystone_estimators::model_selection::{
    KFold, Split, StratifiedKFold, TestSize, stratified_train_test_split, train_test_split,
};
use proptest::prelude::*;

use crate::support::{N_BLOCKS, cut_at, cut_into, cuts, positions};
use crate::support::{registry, values};

fn rows(split: &Split) -> (Vec<u64>, Vec<u64>) {
    (values(&split.0), values(&split.1))
}

/// Rows of a class in the order of their keys.
fn shuffled(seed: u64, mut rows: Vec<u64>) -> Vec<u64> {
    rows.sort_by_key(|&row| (row_key(seed, row), row));
    rows
}

fn ascending(mut rows: Vec<u64>) -> Vec<u64> {
    rows.sort_unstable();
    rows
}

/// The rows of each class.
fn by_class(targets: &[i64]) -> BTreeMap<i64, Vec<u64>> {
    let mut classes: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
    for (row, &target) in (0..).zip(targets) {
        classes.entry(target).or_default().push(row);
    }
    classes
}

fn labelled(targets: &[i64]) -> Block {
    positions(targets.len()).with_targets(Targets::I64(targets.to_vec().into()))
}

/// A part and the other have all rows between them.
fn check_whole(split: &Split, n: usize) -> Result<(), TestCaseError> {
    let (train, test) = rows(split);
    prop_assert!(train.is_sorted() && test.is_sorted());
    prop_assert_eq!(ascending([train, test].concat()), (0..n as u64).collect::<Vec<_>>());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_split_is_the_first_of_the_shuffled_rows(
        n in 2_usize..200, share in 0.01_f64..0.99, seed: u64, (cuts, known) in cuts(),
    ) {
        let n_test = (share * n as f64).ceil() as usize;
        prop_assume!(n_test < n);
        let data = cut_at(&positions(n), &cuts, known);
        let split = train_test_split(&data, share, seed).unwrap();
        check_whole(&split, n)?;
        let wanted = ascending(shuffled(seed, (0..n as u64).collect())[..n_test].to_vec());
        prop_assert_eq!(rows(&split).1, wanted);
        let by_number = train_test_split(&data, TestSize::Rows(n_test as u64), seed).unwrap();
        prop_assert_eq!(rows(&by_number), rows(&split));
    }

    #[test]
    fn folds_are_runs_of_the_shuffled_rows(
        n in 2_usize..150, k in 2_u64..12, seed: u64, (cuts, known) in cuts(),
    ) {
        prop_assume!(k <= n as u64);
        let data = cut_at(&positions(n), &cuts, known);
        for (order, folds) in [
            ((0..n as u64).collect(), KFold::new(k)),
            (shuffled(seed, (0..n as u64).collect()), KFold::new(k).shuffle(seed)),
        ] {
            let mut order = order.into_iter();
            for (fold, split) in folds.split(&data).unwrap().iter().enumerate() {
                let size = n / k as usize + usize::from(fold < n % k as usize);
                check_whole(split, n)?;
                let wanted = ascending(order.by_ref().take(size).collect());
                prop_assert_eq!(rows(split).1, wanted);
            }
        }
    }

    #[test]
    fn stratified_folds_are_runs_of_each_class(
        targets in prop::collection::vec(-1_i64..3, 2..150), k in 2_u64..7, seed: u64, (cuts, known) in cuts(),
    ) {
        let n = targets.len();
        let classes = by_class(&targets);
        prop_assume!(classes.values().any(|rows| rows.len() as u64 >= k));
        let data = cut_at(&labelled(&targets), &cuts, known);
        for shuffle in [false, true] {
            let folds = StratifiedKFold::new(k);
            let folds = if shuffle { folds.shuffle(seed) } else { folds };
            let order = |rows: &Vec<u64>| match shuffle {
                true => shuffled(seed, rows.clone()),
                false => rows.clone(),
            };
            let mut left: BTreeMap<i64, Vec<u64>> =
                classes.iter().map(|(&class, rows)| (class, order(rows))).collect();
            for split in folds.split(&data).unwrap() {
                check_whole(&split, n)?;
                let mut wanted = Vec::new();
                for (class, left) in &mut left {
                    let test = &rows(&split).1;
                    let found = test.iter().filter(|&&row| targets[row as usize] == *class).count();
                    let even = classes[class].len() / k as usize;
                    prop_assert!(found == even || found == even + 1);
                    wanted.extend(left.drain(..found));
                }
                prop_assert_eq!(rows(&split).1, ascending(wanted));
            }
        }
    }

    #[test]
    fn a_stratified_split_is_the_first_of_each_class(
        targets in prop::collection::vec(0_i64..3, 8..150), share in 0.1_f64..0.9, seed: u64, (cuts, known) in cuts(),
    ) {
        let classes = by_class(&targets);
        let n_test = (share * targets.len() as f64).ceil() as usize;
        let least = n_test.min(targets.len() - n_test);
        prop_assume!(classes.len() <= least && classes.values().all(|rows| rows.len() > 1));
        let data = cut_at(&labelled(&targets), &cuts, known);
        let split = stratified_train_test_split(&data, share, seed).unwrap();
        check_whole(&split, targets.len())?;
        let test = rows(&split).1;
        prop_assert_eq!(test.len(), n_test);
        let mut wanted = Vec::new();
        for (class, rows) in classes {
            let found = test.iter().filter(|&&row| targets[row as usize] == class).count();
            let exact = rows.len() as f64 * n_test as f64 / targets.len() as f64;
            prop_assert!((found as f64 - exact).abs() < 1.0);
            wanted.extend(&shuffled(seed, rows)[..found]);
        }
        prop_assert_eq!(test, ascending(wanted));
    }
}

/// Many bins of keys, and more than one slice a block.
#[test]
fn many_rows_in_any_blocks() {
    let n = 70_000;
    let targets: Vec<i64> = (0..n).map(|row| i64::from(row % 10 == 0) + row / 65_000).collect();
    let block = labelled(&targets);
    let all = |data: &ChunkedDataset| {
        let plain = train_test_split(data, 0.3, 5).expect("a split");
        let stratified = stratified_train_test_split(data, 0.3, 5).expect("a split");
        let folds = KFold::new(3).shuffle(5).split(data).expect("folds");
        let even = StratifiedKFold::new(3).shuffle(5).split(data).expect("folds");
        [vec![plain, stratified], folds, even].concat().iter().map(rows).collect::<Vec<_>>()
    };
    let first = all(&cut_into(&block, 1));
    assert_eq!(first[0].1.len(), 21_000);
    let wanted = shuffled(5, (0..n as u64).collect());
    assert_eq!(first[0].1, ascending(wanted[..21_000].to_vec()));
    for n_blocks in N_BLOCKS {
        assert_eq!(all(&cut_into(&block, n_blocks)), first, "{n_blocks} blocks");
    }
}

/// As many classes as rows to test, and codes of more than a byte.
#[test]
fn many_classes() {
    let targets: Vec<i64> = (0..3000).map(|row| row % 1000).collect();
    let block = labelled(&targets);
    let (train, test) = stratified_train_test_split(&cut_into(&block, 7), 1000_u64, 3).expect("it");
    let class = |row: u64| targets[row as usize];
    let mut found: Vec<i64> = values(&test).into_iter().map(class).collect();
    found.sort_unstable();
    assert_eq!(found, (0..1000).collect::<Vec<_>>());
    assert_eq!(train.n_samples(), Some(2000));
    for (_, test) in StratifiedKFold::new(3).shuffle(1).split(&cut_into(&block, 2)).expect("it") {
        let mut found: Vec<i64> = values(&test).into_iter().map(class).collect();
        found.sort_unstable();
        assert_eq!(found, (0..1000).collect::<Vec<_>>());
    }
}

#[test]
fn targets_of_any_type() {
    let n = 60;
    let integers: Vec<i64> = (0..n).map(|row| row * row % 5).collect();
    let reals: Vec<f64> = integers.iter().map(|&class| class as f64).collect();
    let halves: Vec<f64> = integers.iter().map(|&class| class as f64 / 2.0 - 1.0).collect();
    let names: Vec<String> = integers.iter().map(|class| format!("class {class}")).collect();
    let of = |targets: Targets| {
        // Blocks have dictionaries of their own.
        let block = positions(n as usize).with_targets(targets);
        let blocks = [0..7, 7..7, 7..40, 40..60].map(|rows| {
            let part = block.slice(rows);
            match &part.targets {
                Some(Targets::Categories { codes, names }) => {
                    let names: Vec<&str> = codes.iter().map(|&c| &*names[c as usize]).collect();
                    part.clone().with_targets(Targets::categories(&names))
                }
                _ => part,
            }
        });
        let data = ChunkedDataset::from_resident(blocks.to_vec()).expect("blocks");
        let folds = StratifiedKFold::new(4).shuffle(9).split(&data).expect("folds");
        folds.iter().map(rows).collect::<Vec<_>>()
    };
    let wanted = of(Targets::I64(integers.into()));
    assert_eq!(of(Targets::F64(reals.into())), wanted);
    assert_eq!(of(Targets::F64(halves.into())), wanted);
    assert_eq!(of(Targets::categories(&names)), wanted);
}

#[test]
fn parts_keep_targets_and_weights() {
    let n = 50;
    let weights: Vec<f64> = (0..n).map(f64::from).collect();
    let names: Vec<String> = (0..n).map(|row| format!("class {}", row % 3)).collect();
    let block =
        positions(n as usize).with_weights(weights).with_targets(Targets::categories(&names));
    let (_, test) = stratified_train_test_split(&cut_into(&block, 4), 0.4, 1).expect("a split");
    assert_eq!(test.n_blocks(), 4);
    let test = test.compute().expect("rows");
    let rows: Vec<usize> = test.records.to_f64().iter().map(|&row| row as usize).collect();
    assert_eq!(test.weights.expect("weights").to_vec(), test.records.to_f64());
    let wanted: Vec<&str> = rows.iter().map(|&row| &*names[row]).collect();
    assert_eq!(test.targets, Some(Targets::categories(&wanted)));
}

/// Over many seeds each row is tested on alike, and neighbours are not tested on together.
#[test]
fn rows_are_drawn_at_random() {
    let data = cut_into(&positions(40), 3);
    let (mut hits, mut both) = ([0_u64; 40], 0_u64);
    for seed in 0..2000 {
        let test = values(&train_test_split(&data, 0.25, seed).expect("a split").1);
        test.iter().for_each(|&row| hits[row as usize] += 1);
        both += test.windows(2).filter(|pair| pair[1] == pair[0] + 1).count() as u64;
    }
    let chi2: f64 = hits.iter().map(|&n| (n as f64 - 500.0).powi(2) / 375.0).sum();
    assert!(chi2 < 80.0, "{hits:?}");
    // 39 pairs, each with probability 10/40 * 9/39.
    assert!(both.abs_diff(4500) < 250, "{both}");
}

/// Changing these is value-breaking.
#[test]
fn values_are_pinned() {
    let data = cut_into(&positions(20), 3);
    let test = |seed| values(&train_test_split(&data, 0.3, seed).expect("a split").1);
    assert_eq!((test(0), test(1)), (vec![5, 6, 8, 12, 14, 19], vec![3, 7, 13, 14, 18, 19]));
}

#[test]
fn parts_keep_the_laws_of_sources() {
    let data = drystone_sources::generate::Blobs::new(120, 2).centers(3).block_rows(31).dataset();
    let folds = KFold::new(3).shuffle(1).split(&data).expect("folds");
    let even = StratifiedKFold::new(3).shuffle(2).split(&data).expect("folds");
    let runs = KFold::new(3).split(&data).expect("folds");
    for (train, test) in [folds, even, runs].concat() {
        assert!(train.describe().is_some() && test.describe().is_some());
        laws::check_source(&train, &registry());
        laws::check_source(&test.rechunk(7), &registry());
    }
}
