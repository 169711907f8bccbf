//! The rows that a problem is solved over between two sweeps, and their kernel matrix.

use drystone_kernels::Isa;
use drystone_kernels::gram::{Real, TILE_ROWS, Tiles, values};
use drystone_kernels::smo::{self, Stop};

use super::kernel::{Frame, Prepared};
use super::log::{Change, Pool};

/// A row of the working set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub row: u64,
    /// Its place in the pool.
    pub place: u32,
    /// The end of the coordinate's range that is not 0.
    pub bound: f64,
    pub beta: f64,
    pub gradient: f64,
}

impl Member {
    pub fn may_grow(&self) -> bool {
        self.beta < self.bound.max(0.0)
    }

    pub fn may_shrink(&self) -> bool {
        self.beta > self.bound.min(0.0)
    }
}

/// Members and their kernel matrix, whose rows are filled up to whole tiles.
#[derive(Debug, Default)]
pub(crate) struct WorkingSet<V> {
    pub members: Vec<Member>,
    matrix: Vec<V>,
    stride: usize,
}

impl<V: Real> WorkingSet<V> {
    /// Keeps some of the members, in this order, and what is known of them.
    pub fn keep(&mut self, order: &[usize]) {
        let stride = order.len();
        let mut matrix = Vec::with_capacity(stride * stride);
        for &a in order {
            matrix.extend(order.iter().map(|&b| self.matrix[a * self.stride + b]));
        }
        self.members = order.iter().map(|&idx| self.members[idx]).collect();
        (self.matrix, self.stride) = (matrix, stride);
    }

    /// Adds members: the matrix gets their rows and columns.
    pub fn add(&mut self, members: Vec<Member>, frame: &Frame, pool: &Pool) {
        let n_old = self.members.len();
        self.members.extend(members);
        let n = self.members.len();
        let rows = self.members.iter().map(|member| pool.row(member.place));
        let all = Prepared::<V>::new(frame, rows);
        let (d, map) = (frame.n_features(), frame.map());
        let mut tiles = Tiles::new(d);
        tiles.reserve(n);
        all.rows.chunks_exact(d).for_each(|row| tiles.push(row, map));
        let stride = n.next_multiple_of(TILE_ROWS);
        let mut matrix = vec![V::default(); n * stride];
        for (old, new) in (0..n_old).zip(matrix.chunks_exact_mut(stride)) {
            new[..n_old].copy_from_slice(&self.matrix[old * self.stride..][..n_old]);
        }
        let mut supports = all.supports();
        supports.rows = &supports.rows[n_old * d..];
        supports.offsets = &supports.offsets[n_old..];
        values(Isa::best(), map, &tiles, supports, &mut matrix[n_old * stride..]);
        for old in 0..n_old {
            for new in n_old..n {
                matrix[old * stride + new] = matrix[new * stride + old];
            }
        }
        (self.matrix, self.stride) = (matrix, stride);
    }

    /// Solves the problem over the members; gives the steps taken, and what changed.
    pub fn solve(&mut self, stop: Stop) -> (usize, Vec<Change>) {
        let each = |of: fn(&Member) -> f64| self.members.iter().map(of).collect::<Vec<f64>>();
        let (mut betas, mut gradient) = (each(|m| m.beta), each(|m| m.gradient));
        let (low, high) = (each(|m| m.bound.min(0.0)), each(|m| m.bound.max(0.0)));
        let set = smo::WorkingSet {
            kernel: &self.matrix,
            stride: self.stride,
            gradient: &mut gradient,
            beta: &mut betas,
            low: &low,
            high: &high,
        };
        let n_iter = smo::solve(Isa::best(), set, stop);
        let mut changes = Vec::new();
        for (member, to) in self.members.iter_mut().zip(betas) {
            if to != member.beta {
                let (row, place, by) = (member.row, member.place, to - member.beta);
                changes.push(Change { row, place, by, to });
                member.beta = to;
            }
        }
        (n_iter, changes)
    }
}
