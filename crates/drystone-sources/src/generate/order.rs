//! Which group (centre or cluster) each row of a generated dataset has.

use super::groups::Groups;
use super::permute::Permutation;

/// Groups of given sizes, one after the other or shuffled.
#[derive(Clone, Debug)]
pub(super) struct Order {
    groups: Groups,
    shuffled: Option<Permutation>,
}

impl Order {
    /// Rows group by group.
    pub fn sorted(sizes: &[u64]) -> Self {
        Self { groups: Groups::new(sizes), shuffled: None }
    }

    /// Rows in the random order that belongs to a seed and a purpose.
    pub fn shuffled(sizes: &[u64], seed: u64, purpose: u64) -> Self {
        let n_samples = sizes.iter().sum();
        let shuffled = Some(Permutation::new(seed, purpose, n_samples));
        Self { groups: Groups::new(sizes), shuffled }
    }

    /// The groups of the rows from `first` on.
    pub fn fill(&self, first: u64, out: &mut [u64]) {
        match &self.shuffled {
            None => (first..).zip(&mut *out).for_each(|(row, to)| *to = row),
            Some(permutation) => permutation.fill(first, out),
        }
        out.iter_mut().for_each(|to| *to = self.groups.of(*to) as u64);
    }
}
