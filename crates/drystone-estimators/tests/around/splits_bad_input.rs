//! What cannot be split is a typed error in plain words.

use drystone_core::{ErrorKind, Targets};
use drystone_estimators::model_selection::{
    KFold, StratifiedKFold, TestSize, stratified_train_test_split, train_test_split,
};

use crate::support::{cut_at, cut_into, positions};

#[test]
fn test_sizes_that_are_none() {
    let data = cut_into(&positions(10), 3);
    let sizes = [
        (TestSize::Fraction(0.0), "0.0"),
        (TestSize::Fraction(1.0), "1.0"),
        (TestSize::Fraction(-0.5), "-0.5"),
        (TestSize::Fraction(f64::NAN), "NaN"),
        (TestSize::Fraction(0.95), "0.95"),
        (TestSize::Rows(0), "0 rows"),
        (TestSize::Rows(10), "10 rows"),
        (TestSize::Rows(u64::MAX), "18446744073709551615 rows"),
    ];
    for (size, found) in sizes {
        let error = train_test_split(&data, size, 0).expect_err("no split").to_string();
        assert_eq!(
            error,
            format!(
                "parameter `test_size` must be above 0 and below 1, or at least 1 row, and leave \
                 some of the 10 rows to fit on, found {found}"
            )
        );
    }
    assert!(train_test_split(&cut_into(&positions(1), 1), 0.5, 0).is_err());
    assert!(train_test_split(&cut_into(&positions(0), 1), 0.5, 0).is_err());
}

#[test]
fn numbers_of_folds_that_are_none() {
    let data = cut_into(&positions(5).with_targets(Targets::I64(vec![1, 1, 1, 2, 2].into())), 2);
    for k in [0, 1, 6] {
        let text = "parameter `n_splits` must be at least 2 and at most the number of rows, 5";
        let wanted = format!("{text}, found {k}");
        let errors = [
            KFold::new(k).split(&data).map(|_| ()),
            KFold::new(k).shuffle(1).split(&data).map(|_| ()),
            StratifiedKFold::new(k).split(&data).map(|_| ()),
        ];
        for error in errors {
            assert_eq!(error.expect_err("no folds").to_string(), wanted);
        }
    }
    assert_eq!(
        StratifiedKFold::new(4).split(&data).map(|_| ()).expect_err("no folds").to_string(),
        "parameter `n_splits` must be at most the number of rows of the largest class, 3, found 4"
    );
}

#[test]
fn classes_that_cannot_be_stratified() {
    let error = |targets: Option<Targets>, size: f64| {
        let block = positions(6);
        let block = match targets {
            Some(targets) => block.with_targets(targets),
            None => block,
        };
        let data = cut_at(&block, &[2, 4], true);
        stratified_train_test_split(&data, size, 0).expect_err("no split").to_string()
    };
    assert_eq!(error(None, 0.5), "expected targets to stratify by, found no targets");
    assert_eq!(
        error(Some(Targets::categories(&["a", "a", "b", "a", "a", "a"])), 0.5),
        "expected at least 2 rows of each class to stratify by, found 1 of class \"b\""
    );
    assert_eq!(
        error(Some(Targets::I64(vec![1, 1, 2, 2, 3, 3].into())), 0.3),
        "parameter `test_size` must be such that both parts have a row for each of 3 classes, \
         found 4 rows to fit on and 2 to test on"
    );
    assert_eq!(
        error(Some(Targets::F64(vec![1.0, 1.0, 2.0, 2.0, 3.0, f64::NAN].into())), 0.3),
        "block 2, row 5: expected a finite number, found NaN"
    );
}

#[test]
fn real_targets_are_not_taken_for_classes() {
    let n = 100_000;
    let targets: Vec<f64> = (0..n).map(|row| f64::from(row) / 7.0).collect();
    let data = cut_into(&positions(n as usize).with_targets(Targets::F64(targets.into())), 4);
    let error = StratifiedKFold::new(2).split(&data).map(|_| ()).expect_err("too many classes");
    assert!(matches!(error.kind(), ErrorKind::Limit { limit: 65_536, .. }), "{error}");
    assert!(error.to_string().contains("the number of classes to stratify by is "), "{error}");
}

/// A dataset that changes after it was split is found out.
#[test]
fn targets_that_change() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let reads = AtomicUsize::new(0);
    let layout = drystone_core::Layout::new(drystone_core::Dtype::F64, 1, 8, 8)
        .targets(drystone_core::TargetKind::I64);
    let data = drystone_core::ChunkedDataset::from_blocks(layout, move |_| {
        let targets = match reads.fetch_add(1, Ordering::Relaxed) {
            0 => vec![0, 0, 0, 0, 1, 1, 1, 1],
            _ => vec![2; 8],
        };
        Ok(positions(8).with_targets(Targets::I64(targets.into())))
    });
    let (_, test) = stratified_train_test_split(&data, 0.5, 0).expect("a split");
    let error = test.read(0).expect_err("other classes");
    assert!(matches!(error.kind(), ErrorKind::SourceChanged { .. }), "{error}");
}
