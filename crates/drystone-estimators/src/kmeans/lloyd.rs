//! One of Lloyd's iterations for all restarts: assign each row to its nearest centroid,
//! and sum up rows, labels and, where they are asked for, costs by cluster. One pass, no
//! matrix of distances.

use drystone_core::wire::{exact_sums, raw};
use drystone_core::{BlockAt, Error, ErrorKind, Job, Layout, Partial, Result};
use drystone_kernels::distance::distances;
use drystone_kernels::limbs::{Accumulator, ClusterSums, OutOfRange, Scales};
use drystone_kernels::screen::Frame;
use drystone_kernels::{ExactSum, Isa};
use serde::{Deserialize, Serialize};

use super::assign::Assigner;
use super::element::{
    Real, batch_rows, check_job, named, records_of, sound, weight_of, whole_rows,
};
use super::labelled::{self, Labelled, label_hash};
use super::nearness::Index;
use super::sums::Sums;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub(crate) struct Lloyd<T> {
    pub n_features: usize,
    /// What bounds the integers that rows are summed as.
    pub range: Range,
    /// Iterations before this one.
    pub step: u64,
    pub restarts: Vec<Task<T>>,
}

/// The iteration of one restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub(crate) struct Task<T> {
    /// Which one it is: the state of its rows goes by this number.
    pub restart: u32,
    /// `(n_clusters, n_features)`.
    pub centroids: Centroids<T>,
    /// For each cluster, by how much gaps of its rows may have closed since the first
    /// iteration, in units of the frame; empty if no row is to be skipped.
    #[serde(with = "raw")]
    pub drifts: Vec<f64>,
    /// Whether to sum up the costs of the rows.
    pub costs: bool,
}

/// The box that holds the rows, and their largest weight.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Range {
    #[serde(with = "raw")]
    pub low: Vec<f64>,
    #[serde(with = "raw")]
    pub high: Vec<f64>,
    pub max_weight: f64,
}

impl Range {
    pub fn scales<T: Real>(&self) -> Scales {
        let sides = self.low.iter().zip(&self.high);
        let max_abs: Vec<f64> = sides.map(|(low, high)| low.abs().max(high.abs())).collect();
        Scales::new::<T>(&max_abs, self.max_weight)
    }

