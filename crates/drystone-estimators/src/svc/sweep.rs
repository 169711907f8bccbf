//! The step of the solver over all blocks: gradients take in what changed, and the rows come
//! back that violate the conditions of the optimum most.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use drystone_core::wire::{self, Digest, exact_sums};
use drystone_core::{BlockAt, Job, Layout, Partial, Result};
use drystone_kernels::ExactSum;
use serde::{Deserialize, Serialize};

use super::classes::Classes;
use super::kernel::{Frame, Prepared};
use super::log::{Extremes, Log, Pool, Segment, prepared};
use super::rows::{PairRows, Tiled, View};
use crate::checks::sound;
use crate::draws::Smallest;
use crate::rows::row_values;
use crate::rows::weight_of;

/// Rows of a slice: a row takes long, and is worth sharing out in small lots.
pub(crate) const SLICE_ROWS: usize = 1024;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sweep {
    pub frame: Arc<Frame>,
    pub classes: Arc<Classes>,
    /// C for rows of weight 1, of each class.
    pub costs: Vec<f64>,
    pub step: u64,
    pub keeps_tiles: bool,
    pub pool: Arc<Pool>,
    /// The problems that are not solved yet.
    pub pairs: Vec<PairTask>,
}

/// A problem of two classes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PairTask {
    /// Which, among all.
    pub pair: u32,
    /// The classes, as positions.
    pub first: u32,
    pub second: u32,
    pub log: Arc<Log>,
    /// Rows whose gradients are wanted, ascending; they are no candidates.
    pub watched: Arc<Vec<u64>>,
    /// Candidates wanted of each kind.
    pub n_candidates: usize,
    /// If given, what this intercept leaves to be desired is measured.
    pub intercept: Option<f64>,
    /// The rows of the last segment in their frame, made when first needed.
    #[serde(skip)]
    pub latest: Latest,
}

/// The rows of a segment in their frame and what they are taken times, in one precision.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latest {
    single: OnceLock<(Prepared<f32>, Vec<f64>)>,
    double: OnceLock<(Prepared<f64>, Vec<f64>)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SweepPartial {
    pub pairs: Vec<PairPartial>,
}

/// What the rows of one problem say.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PairPartial {
    pub extremes: Extremes,
    /// Rows that may grow, of the least gradients: the key is the gradient, the weight the
    /// bound.
    pub growers: Smallest,
    /// Rows that may shrink, of the greatest gradients: the key is minus the gradient.
    pub shrinkers: Smallest,
    /// The gradients of watched rows that take part, by row.
    pub watched: Vec<(u64, f64)>,
    /// With an intercept: the sum of C times the hinge loss.
    #[serde(with = "exact_sums")]
    loss: Vec<ExactSum>,
    /// With an intercept: by how much the conditions are violated, at most.
    pub violation: f64,
}

impl PairPartial {
    /// The sum of C times the hinge loss, over all rows.
    pub fn loss(&self) -> f64 {
        self.loss[0].value()
    }
}

impl Partial for SweepPartial {
    fn merge(&mut self, other: Self) {
        for (pair, other) in self.pairs.iter_mut().zip(other.pairs) {
            pair.extremes.least = pair.extremes.least.min(other.extremes.least);
            pair.extremes.greatest = pair.extremes.greatest.max(other.extremes.greatest);
            pair.growers.merge(other.growers);
            pair.shrinkers.merge(other.shrinkers);
            pair.watched.extend(other.watched);
            pair.watched.sort_by_key(|(row, _)| *row);
            pair.loss[0].merge(&other.loss[0]);
            pair.violation = pair.violation.max(other.violation);
        }
    }
}

/// The rows of a slice, by problem.
#[derive(Default)]
pub(crate) struct SweepState(BTreeMap<u32, Kept>);

struct Kept {
    epoch: u32,
    /// Segments taken in.
    applied: usize,
    rows: PairRows,
}

