//! Sequential minimal optimization: the quadratic problem of a support vector machine on a
//! working set whose kernel matrix is in memory.
//!
//! Minimizes 1/2 b'Kb - y'b over b with sum(b) fixed and `low <= b <= high`, given the
//! gradient Kb - y. Each step moves two coordinates against each other: the one that may grow
//! and has the least gradient, and the one that may shrink and with it promises the largest
//! decrease (second-order working set selection).
//!
//! # References
//! - J. Platt, *Fast training of support vector machines using sequential minimal
//!   optimization*, 1998.
//! - R.-E. Fan, P.-H. Chen, C.-J. Lin, *Working set selection using second order information
//!   for training support vector machines*, JMLR 6, 2005.

#[cfg(test)]
mod tests;

use crate::Isa;
use crate::gram::Real;

/// Numbers that are compared at a time: whole vectors, whatever their width.
const LANES: usize = 8;

/// In place of a curvature that is not positive.
const LEAST_CURVATURE: f64 = 1e-12;

/// The problem on a working set of n rows.
#[derive(Debug)]
pub struct WorkingSet<'a, T> {
    /// The kernel matrix, row-major; a row is `stride` long.
    pub kernel: &'a [T],
    /// At least n, and a multiple of 8.
    pub stride: usize,
    /// The gradient at `beta`: brought up to date.
    pub gradient: &'a mut [f64],
    /// The coordinates: improved.
    pub beta: &'a mut [f64],
    /// The least values of the coordinates.
    pub low: &'a [f64],
    /// The greatest values.
    pub high: &'a [f64],
}

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    /// Once the largest violation is at most this.
    pub gap: f64,
    /// Once it is at most this share of the first one.
    pub share: f64,
    /// After so many steps.
    pub max_iter: usize,
}

/// Takes steps until it is time to stop; gives their number.
///
/// # Panics
///
/// If the lengths disagree.
///
/// # Examples
///
/// ```
/// use drystone_kernels::{Isa, smo::{Stop, WorkingSet, solve}};
/// let mut kernel = [0.0_f64; 16];
/// (kernel[0], kernel[9]) = (1.0, 1.0);
/// let (mut gradient, mut beta) = ([-1.0, 1.0], [0.0, 0.0]);
/// let set = WorkingSet {
///     kernel: &kernel,
///     stride: 8,
///     gradient: &mut gradient,
///     beta: &mut beta,
///     low: &[0.0, -5.0],
///     high: &[5.0, 0.0],
/// };
/// solve(Isa::best(), set, Stop { gap: 1e-6, share: 0.0, max_iter: 100 });
/// assert_eq!(beta, [1.0, -1.0]);
/// ```
pub fn solve<T: Real>(isa: Isa, set: WorkingSet<'_, T>, stop: Stop) -> usize {
    let n = set.beta.len();
    assert!(set.stride >= n && set.stride.is_multiple_of(LANES), "rows are padded");
    assert_eq!(set.kernel.len(), n * set.stride, "a row of the matrix a coordinate");
    assert!(set.gradient.len() == n && set.low.len() == n && set.high.len() == n, "one of each");
    if n == 0 {
        return 0;
    }
    T::solve(isa, &mut Solver::new(set), stop)
}

/// The same code: its loops over lanes become vectors.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<T: Real>(solver: &mut Solver<'_, T>, stop: Stop) -> usize {
    solver.run(stop)
}

/// A working set and what is kept about its coordinates from step to step.
pub struct Solver<'a, T> {
    set: WorkingSet<'a, T>,
    /// The gradient, padded.
    gradient: Vec<f64>,
    /// What is added to a gradient so that a coordinate that may not grow is never the least.
    growing: Vec<f64>,
    /// The same for one that may not shrink, never the greatest.
    shrinking: Vec<f64>,
    diagonal: Vec<T>,
    /// What moving a coordinate against the first promises.
    gains: Vec<T>,
}

impl<'a, T: Real> Solver<'a, T> {
    fn new(set: WorkingSet<'a, T>) -> Self {
        let (n, stride) = (set.beta.len(), set.stride);
        let mut gradient = set.gradient.to_vec();
        gradient.resize(stride, 0.0);
        let mut solver = Self {
            gradient,
            growing: vec![f64::INFINITY; stride],
            shrinking: vec![f64::NEG_INFINITY; stride],
            diagonal: (0..n).map(|row| set.kernel[row * stride + row]).collect(),
            gains: vec![T::default(); stride],
            set,
        };
        solver.diagonal.resize(stride, T::default());
        (0..n).for_each(|row| solver.note_bounds(row));
        solver
    }

