//! Voting, against fitting and counting block by block.

use drystone_core::block::RecordElement;
use drystone_core::{Block, ChunkedDataset, Dtype, Targets};
use drystone_estimators::wrappers::{BlockwiseVoting, UnfitBlocks};
use linfa::dataset::Pr;
use linfa::traits::{Fit, Predict};
use linfa::{DatasetBase, ParamGuard};
use linfa_svm::{Svm, SvmParams};
use ndarray::{Array1, Array2, array};

use crate::support::{Constant, Mean, MostFrequent, column, cut_at, heart, integers};

/// A block as linfa has it.
fn linfa<F: RecordElement>(block: &Block) -> DatasetBase<Array2<F>, Array1<bool>> {
    let records = block.records.view::<F>().expect("records").to_owned();
    DatasetBase::new(records, integers(block).iter().map(|target| *target == 1).collect())
}

fn blocks(data: &ChunkedDataset) -> Vec<Block> {
    (0..data.n_blocks()).map(|idx| data.read(idx).expect("a block")).collect()
}

/// linfa's SVM on each block in turn, and votes counted.
fn check_hard<F: RecordElement + linfa::Float>(block: &Block, params: SvmParams<F, bool>) {
    let data = cut_at(block, &[40, 100, 170, 230]);
    let valid = params.clone().check().expect("parameters");
    let models =
        blocks(&data).into_iter().map(|block| valid.fit(&linfa::<F>(&block)).expect("a model"));
    let models: Vec<Svm<F, bool>> = models.collect();
    let voters = BlockwiseVoting::new(params).fit::<F, bool, _>(&data).expect("voters");
    assert_eq!(voters.models(), models);
    assert_eq!(voters.blocks(), [0, 1, 2, 3, 4]);

    let records = block.records.view::<F>().expect("records");
    let votes = models.iter().map(|model| model.predict(&records));
    let votes: Vec<Array1<bool>> = votes.collect();
    let yes = |row: usize| votes.iter().filter(|votes| votes[row]).count();
    let wanted: Array1<bool> = (0..records.nrows()).map(|row| yes(row) > 2).collect();
    let found = voters.predict::<bool>(&data).expect("an array").compute().expect("classes");
    assert_eq!(found, wanted);
    // How the rows that are judged are cut does not matter, only how those of the fit were.
    let again = voters.predict::<bool>(&data.rechunk(7)).expect("an array");
    assert_eq!(again.compute().expect("classes"), wanted);
    let targets = integers(block);
    let right = found.iter().zip(&targets).filter(|(found, target)| **found == (**target == 1));
    assert!(right.count() > 220, "the votes are worth something");
}

#[test]
fn hard_votes_of_linfa_svm_are_counted() {
    let params = || Svm::params().gaussian_kernel(20.0).pos_neg_weights(1.0, 1.0);
    check_hard::<f64>(&heart(Dtype::F64), params());
    let params = || Svm::params().gaussian_kernel(20.0).pos_neg_weights(1.0, 1.0);
    check_hard::<f32>(&heart(Dtype::F32), params().eps(1e-3));
}

#[test]
fn soft_votes_of_linfa_svm_are_means_of_probabilities() {
    let block = heart(Dtype::F64);
    let data = cut_at(&block, &[90, 180]);
    let params = Svm::<f64, Pr>::params().gaussian_kernel(20.0).pos_neg_weights(1.0, 1.0);
    let valid = params.clone().check().expect("parameters");
    let models = blocks(&data)
        .into_iter()
        .map(|block| -> Svm<f64, Pr> { valid.fit(&linfa::<f64>(&block)).expect("a model") });
    let models: Vec<Svm<f64, Pr>> = models.collect();
    let voters = BlockwiseVoting::new(params).fit::<f64, bool, _>(&data).expect("voters");
    let found = voters.predict_mean::<Pr>(&data).expect("an array").compute().expect("means");
    let records = block.records.view::<f64>().expect("records");
    let votes: Vec<Array1<Pr>> = models.iter().map(|model| model.predict(&records)).collect();
    for (row, found) in found.iter().enumerate() {
        let wanted = votes.iter().map(|votes| f64::from(*votes[row])).sum::<f64>() / 3.0;
        assert!((found - wanted).abs() < 1e-15, "{found}, not {wanted}");
    }
    let classes = voters.predict_soft(&data).expect("an array").compute().expect("classes");
    assert_eq!(classes, found.mapv(|probability| probability > 0.5));
}