impl Job for Sweep {
    const NAME: &'static str = "svc.sweep/1";
    type State = SweepState;
    type Partial = SweepPartial;

    fn check(&self, layout: &Layout) -> Result<()> {
        let d = layout.n_features;
        let n_classes = self.classes.len() as u32;
        sound(self.frame.is_sound() && self.frame.n_features() == d && self.pool.is_sound(d))?;
        sound(self.costs.len() == self.classes.len())?;
        let n_places = self.pool.n_rows() as u32;
        self.pairs.iter().try_for_each(|pair| {
            let changes = pair.log.segments.iter().flat_map(|segment| &segment.changes);
            let mut changes = pair.log.base.iter().chain(changes);
            sound(pair.first < pair.second && pair.second < n_classes)?;
            sound(!pair.log.segments.is_empty() && changes.all(|change| change.place < n_places))
        })
    }

    fn empty(&self) -> SweepPartial {
        let pair = |task: &PairTask| PairPartial {
            extremes: Extremes { least: f64::INFINITY, greatest: f64::NEG_INFINITY },
            growers: Smallest::new(task.n_candidates),
            shrinkers: Smallest::new(task.n_candidates),
            watched: Vec::new(),
            loss: vec![ExactSum::new()],
            violation: 0.0,
        };
        SweepPartial { pairs: self.pairs.iter().map(pair).collect() }
    }

    fn map(&self, at: &BlockAt, state: &mut SweepState, into: &mut SweepPartial) -> Result<()> {
        let mut codes = None;
        let mut kept = std::mem::take(&mut state.0);
        for (task, into) in self.pairs.iter().zip(&mut into.pairs) {
            let (epoch, applied) = (task.log.epoch, task.log.segments.len() - 1);
            let fits = |kept: &Kept| kept.epoch == epoch && kept.applied == applied;
            let mut rows = match kept.remove(&task.pair).filter(fits) {
                Some(kept) => kept.rows,
                None => {
                    if codes.is_none() {
                        codes = Some(self.classes.codes(at)?);
                    }
                    self.rebuild(at, task, codes.as_deref().unwrap_or_default())
                }
            };
            self.take_in(at, task, applied, &mut rows);
            report(at, task, &rows, into);
            state.0.insert(task.pair, Kept { epoch, applied: applied + 1, rows });
        }
        Ok(())
    }

    fn slice_rows(&self) -> usize {
        SLICE_ROWS
    }

    fn step(&self) -> u64 {
        self.step
    }

    fn restore(&self, _: &BlockAt) -> Result<SweepState> {
        // Problems that are not there are made again by `map`.
        Ok(SweepState::default())
    }

    fn state_bytes_per_row(&self) -> usize {
        bytes_per_row(self.classes.len(), self.frame.n_features(), self.keeps_tiles)
    }

    /// Whether rows are kept as kernels want them follows from memory, and changes no bit.
    fn digest(&self) -> Result<Digest> {
        wire::digest(&Self { keeps_tiles: false, ..self.clone() })
    }
}

/// Bytes of state for each row: it takes part in the problems of its class and another.
pub(crate) fn bytes_per_row(n_classes: usize, n_features: usize, keeps_tiles: bool) -> usize {
    let own = size_of::<u32>() + 3 * size_of::<f64>() + size_of::<bool>();
    let tiles = if keeps_tiles { (n_features + 1) * size_of::<f32>() } else { 0 };
    n_classes.saturating_sub(1).saturating_mul(own + tiles)
}

/// Whether rows are kept as kernels want them.
pub(crate) fn keeps_tiles(n_rows: u64, n_classes: usize, n_features: usize, budget: u64) -> bool {
    let [with, without] = [true, false].map(|keeps| bytes_per_row(n_classes, n_features, keeps));
    n_rows.saturating_mul((with - without) as u64) <= budget
}

impl Sweep {
    fn view<'a>(&'a self, at: &'a BlockAt) -> View<'a> {
        View {
            records: &at.block.records,
            frame: &self.frame,
            first_row: at.first_row,
            keeps_tiles: self.keeps_tiles,
        }
    }

