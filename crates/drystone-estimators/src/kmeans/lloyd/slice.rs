//! One iteration of one restart over the rows of a slice.

use drystone_core::{BlockAt, Error, ErrorKind, Result};
use drystone_kernels::distance::distances;
use drystone_kernels::limbs::{Accumulator, ClusterSums, OutOfRange, Scales};
use drystone_kernels::screen::Frame;
use drystone_kernels::{ExactSum, Isa};

use super::Task;
use crate::kmeans::assign::Assigner;
use crate::kmeans::element::{Real, batch_rows};
use crate::kmeans::labelled::{self, Labelled, label_hash};
use crate::kmeans::nearness::Index;
use crate::rows::weight_of;

/// What one restart adds to.
pub(super) struct Outputs<'a> {
    pub cost: &'a mut ExactSum,
    pub sums: &'a mut ClusterSums,
}

/// The rows of one call.
pub(super) struct Slice<'a, T> {
    pub rows: &'a BlockAt,
    pub records: &'a [T],
    pub n_features: usize,
    pub scales: &'a Scales,
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
    pub fn assign(
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
        let mut changes = Accumulator::new(sums.n_clusters(), self.scales);
        let (mut values, mut weights) = (Vec::new(), Vec::new());
        for moves in moves.chunks(self.rows_in_first_cache()) {
            values.clear();
            moves.iter().for_each(|moved| values.extend_from_slice(self.row(moved.row)));
            weights.clear();
            if let Some(all) = self.rows.block.weights.as_deref() {
                weights.extend(moves.iter().map(|moved| all[moved.row as usize]));
            }
            let weights = (!weights.is_empty()).then_some(&weights[..]);
            let to: Vec<u32> = moves.iter().map(|moved| moved.to).collect();
            let from: Vec<u32> = moves.iter().map(|moved| moved.from).collect();
            let moved = changes.add(Isa::best(), &values, weights, &to);
            let moved = moved.and_then(|()| changes.remove(Isa::best(), &values, weights, &from));
            moved.map_err(|beyond| self.out_of_range(moves[beyond.row].row as usize, &beyond))?;
        }
        let flushed = changes.flush_into(sums);
        flushed.map_err(|beyond| self.out_of_range(beyond.row, &beyond))
    }

    /// Rows that are copied, and then read twice, while they are near.
    fn rows_in_first_cache(&self) -> usize {
        const BYTES: usize = 16 << 10;
        (BYTES / (self.n_features * size_of::<T>())).max(1)
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