    pub(crate) fn run_on(&mut self, isa: Isa, stop: Stop) -> usize {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 if Isa::available().contains(&isa) => {
                // SAFETY: this machine has AVX2 and FMA.
                unsafe { run_avx2(self, stop) }
            }
            _ => self.run(stop),
        }
    }

    /// Whether a coordinate may grow, and whether it may shrink.
    fn note_bounds(&mut self, row: usize) {
        let (beta, low, high) = (self.set.beta[row], self.set.low[row], self.set.high[row]);
        self.growing[row] = if beta < high { 0.0 } else { f64::INFINITY };
        self.shrinking[row] = if beta > low { 0.0 } else { f64::NEG_INFINITY };
    }

    #[inline(always)]
    fn run(&mut self, stop: Stop) -> usize {
        let (mut least, mut greatest) = self.move_gradient(0, 0, 0.0);
        let gap = stop.gap.max((greatest - least) * stop.share);
        let mut n_iter = 0;
        while greatest - least > gap && n_iter < stop.max_iter {
            let Some(grower) = self.position_of_least(least) else { break };
            let Some(shrinker) = self.best_partner(grower, least) else { break };
            let step = self.step(grower, shrinker);
            (least, greatest) = self.move_gradient(grower, shrinker, step);
            n_iter += 1;
        }
        let n = self.set.gradient.len();
        self.set.gradient.copy_from_slice(&self.gradient[..n]);
        n_iter
    }

    /// Adds `step` times the difference of two rows of the kernel to the gradient, and finds
    /// the least gradient of the coordinates that may grow and the greatest of those that may
    /// shrink.
    #[inline(always)]
    fn move_gradient(&mut self, grower: usize, shrinker: usize, step: f64) -> (f64, f64) {
        let stride = self.set.stride;
        let (up, _) = self.set.kernel[grower * stride..][..stride].as_chunks::<LANES>();
        let (down, _) = self.set.kernel[shrinker * stride..][..stride].as_chunks::<LANES>();
        let (growing, _) = self.growing.as_chunks::<LANES>();
        let (shrinking, _) = self.shrinking.as_chunks::<LANES>();
        let (gradient, _) = self.gradient.as_chunks_mut::<LANES>();
        let mut least = [f64::INFINITY; LANES];
        let mut greatest = [f64::NEG_INFINITY; LANES];
        for (at, gradient) in gradient.iter_mut().enumerate() {
            for lane in 0..LANES {
                let difference = up[at][lane].to_f64() - down[at][lane].to_f64();
                let moved = step.mul_add(difference, gradient[lane]);
                gradient[lane] = moved;
                let (a, b) = (moved + growing[at][lane], moved + shrinking[at][lane]);
                least[lane] = if a < least[lane] { a } else { least[lane] };
                greatest[lane] = if b > greatest[lane] { b } else { greatest[lane] };
            }
        }
        let mut extremes = (least[0], greatest[0]);
        for lane in 1..LANES {
            extremes.0 = extremes.0.min(least[lane]);
            extremes.1 = extremes.1.max(greatest[lane]);
        }
        extremes
    }

    #[inline(always)]
    fn position_of_least(&self, least: f64) -> Option<usize> {
        let (gradient, _) = self.gradient.as_chunks::<LANES>();
        let (growing, _) = self.growing.as_chunks::<LANES>();
        for (at, (gradient, growing)) in gradient.iter().zip(growing).enumerate() {
            let mut found = false;
            for lane in 0..LANES {
                found |= gradient[lane] + growing[lane] == least;
            }
            if found {
                let lane = (0..LANES).find(|&lane| gradient[lane] + growing[lane] == least);
                return lane.map(|lane| at * LANES + lane);
            }
        }
        None
    }

    /// The coordinate that may shrink and with which moving promises the most.
    #[inline(always)]
    fn best_partner(&mut self, grower: usize, least: f64) -> Option<usize> {
        let stride = self.set.stride;
        let (row, _) = self.set.kernel[grower * stride..][..stride].as_chunks::<LANES>();
        let (diagonal, _) = self.diagonal.as_chunks::<LANES>();
        let (gradient, _) = self.gradient.as_chunks::<LANES>();
        let (shrinking, _) = self.shrinking.as_chunks::<LANES>();
        let (gains, _) = self.gains.as_chunks_mut::<LANES>();
        let own = self.diagonal[grower];
        let floor = T::from_f64(LEAST_CURVATURE);
        let mut best = [T::default(); LANES];
        for (at, gains) in gains.iter_mut().enumerate() {
            for lane in 0..LANES {
                let violation = T::from_f64(gradient[at][lane] + shrinking[at][lane] - least);
                let product = row[at][lane];
                let curvature = own + diagonal[at][lane] - (product + product);
                let curvature = if curvature > floor { curvature } else { floor };
                let gain = violation * violation / curvature;
                let gain = if violation > T::default() { gain } else { T::default() };
                gains[lane] = gain;
                best[lane] = if gain > best[lane] { gain } else { best[lane] };
            }
        }
        let most =
            best.iter().fold(T::default(), |most, &gain| if gain > most { gain } else { most });
        if most <= T::default() {
            return None;
        }
        self.position_of_gain(most)
    }

    #[inline(always)]
    fn position_of_gain(&self, most: T) -> Option<usize> {
        let (gains, _) = self.gains.as_chunks::<LANES>();
        for (at, gains) in gains.iter().enumerate() {
            let mut found = false;
            for &gain in gains {
                found |= gain == most;
            }
            if found {
                return (0..LANES).find(|&lane| gains[lane] == most).map(|lane| at * LANES + lane);
            }
        }
        None
    }

    /// Moves two coordinates against each other as far as that decreases the objective and
    /// they may; gives how far.
    fn step(&mut self, grower: usize, shrinker: usize) -> f64 {
        let set = &mut self.set;
        let kernel = |a: usize, b: usize| set.kernel[a * set.stride + b].to_f64();
        let curvature =
            kernel(grower, grower) + kernel(shrinker, shrinker) - 2.0 * kernel(grower, shrinker);
        let wanted =
            (self.gradient[shrinker] - self.gradient[grower]) / curvature.max(LEAST_CURVATURE);
        let up = set.high[grower] - set.beta[grower];
        let down = set.beta[shrinker] - set.low[shrinker];
        let step = wanted.min(up).min(down);
        // Bounds are reached to the bit.
        set.beta[grower] = if step == up { set.high[grower] } else { set.beta[grower] + step };
        set.beta[shrinker] =
            if step == down { set.low[shrinker] } else { set.beta[shrinker] - step };
        self.note_bounds(grower);
        self.note_bounds(shrinker);
        step
    }
}
