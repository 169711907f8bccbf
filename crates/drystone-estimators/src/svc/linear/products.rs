//! The job of conjugate gradients: the second derivative of all rows' loss, times a direction.

use std::sync::Arc;

use drystone_core::wire::raw;
use drystone_core::{BlockAt, Job, Layout, Partial, Result};
use drystone_kernels::Isa;
use drystone_kernels::linear::{Pick, Shape, Sums, Vectors, dots};
use serde::{Deserialize, Serialize};

use super::evaluate::{Place, add};
use super::space::{Sides, Space, bounded, changed, sound_or};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Products {
    pub space: Arc<Space>,
    pub tasks: Vec<Along>,
}

/// One problem, and a direction.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Along {
    pub sides: Sides,
    pub point: Place,
    #[serde(with = "raw")]
    pub direction: Vec<f64>,
}

/// For each task, the sum of cost x row x row'direction over the rows where the loss is curved.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ProductsPartial {
    pub tasks: Vec<Product>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Product(#[serde(with = "raw")] pub Vec<i128>);

impl Partial for ProductsPartial {
    fn merge(&mut self, other: Self) {
        self.tasks
            .iter_mut()
            .zip(&other.tasks)
            .for_each(|(into, other)| add(&mut into.0, &other.0));
    }
}

impl Along {
    /// The sums are counted in units of these.
    pub fn sums(&self, space: &Space) -> Sums {
        let bound = bounded(self.sides.largest(space) * space.reach(&self.direction));
        Sums::new(Shape::Rows, space.frame().stride(), bound)
    }
}

impl Job for Products {
    const NAME: &'static str = "svc.linear.products/1";
    type State = ();
    type Partial = ProductsPartial;

    fn check(&self, layout: &Layout) -> Result<()> {
        self.space.check(layout)?;
        sound_or(self.tasks.len() <= self.space.classes.len())?;
        self.tasks.iter().try_for_each(|task| {
            task.sides.check(&self.space)?;
            task.point.check(&self.space)?;
            let finite = task.direction.iter().all(|p| p.is_finite());
            sound_or(finite && task.direction.len() == self.space.n_weights())
        })
    }

    fn empty(&self) -> ProductsPartial {
        let stride = self.space.frame().stride();
        ProductsPartial { tasks: self.tasks.iter().map(|_| Product(vec![0; stride])).collect() }
    }

    fn map(&self, at: &BlockAt, (): &mut (), into: &mut ProductsPartial) -> Result<()> {
        let space = &*self.space;
        let mut sums: Vec<Sums> = self.tasks.iter().map(|task| task.sums(space)).collect();
        let pairs = self.tasks.iter().flat_map(|task| [&task.point.w, &task.direction]);
        let all: Vec<Vec<f64>> = pairs.map(|vector| space.to_frame(vector)).collect();
        let vectors = Vectors::new(space.frame().stride(), &all);
        let (mut products, mut picks) = (Vec::new(), Vec::new());
        space.for_each_tile(at, |tile, marks| {
            dots(Isa::best(), tile, &vectors, &mut products);
            let pairs = products.chunks_exact(2 * tile.n_rows());
            for (((task, sums), into), pair) in
                self.tasks.iter().zip(&mut sums).zip(&mut into.tasks).zip(pairs)
            {
                picks.clear();
                let (decisions, along) = pair.split_at(tile.n_rows());
                for (row, (decision, along)) in decisions.iter().zip(along).enumerate() {
                    let (sign, cost) = task.sides.of(&marks, row);
                    if cost > 0.0 && task.point.curve.at(1.0 - sign * decision).is_curved {
                        picks.push(Pick { row: row as u32, coef: cost * along });
                    }
                }
                if !sums.add(Isa::best(), tile, &picks, &mut into.0) {
                    return Err(at.locate(changed("values in the range of the first pass"), None));
                }
            }
            Ok(())
        })?;
        sums.iter_mut().zip(&mut into.tasks).for_each(|(sums, into)| sums.flush(&mut into.0));
        Ok(())
    }
}