    /// The rows of a problem as they were before the last segment, from nothing but the log.
    fn rebuild(&self, at: &BlockAt, task: &PairTask, codes: &[u32]) -> PairRows {
        let mut rows = PairRows::default();
        let weights = at.block.weights.as_deref();
        for (row, &code) in codes.iter().enumerate() {
            let weight = weight_of(weights, row);
            if (code == task.first || code == task.second) && weight > 0.0 {
                let cost = self.costs[code as usize] * weight;
                rows.push(row as u32, if code == task.first { cost } else { -cost });
            }
        }
        rows.start();
        let base = &task.log.base;
        let prepared = task.log.prepared_base.get_or_init(|| {
            Prepared::new(&self.frame, base.iter().map(|change| self.pool.row(change.place)))
        });
        let coefs: Vec<f64> = base.iter().map(|change| change.to).collect();
        rows.change(self.view(at), base, prepared.supports(), &coefs);
        (0..task.log.segments.len() - 1).for_each(|idx| self.take_in(at, task, idx, &mut rows));
        rows
    }

    /// Brings rows up to date with one segment.
    fn take_in(&self, at: &BlockAt, task: &PairTask, idx: usize, rows: &mut PairRows) {
        let segment = &task.log.segments[idx];
        let is_last = idx + 1 == task.log.segments.len();
        if task.log.precise {
            self.change::<f64>(at, segment, is_last.then_some(&task.latest.double), rows);
        } else {
            self.change::<f32>(at, segment, is_last.then_some(&task.latest.single), rows);
        }
        if let Some(extremes) = segment.shrink {
            rows.shrink(extremes);
        }
    }

    fn change<V: Tiled>(
        &self,
        at: &BlockAt,
        segment: &Segment,
        shared: Option<&OnceLock<(Prepared<V>, Vec<f64>)>>,
        rows: &mut PairRows,
    ) {
        let make = || prepared::<V>(&self.frame, &self.pool, &segment.changes);
        let own;
        let (supports, coefs) = match shared {
            Some(shared) => shared.get_or_init(make),
            None => {
                own = make();
                &own
            }
        };
        rows.change(self.view(at), &segment.changes, supports.supports(), coefs);
    }
}

/// Adds what rows say to a partial.
fn report(at: &BlockAt, task: &PairTask, rows: &PairRows, into: &mut PairPartial) {
    let mut watched = task.watched.partition_point(|row| *row < at.first_row);
    for idx in (0..rows.rows.len()).filter(|&idx| rows.live[idx]) {
        let (row, gradient) = (at.first_row + u64::from(rows.rows[idx]), rows.gradients[idx]);
        let (grows, shrinks) = rows.may(idx);
        if grows {
            into.extremes.least = into.extremes.least.min(gradient);
        }
        if shrinks {
            into.extremes.greatest = into.extremes.greatest.max(gradient);
        }
        if let Some(intercept) = task.intercept {
            let (bound, off) = (rows.bounds[idx], gradient + intercept);
            into.loss[0].add((-bound * off).max(0.0));
            let violation = if grows { -off } else { 0.0 }.max(if shrinks { off } else { 0.0 });
            into.violation = into.violation.max(violation).max(rows.excess(idx));
        }
        while task.watched.get(watched).is_some_and(|other| *other < row) {
            watched += 1;
        }
        if task.watched.get(watched) == Some(&row) {
            into.watched.push((row, gradient));
            continue;
        }
        let values = || row_values(&at.block.records, rows.rows[idx] as usize);
        if grows {
            into.growers.offer(gradient, row, rows.bounds[idx], values);
        }
        if shrinks {
            into.shrinkers.offer(-gradient, row, rows.bounds[idx], values);
        }
    }
    into.growers.seal();
    into.shrinkers.seal();
    into.watched.sort_by_key(|(row, _)| *row);
}
