//! One endless sequence of normal numbers that can be entered anywhere.
//!
//! It comes in grains, each a function of (seed, purpose, number of the grain). Grains
//! are cut by values, not by rows: they have one size whatever the number of features.

use drystone_kernels::Isa;
use drystone_kernels::normal::fill_normal;

/// Values of a grain: 32 KiB, which a level-1 cache holds. Seeding one costs 2 % of
/// filling it. Part of the definition of every value.
const GRAIN: usize = 4096;

/// More than the magnitude of any of the numbers; [`fill_normal`] states 8.49.
pub(super) const MAX_NORMAL: f64 = 9.0;

/// Standard normal numbers from a position of their sequence on.
#[derive(Debug)]
pub(super) struct Normals {
    isa: Isa,
    seed: u64,
    purpose: u64,
    /// The grain that is the next to be filled.
    next: u64,
    /// The last grain that did not fit where it was wanted, and what of it is used up.
    grain: Vec<f64>,
    used: usize,
}

impl Normals {
    /// The sequence of a seed and a purpose, from value number `position` on.
    pub fn new(seed: u64, purpose: u64, position: u64) -> Self {
        let (next, skipped) = (position / GRAIN as u64, (position % GRAIN as u64) as usize);
        let grain = vec![0.0; GRAIN];
        let mut normals = Self { isa: Isa::best(), seed, purpose, next, grain, used: GRAIN };
        if skipped > 0 {
            normals.refill();
            normals.used = skipped;
        }
        normals
    }

    /// The next numbers. Reading them in other portions gives the same ones.
    ///
    /// # Performance
    /// Whole grains are made in place; only the rest is copied.
    pub fn fill(&mut self, out: &mut [f64]) {
        let (left, out) = out.split_at_mut(out.len().min(GRAIN - self.used));
        self.copy(left);
        let mut grains = out.chunks_exact_mut(GRAIN);
        for grain in &mut grains {
            fill_normal(self.isa, self.seed, self.next, self.purpose, grain);
            self.next += 1;
        }
        let rest = grains.into_remainder();
        if !rest.is_empty() {
            self.refill();
            self.copy(rest);
        }
    }

    fn refill(&mut self) {
        fill_normal(self.isa, self.seed, self.next, self.purpose, &mut self.grain);
        self.next += 1;
        self.used = 0;
    }

    fn copy(&mut self, out: &mut [f64]) {
        out.copy_from_slice(&self.grain[self.used..self.used + out.len()]);
        self.used += out.len();
    }
}

#[cfg(test)]
mod tests {
    use super::{GRAIN, Normals};
    use drystone_kernels::Isa;
    use drystone_kernels::normal::fill_normal;

    #[test]
    fn any_portions_from_anywhere_give_the_same_values() {
        let mut all = vec![0.0; 5 * GRAIN];
        for (grain, values) in all.chunks_exact_mut(GRAIN).enumerate() {
            fill_normal(Isa::Scalar, 7, grain as u64, 3, values);
        }
        for start in [0, 1, GRAIN - 1, GRAIN, GRAIN + 17, 3 * GRAIN - 1] {
            for portion in [1, 100, GRAIN - 1, GRAIN, GRAIN + 1, 3 * GRAIN] {
                let mut found = vec![0.0; 5 * GRAIN - start];
                let mut normals = Normals::new(7, 3, start as u64);
                found.chunks_mut(portion).for_each(|part| normals.fill(part));
                assert_eq!(found, all[start..], "from {start} by {portion}");
            }
        }
    }
}
