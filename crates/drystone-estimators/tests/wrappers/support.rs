//! Data and estimators that the tests share.

use std::path::Path;

use drystone_core::block::RecordElement;
use drystone_core::{Block, BlockRows, ChunkedDataset, Dtype, Layout, Targets};
use drystone_sources::libsvm;
use linfa::DatasetBase;
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array1, Array2, ArrayBase, Data, Ix2};

/// Rows of a file in LIBSVM's format.
pub fn rows(name: &str, n_features: usize, n: u64, dtype: Dtype) -> Block {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets").join(name);
    let file = libsvm::open(path).n_features(n_features).dtype(dtype);
    file.dataset().expect("a dataset").slice(0..n).compute().expect("rows")
}

pub fn heart(dtype: Dtype) -> Block {
    rows("heart_scale", 13, 270, dtype)
}

pub fn integers(block: &Block) -> Vec<i64> {
    let Some(Targets::I64(values)) = &block.targets else { panic!("targets are integers") };
    values.to_vec()
}

/// A block in slices that end at `cuts` and at its end; equal cuts give empty slices.
pub fn cut_at(block: &Block, cuts: &[usize]) -> ChunkedDataset {
    let ends: Vec<usize> = cuts.iter().copied().chain([block.n_samples()]).collect();
    let starts = std::iter::once(0).chain(ends.clone());
    let blocks: Vec<Block> = starts.zip(&ends).map(|(from, &to)| block.slice(from..to)).collect();
    let counts: Vec<u64> = blocks.iter().map(|block| block.n_samples() as u64).collect();
    let counts = BlockRows::from_counts(&counts);
    let mut layout = Layout::with_rows(block.records.dtype(), block.records.n_features(), counts);
    layout.targets = block.targets.as_ref().map(Targets::kind);
    layout.weighted = block.weights.is_some();
    ChunkedDataset::from_blocks(layout, move |idx| Ok(blocks[idx].clone()))
}

/// One column, with these classes or numbers.
pub fn column(targets: Targets) -> Block {
    let n = targets.len();
    Block::new(Array2::from_shape_fn((n, 1), |(row, _)| row as f64)).with_targets(targets)
}

/// Predicts the target that occurs most, the smallest of equals; panics and fails on request.
#[derive(Clone, Debug, Default)]
pub struct MostFrequent {
    pub fail_at: Option<f64>,
    pub panic_at: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Constant<L>(pub L);

impl<F: RecordElement, L: linfa::Label> Fit<Array2<F>, Array1<L>, linfa::Error> for MostFrequent {
    type Object = Constant<L>;

    fn fit(
        &self,
        dataset: &DatasetBase<Array2<F>, Array1<L>>,
    ) -> Result<Constant<L>, linfa::Error> {
        let first = dataset.records()[[0, 0]].to_f64();
        if Some(first) == self.fail_at {
            return Err(linfa::Error::Parameters("too hard".to_owned()));
        }
        assert_ne!(Some(first), self.panic_at, "too odd");
        let targets = dataset.targets();
        let count = |label: &L| targets.iter().filter(|other| *other == label).count();
        let most = targets.iter().map(&count).max();
        let label = targets.iter().filter(|label| Some(count(label)) == most).min();
        Ok(Constant(label.cloned().expect("rows")))
    }
}

impl<F, L: Clone, D: Data<Elem = F>> PredictInplace<ArrayBase<D, Ix2>, Array1<L>> for Constant<L> {
    fn predict_inplace(&self, _: &ArrayBase<D, Ix2>, targets: &mut Array1<L>) {
        targets.fill(self.0.clone());
    }

    fn default_target(&self, records: &ArrayBase<D, Ix2>) -> Array1<L> {
        Array1::from_elem(records.nrows(), self.0.clone())
    }
}

/// The weighted mean of the targets.
#[derive(Clone, Debug)]
pub struct Mean;

impl<F: RecordElement> Fit<Array2<F>, Array1<F>, linfa::Error> for Mean {
    type Object = Constant<F>;

    fn fit(&self, data: &DatasetBase<Array2<F>, Array1<F>>) -> Result<Constant<F>, linfa::Error> {
        let weight = |row: usize| f64::from(data.weights().map_or(1.0, |weights| weights[row]));
        let rows = data.targets().iter().enumerate();
        let sum: f64 = rows.map(|(row, target)| weight(row) * target.to_f64()).sum();
        let all: f64 = (0..data.targets().len()).map(weight).sum();
        Ok(Constant(F::from_f64(sum / all)))
    }
}
