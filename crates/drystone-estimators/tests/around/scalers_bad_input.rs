//! What scalers cannot be fitted or applied to is a typed error that says where.

use drystone_core::{Block, BlockRows, CancelToken, ChunkedDataset, Dtype, ErrorKind, Layout};
use drystone_estimators::preprocessing::{MinMaxScaler, StandardScaler};
use ndarray::{Array2, array};

use crate::support::{cut_at, cut_into};

/// Both scalers refuse to be fitted, in these words.
fn refused(data: &ChunkedDataset, expected: &str) {
    let error = StandardScaler::params().fit(data).expect_err("a bad dataset").to_string();
    assert_eq!(error, expected, "StandardScaler");
    let error = MinMaxScaler::params().fit(data).expect_err("a bad dataset").to_string();
    assert_eq!(error, expected, "MinMaxScaler");
}

#[test]
fn numbers_that_are_none() {
    for (bad, name) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        let mut records = Array2::<f64>::ones((9, 3));
        records[(7, 1)] = bad;
        let expected = format!("block 2, row 7, column 1: expected a finite number, found {name}");
        refused(&cut_at(&Block::new(records.clone()), &[3, 6], true), &expected);
        refused(&cut_at(&Block::new(records.clone()), &[3, 6], false), &expected);
        let single = Block::new(records.mapv(|value| value as f32));
        refused(&cut_at(&single, &[3, 6], true), &expected);
        // Applied, they are errors as well.
        let scaler = StandardScaler::params().fit(&Array2::<f64>::ones((2, 3))).expect("a scaler");
        let data = cut_at(&Block::new(records.clone()), &[3, 6], true);
        let error = scaler.transform(&data).sum().compute().expect_err("not finite");
        assert_eq!(error.to_string(), expected);
        let error = scaler.try_transform_array(&records).expect_err("not finite").to_string();
        assert_eq!(error, format!("row 7, column 1: expected a finite number, found {name}"));
        let error = scaler.inverse_transform(&data).read(2).expect_err("not finite");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn weights_that_are_none() {
    for (bad, name) in [(-1.0, "-1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let block = Block::new(Array2::<f64>::ones((4, 1))).with_weights(vec![1.0, 0.0, 1.0, bad]);
        let text = "expected a finite sample weight of at least 0, found";
        refused(&cut_into(&block, 2), &format!("block 1, row 3: {text} {name}"));
    }
    let none = Block::new(array![[1.0], [2.0]]).with_weights(vec![0.0, 0.0]);
    let error = StandardScaler::params().fit(&cut_into(&none, 2)).expect_err("no weight");
    assert_eq!(error.to_string(), "no row has a positive weight");
    let scaler = MinMaxScaler::params().fit(&cut_into(&none, 2)).expect("weights do not matter");
    assert_eq!(scaler.data_max(), [2.0]);
}

#[test]
fn nothing_to_fit_to() {
    let empty = |n_features| cut_into(&Block::new(Array2::<f64>::zeros((0, n_features))), 2);
    refused(&empty(3), "the dataset has no rows");
    refused(&empty(0), "the dataset has no columns");
}

#[test]
fn columns_beyond_the_range_of_doubles() {
    let fit = |column: &[f64]| {
        let data = Array2::from_shape_fn((column.len(), 2), |(row, j)| [1.0, column[row]][j]);
        StandardScaler::params().fit(&data).expect_err("out of range").to_string()
    };
    let text = "column 1: expected a finite number, found a sum";
    let sum = format!("{text} of the column that leaves the range of f64; rescale it");
    assert_eq!(fit(&[1e308, 1.5e308]), sum);
    let squares =
        format!("{text} of squares of the column that leaves the range of f64; rescale it");
    assert_eq!(fit(&[1e200, -1e200]), squares);
    let data = array![[1e308], [-1e308]];
    assert_eq!(
        MinMaxScaler::params().fit(&data).expect_err("out of range").to_string(),
        "column 0: expected a finite number, found a width of the column that leaves the range of \
         f64; rescale it"
    );
    let scaler = MinMaxScaler::params().fit(&array![[0.0_f32], [1e-30]]).expect("a scaler");
    assert_eq!(
        scaler.try_transform_array(&array![[1.0_f32], [1e20]]).expect_err("too far").to_string(),
        "row 1, column 0: expected a finite number, found 100000000000000000000, which scaled \
         leaves the range of f32"
    );
}

#[test]
fn other_columns() {
    let scaler = MinMaxScaler::params().fit(&array![[0.0, 1.0], [1.0, 3.0]]).expect("a scaler");
    let data = cut_into(&Block::new(Array2::<f64>::ones((4, 3))), 2);
    for scaled in [scaler.transform(&data), scaler.inverse_transform(&data)] {
        let error = scaled.read(0).expect_err("3 columns");
        assert_eq!(error.to_string(), "block 0: expected 2 features, found 3");
        assert!(matches!(error.kind(), ErrorKind::Shape { .. }));
    }
    let error = scaler.try_transform_array(&array![[1.0]]).expect_err("1 column");
    assert_eq!(error.to_string(), "expected 2 features, found 1");
}

#[test]
fn ranges_that_are_none() {
    let nan = f64::NAN;
    for (low, high) in [(1.0, 1.0), (2.0, 1.0), (nan, 1.0), (0.0, nan), (0.0, f64::INFINITY)] {
        let params = MinMaxScaler::params().feature_range(low, high);
        let error = params.fit(&array![[1.0]]).expect_err("no range").to_string();
        let text = "parameter `feature_range` must be a low end below the high one, both finite";
        assert_eq!(error, format!("{text}, found {low}..{high}"));
    }
    assert!(MinMaxScaler::params().feature_range(-1e308, 1e308).check().is_err());
}

#[test]
fn sources_that_fail_and_fits_that_are_cancelled() {
    let layout = Layout::with_rows(Dtype::F64, 1, BlockRows::from_counts(&[1, 1]));
    let data = ChunkedDataset::from_blocks(layout, |idx| match idx {
        0 => Ok(Block::new(array![[1.0]])),
        _ => Err(ErrorKind::Empty { what: "gone".into() }.into()),
    });
    refused(&data, "block 1: gone");
    let token = CancelToken::new();
    token.cancel();
    let error = StandardScaler::params().cancel(&token).fit(&array![[1.0]]).expect_err("no");
    assert!(matches!(error.kind(), ErrorKind::Stopped { .. }), "{error}");
}
