//! The rows of given ranks in an order, class by class, without sorting all rows.
//!
//! Rows are counted in bins by the leading part of their keys; then only the rows of the bins
//! that wanted ranks fall in are sorted.

use drystone_core::rule::{Order, Place};
use rayon::iter::ParallelIterator;
use rayon::slice::ParallelSlice;

use super::strata::{Run, Strata};

/// Bins of one class, at most.
const MAX_BINS: usize = 1 << 16;
/// Bins of all classes: 32 MiB of counts for each thread.
const MAX_ALL_BINS: usize = 1 << 22;
/// The bin is not wanted.
const UNWANTED: u32 = u32::MAX;

/// For each class the places of the rows of these ranks (ascending) among its rows: before the
/// first one for rank 0, after the last for the number of its rows.
pub(super) fn borders(strata: &Strata, order: Order, ranks: &[Vec<u64>]) -> Vec<Vec<Place>> {
    let bins = Bins::new(strata, order);
    let counts = bins.count(&strata.runs);
    let mut slots = vec![UNWANTED; counts.len()];
    let mut n_slots = 0;
    let mut found: Vec<Vec<Found>> = Vec::new();
    for (class, ranks) in ranks.iter().enumerate() {
        let of_class = class * bins.n_bins..(class + 1) * bins.n_bins;
        let (counts, slots) = (&counts[of_class.clone()], &mut slots[of_class]);
        found.push(ranks.iter().map(|&rank| locate(rank, counts, slots, &mut n_slots)).collect());
    }
    let places = bins.gather(&strata.runs, &slots, n_slots as usize);
    let place = |found: &Found| match *found {
        Found::Start => Place::START,
        Found::End => Place::END,
        Found::In { slot, rank } => places[slot as usize][rank as usize],
    };
    found.iter().map(|class| class.iter().map(place).collect()).collect()
}

/// Where the row of a rank is.
enum Found {
    Start,
    End,
    /// The bin that is gathered there, and the rank within it.
    In {
        slot: u32,
        rank: u64,
    },
}

/// The bin of a rank, which is given a slot if it has none yet.
fn locate(rank: u64, counts: &[u64], slots: &mut [u32], n_slots: &mut u32) -> Found {
    if rank == 0 {
        return Found::Start;
    }
    let mut before = 0;
    for (slot, &count) in slots.iter_mut().zip(counts) {
        if rank < before + count {
            if *slot == UNWANTED {
                *slot = *n_slots;
                *n_slots += 1;
            }
            return Found::In { slot: *slot, rank: rank - before };
        }
        before += count;
    }
    Found::End
}

/// How keys are cut into bins.
struct Bins {
    order: Order,
    n_classes: usize,
    /// Of one class; a power of two.
    n_bins: usize,
    /// A bin has 2^shift keys.
    shift: u32,
}

impl Bins {
    fn new(strata: &Strata, order: Order) -> Self {
        let n_classes = strata.classes.len();
        let per_class = MAX_ALL_BINS / n_classes.max(1).next_power_of_two();
        // Few rows do not need many bins.
        let most = strata.n_samples.min(MAX_BINS as u64).next_power_of_two() as usize;
        let n_bins = per_class.min(most).max(2);
        let shift = match order {
            Order::Rows => (strata.n_samples / n_bins as u64 + 1).next_power_of_two().ilog2(),
            Order::Shuffled { .. } => 64 - n_bins.ilog2(),
        };
        Self { order, n_classes, n_bins, shift }
    }

    fn bin(&self, class: usize, place: Place) -> usize {
        class * self.n_bins + (place.key >> self.shift) as usize
    }

    /// Rows in each bin, class by class.
    fn count(&self, runs: &[Run]) -> Vec<u64> {
        let none = || vec![0_u64; self.n_classes * self.n_bins];
        let counts = shares(runs).map(|runs| {
            let mut counts = none();
            for run in runs {
                run.for_each(|row, class| counts[self.bin(class, self.order.place(row))] += 1);
            }
            counts
        });
        counts.reduce(none, |mut all, counts| {
            all.iter_mut().zip(counts).for_each(|(all, count)| *all += count);
            all
        })
    }

    /// The places of the rows in the bins with a slot, sorted.
    fn gather(&self, runs: &[Run], slots: &[u32], n_slots: usize) -> Vec<Vec<Place>> {
        let none = || vec![Vec::new(); n_slots];
        let places = shares(runs).map(|runs| {
            let mut places = none();
            for run in runs {
                run.for_each(|row, class| {
                    let place = self.order.place(row);
                    let slot = slots[self.bin(class, place)];
                    if slot != UNWANTED {
                        places[slot as usize].push(place);
                    }
                });
            }
            places
        });
        let mut places = places.reduce(none, |mut all: Vec<Vec<Place>>, places| {
            all.iter_mut().zip(places).for_each(|(all, places)| all.extend(places));
            all
        });
        places.iter_mut().for_each(|places| places.sort_unstable());
        places
    }
}

/// The runs in as many shares as there are threads: each has bins of its own.
fn shares(runs: &[Run]) -> impl ParallelIterator<Item = &[Run]> {
    runs.par_chunks(runs.len().div_ceil(rayon::current_num_threads()).max(1))
}
