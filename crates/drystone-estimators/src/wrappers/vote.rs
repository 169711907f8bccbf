//! How several predictions become one.

use drystone_kernels::ExactSum;
use linfa::dataset::Pr;
use ndarray::Array1;

/// A prediction that has a mean: a number or a probability.
pub trait Score: Copy + Send + Sync + 'static {
    /// The number.
    fn number(self) -> f64;
}

impl Score for f64 {
    fn number(self) -> f64 {
        self
    }
}

impl Score for f32 {
    fn number(self) -> f64 {
        f64::from(self)
    }
}

impl Score for Pr {
    fn number(self) -> f64 {
        f64::from(*self)
    }
}

/// For each row the label that most voters give it; of equals, the smallest.
pub(super) fn majority<L: Ord + Clone>(voters: &[Array1<L>], n_rows: usize) -> Array1<L> {
    let mut votes = Vec::with_capacity(voters.len());
    let elected = (0..n_rows).filter_map(|row| {
        votes.clear();
        votes.extend(voters.iter().map(|voter| &voter[row]));
        most_frequent(&mut votes).cloned()
    });
    elected.collect()
}

fn most_frequent<'a, L: Ord>(votes: &mut [&'a L]) -> Option<&'a L> {
    votes.sort_unstable();
    let mut best: &[&L] = &[];
    for equal in votes.chunk_by(|a, b| a == b) {
        if equal.len() > best.len() {
            best = equal;
        }
    }
    best.first().copied()
}

/// For each row the mean of what the voters give it: the exact sum, over their number.
pub(super) fn mean<S: Score>(voters: &[Array1<S>], n_rows: usize) -> Array1<f64> {
    let of_row = |row: usize| {
        let sum: ExactSum = voters.iter().map(|voter| voter[row].number()).collect();
        sum.value() / voters.len() as f64
    };
    (0..n_rows).map(of_row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_majority_is_that_of_counting(votes in prop::collection::vec(0_usize..4, 1..12)) {
            let voters: Vec<Array1<usize>> = votes.iter().map(|&vote| Array1::from_elem(1, vote)).collect();
            let count = |label: &usize| votes.iter().filter(|vote| *vote == label).count();
            let most = (0..4).map(|label| count(&label)).max();
            let wanted = (0..4).find(|label| Some(count(label)) == most);
            prop_assert_eq!(majority(&voters, 1).to_vec(), Vec::from_iter(wanted));
        }
    }
}
