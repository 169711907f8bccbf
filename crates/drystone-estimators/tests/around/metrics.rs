//! Metrics against naive ones, and the same bits however data are cut.

use std::sync::Arc;

use drystone_core::{Block, ChunkedArray, ChunkedDataset, Label, Result, Targets};
use drystone_estimators::metrics::{ClassValue, accuracy, confusion_matrix, log_loss, roc_auc};
use drystone_kernels::math::ln;
use ndarray::{Array1, Array2, Ix1, array};
use proptest::prelude::*;

use crate::support::{N_BLOCKS, cut_at, cut_into, cuts, positions};

/// A value for each row, as a model would give them: by the block's records alone.
fn of_rows<T: Clone + Send + Sync + 'static>(
    data: &ChunkedDataset,
    values: &[T],
) -> ChunkedArray<T, Ix1> {
    let values: Arc<[T]> = values.into();
    ChunkedArray::new(data, move |block| {
        let rows = block.records.to_f64();
        Ok(rows.into_iter().map(|row| values[row as usize].clone()).collect::<Array1<T>>())
    })
}

fn block(targets: Targets, weights: Option<Vec<f64>>) -> Block {
    let block = positions(targets.len()).with_targets(targets);
    match weights {
        Some(weights) => block.with_weights(weights),
        None => block,
    }
}

fn integers(values: &[i64]) -> Targets {
    Targets::I64(values.to_vec().into())
}

/// Over all pairs of rows of different classes, in whole numbers.
fn naive_auc(rows: &[(bool, u8, u8)]) -> Option<f64> {
    let (mut won, mut all) = (0_u64, 0_u64);
    for greater in rows.iter().filter(|row| row.0) {
        for other in rows.iter().filter(|row| !row.0) {
            let weight = u64::from(greater.2) * u64::from(other.2);
            won += weight * (1 + u64::from(greater.1 > other.1) - u64::from(greater.1 < other.1));
            all += 2 * weight;
        }
    }
    (all > 0).then(|| won as f64 / all as f64)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_area_is_the_share_of_pairs(
        rows in prop::collection::vec((any::<bool>(), 0_u8..6, 0_u8..3), 2..80), (cuts, known) in cuts(),
        weighted: bool,
    ) {
        let rows: Vec<(bool, u8, u8)> = match weighted {
            true => rows,
            false => rows.into_iter().map(|(class, score, _)| (class, score, 1)).collect(),
        };
        let targets: Vec<i64> = rows.iter().map(|row| i64::from(row.0)).collect();
        let weights = weighted.then(|| rows.iter().map(|row| f64::from(row.2)).collect());
        let data = cut_at(&block(integers(&targets), weights), &cuts, known);
        let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.1) - 3.0).collect();
        let found = roc_auc(&data, &of_rows(&data, &scores));
        match naive_auc(&rows) {
            Some(wanted) => prop_assert_eq!(found.unwrap(), wanted),
            None => prop_assert!(found.is_err()),
        }
    }

    #[test]
    fn shares_and_counts_are_the_naive_ones(
        rows in prop::collection::vec((-1_i64..3, -1_i64..3, 1_u8..4), 1..80), (cuts, known) in cuts(),
    ) {
        let (targets, predicted): (Vec<i64>, Vec<i64>) = rows.iter().map(|row| (row.0, row.1)).unzip();
        let weights: Vec<f64> = rows.iter().map(|row| f64::from(row.2)).collect();
        let data = cut_at(&block(integers(&targets), Some(weights.clone())), &cuts, known);
        let predicted = of_rows(&data, &predicted);
        let weight = |wanted: &dyn Fn(&(i64, i64, u8)) -> bool| -> f64 {
            rows.iter().filter(|row| wanted(row)).map(|row| f64::from(row.2)).sum()
        };
        let share = weight(&|row| row.0 == row.1) / weight(&|_| true);
        prop_assert_eq!(accuracy(&data, &predicted).unwrap(), share);
        let matrix = confusion_matrix(&data, &predicted).unwrap();
        for target in -1..3 {
            for class in -1..3 {
                let found = matrix.weight(&target.into(), &class.into());
                prop_assert_eq!(found, weight(&|row| (row.0, row.1) == (target, class)));
            }
        }
    }
}

#[test]
fn the_same_bits_however_data_are_cut() {
    let n = 5000;
    let targets: Vec<i64> = (0..n).map(|row| i64::from(row % 7 < 3)).collect();
    let weights: Vec<f64> = (0..n).map(|row| 0.1 + (row % 11) as f64 / 3.0).collect();
    let scores: Vec<f64> = (0..n).map(|row| ((row * 7919) % 977) as f64 / 3.0).collect();
    let predicted: Vec<i64> = (0..n).map(|row| i64::from(row % 5 < 2)).collect();
    let block = block(integers(&targets), Some(weights));
    let all = |n_blocks| {
        let data = cut_into(&block, n_blocks);
        let predicted = of_rows(&data, &predicted);
        let area = roc_auc(&data, &of_rows(&data, &scores)).expect("an area").to_bits();
        let share = accuracy(&data, &predicted).expect("a share").to_bits();
        let loss = loss(&data, &scores).expect("a loss").to_bits();
        (area, share, loss, confusion_matrix(&data, &predicted).expect("a matrix"))
    };
    let first = all(1);
    for n_blocks in N_BLOCKS {
        assert_eq!(all(n_blocks), first, "{n_blocks} blocks");
    }
}

