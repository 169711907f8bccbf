//! An exact sum of `f64` values that does not depend on their order: a
//! superaccumulator, an integer wide enough for every finite value.
//!
//! It is not a compensated sum (Kahan, Neumaier), which only makes the error
//! smaller, and not for one sum per cluster and column: it is 552 bytes.
//!
//! # References
//!
//! Radford M. Neal, *Fast Exact Summation Using Small and Large
//! Superaccumulators*, 2015, arXiv 1505.05571.

use std::fmt;

/// Chunks of 32 bits, in units of 2^-1074. The largest value ends at bit 2098,
/// so 66 chunks of 32 bits below a signed one of 64 leave room for 2^77 values.
const CHUNKS: usize = 67;
const CHUNK_BITS: u32 = 32;
const CHUNK_MASK: u64 = (1 << CHUNK_BITS) - 1;

/// An add changes a chunk by less than 2^52; a chunk may hold 2^32 after a carry.
const ADDS_BETWEEN_CARRIES: u32 = 2000;

const FRACTION_BITS: u32 = f64::MANTISSA_DIGITS - 1;
const EXPONENT_MASK: u64 = 0x7ff;

const NAN: i64 = 1;
const POSITIVE_INFINITY: i64 = 2;
const NEGATIVE_INFINITY: i64 = 4;

/// The exact sum of the values added so far.
///
/// Adding is associative and commutative and [`ExactSum::new`] is its identity:
/// any order and any grouping of [`add`](Self::add) and [`merge`](Self::merge)
/// gives the same [`value`](Self::value) and the same [words](Self::to_words).
///
/// # Performance
///
/// About 3 ns per add; no allocation. Up to 2^64 values are held exactly.
///
/// # Examples
///
/// ```
/// use drystone_kernels::ExactSum;
/// let sum: ExactSum = [1e308, 1.0, -1e308].into_iter().collect();
/// assert_eq!(sum.value(), 1.0);
/// ```
#[derive(Clone)]
pub struct ExactSum {
    chunks: [i64; CHUNKS],
    /// Adds since the last carry: below `ADDS_BETWEEN_CARRIES`.
    pending: u32,
    /// What was added that is not finite: a set of `NAN` and the infinities.
    special: i64,
}

impl ExactSum {
    /// How many words [`to_words`](Self::to_words) gives.
    pub const WORDS: usize = CHUNKS + 1;

    /// The empty sum.
    #[must_use]
    pub const fn new() -> Self {
        Self { chunks: [0; CHUNKS], pending: 0, special: 0 }
    }

    /// Adds one value. An infinity or NaN is remembered: see [`value`](Self::value).
    #[inline]
    pub fn add(&mut self, value: f64) {
        let bits = value.to_bits();
        let exponent = (bits >> FRACTION_BITS) & EXPONENT_MASK;
        if exponent == EXPONENT_MASK {
            return self.add_special(value);
        }
        let implicit = u64::from(exponent != 0) << FRACTION_BITS;
        let mantissa = (bits & ((1 << FRACTION_BITS) - 1)) | implicit;
        // Subnormals have the unit of the smallest normal exponent.
        let position = exponent.max(1) - 1;
        let (chunk, shift) = ((position / 32) as usize, position % 32);
        let low = ((mantissa << shift) & CHUNK_MASK) as i64;
        let high = (mantissa >> (32 - shift)) as i64;
        let sign = (bits as i64) >> 63;
        self.chunks[chunk] += (low ^ sign) - sign;
        self.chunks[chunk + 1] += (high ^ sign) - sign;
        self.count_pending();
    }

    /// Adds everything that was added to `other`.
    pub fn merge(&mut self, other: &Self) {
        // Both below 2^32 in every chunk but the last: no more than an add.
        self.carry();
        let other = other.carried();
        for (chunk, more) in self.chunks.iter_mut().zip(&other.chunks) {
            *chunk = chunk.wrapping_add(*more);
        }
        self.special |= other.special;
        self.count_pending();
    }

    /// The `f64` nearest to the exact sum, ties to even; zero is `+0.0`, and a
    /// sum that is too large is an infinity of its sign. After a NaN, or both
    /// infinities, it is NaN; after one infinity, that infinity.
    #[must_use]
    pub fn value(&self) -> f64 {
        match self.special {
            0 => self.finite_value(),
            POSITIVE_INFINITY => f64::INFINITY,
            NEGATIVE_INFINITY => f64::NEG_INFINITY,
            _ => f64::NAN,
        }
    }

    /// The sum as an array that is the same for equal sums, however they came about.
    #[must_use]
    pub fn to_words(&self) -> [i64; Self::WORDS] {
        let mut words = [0; Self::WORDS];
        let carried = self.carried();
        words[..CHUNKS].copy_from_slice(&carried.chunks);
        words[CHUNKS] = carried.special;
        words
    }

