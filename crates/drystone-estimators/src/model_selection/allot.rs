//! How many rows each part gets.

use super::classes::Class;

/// `n_samples` rows in `n_parts` parts that differ by one row at most, larger ones first.
pub(super) fn evenly(n_samples: u64, n_parts: u64) -> Vec<u64> {
    let size = |part| n_samples / n_parts + u64::from(part < n_samples % n_parts);
    (0..n_parts).map(size).collect()
}

/// Rows of each class in each of `n_parts` parts, `[class][part]`: classes are dealt out in
/// turn, in the order in which they appear, so that both the rows of a class and all rows
/// differ by one at most between parts.
///
/// As scikit-learn's `StratifiedKFold`.
pub(super) fn dealt(classes: &[Class], n_parts: u64) -> Vec<Vec<u64>> {
    let mut order: Vec<usize> = (0..classes.len()).collect();
    order.sort_by_key(|&class| classes[class].first_row);
    let mut sizes = vec![Vec::new(); classes.len()];
    let mut first = 0;
    for class in order {
        let end = first + classes[class].n_samples;
        // Those of the first `n` rows that go to a part when rows are dealt in turn.
        let of_first = |n: u64, part: u64| (n + n_parts - 1 - part) / n_parts;
        let size = |part| of_first(end, part) - of_first(first, part);
        sizes[class] = (0..n_parts).map(size).collect();
        first = end;
    }
    sizes
}

/// `n_drawn` rows in proportion to the classes: the whole rows of each share, and one more
/// where the rest of the share is largest; ties go to the lower class.
///
/// As scikit-learn's `StratifiedShuffleSplit`, but that breaks ties at random.
pub(super) fn in_proportion(classes: &[Class], n_drawn: u64) -> Vec<u64> {
    let n_samples: u64 = classes.iter().map(|class| class.n_samples).sum();
    let shares = classes.iter().map(|class| class.n_samples as u128 * n_drawn as u128);
    let shares: Vec<u128> = shares.collect();
    let all = u128::from(n_samples.max(1));
    let mut drawn: Vec<u64> = shares.iter().map(|share| (share / all) as u64).collect();
    let mut order: Vec<usize> = (0..classes.len()).collect();
    order.sort_by_key(|&class| std::cmp::Reverse(shares[class] % all));
    let missing = n_drawn - drawn.iter().sum::<u64>();
    order[..missing as usize].iter().for_each(|&class| drawn[class] += 1);
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Classes of these sizes, the later ones appearing first.
    fn classes(sizes: &[u64]) -> Vec<Class> {
        let class = |(at, &n_samples): (usize, &u64)| {
            let first_row = (sizes.len() - at) as u64;
            Class { first_row, n_samples }
        };
        sizes.iter().enumerate().map(class).collect()
    }

    fn differ_by_one(sizes: impl Iterator<Item = u64> + Clone) -> bool {
        sizes.clone().max().unwrap_or(0) - sizes.min().unwrap_or(0) <= 1
    }

    proptest! {
        #[test]
        fn dealing_is_even(sizes in prop::collection::vec(0_u64..50, 1..8), n_parts in 1_u64..12) {
            let dealt = dealt(&classes(&sizes), n_parts);
            for (size, parts) in sizes.iter().zip(&dealt) {
                prop_assert_eq!(parts.iter().sum::<u64>(), *size);
                prop_assert!(differ_by_one(parts.iter().copied()));
            }
            let totals = (0..n_parts as usize).map(|part| dealt.iter().map(|c| c[part]).sum());
            let totals: Vec<u64> = totals.collect();
            prop_assert!(differ_by_one(totals.iter().copied()));
            prop_assert_eq!(totals, evenly(sizes.iter().sum(), n_parts));
        }

        #[test]
        fn proportions_are_within_a_row(
            sizes in prop::collection::vec(1_u64..1000, 1..8), share in 0.0..1.0,
        ) {
            let n: u64 = sizes.iter().sum();
            let n_drawn = (share * n as f64) as u64;
            let drawn = in_proportion(&classes(&sizes), n_drawn);
            prop_assert_eq!(drawn.iter().sum::<u64>(), n_drawn);
            for (&size, &drawn) in sizes.iter().zip(&drawn) {
                let exact = size as f64 * n_drawn as f64 / n as f64;
                prop_assert!((drawn as f64 - exact).abs() < 1.0 && drawn <= size);
            }
        }
    }
}
