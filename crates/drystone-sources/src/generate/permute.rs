//! A keyed permutation of `0..n` that holds no indices.
//!
//! It shuffles rows for tests and benchmarks; it is no cipher.

use drystone_kernels::normal::mix;

/// Rounds of the Feistel network: four are enough for it to look random (Luby, Rackoff).
const ROUNDS: usize = 4;

/// A bijection of `0..len`: a Feistel network over pairs of digits, applied again while
/// the result is not below `len`.
///
/// The digits have the bases `rows` and `columns` with `rows * columns` the least multiple
/// of `rows = ceil(sqrt(len))` that is at least `len`, so that fewer than one step in
/// `sqrt(len)` has to be repeated.
///
/// # References
/// J. Black, P. Rogaway, *Ciphers with arbitrary finite domains*, CT-RSA 2002,
/// DOI 10.1007/3-540-45760-7_9. M. Luby, C. Rackoff, *How to construct pseudorandom
/// permutations from pseudorandom functions*, 1988, DOI 10.1137/0217022.
#[derive(Clone, Debug)]
pub(super) struct Permutation {
    len: u64,
    rows: u64,
    columns: u64,
    keys: [u64; ROUNDS],
}

impl Permutation {
    /// The permutation of `0..len` that belongs to a seed and a purpose.
    ///
    /// # Panics
    /// If `len` is 0 or above 2^62.
    pub fn new(seed: u64, purpose: u64, len: u64) -> Self {
        assert!(0 < len && len <= 1 << 62, "a permutation of {len} positions");
        let root = len.isqrt();
        let rows = root + u64::from(root * root < len);
        let keys = std::array::from_fn(|round| mix(&[seed, purpose, round as u64]));
        Self { len, rows, columns: len.div_ceil(rows), keys }
    }

    /// Where position `at` goes.
    ///
    /// # Panics
    /// In debug builds, if it is not below `len`.
    #[inline]
    pub fn of(&self, at: u64) -> u64 {
        debug_assert!(at < self.len, "position {at} of {}", self.len);
        self.settle(self.step(at / self.columns, at % self.columns))
    }

    /// Where the positions from `first` on go.
    pub fn fill(&self, first: u64, out: &mut [u64]) {
        let (mut row, mut column) = (first / self.columns, first % self.columns);
        for to in out {
            *to = self.settle(self.step(row, column));
            column += 1;
            if column == self.columns {
                (row, column) = (row + 1, 0);
            }
        }
    }

    #[inline]
    fn settle(&self, mut to: u64) -> u64 {
        while to >= self.len {
            to = self.step(to / self.columns, to % self.columns);
        }
        to
    }

    #[inline]
    fn step(&self, mut row: u64, mut column: u64) -> u64 {
        for keys in self.keys.chunks_exact(2) {
            row = add(row, hash(column, keys[0]), self.rows);
            column = add(column, hash(row, keys[1]), self.columns);
        }
        row * self.columns + column
    }
}

/// `digit` moved on by a hash of 32 bits, within its base of at most 2^31.
#[inline]
fn add(digit: u64, hash: u64, base: u64) -> u64 {
    let sum = digit + ((hash * base) >> 32);
    // The lesser of the two, as the difference wraps when the sum is within the base: a
    // branch would be mispredicted half of the time.
    sum.min(sum.wrapping_sub(base))
}

#[inline]
fn hash(digit: u64, key: u64) -> u64 {
    let half = (digit ^ key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (half ^ (half >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93) >> 32
}

#[cfg(test)]
mod tests {
    use super::Permutation;
    use proptest::prelude::*;

    fn check_bijection(seed: u64, len: u64) {
        let permutation = Permutation::new(seed, 1, len);
        let mut seen: Vec<u64> = (0..len).map(|at| permutation.of(at)).collect();
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..len), "seed {seed}, {len} positions");
    }

    #[test]
    fn small_permutations_are_bijections() {
        (1..200).for_each(|len| check_bijection(len, len));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_is_a_bijection(seed: u64, len in 1_u64..5000) {
            check_bijection(seed, len);
        }

        #[test]
        fn no_two_of_many_positions_collide(
            seed: u64,
            len in 100_000_u64..1 << 62,
            from in 0_u64..1 << 62,
            stride in 1_u64..1 << 50,
        ) {
            let permutation = Permutation::new(seed, 1, len);
            let stride = stride % (len / 1000) + 1;
            let at = |i: u64| (from % len + i * stride) % len;
            let mut seen: Vec<u64> = (0..1000).map(|i| permutation.of(at(i))).collect();
            prop_assert!(seen.iter().all(|&to| to < len));
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(seen.len(), 1000);
        }
    }

    /// Chi squared of where each position goes, over many seeds.
    #[test]
    fn each_position_goes_everywhere_alike() {
        for len in [2_u64, 3, 5, 8, 20, 101] {
            let seeds = 200 * len;
            for at in [0, len / 2, len - 1] {
                let mut hits = vec![0_u64; len as usize];
                (0..seeds)
                    .for_each(|seed| hits[Permutation::new(seed, 1, len).of(at) as usize] += 1);
                let chi2: f64 = hits.iter().map(|&n| (n as f64 - 200.0).powi(2) / 200.0).sum();
                let freedom = (len - 1) as f64;
                assert!(chi2 < freedom + 5.0 * (2.0 * freedom).sqrt(), "{len}: {at}: {chi2}");
            }
        }
    }

    /// Of a random permutation, one position is a fixed point on average, and neighbours
    /// go to neighbours in about one case of len / 2.
    #[test]
    fn neighbours_are_torn_apart() {
        let len = 100_000_u64;
        let (mut fixed, mut close, mut rising) = (0, 0, 0);
        for seed in 0..10 {
            let permutation = Permutation::new(seed, 1, len);
            let to: Vec<u64> = (0..len).map(|at| permutation.of(at)).collect();
            fixed += to.iter().zip(0..).filter(|&(&to, at)| to == at).count();
            close += to.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) == 1).count();
            rising += to.windows(2).filter(|pair| pair[0] < pair[1]).count();
        }
        assert!(fixed <= 25, "10 expected, found {fixed}");
        assert!((2..=45).contains(&close), "20 expected, found {close}");
        assert!(rising.abs_diff(500_000) < 2000, "500,000 expected, found {rising}");
    }

    /// The mean group of runs of positions: what a block's class counts depend on.
    #[test]
    fn every_run_of_positions_samples_all_alike() {
        let len = 1_000_000_u64;
        let permutation = Permutation::new(3, 1, len);
        for run in 0..100 {
            let mut hits = [0_u64; 10];
            let at = run * 10_000..(run + 1) * 10_000;
            at.for_each(|at| hits[(permutation.of(at) / 100_000) as usize] += 1);
            let chi2: f64 = hits.iter().map(|&n| (n as f64 - 1000.0).powi(2) / 1000.0).sum();
            assert!(chi2 < 35.0, "run {run}: {hits:?}");
        }
    }

    /// Changing these is value-breaking.
    #[test]
    fn values_are_pinned() {
        let permutation = Permutation::new(0, 1, 10);
        let to: Vec<u64> = (0..10).map(|at| permutation.of(at)).collect();
        assert_eq!(to, [6, 5, 2, 3, 0, 4, 7, 8, 9, 1]);
        assert_eq!(Permutation::new(0, 1, 1 << 40).of(123_456_789), 1053542132793);
    }
}