/// Of the classes 0 and 1, with a share of each score for the second.
fn loss(data: &ChunkedDataset, scores: &[f64]) -> Result<f64> {
    let scores: Arc<[f64]> = scores.into();
    let probabilities = ChunkedArray::new(data, move |block| {
        let rows = block.records.to_f64();
        let second = |row: usize| scores[rows[row] as usize] / 1000.0;
        let share = |row, column| if column == 1 { second(row) } else { 1.0 - second(row) };
        Ok(Array2::from_shape_fn((rows.len(), 2), |(row, column)| share(row, column)))
    });
    log_loss(data, &[0, 1].map(Label::from), &probabilities)
}

fn loss_of(targets: &[i64], weights: Option<Vec<f64>>, scores: &[f64]) -> String {
    let data = cut_into(&block(integers(targets), weights), 2);
    loss(&data, scores).map_or_else(|error| error.to_string(), |loss| loss.to_string())
}

#[test]
fn losses_of_what_is_certain() {
    assert_eq!(loss_of(&[0, 1, 1], None, &[0.0, 1000.0, 1000.0]), "0");
    let surprised = loss_of(&[0, 1, 1], Some(vec![0.0, 3.0, 0.0]), &[0.0, 0.0, 0.0]);
    assert_eq!(surprised, (-ln(f64::EPSILON)).to_string());
}

#[test]
fn losses_that_there_are_not() {
    let half = [500.0; 4];
    let classes = "expected targets of the classes that have probabilities, found class";
    assert_eq!(loss_of(&[0, 1, 1, 2], None, &half), format!("block 1, row 3: {classes} 2"));
    assert_eq!(
        loss_of(&[0, 1, 1, 0], None, &[0.0, 0.0, -1.0, 0.0]),
        "block 1, row 2, column 0: expected a probability from 0 to 1, found 1.001"
    );
    assert_eq!(
        loss_of(&[0, 1, 1, 0], None, &[0.0, f64::NAN, 0.0, 0.0]),
        "block 0, row 1, column 0: expected a probability from 0 to 1, found NaN"
    );
    assert_eq!(
        loss_of(&[0, 1, 1, 0], Some(vec![0.0; 4]), &half),
        "there are no rows of positive weight to compare"
    );
    let data = cut_into(&block(integers(&[0, 1]), None), 1);
    let three = ChunkedArray::new(&data, |_| Ok(array![[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]]));
    assert_eq!(
        log_loss(&data, &[0, 1].map(Label::from), &three).expect_err("too wide").to_string(),
        "block 0: expected 2 columns of probabilities, found 3"
    );
}

fn right<T: ClassValue + 'static>(targets: Targets, predicted: &[T]) -> Result<f64> {
    let data = cut_into(&block(targets, None), 2);
    accuracy(&data, &of_rows(&data, predicted))
}

#[test]
fn classes_are_compared_by_value() {
    let whole = || integers(&[1, 0, -2, 1]);
    let real = || Targets::F64(vec![1.0, -0.0, -2.0, 1.0].into());
    for targets in [whole, real] {
        assert_eq!(right(targets(), &[1_i64, 0, -2, 0]).expect("a share"), 0.75);
        assert_eq!(right(targets(), &[1.0, 0.0, -2.0, 1.5]).expect("a share"), 0.75);
        assert_eq!(right(targets(), &[1_u32, 0, 2, 1]).expect("a share"), 0.75);
        assert_eq!(right(targets(), &[1_i32, 0, -2, 1]).expect("a share"), 1.0);
        assert_eq!(right(targets(), &[true, false, false, true]).expect("a share"), 0.75);
        assert_eq!(right(targets(), &["1", "0", "-2", "1"].map(String::from)).expect("it"), 0.0);
        let labels = [1, 0, -2, 7].map(Label::from);
        assert_eq!(right(targets(), &labels).expect("a share"), 0.75);
    }
}

#[test]
fn names_are_compared_and_not_codes() {
    // The dictionaries of blocks, and that of predictions, have other names in other places.
    let names = ["b", "c", "a", "d", "b", "b"];
    let parts = [0..2, 2..3, 3..6].map(|rows| {
        let block = positions(6).slice(rows.clone());
        block.with_targets(Targets::categories(&names[rows]))
    });
    let data = ChunkedDataset::from_resident(parts.to_vec()).expect("blocks");
    let predicted = ["b", "b", "a", "x", "d", "b"].map(String::from);
    let predicted = of_rows(&data, &predicted);
    assert_eq!(accuracy(&data, &predicted).expect("a share"), 0.5);
    let matrix = confusion_matrix(&data, &predicted).expect("a matrix");
    assert_eq!(matrix.classes(), ["a", "b", "c", "d", "x"].map(Label::from));
    let wanted = array![
        [1.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 2.0, 0.0, 1.0, 0.0],
        [0.0, 1.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 1.0],
        [0.0, 0.0, 0.0, 0.0, 0.0],
    ];
    assert_eq!(matrix.weights(), wanted);
    assert_eq!(matrix.weight(&"b".into(), &"none".into()), 0.0);
}

