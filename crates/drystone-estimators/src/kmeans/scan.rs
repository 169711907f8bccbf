//! The first pass: the range of each column and of the weights, whether all numbers are
//! finite, and the rows that random draws without distances choose.

use drystone_core::rng::row_uniform;
use drystone_core::wire::exact_sums;
use drystone_core::{BlockAt, Error, ErrorKind, Job, Layout, Partial, Records, Result, Rows};
use drystone_kernels::{ExactSum, Float, math};
use serde::{Deserialize, Serialize};

use super::element::{Real, check_job};
use crate::draws::{Smallest, key};
use crate::rows::{row_values, weight_of};

/// Round of the keys that draw rows before there are distances.
const FIRST_ROUND: u64 = 0;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Scan {
    pub n_features: usize,
    /// One seed a restart.
    pub seeds: Vec<u64>,
    /// Rows to draw for each.
    pub n_draws: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ScanPartial {
    pub n_samples: u64,
    /// Rows of positive weight.
    pub n_weighty: u64,
    pub min: Vec<f64>,
    pub max: Vec<f64>,
    pub max_weight: f64,
    #[serde(with = "exact_sums")]
    weight: Vec<ExactSum>,
    /// Rows drawn in proportion to their weight, without replacement; a list a restart.
    pub draws: Vec<Smallest>,
}

impl ScanPartial {
    /// Sum of all weights.
    pub fn total_weight(&self) -> f64 {
        self.weight[0].value()
    }

    /// The largest magnitude in each column.
    pub fn max_abs(&self) -> Vec<f64> {
        self.min.iter().zip(&self.max).map(|(min, max)| min.abs().max(max.abs())).collect()
    }
}

impl Partial for ScanPartial {
    fn merge(&mut self, other: Self) {
        self.n_samples += other.n_samples;
        self.n_weighty += other.n_weighty;
        self.min.iter_mut().zip(other.min).for_each(|(min, other)| *min = min.min(other));
        self.max.iter_mut().zip(other.max).for_each(|(max, other)| *max = max.max(other));
        self.max_weight = self.max_weight.max(other.max_weight);
        self.weight[0].merge(&other.weight[0]);
        self.draws.iter_mut().zip(other.draws).for_each(|(draws, other)| draws.merge(other));
    }
}

impl Job for Scan {
    const NAME: &'static str = "kmeans.scan/1";
    type State = ();
    type Partial = ScanPartial;

    fn check(&self, layout: &Layout) -> Result<()> {
        check_job(layout, self.n_features, self.seeds.len())
    }

    fn empty(&self) -> ScanPartial {
        ScanPartial {
            n_samples: 0,
            n_weighty: 0,
            min: vec![f64::INFINITY; self.n_features],
            max: vec![f64::NEG_INFINITY; self.n_features],
            max_weight: 0.0,
            weight: vec![ExactSum::new()],
            draws: vec![Smallest::new(self.n_draws); self.seeds.len()],
        }
    }

    fn map(&self, rows: &BlockAt, (): &mut (), into: &mut ScanPartial) -> Result<()> {
        match &rows.block.records {
            Records::F32(records) => scan_records(rows, records, into)?,
            Records::F64(records) => scan_records(rows, records, into)?,
        }
        scan_weights(rows, into)?;
        self.draw(rows, into);
        Ok(())
    }
}

impl Scan {
    /// Exponential keys: the smallest of -ln(u)/w are a draw without replacement in
    /// proportion to w.
    fn draw(&self, rows: &BlockAt, into: &mut ScanPartial) {
        if self.n_draws == 0 {
            return;
        }
        let weights = rows.block.weights.as_deref();
        for (&seed, draws) in self.seeds.iter().zip(&mut into.draws) {
            for row in 0..rows.block.n_samples() {
                let position = rows.first_row + row as u64;
                let weight = weight_of(weights, row);
                let key = key(-math::ln(row_uniform(seed, FIRST_ROUND, position)), weight);
                draws.offer(key, position, weight, || row_values(&rows.block.records, row));
            }
            draws.seal();
        }
    }
}

fn scan_records<T: Real>(rows: &BlockAt, records: &Rows<T>, into: &mut ScanPartial) -> Result<()> {
    let n_features = into.min.len();
    if records.n_features() != n_features {
        return Err(Error::shape("features", n_features as u64, records.n_features() as u64));
    }
    let all = Extremes::of(records);
    if !all.sound {
        return Err(not_finite(rows, records));
    }
    into.n_samples += records.n_samples() as u64;
    all.merge_into(&mut into.min, &mut into.max);
    Ok(())
}

/// The least and the greatest value of each column, and whether all values are finite.
struct Extremes<T> {
    min: Vec<T>,
    max: Vec<T>,
    sound: bool,
}

impl<T: Real> Extremes<T> {
    fn of(records: &Rows<T>) -> Self {
        let n_features = records.n_features();
        let mut min = vec![T::INFINITY; n_features];
        let mut max = vec![T::from_f64(f64::NEG_INFINITY); n_features];
        let mut sound = true;
        for row in records.values().chunks_exact(n_features) {
            for ((min, max), &value) in min.iter_mut().zip(&mut max).zip(row) {
                *min = if value < *min { value } else { *min };
                *max = if value > *max { value } else { *max };
                sound &= value.is_finite();
            }
        }
        Self { min, max, sound }
    }

    fn merge_into(&self, min: &mut [f64], max: &mut [f64]) {
        for column in 0..min.len() {
            // Adding 0 makes -0.0 to 0.0: which of them came first must not show.
            min[column] = min[column].min(Float::to_f64(self.min[column]) + 0.0);
            max[column] = max[column].max(Float::to_f64(self.max[column]) + 0.0);
        }
    }
}

fn not_finite<T: Real>(rows: &BlockAt, records: &Rows<T>) -> Error {
    let bad = records.values().iter().position(|value| !value.is_finite()).unwrap_or(0);
    let (row, column) = (bad / records.n_features(), bad % records.n_features());
    let error: Error = ErrorKind::NotFinite { found: records.values()[bad].to_string() }.into();
    rows.locate(error.at_column(column as u64), Some(row))
}

fn scan_weights(rows: &BlockAt, into: &mut ScanPartial) -> Result<()> {
    let Some(weights) = rows.block.weights.as_deref() else {
        let n_samples = rows.block.n_samples();
        into.n_weighty += n_samples as u64;
        into.weight[0].add(n_samples as f64);
        into.max_weight = if n_samples > 0 { 1.0 } else { into.max_weight };
        return Ok(());
    };
    for (row, &weight) in weights.iter().enumerate() {
        if !(weight >= 0.0 && weight.is_finite()) {
            let error: Error = ErrorKind::Weight { found: weight.to_string() }.into();
            return Err(rows.locate(error, Some(row)));
        }
        into.n_weighty += u64::from(weight > 0.0);
        into.weight[0].add(weight);
        into.max_weight = into.max_weight.max(weight);
    }
    Ok(())
}
