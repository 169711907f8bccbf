//! Which of several runs of consecutive positions a position lies in.

/// Entries of the guide: enough that most positions need no search, and no more than a
/// near cache holds.
const MIN_GUIDE: u64 = 1024;
const MAX_GUIDE: u64 = 65_536;

/// Runs that cover `0..n`, one after the other; some may be empty.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    /// The end of each run.
    ends: Vec<u64>,
    /// Positions that agree but for the lowest `shift` bits share an entry of the guide.
    shift: u32,
    /// The run of the first position of each entry, and of the one past the last.
    guide: Vec<u32>,
}

impl Groups {
    /// Runs of these sizes.
    ///
    /// # Panics
    /// If there are no positions, or more than 2^32 runs.
    pub fn new(sizes: &[u64]) -> Self {
        let mut end = 0;
        let ends: Vec<u64> = sizes
            .iter()
            .map(|size| {
                end += size;
                end
            })
            .collect();
        assert!(end > 0 && u32::try_from(sizes.len()).is_ok(), "runs that cover positions");
        let entries = (8 * sizes.len() as u64).clamp(MIN_GUIDE, MAX_GUIDE);
        let shift = (end / entries).checked_ilog2().map_or(0, |bits| bits + 1);
        let last = (end - 1) >> shift;
        let first_of = |entry: u64| (entry << shift).min(end - 1);
        let run = |position: u64| ends.partition_point(|&end| end <= position) as u32;
        let guide = (0..=last + 1).map(|entry| run(first_of(entry))).collect();
        Self { ends, shift, guide }
    }

    /// The run that `position` lies in.
    ///
    /// # Panics
    /// If the runs end before.
    #[inline]
    pub fn of(&self, position: u64) -> usize {
        let entry = (position >> self.shift) as usize;
        let (first, last) = (self.guide[entry] as usize, self.guide[entry + 1] as usize);
        if first == last {
            return first;
        }
        first + self.ends[first..last].partition_point(|&end| end <= position)
    }
}

#[cfg(test)]
mod tests {
    use super::Groups;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_finds_what_counting_finds(
            sizes in prop::collection::vec(prop_oneof![Just(0_u64), 0..5_u64, 0..4000_u64], 1..40),
        ) {
            let naive = sizes.iter().enumerate();
            let naive: Vec<usize> =
                naive.flat_map(|(run, &size)| std::iter::repeat_n(run, size as usize)).collect();
            prop_assume!(!naive.is_empty());
            let groups = Groups::new(&sizes);
            let found: Vec<usize> = (0..naive.len() as u64).map(|at| groups.of(at)).collect();
            prop_assert_eq!(found, naive);
        }
    }

    #[test]
    fn more_runs_than_entries_of_the_guide_are_found_too() {
        let groups = Groups::new(&vec![3; 200_000]);
        assert!((0..600_000).all(|at| groups.of(at) == at as usize / 3));
    }

    #[test]
    fn sizes_of_billions_take_little_memory() {
        let groups = Groups::new(&[1 << 40, 0, 1, 1 << 50]);
        let at = [0, (1 << 40) - 1, 1 << 40, (1 << 40) + 1, (1 << 40) + (1 << 50)];
        assert_eq!(at.map(|at| groups.of(at)), [0, 0, 2, 3, 3]);
        assert!(groups.guide.len() < 5000);
    }
}
