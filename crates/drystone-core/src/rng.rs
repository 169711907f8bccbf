//! Random numbers keyed by what they are for: the same whatever the blocks and threads.

use drystone_kernels::normal::mix;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

/// A uniform number in `(0, 1]` that belongs to one row in one round: a pure function of
/// its arguments. 53 bits; never 0, so that its logarithm is finite.
///
/// ```
/// use drystone_core::rng::row_uniform;
/// assert_eq!(row_uniform(0, 1, 99_999_999), row_uniform(0, 1, 99_999_999));
/// assert_ne!(row_uniform(0, 1, 7), row_uniform(0, 2, 7));
/// ```
#[must_use]
pub fn row_uniform(seed: u64, round: u64, row: u64) -> f64 {
    const UNIT: f64 = 1.0 / (1_u64 << 53) as f64;
    ((mix(&[seed, round, row]) >> 11) + 1) as f64 * UNIT
}

/// A number of 64 bits that belongs to one row: rows in the order of their keys are
/// shuffled. No round of [`row_uniform`] uses the same numbers.
///
/// ```
/// use drystone_core::rng::row_key;
/// assert_eq!(row_key(0, 99_999_999), row_key(0, 99_999_999));
/// assert_ne!(row_key(0, 7), row_key(1, 7));
/// ```
#[must_use]
#[inline]
pub fn row_key(seed: u64, row: u64) -> u64 {
    mix(&[seed, row])
}

/// A generator for draws in sequence, for work that is not split over rows.
#[must_use]
pub fn stream(seed: u64, purpose: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(mix(&[seed, purpose]))
}
