//! A dataset in parts of known sizes, as rules that keep the rows of each.

use std::ops::Range;

use drystone_core::ChunkedDataset;
use drystone_core::rule::{Order, Place, Rule};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::borders::borders;
use super::strata::{Run, Strata};

pub(super) struct Parts<'a> {
    data: &'a ChunkedDataset,
    strata: Strata,
    order: Order,
    /// For each class, the places at which one part ends and the next begins.
    borders: Vec<Vec<Place>>,
    /// Rows of each block in each part.
    counts: Vec<Vec<u64>>,
}

impl<'a> Parts<'a> {
    /// Parts of these sizes, `[class][part]`, of which the first have the first places.
    pub fn new(data: &'a ChunkedDataset, strata: Strata, order: Order, sizes: &[Vec<u64>]) -> Self {
        let ranks: Vec<Vec<u64>> = sizes.iter().map(|sizes| ends(sizes)).collect();
        let borders = borders(&strata, order, &ranks);
        let n_parts = sizes.first().map_or(0, Vec::len);
        let mut parts = Self { data, strata, order, borders, counts: Vec::new() };
        parts.counts = parts.count(n_parts);
        parts
    }

    /// The rows of one part.
    pub fn part(&self, part: usize) -> ChunkedDataset {
        self.data.select(self.rule(part), &self.counts[part])
    }

    /// The rows of all other parts.
    pub fn others(&self, part: usize) -> ChunkedDataset {
        let rows = &self.data.layout().rows;
        let all = |block_idx| rows.rows_of(block_idx).map_or(0, |rows| rows.end - rows.start);
        let counts = self.counts[part].iter().enumerate().map(|(idx, count)| all(idx) - count);
        self.data.select(self.rule(part).others(), &counts.collect::<Vec<u64>>())
    }

    fn rule(&self, part: usize) -> Rule {
        let ranges = self.borders.iter().map(|borders| range(borders, part));
        match &self.strata.labels {
            Some(labels) => {
                Rule::by_class(self.order, labels.iter().cloned().zip(ranges).collect())
            }
            None => Rule::new(self.order, range(&self.borders[0], part)),
        }
    }

    /// Rows of each block in each part.
    fn count(&self, n_parts: usize) -> Vec<Vec<u64>> {
        let of_run = |run: &Run| {
            let mut counts = vec![0_u64; n_parts];
            run.for_each(|row, class| {
                let place = self.order.place(row);
                counts[self.borders[class].partition_point(|border| *border <= place)] += 1;
            });
            (run.block_idx, counts)
        };
        let mut counts = vec![vec![0; self.data.n_blocks()]; n_parts];
        let runs: Vec<(usize, Vec<u64>)> = self.strata.runs.par_iter().map(of_run).collect();
        for (block_idx, of_run) in runs {
            of_run.iter().zip(&mut counts).for_each(|(count, part)| part[block_idx] += count);
        }
        counts
    }
}

/// Where parts of these sizes end, but for the last.
fn ends(sizes: &[u64]) -> Vec<u64> {
    let mut end = 0;
    let ends = sizes.iter().map(|size| {
        end += size;
        end
    });
    ends.take(sizes.len().saturating_sub(1)).collect()
}

/// The places of a part between these borders.
fn range(borders: &[Place], part: usize) -> Range<Place> {
    let start = part.checked_sub(1).map_or(Place::START, |before| borders[before]);
    start..borders.get(part).copied().unwrap_or(Place::END)
}