    /// The sum that gave these words; `None` if no sum gives them.
    #[must_use]
    pub fn from_words(words: &[i64; Self::WORDS]) -> Option<Self> {
        let (chunks, special) = (&words[..CHUNKS], words[CHUNKS]);
        let limit = 1_i64 << CHUNK_BITS;
        let canonical = chunks[..CHUNKS - 1].iter().all(|c| (0..limit).contains(c));
        if !canonical || !(0..8).contains(&special) {
            return None;
        }
        let mut sum = Self::new();
        sum.chunks.copy_from_slice(chunks);
        sum.special = special;
        Some(sum)
    }

    #[cold]
    fn add_special(&mut self, value: f64) {
        self.special |= if value.is_nan() {
            NAN
        } else if value > 0.0 {
            POSITIVE_INFINITY
        } else {
            NEGATIVE_INFINITY
        };
    }

    #[inline]
    fn count_pending(&mut self) {
        self.pending += 1;
        if self.pending == ADDS_BETWEEN_CARRIES {
            self.carry();
        }
    }

    /// Moves carries up, so that every chunk but the last is in `0..2^32`: the
    /// one such form that this integer has.
    #[cold]
    fn carry(&mut self) {
        let mut carry = 0;
        for chunk in &mut self.chunks[..CHUNKS - 1] {
            let total = *chunk + carry;
            *chunk = total & CHUNK_MASK as i64;
            carry = total >> CHUNK_BITS;
        }
        self.chunks[CHUNKS - 1] = self.chunks[CHUNKS - 1].wrapping_add(carry);
        self.pending = 0;
    }

    fn carried(&self) -> Self {
        let mut copy = self.clone();
        copy.carry();
        copy
    }

    fn finite_value(&self) -> f64 {
        let mut magnitude = self.carried();
        let negative = magnitude.chunks[CHUNKS - 1] < 0;
        if negative {
            magnitude.chunks.iter_mut().for_each(|c| *c = c.wrapping_neg());
            magnitude.carry();
        }
        let rounded = f64::from_bits(magnitude.rounded_bits());
        if negative { -rounded } else { rounded }
    }

    /// The bits of the `f64` nearest to this carried, non-negative sum.
    fn rounded_bits(&self) -> u64 {
        let Some(top) = self.chunks.iter().rposition(|&c| c != 0) else {
            return 0;
        };
        let top_bit = 32 * top as u32 + self.chunks[top].ilog2();
        if top_bit <= FRACTION_BITS {
            // Whole units of 2^-1074: with bit 52 as exponent 1, the very bits.
            return self.bits_from(0);
        }
        let lowest = top_bit - FRACTION_BITS;
        // The implicit bit adds one to the exponent, and so may rounding up.
        let truncated = (u64::from(lowest) << FRACTION_BITS) + self.bits_from(lowest);
        let half = self.bits_from(lowest - 1) & 1 == 1;
        let above_half = half && self.any_below(lowest - 1);
        let rounded = truncated + u64::from(half && (above_half || truncated & 1 == 1));
        rounded.min(EXPONENT_MASK << FRACTION_BITS)
    }

    /// The 53 bits from bit `position` up.
    fn bits_from(&self, position: u32) -> u64 {
        let first = (position / CHUNK_BITS) as usize;
        let window = (0..3).map(|i| {
            let chunk = self.chunks.get(first + i).copied().unwrap_or(0);
            (chunk as u128) << (CHUNK_BITS as usize * i)
        });
        let bits: u128 = window.fold(0, |all, chunk| all | chunk) >> (position % CHUNK_BITS);
        bits as u64 & ((1 << f64::MANTISSA_DIGITS) - 1)
    }

    /// Whether any bit below `position` is set.
    fn any_below(&self, position: u32) -> bool {
        let (chunk, bit) = ((position / CHUNK_BITS) as usize, position % CHUNK_BITS);
        self.chunks[..chunk].iter().any(|&c| c != 0) || self.chunks[chunk] & ((1 << bit) - 1) != 0
    }
}

impl Default for ExactSum {
    fn default() -> Self {
        Self::new()
    }
}

/// Equal sums are equal, in whatever order they were added.
impl PartialEq for ExactSum {
    fn eq(&self, other: &Self) -> bool {
        self.to_words() == other.to_words()
    }
}

impl Eq for ExactSum {}

impl fmt::Debug for ExactSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ExactSum").field(&self.value()).finish()
    }
}

impl Extend<f64> for ExactSum {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        values.into_iter().for_each(|value| self.add(value));
    }
}

impl FromIterator<f64> for ExactSum {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut sum = Self::new();
        sum.extend(values);
        sum
    }
}

#[cfg(test)]
mod tests;
