//! How the values of each column become integers: its exponent, and the magic
//! numbers that round to its unit.

use crate::Float;

use super::OutOfRange;

/// Bits per limb of a weight, which has two limbs whatever the records' type.
const WEIGHT_LIMB_BITS: u32 = 44;
const WEIGHT_LIMBS: usize = 2;

/// Columns are padded to a multiple of this, the widest vector of `i64`.
const LANES: usize = 4;

/// The range and the unit of each column of a dataset, and of its weights.
///
/// A column whose values are at most 2^e in magnitude is summed in units of
/// 2^(e-88) (`f64`) or 2^(e-50) (`f32`), weights in units of 2^(e-88). `e` is
/// the smallest such integer, but kept within what `f64` can represent:
///
/// - not below -986 (`f64`, weights) or -1022 (`f32`): the unit is then 2^-1074,
///   which loses nothing, or 2^-1072;
/// - not above 1015 (`f64`, weights) or 1021 (`f32`): a value beyond is
///   [`OutOfRange`] when it is added. (Its square would have overflowed.)
///
/// The same maxima give the same scales, and only sums of the same scales may
/// be merged.
#[derive(Clone, Debug, PartialEq)]
pub struct Scales {
    pub(super) limb_bits: u32,
    pub(super) n_limbs: usize,
    exponents: Vec<i32>,
    weight_exponent: i32,
    pub(super) weight: Fixed,
    pub(super) columns: Columns,
}

/// The [`Fixed`] of every column, as one array per field for the vector kernels;
/// padded to `stride` with columns that are never read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Columns {
    pub(super) bound: Vec<f64>,
    pub(super) magic: [Vec<f64>; 2],
}

/// How one value becomes an integer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fixed {
    /// The largest magnitude allowed: 2^e.
    pub(super) bound: f64,
    /// For each limb, 1.5 * 2^52 of its units. Added to a value, it rounds the
    /// value to whole units, half to even, and leaves their number in the low
    /// bits; 1.5 rather than 1 makes room for negative ones. A type of one limb
    /// does not use the second.
    pub(super) magic: [f64; 2],
}

impl Scales {
    /// Scales for records of type `T` whose column `j` has no magnitude above
    /// `max_abs[j]`, with weights of none above `max_weight`: 1 if unweighted.
    ///
    /// ```
    /// use drystone_kernels::limbs::Scales;
    /// assert_eq!(Scales::new::<f64>(&[0.1, 3.0, 4.0], 1.0).exponents(), [-3, 2, 2]);
    /// ```
    #[must_use]
    pub fn new<T: Float>(max_abs: &[f64], max_weight: f64) -> Self {
        let (limb_bits, n_limbs) = (T::LIMB_BITS, T::LIMBS);
        let weight_exponent = exponent_of(max_weight);
        let exponents: Vec<i32> = max_abs
            .iter()
            .map(|&max| clamp(exponent_of(max) + weight_exponent, limb_bits, n_limbs))
            .collect();
        let weight_exponent = clamp(weight_exponent, WEIGHT_LIMB_BITS, WEIGHT_LIMBS);
        Self {
            limb_bits,
            n_limbs,
            columns: Columns::new(&exponents, limb_bits, n_limbs),
            exponents,
            weight: Fixed::new(weight_exponent, WEIGHT_LIMB_BITS, WEIGHT_LIMBS),
            weight_exponent,
        }
    }

    /// How many columns there are.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.exponents.len()
    }

    /// For each column the `e` of its range 2^e: of weight times element.
    #[must_use]
    pub fn exponents(&self) -> &[i32] {
        &self.exponents
    }

    /// The `e` of the weights' range 2^e.
    #[must_use]
    pub fn weight_exponent(&self) -> i32 {
        self.weight_exponent
    }

    /// Sums of column `j` count units of two to this power.
    #[must_use]
    pub fn unit_exponent(&self, column: usize) -> i32 {
        self.exponents[column] - (self.limb_bits * self.n_limbs as u32) as i32
    }

    /// Weights count units of two to this power.
    #[must_use]
    pub fn weight_unit_exponent(&self) -> i32 {
        self.weight_exponent - (WEIGHT_LIMB_BITS * WEIGHT_LIMBS as u32) as i32
    }

    /// # Panics
    ///
    /// If these scales are not for records of type `T`.
    pub(super) fn assert_type<T: Float>(&self) {
        assert_eq!(self.n_limbs, T::LIMBS, "scales of the records' type");
    }

    /// The padded number of columns.
    pub(super) fn stride(&self) -> usize {
        self.columns.bound.len()
    }

    /// After how many rows of one cluster its `i64` limbs must be emptied.
    pub(super) fn rows_between_flushes(&self) -> u32 {
        1 << (62 - self.limb_bits.max(WEIGHT_LIMB_BITS))
    }

    /// Whether a row and its weight are in range.
    pub(super) fn check_row<T: Float>(
        &self,
        row: usize,
        values: &[T],
        weight: f64,
    ) -> Result<(), OutOfRange> {
        self.weight.check(row, None, weight)?;
        let mut products = values.iter().map(|x| weight * x.to_f64()).enumerate();
        products.try_for_each(|(column, value)| {
            self.columns.get(column).check(row, Some(column), value)
        })
    }

    /// The integer that stands for a value of a column.
    pub(super) fn integer(
        &self,
        row: usize,
        column: usize,
        value: f64,
    ) -> Result<i128, OutOfRange> {
        let fixed = self.columns.get(column);
        fixed.check(row, Some(column), value)?;
        let limbs = fixed.limb_bits_of(value);
        Ok(self.join(&fixed, 1, &limbs[..self.n_limbs]))
    }

    /// The integer that stands for a weight.
    pub(super) fn weight_integer(&self, row: usize, weight: f64) -> Result<i128, OutOfRange> {
        self.weight.check(row, None, weight)?;
        Ok(self.join_weight(1, self.weight.limb_bits_of(weight)))
    }

    /// The integer that the limbs of `n_rows` values of a column add up to.
    #[inline]
    pub(super) fn join(&self, fixed: &Fixed, n_rows: u32, limbs: &[i64]) -> i128 {
        join(fixed, n_rows, limbs, self.limb_bits)
    }

    /// The integer that the limbs of `n_rows` weights add up to.
    pub(super) fn join_weight(&self, n_rows: u32, limbs: [i64; 2]) -> i128 {
        join(&self.weight, n_rows, &limbs, WEIGHT_LIMB_BITS)
    }
}

