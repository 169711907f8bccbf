//! Models fitted before, over blocks.

use drystone_core::{Block, ChunkedArray, Dtype, ErrorKind};
use drystone_estimators::wrappers::PostFit;
use drystone_estimators::{Init, KMeans};
use linfa::DatasetBase;
use linfa::dataset::Pr;
use linfa::traits::{Fit, Predict, PredictInplace};
use linfa_svm::Svm;
use ndarray::{Array1, Array2, ArrayBase, Data, Ix1, Ix2, array};

use crate::support::{cut_at, heart, integers};

fn sample(block: &Block) -> DatasetBase<Array2<f64>, Array1<bool>> {
    let records = block.records.view::<f64>().expect("records").to_owned();
    DatasetBase::new(records, integers(block).iter().map(|target| *target == 1).collect())
}

#[test]
fn each_row_is_judged_as_in_memory() {
    let block = heart(Dtype::F64);
    let records = block.records.view::<f64>().expect("records");
    let svm = Svm::<f64, bool>::params().gaussian_kernel(10.0);
    let svm = svm.fit(&sample(&block.slice(0..100))).expect("a model");
    let wanted: Array1<bool> = svm.predict(&records);
    let post_fit = PostFit::new(svm);
    for cuts in [&[][..], &[100], &[0, 1, 1, 200]] {
        let found = post_fit.predict::<f64, bool, Ix1>(&cut_at(&block, cuts)).expect("an array");
        assert_eq!(found.compute().expect("classes"), wanted);
    }
    let probable = Svm::<f64, Pr>::params().gaussian_kernel(10.0);
    let probable = probable.fit(&sample(&block)).expect("a model");
    let wanted: Array1<Pr> = probable.predict(&records);
    let found = PostFit::new(probable).predict::<f64, Pr, _>(&cut_at(&block, &[9]));
    assert_eq!(found.expect("an array").compute().expect("probabilities"), wanted);
}

#[test]
fn our_own_models_are_linfa_models_too() {
    let block = heart(Dtype::F64);
    let init = Init::centroids(
        block.records.view::<f64>().expect("records").slice_move(ndarray::s![..3, ..]).to_owned(),
    );
    let data = cut_at(&block, &[50]);
    let model = KMeans::params(3).init(init).fit(&data).expect("a model");
    let wanted = model.predict(&data).compute().expect("labels").mapv(|label| label as usize);
    let found: ChunkedArray<usize, Ix1> =
        PostFit::new(model).predict::<f64, _, _>(&data).expect("an array");
    assert_eq!(found.compute().expect("labels"), wanted);
}

/// Each row twice over, as two columns.
struct Twice;

impl<D: Data<Elem = f32>> PredictInplace<ArrayBase<D, Ix2>, Array2<f32>> for Twice {
    fn predict_inplace(&self, records: &ArrayBase<D, Ix2>, targets: &mut Array2<f32>) {
        assert_eq!(records.ncols(), 1, "one column");
        targets.assign(records);
    }

    fn default_target(&self, records: &ArrayBase<D, Ix2>) -> Array2<f32> {
        Array2::zeros((records.nrows(), 2))
    }
}

#[test]
fn a_row_may_have_several_values() {
    let found = PostFit::new(Twice).predict::<f32, f32, Ix2>(&array![[1.0_f32], [2.0]]);
    let found = found.expect("an array").compute().expect("values");
    assert_eq!(found, array![[1.0, 1.0], [2.0, 2.0]]);
}

/// Forgets a row.
struct Short;

impl<D: Data<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array1<f64>> for Short {
    fn predict_inplace(&self, _: &ArrayBase<D, Ix2>, _: &mut Array1<f64>) {}

    fn default_target(&self, records: &ArrayBase<D, Ix2>) -> Array1<f64> {
        Array1::zeros(records.nrows() - 1)
    }
}

#[test]
fn what_goes_wrong_is_located() {
    let wide = Block::new(Array2::<f32>::zeros((6, 2)));
    let found = PostFit::new(Twice).predict::<f32, f32, Ix2>(&cut_at(&wide, &[]));
    let error = found.expect("an array").compute().expect_err("a panic");
    assert!(matches!(error.kind(), ErrorKind::External), "{error}");
    let text = error.to_string();
    assert!(text.starts_with("block 0: the user's code failed: it panicked: "), "{text}");
    assert!(text.contains("one column"), "{text}");

    let mut records = Array2::<f64>::zeros((6, 2));
    let found = PostFit::new(Short).predict::<f64, f64, Ix1>(&cut_at(&wide, &[]));
    let error = found.expect("an array").compute().expect_err("single precision");
    assert_eq!(error.to_string(), "block 0: expected f64 data, found f32");
    let found =
        PostFit::new(Short).predict::<f64, f64, Ix1>(&cut_at(&Block::new(records.clone()), &[2]));
    let error = found.expect("an array").read(1).expect_err("a row too few");
    assert_eq!(error.to_string(), "block 1: expected 4 predictions, found 3");
    records[[4, 1]] = f64::NAN;
    let found = PostFit::new(Short).predict::<f64, f64, Ix1>(&cut_at(&Block::new(records), &[2]));
    let error = found.expect("an array").read(1).expect_err("NaN");
    assert!(
        error.to_string().ends_with("column 1: expected a finite number, found NaN"),
        "{error}"
    );
}