#[test]
fn regressions_are_averaged() {
    let targets: Vec<f64> = (0..10).map(f64::from).collect();
    let block = column(Targets::F64(targets.into()));
    let fit = |block: &Block| {
        let voters = BlockwiseVoting::new(Mean).fit::<f64, f64, _>(&cut_at(block, &[2, 5]));
        let means = voters.expect("voters").predict_mean::<f64>(&array![[0.0], [1.0]]);
        means.expect("an array").compute().expect("means")
    };
    // Means 0.5, 3 and 7: the mean of means is not that of all rows.
    assert_eq!(fit(&block), array![3.5, 3.5]);
    let weights: Vec<f64> = [vec![0.0, 1.0], vec![1.0; 8]].concat();
    assert_eq!(fit(&block.with_weights(weights)), Array1::from_elem(2, 11.0 / 3.0));
}

#[test]
fn single_precision_is_averaged_in_double() {
    let block = Block::new(Array2::<f32>::zeros((3, 1)));
    let block = block.with_targets(Targets::F64(vec![0.1, 0.2, 0.4].into()));
    let voters = BlockwiseVoting::new(Mean).fit::<f32, f32, _>(&cut_at(&block, &[1, 2]));
    let means = voters.expect("voters").predict_mean::<f32>(&Array2::<f32>::zeros((1, 1)));
    let wanted = (f64::from(0.1_f32) + f64::from(0.2_f32) + f64::from(0.4_f32)) / 3.0;
    assert!((means.expect("an array").compute().expect("means")[0] - wanted).abs() < 1e-16);
}

fn elected(targets: Targets, cuts: &[usize]) -> usize {
    let data = cut_at(&column(targets), cuts);
    let voters = BlockwiseVoting::new(MostFrequent::default()).fit::<f64, usize, _>(&data);
    let votes = voters.expect("voters").predict::<usize>(&array![[0.0]]);
    votes.expect("an array").compute().expect("classes")[0]
}

#[test]
fn ties_go_to_the_smallest_label() {
    let targets = |values: &[i64]| Targets::I64(values.to_vec().into());
    assert_eq!(elected(targets(&[9, 9, 1, 3, 3, 1]), &[3]), 3);
    assert_eq!(elected(targets(&[9, 9, 1, 3, 3, 1, 9, 1, 9]), &[3, 6]), 9);
    assert_eq!(elected(targets(&[7, 7, 1, 5, 5, 1, 9, 1, 9]), &[3, 6]), 5);
}

#[test]
fn names_are_elected() {
    let data = cut_at(
        &column(Targets::categories(&["b", "b", "a", "c", "a", "c", "b", "b", "a"])),
        &[3, 6],
    );
    let voters = BlockwiseVoting::new(MostFrequent::default()).fit::<f64, String, _>(&data);
    let voters = voters.expect("voters");
    let names = ["b", "c", "b"].map(|name| Constant(name.to_owned()));
    assert_eq!(voters.models(), names);
    let found = voters.predict::<String>(&array![[0.0]]).expect("an array");
    assert_eq!(found.compute().expect("names"), array!["b".to_owned()]);
}

#[test]
fn blocks_may_be_skipped() {
    let targets = Targets::I64(vec![0, 1, 1, 1, 1, 0, 0, 1].into());
    let data = cut_at(&column(targets), &[2, 2, 5]);
    let skipping = BlockwiseVoting::new(MostFrequent::default()).unfit_blocks(UnfitBlocks::Skip);
    let voters = skipping.fit::<f64, bool, _>(&data).expect("voters");
    assert_eq!(voters.blocks(), [0, 3]);
    assert_eq!(voters.skipped(), [1, 2]);
    assert_eq!(voters.models(), [Constant(false), Constant(false)]);
}