/// The class of a block may be known for the greater one only after others are read.
#[test]
fn areas_of_names_and_of_blocks_of_one_class() {
    let targets = Targets::categories(&["yes", "yes", "no", "no", "yes"]);
    let scores = [0.9, 0.5, 0.5, 0.1, 0.2];
    for cuts in [&[][..], &[2], &[2, 4], &[1, 2, 3, 4]] {
        let data = cut_at(&block(targets.clone(), None), cuts, true);
        let found = roc_auc(&data, &of_rows(&data, &scores)).expect("an area");
        assert_eq!(found, 4.5 / 6.0, "{cuts:?}");
    }
}

#[test]
fn what_cannot_be_compared_is_an_error() {
    let six = |targets: Targets, weights| cut_into(&block(targets, weights), 3);
    let plain = six(integers(&[0, 1, 0, 1, 0, 1]), None);
    let predicted = |data: &ChunkedDataset| of_rows(data, &[0_i64; 6]);
    let share = |data: &ChunkedDataset| {
        let text = accuracy(data, &predicted(data)).expect_err("it is bad").to_string();
        let matrix = confusion_matrix(data, &predicted(data)).expect_err("it is bad").to_string();
        let area = roc_auc(data, &of_rows(data, &[1.0; 6])).expect_err("it is bad").to_string();
        assert_eq!((&matrix, &area), (&text, &text));
        text
    };
    let none = cut_into(&positions(6), 1);
    assert_eq!(share(&none), "block 0: expected targets to compare with, found no targets");
    let bad = six(Targets::F64(vec![0.0, 1.0, 1.0, 0.0, 1.0, f64::NAN].into()), None);
    assert_eq!(share(&bad), "block 2, row 5: expected a finite number, found NaN");
    let bad = six(integers(&[0; 6]), Some(vec![1.0, 1.0, 1.0, -2.0, 1.0, 1.0]));
    let text = "block 1, row 3: expected a finite sample weight of at least 0, found -2";
    assert_eq!(share(&bad), text);

    let short = ChunkedArray::new(&plain, |_| Ok(array![1_i64]));
    let error = accuracy(&plain, &short).expect_err("too few").to_string();
    assert!(error.ends_with(": expected 2 predictions, found 1"), "{error}");
    let error = accuracy(&plain, &of_rows(&plain, &[f64::INFINITY; 6])).expect_err("no class");
    assert!(error.to_string().ends_with("expected a finite number, found inf"), "{error}");
    let text = "there are no rows of positive weight to compare";
    for data in [six(integers(&[]), None), six(integers(&[0; 6]), Some(vec![0.0; 6]))] {
        assert_eq!(accuracy(&data, &predicted(&data)).expect_err("no rows").to_string(), text);
        assert_eq!(
            confusion_matrix(&data, &predicted(&data)).map(|_| ()).expect_err("no").to_string(),
            text
        );
    }
    let many = block(integers(&(0..5000).collect::<Vec<_>>()), None);
    for n_blocks in [1, 10] {
        let data = cut_into(&many, n_blocks);
        let error = confusion_matrix(&data, &of_rows(&data, &[0_i64; 5000])).map(|_| ());
        let error = error.expect_err("too many").to_string();
        assert!(error.contains("the number of classes of a confusion matrix is "), "{error}");
    }
}

#[test]
fn areas_that_are_not_defined() {
    let area = |targets: Targets, weights, scores: &[f64]| {
        let data = cut_into(&block(targets, weights), 1);
        roc_auc(&data, &of_rows(&data, scores)).expect_err("no area").to_string()
    };
    let scores = [0.5; 4];
    let classes = |n| format!("expected targets of two classes, found {n}");
    assert_eq!(area(integers(&[1; 4]), None, &scores), classes(1));
    assert_eq!(area(integers(&[]), None, &[]), classes(0));
    let three = area(integers(&[1, 2, 3, 1]), None, &scores);
    assert_eq!(three, format!("block 0: {}", classes(3)));
    let weights = Some(vec![1.0, 0.0, 0.0, 1.0]);
    assert_eq!(
        area(integers(&[0, 1, 1, 0]), weights, &scores),
        "expected rows of positive weight in both classes, found none in one of them"
    );
    assert_eq!(
        area(integers(&[0, 1, 1, 0]), None, &[0.0, 1.0, f64::NAN, 0.0]),
        "block 0, row 2: expected a finite number, found NaN"
    );
}