/// Takes the magic numbers, once per row, off the sums of their bits; what is
/// left fits 63 bits, so that wrapping on the way does no harm.
#[inline]
fn join(fixed: &Fixed, n_rows: u32, limbs: &[i64], limb_bits: u32) -> i128 {
    limbs.iter().zip(fixed.magic).fold(0, |total, (&limb, magic)| {
        let magics = (magic.to_bits() as i64).wrapping_mul(i64::from(n_rows));
        (total << limb_bits) + i128::from(limb.wrapping_sub(magics))
    })
}

impl Columns {
    fn new(exponents: &[i32], limb_bits: u32, n_limbs: usize) -> Self {
        let stride = exponents.len().next_multiple_of(LANES);
        let padded = exponents.iter().copied().chain(std::iter::repeat(0));
        let columns: Vec<Fixed> =
            padded.take(stride).map(|e| Fixed::new(e, limb_bits, n_limbs)).collect();
        Self {
            bound: columns.iter().map(|c| c.bound).collect(),
            magic: [0, 1].map(|limb| columns.iter().map(|c| c.magic[limb]).collect()),
        }
    }

    #[inline]
    pub(super) fn get(&self, column: usize) -> Fixed {
        Fixed { bound: self.bound[column], magic: [self.magic[0][column], self.magic[1][column]] }
    }
}

impl Fixed {
    fn new(exponent: i32, limb_bits: u32, n_limbs: usize) -> Self {
        let magic = |limb: usize| {
            let unit = exponent - limb_bits as i32 * (limb as i32 + 1);
            if limb < n_limbs { 1.5 * power_of_two(52 + unit) } else { 0.0 }
        };
        Self { bound: power_of_two(exponent), magic: [magic(0), magic(1)] }
    }

    pub(super) fn check(
        &self,
        row: usize,
        column: Option<usize>,
        value: f64,
    ) -> Result<(), OutOfRange> {
        let bound = self.bound;
        if value.abs() <= bound {
            return Ok(());
        }
        Err(OutOfRange { row, column, value, bound })
    }

    /// The limbs of a value, each with the bits of its magic number added.
    ///
    /// Whole units of the first limb are split off exactly, and what is left,
    /// at most half such a unit, is exact too: only the last limb rounds.
    #[inline(always)]
    pub(super) fn limb_bits_of(&self, value: f64) -> [i64; 2] {
        let high = value + self.magic[0];
        let low = (value - (high - self.magic[0])) + self.magic[1];
        [high.to_bits() as i64, low.to_bits() as i64]
    }
}

/// The smallest `e` with `max <= 2^e`; very low for zero, 1024 if not finite.
fn exponent_of(max: f64) -> i32 {
    let bits = max.abs().to_bits();
    let (exponent, fraction) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
    match exponent {
        _ if bits == 0 => -4000,
        0 => fraction.next_power_of_two().ilog2() as i32 - 1074,
        0x7ff => 1024,
        _ => exponent - 1023 + i32::from(fraction != 0),
    }
}

/// The nearest exponent whose power and magic numbers are normal and finite.
fn clamp(exponent: i32, limb_bits: u32, n_limbs: usize) -> i32 {
    let bits = limb_bits as i32;
    let lowest = (bits * n_limbs as i32 - 1074).max(-1022);
    exponent.clamp(lowest, bits + 1023 - 52)
}

/// 2^exponent, of a normal number.
pub(super) fn power_of_two(exponent: i32) -> f64 {
    debug_assert!((-1022..=1023).contains(&exponent));
    f64::from_bits(((exponent + 1023) as u64) << 52)
}