    pub fn frame(&self) -> Frame {
        Frame::new(&self.low, &self.high)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub(crate) struct Centroids<T>(#[serde(with = "raw")] pub Vec<T>);

impl<T> Centroids<T> {
    /// At least one, all of them whole.
    pub fn check(&self, n_features: usize) -> Result<()> {
        sound(!self.0.is_empty() && whole_rows(&self.0, n_features))
    }
}

/// What the rows of each cluster add up to, for each restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LloydPartial {
    #[serde(with = "exact_sums")]
    pub costs: Vec<ExactSum>,
    /// Sums of a hash of (row, label) over the rows of positive weight: equal only if
    /// the labels are.
    #[serde(with = "raw")]
    pub labels: Vec<u64>,
    pub sums: Vec<Sums>,
}

impl Partial for LloydPartial {
    fn merge(&mut self, other: Self) {
        self.costs.iter_mut().zip(&other.costs).for_each(|(cost, other)| cost.merge(other));
        for (labels, other) in self.labels.iter_mut().zip(&other.labels) {
            *labels = labels.wrapping_add(*other);
        }
        self.sums.iter_mut().zip(&other.sums).for_each(|(sums, other)| sums.0.merge(&other.0));
    }
}

impl<T: Real> Job for Lloyd<T> {
    const NAME: &'static str = named(T::DTYPE, "kmeans.lloyd.f32/2", "kmeans.lloyd.f64/2");
    /// By the number of the restart.
    type State = Vec<(u32, Labelled)>;
    type Partial = LloydPartial;

    fn check(&self, layout: &Layout) -> Result<()> {
        check_job(layout, self.n_features, self.restarts.len())?;
        let fits = |values: &[f64]| values.len() == self.n_features;
        sound(fits(&self.range.low) && fits(&self.range.high))?;
        self.restarts.iter().try_for_each(|task| {
            task.centroids.check(self.n_features)?;
            sound(task.drifts.is_empty() || task.drifts.len() == task.n_clusters(self.n_features))
        })
    }

    fn empty(&self) -> LloydPartial {
        let empty = |task: &Task<T>| {
            Sums(ClusterSums::new(task.n_clusters(self.n_features), self.n_features))
        };
        LloydPartial {
            costs: vec![ExactSum::new(); self.restarts.len()],
            labels: vec![0; self.restarts.len()],
            sums: self.restarts.iter().map(empty).collect(),
        }
    }

    fn map(
        &self,
        rows: &BlockAt,
        state: &mut Vec<(u32, Labelled)>,
        into: &mut LloydPartial,
    ) -> Result<()> {
        let slice = Slice {
            rows,
            records: records_of::<T>(rows, self.n_features)?,
            n_features: self.n_features,
            scales: &self.range.scales::<T>(),
        };
        let frame = self.range.frame();
        let mut before = std::mem::take(state);
        for (slot, task) in self.restarts.iter().enumerate() {
            let known = before.iter().position(|(restart, _)| *restart == task.restart);
            let known = known.map(|at| before.swap_remove(at).1);
            let outputs = Outputs { cost: &mut into.costs[slot], sums: &mut into.sums[slot].0 };
            let labelled = slice.assign(task, &frame, known, outputs)?;
            into.labels[slot] = into.labels[slot].wrapping_add(labelled.hash);
            state.push((task.restart, labelled));
        }
        Ok(())
    }

    fn step(&self) -> u64 {
        self.step
    }

    fn state_bytes_per_row(&self) -> usize {
        let bytes = |task: &Task<T>| {
            let n_clusters = task.n_clusters(self.n_features);
            labelled::bytes_per_row(n_clusters, !task.drifts.is_empty())
        };
        self.restarts.iter().map(bytes).sum()
    }
}

impl<T> Task<T> {
    fn n_clusters(&self, n_features: usize) -> usize {
        self.centroids.0.len() / n_features
    }
}

/// What one restart adds to.
struct Outputs<'a> {
    cost: &'a mut ExactSum,
    sums: &'a mut ClusterSums,
}

/// The rows of one call.
struct Slice<'a, T> {
    rows: &'a BlockAt,
    records: &'a [T],
    n_features: usize,
    scales: &'a Scales,
}

/// Rows of a slice.
type Rows = std::ops::Range<usize>;

/// What all rows of a slice add up to.
struct Totals<'a, T> {
    slice: &'a Slice<'a, T>,
    task: &'a Task<T>,
    accumulator: Option<Accumulator<T>>,
    d2: Vec<f64>,
}

impl<'a, T: Real> Totals<'a, T> {
    fn new(slice: &'a Slice<'a, T>, task: &'a Task<T>, sums: bool) -> Self {
        let n_clusters = task.n_clusters(slice.n_features);
        let accumulator = sums.then(|| Accumulator::new(n_clusters, slice.scales));
        Self { slice, task, accumulator, d2: Vec::new() }
    }

    /// Adds a batch, given its labels, and its cost where that is asked for.
    fn add(&mut self, batch: Rows, labels: &[u32], cost: &mut ExactSum) -> Result<()> {
        let (slice, d) = (self.slice, self.slice.n_features);
        let records = &slice.records[batch.start * d..batch.end * d];
        let weights = slice.rows.block.weights.as_deref().map(|all| &all[batch.clone()]);
        if self.task.costs {
            let rows: Vec<u32> = (0..batch.len() as u32).collect();
            self.d2.resize(rows.len(), 0.0);
            let centroids = &self.task.centroids.0;
            distances(Isa::best(), records, d, &rows, centroids, labels, &mut self.d2);
            for (row, d2) in self.d2.iter().enumerate() {
                cost.add(weight_of(weights, row) * d2);
            }
        }
        let Some(accumulator) = &mut self.accumulator else {
            return Ok(());
        };
        let added = accumulator.add(Isa::best(), records, weights, labels);
        added.map_err(|beyond| slice.out_of_range(batch.start + beyond.row, &beyond))
    }

