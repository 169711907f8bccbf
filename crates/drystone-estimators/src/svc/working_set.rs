//! The rows that a problem is solved over between two sweeps, and their kernel matrix.

use std::ops::Range;

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
    /// Memory for the next matrix: what was never touched costs more than what it is for.
    spare: Vec<V>,
}

impl<V: Real> WorkingSet<V> {
    /// Keeps some of the members, in this order, and what is known of them.
    pub fn keep(&mut self, order: &[usize]) {
        let stride = order.len();
        self.spare.clear();
        for &a in order {
            let row = &self.matrix[a * self.stride..][..self.stride];
            self.spare.extend(order.iter().map(|&b| row[b]));
        }
        self.members = order.iter().map(|&idx| self.members[idx]).collect();
        std::mem::swap(&mut self.matrix, &mut self.spare);
        self.stride = stride;
    }

    /// Adds members: the matrix gets their rows and columns.
    pub fn add(&mut self, members: Vec<Member>, frame: &Frame, pool: &Pool) {
        let n_old = self.members.len();
        self.members.extend(members);
        let n = self.members.len();
        if n == 0 {
            return;
        }
        let rows = |members: Range<usize>| {
            self.members[members].iter().map(|member| pool.row(member.place))
        };
        let (map, mut row) = (frame.map(), Vec::with_capacity(frame.n_features()));
        let mut tiles = Tiles::new(frame.n_features());
        tiles.reserve(n);
        for values in rows(0..n) {
            row.clear();
            frame.prepare(values, &mut row);
            tiles.push(&row, map);
        }
        let new = Prepared::<V>::new(frame, rows(n_old..n));
        let stride = n.next_multiple_of(TILE_ROWS);
        // Every place that is read is written below: the others may hold anything.
        self.spare.resize(n * stride, V::default());
        let old_rows = self.matrix.chunks_exact(self.stride.max(1)).take(n_old);
        for (old, new) in old_rows.zip(self.spare.chunks_exact_mut(stride)) {
            new[..n_old].copy_from_slice(&old[..n_old]);
        }
        let (old_rows, new_rows) = self.spare.split_at_mut(n_old * stride);
        values(Isa::best(), map, &tiles, new.supports(), new_rows);
        transpose(new_rows, old_rows, stride, n_old..n);
        std::mem::swap(&mut self.matrix, &mut self.spare);
        self.stride = stride;
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

/// Writes rows over the columns of other rows that `columns` says, a square at a time: each
/// stays in the cache while it is turned.
fn transpose<V: Copy>(rows: &[V], into: &mut [V], stride: usize, columns: Range<usize>) {
    const SIDE: usize = 16;
    let n_into = into.len() / stride.max(1);
    for first in (0..n_into).step_by(SIDE) {
        let last = n_into.min(first + SIDE);
        for start in columns.clone().step_by(SIDE) {
            let end = columns.end.min(start + SIDE);
            for row in first..last {
                for column in start..end {
                    into[row * stride + column] = rows[(column - columns.start) * stride + row];
                }
            }
        }
    }
}
