//! The job of the hinge: the loss of all rows at some weights, one of its subgradients, and
//! the rows that lie nearest to the margin.

use std::sync::Arc;

use drystone_core::wire::{exact_sums, raw};
use drystone_core::{BlockAt, Job, Layout, Partial, Result};
use drystone_kernels::linear::{Pick, Shape, Sums, Vectors, dots};
use drystone_kernels::{ExactSum, Isa};
use serde::{Deserialize, Serialize};

use super::evaluate::add;
use super::space::{Sides, Space, bounded, changed, sound_or};
use crate::draws::Smallest;
use crate::rows::row_values;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Nearest {
    pub space: Arc<Space>,
    pub n_rows: usize,
    pub tasks: Vec<At>,
}

/// One problem, and weights.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct At {
    pub sides: Sides,
    #[serde(with = "raw")]
    pub w: Vec<f64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NearestPartial {
    pub tasks: Vec<Margin>,
}

/// What rows come to in one problem.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Margin {
    /// The sums of cost x slack, and of costs, over the rows whose slack is positive.
    #[serde(with = "exact_sums")]
    sums: Vec<ExactSum>,
    /// The sum of cost x side x row over the same.
    #[serde(with = "raw")]
    pub pull: Vec<i128>,
    /// The rows whose slack has the least magnitudes; their weight is cost x side.
    pub rows: Smallest,
}

impl Margin {
    pub fn loss(&self) -> f64 {
        self.sums[0].value()
    }

    pub fn cost(&self) -> f64 {
        self.sums[1].value()
    }
}

impl Partial for NearestPartial {
    fn merge(&mut self, other: Self) {
        for (into, other) in self.tasks.iter_mut().zip(other.tasks) {
            into.sums.iter_mut().zip(&other.sums).for_each(|(sum, other)| sum.merge(other));
            add(&mut into.pull, &other.pull);
            into.rows.merge(other.rows);
        }
    }
}

impl At {
    /// The sums are counted in units of these.
    pub fn pull(&self, space: &Space) -> Sums {
        let bound = bounded(self.sides.largest(space));
        Sums::new(Shape::Rows, space.frame().stride(), bound)
    }
}

impl Job for Nearest {
    const NAME: &'static str = "svc.linear.nearest/1";
    type State = ();
    type Partial = NearestPartial;

    fn check(&self, layout: &Layout) -> Result<()> {
        self.space.check(layout)?;
        sound_or(self.tasks.len() <= self.space.classes.len())?;
        self.tasks.iter().try_for_each(|task| {
            task.sides.check(&self.space)?;
            let finite = task.w.iter().all(|w| w.is_finite());
            sound_or(finite && task.w.len() == self.space.n_weights())
        })
    }

    fn empty(&self) -> NearestPartial {
        let stride = self.space.frame().stride();
        let margin = || Margin {
            sums: vec![ExactSum::new(); 2],
            pull: vec![0; stride],
            rows: Smallest::new(self.n_rows),
        };
        NearestPartial { tasks: self.tasks.iter().map(|_| margin()).collect() }
    }

    fn map(&self, at: &BlockAt, (): &mut (), into: &mut NearestPartial) -> Result<()> {
        let space = &*self.space;
        let mut pulls: Vec<Sums> = self.tasks.iter().map(|task| task.pull(space)).collect();
        let all: Vec<Vec<f64>> = self.tasks.iter().map(|task| space.to_frame(&task.w)).collect();
        let vectors = Vectors::new(space.frame().stride(), &all);
        let (mut products, mut picks) = (Vec::new(), Vec::new());
        space.for_each_tile(at, |tile, marks| {
            dots(Isa::best(), tile, &vectors, &mut products);
            let products = products.chunks_exact(tile.n_rows());
            for (((task, pull), into), products) in
                self.tasks.iter().zip(&mut pulls).zip(&mut into.tasks).zip(products)
            {
                picks.clear();
                for (row, product) in products.iter().enumerate() {
                    let (sign, cost) = task.sides.of(&marks, row);
                    if cost == 0.0 {
                        continue;
                    }
                    let slack = 1.0 - sign * product;
                    if slack > 0.0 {
                        into.sums[0].add(cost * slack);
                        into.sums[1].add(cost);
                        picks.push(Pick { row: row as u32, coef: cost * sign });
                    }
                    let idx = marks.first + row;
                    into.rows.offer(slack.abs(), at.first_row + idx as u64, cost * sign, || {
                        row_values(&at.block.records, idx)
                    });
                }
                if !pull.add(Isa::best(), tile, &picks, &mut into.pull) {
                    return Err(at.locate(changed("weights in the range of the first pass"), None));
                }
            }
            Ok(())
        })?;
        for (pull, into) in pulls.iter_mut().zip(&mut into.tasks) {
            pull.flush(&mut into.pull);
            into.rows.seal();
        }
        Ok(())
    }
}