    fn flush_into(&mut self, sums: &mut ClusterSums) -> Result<()> {
        let Some(accumulator) = &mut self.accumulator else {
            return Ok(());
        };
        let flushed = accumulator.flush_into(sums);
        flushed.map_err(|beyond| self.slice.out_of_range(beyond.row, &beyond))
    }
}

/// A row that has another label than before.
struct Move {
    row: u32,
    from: u32,
    to: u32,
}

impl<T: Real> Slice<'_, T> {
    /// One iteration of one restart: of all rows, or of those whose labels may have changed.
    fn assign(
        &self,
        task: &Task<T>,
        frame: &Frame,
        known: Option<Labelled>,
        out: Outputs<'_>,
    ) -> Result<Labelled> {
        let mut assigner = Assigner::new(self.n_features, &task.centroids.0, frame);
        let Some(known) = known else {
            return self.assign_first(task, &mut assigner, out);
        };
        let labelled = self.assign_again(task, &mut assigner, known)?;
        let mut totals = Totals::new(self, task, labelled.sums.is_none());
        if totals.accumulator.is_some() || task.costs {
            let mut index = Vec::new();
            for batch in self.batches() {
                labelled.labels.copy_into(batch.clone(), &mut index);
                totals.add(batch, &index, out.cost)?;
            }
        }
        match &labelled.sums {
            Some(sums) => out.sums.merge(sums),
            None => totals.flush_into(out.sums)?,
        }
        Ok(labelled)
    }

    /// The rows in groups that fit the cache.
    fn batches(&self) -> impl Iterator<Item = Rows> + use<T> {
        let n_rows = self.records.len() / self.n_features;
        let size = batch_rows::<T>(self.n_features);
        (0..n_rows).step_by(size).map(move |first| first..n_rows.min(first + size))
    }

    /// All of it in one go: what a batch is assigned to, its sums and its costs.
    fn assign_first(
        &self,
        task: &Task<T>,
        assigner: &mut Assigner<'_, T>,
        out: Outputs<'_>,
    ) -> Result<Labelled> {
        let n_rows = self.records.len() / self.n_features;
        let skips = !task.drifts.is_empty();
        let mut labelled = Labelled {
            labels: Index::new(n_rows, task.n_clusters(self.n_features)),
            ends: vec![0.0; if skips { n_rows } else { 0 }],
            sums: None,
            hash: 0,
        };
        let mut totals = Totals::new(self, task, true);
        for batch in self.batches() {
            let rows: Vec<u32> = (batch.start as u32..batch.end as u32).collect();
            let found = assigner.assign(self.records, &rows);
            let found = found.map_err(|none| none.in_slice(self.rows))?;
            for ((&row, &label), &gap) in rows.iter().zip(&found.index).zip(&found.gap) {
                labelled.labels.set(row as usize, label);
                labelled.hash = labelled.hash.wrapping_add(self.hash(row, label));
                if skips {
                    let drift = task.drifts[label as usize];
                    labelled.ends[row as usize] = labelled::end(gap, drift);
                }
            }
            totals.add(batch, &found.index, out.cost)?;
        }
        let mut sums = ClusterSums::new(task.n_clusters(self.n_features), self.n_features);
        totals.flush_into(&mut sums)?;
        out.sums.merge(&sums);
        let kept = labelled::bytes_of_sums(sums.sums().len(), size_of_val(self.records));
        labelled.sums = kept.map(|_| sums);
        Ok(labelled)
    }

    fn assign_again(
        &self,
        task: &Task<T>,
        assigner: &mut Assigner<'_, T>,
        mut labelled: Labelled,
    ) -> Result<Labelled> {
        let margin = assigner.margin();
        let reach: Vec<f32> =
            task.drifts.iter().map(|&drift| labelled::reach(drift, margin)).collect();
        let mut moves = Vec::new();
        for batch in labelled.due(&reach).chunks(batch_rows::<T>(self.n_features)) {
            let found = assigner.assign(self.records, batch);
            let found = found.map_err(|none| none.in_slice(self.rows))?;
            for ((&row, &to), &gap) in batch.iter().zip(&found.index).zip(&found.gap) {
                let from = labelled.labels.get(row as usize) as u32;
                if from != to {
                    moves.push(Move { row, from, to });
                    labelled.labels.set(row as usize, to);
                }
                if !reach.is_empty() {
                    let drift = task.drifts[to as usize];
                    labelled.ends[row as usize] = labelled::end(gap, drift);
                }
            }
        }
        for Move { row, from, to } in &moves {
            let change = self.hash(*row, *to).wrapping_sub(self.hash(*row, *from));
            labelled.hash = labelled.hash.wrapping_add(change);
        }
        if let Some(sums) = &mut labelled.sums {
            self.move_rows(&moves, sums)?;
        }
        Ok(labelled)
    }

    /// Takes rows from the sums of one cluster to those of another.
    fn move_rows(&self, moves: &[Move], sums: &mut ClusterSums) -> Result<()> {
        if moves.is_empty() {
            return Ok(());
        }
        let none = Accumulator::new(sums.n_clusters(), self.scales);
        let mut changes = [none.clone(), none];
        let mut values = Vec::new();
        for moves in moves.chunks(batch_rows::<T>(self.n_features)) {
            values.clear();
            moves.iter().for_each(|moved| values.extend_from_slice(self.row(moved.row)));
            let weights = self.rows.block.weights.as_deref();
            let weights: Option<Vec<f64>> =
                weights.map(|all| moves.iter().map(|moved| all[moved.row as usize]).collect());
            let clusters: [Vec<u32>; 2] = [
                moves.iter().map(|moved| moved.to).collect(),
                moves.iter().map(|moved| moved.from).collect(),
            ];
            for (change, index) in changes.iter_mut().zip(&clusters) {
                let added = change.add(Isa::best(), &values, weights.as_deref(), index);
                added
                    .map_err(|beyond| self.out_of_range(moves[beyond.row].row as usize, &beyond))?;
            }
        }
        let [gained, lost] = changes.map(|mut change| {
            let mut total = ClusterSums::new(sums.n_clusters(), self.n_features);
            change.flush_into(&mut total).map(|()| total)
        });
        let lost = lost.map_err(|beyond| self.out_of_range(beyond.row, &beyond))?;
        sums.merge(&gained.map_err(|beyond| self.out_of_range(beyond.row, &beyond))?);
        sums.subtract(&lost);
        Ok(())
    }

    fn row(&self, row: u32) -> &[T] {
        &self.records[row as usize * self.n_features..][..self.n_features]
    }

    /// Rows of no weight have no part in the sum of hashes.
    fn hash(&self, row: u32, label: u32) -> u64 {
        let weight = weight_of(self.rows.block.weights.as_deref(), row as usize);
        if weight > 0.0 { label_hash(self.rows.first_row + u64::from(row), label) } else { 0 }
    }

    /// A value beyond what the first pass saw.
    fn out_of_range(&self, row: usize, beyond: &OutOfRange) -> Error {
        let expected = format!("magnitudes of at most {}", beyond.bound);
        let kind = ErrorKind::SourceChanged { expected, found: beyond.value.to_string() };
        let error = self.rows.locate(kind.into(), Some(row));
        match beyond.column {
            Some(column) => error.at_column(column as u64),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests;
