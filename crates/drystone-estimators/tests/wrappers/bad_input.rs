//! What is wrong, and in which block, in words.

use drystone_core::{Block, Error, ErrorKind, Targets};
use drystone_estimators::wrappers::{BlockTarget, BlockwiseVoting, UnfitBlocks};
use linfa_svm::Svm;
use ndarray::{Array2, array};

use crate::support::{Mean, MostFrequent, column, cut_at};

fn classes(values: &[i64]) -> Block {
    column(Targets::I64(values.to_vec().into()))
}

/// The error of a fit with targets of this type.
fn error<Y: BlockTarget + linfa::Label>(
    voting: &BlockwiseVoting<MostFrequent>,
    block: &Block,
    cuts: &[usize],
) -> Error {
    voting.fit::<f64, Y, _>(&cut_at(block, cuts)).map(|_| ()).expect_err("an error")
}

fn says<Y: BlockTarget + linfa::Label>(block: &Block, cuts: &[usize], text: &str) {
    let voting = BlockwiseVoting::new(MostFrequent::default());
    assert_eq!(error::<Y>(&voting, block, cuts).to_string(), text);
}

#[test]
fn blocks_that_cannot_be_fitted_are_named() {
    let block = classes(&[0, 1, 0, 1, 1, 1]);
    says::<bool>(&block, &[2, 2, 4], "block 1: no model can be fitted to a block without rows");
    says::<bool>(
        &block,
        &[4],
        "block 1: expected rows of at least two classes in each block (shuffle them, or skip such \
         blocks), found class true only",
    );
    let skipping = BlockwiseVoting::new(MostFrequent::default()).unfit_blocks(UnfitBlocks::Skip);
    let error = error::<usize>(&skipping, &classes(&[3, 3, 3]), &[0]);
    assert_eq!(error.to_string(), "there is no block that a model can be fitted to");
    assert!(matches!(error.kind(), ErrorKind::Empty { .. }));
}

#[test]
fn failures_of_the_estimator_are_named() {
    let block = classes(&[0, 1, 0, 1, 0, 1]);
    let failing = MostFrequent { fail_at: Some(2.0), panic_at: None };
    let found = error::<bool>(&BlockwiseVoting::new(failing), &block, &[2, 4]);
    assert_eq!(found.to_string(), "block 1: the user's code failed: invalid parameter too hard");
    assert!(matches!(found.kind(), ErrorKind::External));
    let panicking = MostFrequent { fail_at: None, panic_at: Some(4.0) };
    let found = error::<bool>(&BlockwiseVoting::new(panicking), &block, &[2, 4]);
    let text = found.to_string();
    assert!(text.starts_with("block 2: the user's code failed: it panicked: "), "{text}");
    assert!(text.contains("too odd"), "{text}");
}

#[test]
fn parameters_of_linfa_are_checked() {
    let params = Svm::<f64, bool>::params().linear_kernel().pos_neg_weights(-1.0, 1.0);
    let found = BlockwiseVoting::new(params).fit::<f64, bool, _>(&cut_at(&classes(&[0, 1]), &[]));
    let error = found.map(|_| ()).expect_err("a negative C");
    assert!(error.to_string().starts_with("block 0: the user's code failed: "), "{error}");
}

#[test]
fn targets_of_another_type_are_refused() {
    let text = "block 1, row 3: expected the target 1, 0 or -1, found 2";
    says::<bool>(&classes(&[-1, 1, 0, 2]), &[2], text);
    let text = "block 0, row 1: expected targets that are whole numbers from 0 to 2^53, found -1";
    says::<usize>(&classes(&[1, -1]), &[], text);
    let halves = column(Targets::F64(vec![1.0, 0.5].into()));
    let text = "block 0, row 1: expected targets that are whole numbers from 0 to 2^53, found 0.5";
    says::<usize>(&halves, &[], text);
    says::<String>(&halves, &[], "block 0: expected targets that are names, found f64");
    let names = column(Targets::categories(&["a", "b"]));
    says::<bool>(&names, &[], "block 0: expected the target 1, 0 or -1, found categories");
    let bare = Block::new(Array2::<f64>::zeros((2, 1)));
    says::<bool>(&bare, &[], "block 0: expected targets to fit an estimator to, found no targets");
    let infinite = column(Targets::F64(vec![1.0, f64::INFINITY].into()));
    let found = BlockwiseVoting::new(Mean).fit::<f64, f64, _>(&cut_at(&infinite, &[1]));
    let error = found.map(|_| ()).expect_err("an infinite target");
    assert_eq!(error.to_string(), "block 1, row 1: expected a finite number, found inf");
}

#[test]
fn records_are_checked() {
    let targets = || Targets::I64(vec![0, 1, 0, 1].into());
    let single = Block::new(Array2::<f32>::zeros((4, 1))).with_targets(targets());
    says::<bool>(&single, &[], "block 0: expected f64 data, found f32");
    let bad = Block::new(array![[0.0], [1.0], [2.0], [f64::NAN]]).with_targets(targets());
    says::<bool>(&bad, &[2], "block 1, row 3, column 0: expected a finite number, found NaN");
}

#[test]
fn other_widths_are_refused_when_voting() {
    let voters = BlockwiseVoting::new(MostFrequent::default());
    let voters = voters.fit::<f64, bool, _>(&cut_at(&classes(&[0, 1]), &[])).expect("voters");
    let found = voters.predict::<bool>(&array![[0.0, 1.0]]).expect("an array").compute();
    assert_eq!(
        found.expect_err("two columns").to_string(),
        "block 0: expected 1 features, found 2"
    );
    let found = voters.predict::<bool>(&array![[f64::NAN]]).expect("an array").compute();
    let text = "block 0, row 0, column 0: expected a finite number, found NaN";
    assert_eq!(found.expect_err("NaN").to_string(), text);
}
