//! Sum, mean, least, greatest and variance of each column, lazily.

use drystone_kernels::{ExactSum, Float};
use ndarray::Array1;
use serde::{Deserialize, Serialize};

use crate::block::{BlockAt, RecordElement, Records};
use crate::control::Control;
use crate::dataset::ChunkedDataset;
use crate::error::{Error, ErrorKind, Result};
use crate::executor::{Executor, Threads};
use crate::job::{Job, Partial};
use crate::layout::Layout;
use crate::observe::Silent;
use crate::registry::Registry;
use crate::session::Session;

pub(crate) fn register(registry: &mut Registry) {
    registry.job::<Moments>().job::<Spread>();
}

/// Which value of each column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Sum,
    Mean,
    Min,
    Max,
    Var,
}

/// A value of each column that is not computed yet.
///
/// Sums are exact before they are rounded once, so the result has the same bits
/// whatever the blocks and threads. A column that holds a NaN gives NaN.
#[derive(Clone, Debug)]
#[must_use = "a reduction is lazy: call compute()"]
pub struct ColumnReduction {
    data: ChunkedDataset,
    column: Column,
}

impl ColumnReduction {
    pub(crate) fn new(data: &ChunkedDataset, column: Column) -> Self {
        Self { data: data.clone(), column }
    }

    /// The values, `(n_features,)`, on the threads of this machine.
    ///
    /// # Errors
    /// The source's; [`ErrorKind::Empty`] for mean, least, greatest or variance of no rows.
    pub fn compute(&self) -> Result<Array1<f64>> {
        self.compute_on(&*Threads::shared())
    }

    /// The values, `(n_features,)`, on an executor.
    ///
    /// # Errors
    /// As for [`compute`](Self::compute), and the executor's.
    pub fn compute_on(&self, executor: &dyn Executor) -> Result<Array1<f64>> {
        let control = Control::default();
        let session = Session::new(executor, &Silent, &control);
        let n_features = self.data.n_features();
        let moments = session.run(&self.data, &Moments { n_features })?;
        if self.column != Column::Sum && moments.n_samples == 0 {
            let what = "a dataset without rows has no mean, least, greatest or variance".into();
            return Err(ErrorKind::Empty { what }.into());
        }
        let each = |value: &dyn Fn(usize) -> f64| (0..n_features).map(value).collect();
        Ok(match self.column {
            Column::Sum => each(&|column| moments.sum(column)),
            Column::Mean => each(&|column| moments.mean(column)),
            Column::Min => each(&|column| moments.min[column]),
            Column::Max => each(&|column| moments.max[column]),
            Column::Var => {
                let center: Vec<f64> = each(&|column| moments.mean(column)).to_vec();
                let spread = session.run(&self.data, &Spread { center })?;
                each(&|column| spread.sum(column) / moments.n_samples as f64)
            }
        })
    }
}

/// The job behind sums, means and extremes: one pass.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Moments {
    /// Columns of the dataset.
    pub n_features: usize,
}

/// What [`Moments`] gives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MomentsPartial {
    /// Rows seen.
    pub n_samples: u64,
    /// Least value of each column; infinity for no rows, NaN where one is in the column.
    pub min: Vec<f64>,
    /// Greatest value of each column; minus infinity for no rows, NaN likewise.
    pub max: Vec<f64>,
    #[serde(with = "crate::wire::exact_sums")]
    sums: Vec<ExactSum>,
}

impl MomentsPartial {
    /// Sum of a column, correctly rounded.
    #[must_use]
    pub fn sum(&self, column: usize) -> f64 {
        self.sums[column].value()
    }

    /// Mean of a column.
    #[must_use]
    pub fn mean(&self, column: usize) -> f64 {
        self.sum(column) / self.n_samples as f64
    }
}

impl Partial for MomentsPartial {
    fn merge(&mut self, other: Self) {
        self.n_samples += other.n_samples;
        for column in 0..self.sums.len() {
            self.sums[column].merge(&other.sums[column]);
            self.min[column] = least(self.min[column], other.min[column]);
            self.max[column] = greatest(self.max[column], other.max[column]);
        }
    }
}

/// The smaller value, or NaN if either is; -0.0 is smaller than 0.0, or else the bits
/// would depend on the order.
fn least(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a.total_cmp(&b).is_le() {
        a
    } else {
        b
    }
}

/// The greater value, as [`least`].
fn greatest(a: f64, b: f64) -> f64 {
    -least(-a, -b)
}

impl Job for Moments {
    const NAME: &'static str = "core.moments/1";
    type State = ();
    type Partial = MomentsPartial;

    fn check(&self, layout: &Layout) -> Result<()> {
        layout.check_width(self.n_features)
    }

    fn empty(&self) -> MomentsPartial {
        MomentsPartial {
            n_samples: 0,
            min: vec![f64::INFINITY; self.n_features],
            max: vec![f64::NEG_INFINITY; self.n_features],
            sums: vec![ExactSum::new(); self.n_features],
        }
    }

    fn map(&self, rows: &BlockAt, (): &mut (), into: &mut MomentsPartial) -> Result<()> {
        let found = rows.block.records.n_features();
        if found != self.n_features {
            return Err(Error::shape("features", self.n_features as u64, found as u64));
        }
        into.n_samples += rows.block.n_samples() as u64;
        for_each_value(&rows.block.records, |column, value| {
            into.sums[column].add(value);
            into.min[column] = least(into.min[column], value);
            into.max[column] = greatest(into.max[column], value);
        });
        Ok(())
    }
}

/// The job behind variances: sums of squared differences from `center`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Spread {
    /// What differences are taken from, for each column.
    pub center: Vec<f64>,
}

/// What [`Spread`] gives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SpreadPartial {
    #[serde(with = "crate::wire::exact_sums")]
    sums: Vec<ExactSum>,
}

impl SpreadPartial {
    /// Sum of the squared differences in a column, correctly rounded.
    #[must_use]
    pub fn sum(&self, column: usize) -> f64 {
        self.sums[column].value()
    }
}

impl Partial for SpreadPartial {
    fn merge(&mut self, other: Self) {
        self.sums.iter_mut().zip(&other.sums).for_each(|(sum, other)| sum.merge(other));
    }
}

impl Job for Spread {
    const NAME: &'static str = "core.spread/1";
    type State = ();
    type Partial = SpreadPartial;

    fn check(&self, layout: &Layout) -> Result<()> {
        layout.check_width(self.center.len())
    }

    fn empty(&self) -> SpreadPartial {
        SpreadPartial { sums: vec![ExactSum::new(); self.center.len()] }
    }

    fn map(&self, rows: &BlockAt, (): &mut (), into: &mut SpreadPartial) -> Result<()> {
        for_each_value(&rows.block.records, |column, value| {
            let difference = value - self.center[column];
            into.sums[column].add(difference * difference);
        });
        Ok(())
    }
}

fn for_each_value(records: &Records, mut f: impl FnMut(usize, f64)) {
    fn each<T: RecordElement>(rows: &crate::Rows<T>, f: &mut impl FnMut(usize, f64)) {
        for row in rows.values().chunks_exact(rows.n_features().max(1)) {
            row.iter().enumerate().for_each(|(column, &value)| f(column, Float::to_f64(value)));
        }
    }
    match records {
        Records::F32(rows) => each(rows, &mut f),
        Records::F64(rows) => each(rows, &mut f),
    }
}
