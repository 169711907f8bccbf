//! Data for the tests.

use drystone_core::block::RecordElement;
use drystone_core::{Block, ChunkedDataset, Targets, input};
use ndarray::{Array2, Axis};

pub fn path(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets").join(name)
}

/// Records and classes.
#[derive(Clone)]
pub struct Rows {
    pub records: Array2<f64>,
    pub targets: Vec<i64>,
    pub weights: Option<Vec<f64>>,
}

impl Rows {
    pub fn new(records: Array2<f64>, targets: Vec<i64>) -> Self {
        Self { records, targets, weights: None }
    }

    pub fn n_samples(&self) -> usize {
        self.targets.len()
    }

    /// In blocks of so many rows.
    pub fn cut(&self, block_rows: usize) -> ChunkedDataset {
        self.cut_as::<f64>(block_rows)
    }

    pub fn cut_as<T: RecordElement>(&self, block_rows: usize) -> ChunkedDataset {
        let records = self.records.mapv(T::from_f64);
        let block = Block::new(records).with_targets(Targets::I64(self.targets.clone().into()));
        let block = match &self.weights {
            Some(weights) => block.with_weights(weights.clone()),
            None => block,
        };
        input::cut(block, block_rows).expect("a dataset")
    }

    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            records: self.records.select(Axis(0), rows),
            targets: rows.iter().map(|&row| self.targets[row]).collect(),
            weights: self
                .weights
                .as_ref()
                .map(|weights| rows.iter().map(|&row| weights[row]).collect()),
        }
    }
}

/// The dataset of this name as `datasets/golden/svc.py` has it.
pub fn load(name: &str) -> Rows {
    match name {
        "lattice" => lattice(),
        "spambase.data" => spambase(),
        "heart_scale" => libsvm(name, 13),
        "pendigits" => {
            let rows = libsvm(name, 16);
            Rows { records: rows.records / 100.0, ..rows }
        }
        "a9a" => libsvm(name, 123).select(&(0..4000).collect::<Vec<_>>()),
        other => panic!("no dataset {other:?}"),
    }
}

fn libsvm(name: &str, n_features: usize) -> Rows {
    let text = std::fs::read_to_string(path(name)).expect("a file");
    let n_samples = text.lines().count();
    let mut records = Array2::zeros((n_samples, n_features));
    let mut targets = Vec::new();
    for (row, line) in text.lines().enumerate() {
        let mut fields = line.split_whitespace();
        let label = fields.next().expect("a label");
        targets.push(label.parse::<f64>().expect("a number") as i64);
        for field in fields {
            let (index, value) = field.split_once(':').expect("a pair");
            let column = index.parse::<usize>().expect("an index") - 1;
            records[(row, column)] = value.parse().expect("a value");
        }
    }
    Rows::new(records, targets)
}

fn spambase() -> Rows {
    let text = std::fs::read_to_string(path("spambase.data")).expect("a file");
    let row = |line: &str| -> Vec<f64> {
        line.split(',').map(|field| field.parse().expect("a number")).collect()
    };
    let all: Vec<Vec<f64>> = text.lines().map(row).collect();
    let (n, d) = (all.len(), all[0].len() - 1);
    let mut records = Array2::from_shape_fn((n, d), |(row, column)| all[row][column]);
    for mut column in records.columns_mut() {
        let mean = column.mean().expect("rows");
        let std = column.std(0.0);
        column.mapv_inplace(|x| (x - mean) / std);
    }
    Rows::new(records, all.iter().map(|row| row[d] as i64).collect())
}

/// As in `datasets/golden/svc.py`.
pub fn lattice() -> Rows {
    let value = |(row, column): (usize, usize)| {
        ((row * 7919 + column * 104_729 + row * column * 31) % 1009) as f64 / 1009.0 * 4.0 - 2.0
    };
    let records = Array2::from_shape_fn((600, 3), value);
    let class = |row: usize| {
        let [a, b, c] = [0, 1, 2].map(|column| records[(row, column)]);
        let class = i64::from(a * b > 0.3) + i64::from(c > 0.8);
        if row.is_multiple_of(7) { (class + 1) % 3 } else { class }
    };
    let targets = (0..600).map(class).collect();
    Rows::new(records, targets)
}

/// The two classes 0 and 1 of the lattice.
pub fn two_classes() -> Rows {
    let rows = lattice();
    let two: Vec<usize> = (0..rows.n_samples()).filter(|&row| rows.targets[row] < 2).collect();
    rows.select(&two)
}
