//! The job of Newton's method: the loss of all rows at some weights, its gradient, and how its
//! second derivative differs from that at other weights.

use std::sync::Arc;

use drystone_core::wire::{exact_sums, raw};
use drystone_core::{BlockAt, Job, Layout, Partial, Result};
use drystone_kernels::linear::{Pick, Shape, Sums, Vectors, dots};
use drystone_kernels::{ExactSum, Isa};
use serde::{Deserialize, Serialize};

use super::curve::Curve;
use super::space::{Sides, Space, bounded, changed, sound_or};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Evaluate {
    pub space: Arc<Space>,
    pub tasks: Vec<Task>,
}

/// One problem.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub sides: Sides,
    pub point: Place,
    /// Where the second derivative is known; None if it is to be summed up from nothing.
    pub known: Option<Place>,
}

/// Weights, and the loss that is looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Place {
    #[serde(with = "raw")]
    pub w: Vec<f64>,
    pub curve: Curve,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct EvaluatePartial {
    pub tasks: Vec<Found>,
}

/// What rows come to in one problem.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Found {
    #[serde(with = "exact_sums")]
    loss: Vec<ExactSum>,
    /// The sum of cost x slope x side x row.
    #[serde(with = "raw")]
    pub pull: Vec<i128>,
    /// The difference in the sums of cost x row x row' over the rows where the loss is curved.
    #[serde(with = "raw")]
    pub curvature: Vec<i128>,
}

impl Found {
    pub fn loss(&self) -> f64 {
        self.loss[0].value()
    }
}

impl Partial for EvaluatePartial {
    fn merge(&mut self, other: Self) {
        for (into, other) in self.tasks.iter_mut().zip(other.tasks) {
            into.loss[0].merge(&other.loss[0]);
            add(&mut into.pull, &other.pull);
            add(&mut into.curvature, &other.curvature);
        }
    }
}

pub(super) fn add(into: &mut [i128], other: &[i128]) {
    into.iter_mut().zip(other).for_each(|(a, b)| *a = a.wrapping_add(*b));
}

impl Place {
    pub fn check(&self, space: &Space) -> Result<()> {
        let finite = self.w.iter().all(|w| w.is_finite());
        sound_or(self.w.len() == space.n_weights() && finite && self.curve.is_sound())
    }
}

impl Task {
    /// The sums of a task are counted in units of these.
    pub fn pull(&self, space: &Space) -> Sums {
        let slope = self.point.curve.steepest(1.01 + space.reach(&self.point.w));
        let bound = bounded(self.sides.largest(space) * slope);
        Sums::new(Shape::Rows, space.frame().stride(), bound)
    }

    pub fn curvature(&self, space: &Space) -> Sums {
        let bound = bounded(self.sides.largest(space));
        Sums::new(space.curvature(), space.frame().stride(), bound)
    }
}

impl Job for Evaluate {
    const NAME: &'static str = "svc.linear.evaluate/1";
    type State = ();
    type Partial = EvaluatePartial;

    fn check(&self, layout: &Layout) -> Result<()> {
        self.space.check(layout)?;
        sound_or(self.tasks.len() <= self.space.classes.len())?;
        self.tasks.iter().try_for_each(|task| {
            task.sides.check(&self.space)?;
            task.point.check(&self.space)?;
            task.known.iter().try_for_each(|known| known.check(&self.space))
        })
    }

    fn empty(&self) -> EvaluatePartial {
        let stride = self.space.frame().stride();
        let found = || Found {
            loss: vec![ExactSum::new()],
            pull: vec![0; stride],
            curvature: vec![0; self.space.curvature().len(stride)],
        };
        EvaluatePartial { tasks: self.tasks.iter().map(|_| found()).collect() }
    }

    fn map(&self, at: &BlockAt, (): &mut (), into: &mut EvaluatePartial) -> Result<()> {
        let mut workers: Vec<Worker<'_>> =
            self.tasks.iter().map(|task| Worker::new(task, &self.space)).collect();
        let points = self.tasks.iter().map(|task| &task.point);
        let known = self.tasks.iter().filter_map(|task| task.known.as_ref());
        let all: Vec<Vec<f64>> =
            points.chain(known).map(|place| self.space.to_frame(&place.w)).collect();
        let vectors = Vectors::new(self.space.frame().stride(), &all);
        let mut products = Vec::new();
        self.space.for_each_tile(at, |tile, marks| {
            dots(Isa::best(), tile, &vectors, &mut products);
            let n_rows = tile.n_rows();
            let (new, old) = products.split_at(n_rows * self.tasks.len());
            let mut old = old.chunks_exact(n_rows);
            for ((worker, into), new) in
                workers.iter_mut().zip(&mut into.tasks).zip(new.chunks_exact(n_rows))
            {
                let old =
                    worker.task.known.as_ref().and_then(|known| Some((known.curve, old.next()?)));
                worker.look(new, old, |row| worker.task.sides.of(&marks, row), into);
                let (isa, pulls, bends) = (Isa::best(), &worker.pulls, &worker.bends);
                let within = worker.pull.add(isa, tile, pulls, &mut into.pull)
                    && worker.curvature.add(isa, tile, bends, &mut into.curvature);
                if !within {
                    return Err(at.locate(changed("slacks in the range of the first pass"), None));
                }
            }
            Ok(())
        })?;
        for (worker, into) in workers.iter_mut().zip(&mut into.tasks) {
            worker.pull.flush(&mut into.pull);
            worker.curvature.flush(&mut into.curvature);
        }
        Ok(())
    }
}

/// The sums of one task in progress.
struct Worker<'a> {
    task: &'a Task,
    pull: Sums,
    curvature: Sums,
    pulls: Vec<Pick>,
    bends: Vec<Pick>,
}

impl<'a> Worker<'a> {
    fn new(task: &'a Task, space: &Space) -> Self {
        let (pull, curvature) = (task.pull(space), task.curvature(space));
        Self { task, pull, curvature, pulls: Vec::new(), bends: Vec::new() }
    }
}

impl Worker<'_> {
    /// Finds what each row of a tile adds, given its products with the weights.
    fn look(
        &mut self,
        new: &[f64],
        old: Option<(Curve, &[f64])>,
        side: impl Fn(usize) -> (f64, f64),
        into: &mut Found,
    ) {
        self.pulls.clear();
        self.bends.clear();
        for (row, product) in new.iter().enumerate() {
            let (sign, cost) = side(row);
            if cost == 0.0 {
                continue;
            }
            let loss = self.task.point.curve.at(1.0 - sign * product);
            let row_idx = row as u32;
            if loss.slope > 0.0 {
                into.loss[0].add(cost * loss.value);
                self.pulls.push(Pick { row: row_idx, coef: cost * loss.slope * sign });
            }
            let was_curved =
                old.is_some_and(|(curve, old)| curve.at(1.0 - sign * old[row]).is_curved);
            if was_curved != loss.is_curved {
                let coef = if loss.is_curved { cost } else { -cost };
                self.bends.push(Pick { row: row_idx, coef });
            }
        }
    }
}
