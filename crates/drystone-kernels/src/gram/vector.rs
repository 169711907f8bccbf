//! What the kernels are written over: one number, or a vector of them.

use std::ops::{Add, Div, Mul, Sub};

use crate::Float;

/// One or several `f32` or `f64` that the same operations are done to, each rounded in one
/// way only, so that the bits of a lane do not depend on the number of lanes.
pub trait Vector:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// What a lane holds.
    type Real: Float;
    /// Number of lanes.
    const LANES: usize;
    /// Adding it rounds a small number to an integer, which its low bits then hold.
    const ROUNDER: f64;
    /// The least exponent of a normal number.
    const LEAST: f64;
    /// (2^r - 1) / r for |r| <= 1/2, lowest power first: minimax polynomials, fitted by
    /// exchange in 200 bits and rounded; off by less than half a unit in the last place.
    const EXP2: &'static [f64];

    /// The same value in every lane.
    fn splat(value: Self::Real) -> Self;
    /// The first [`LANES`](Self::LANES) of some numbers.
    fn load(values: &[Self::Real]) -> Self;
    /// The first [`LANES`](Self::LANES) of some numbers, rounded to this type.
    fn narrow(values: &[f64]) -> Self;
    /// The first lane that is equal to that of the other.
    fn first_equal(self, other: Self) -> Option<usize>;
    /// Writes the lanes over the first of some numbers.
    fn store(self, to: &mut [Self::Real]);
    /// `self * a + b`, rounded once.
    #[must_use]
    fn fma(self, a: Self, b: Self) -> Self;
    /// The greater one.
    #[must_use]
    fn max(self, other: Self) -> Self;
    /// The lesser one.
    #[must_use]
    fn min(self, other: Self) -> Self;
    /// `self` times 2 to the integer that `rounded` holds, a sum with [`ROUNDER`](Self::ROUNDER).
    #[must_use]
    fn times_two_to(self, rounded: Self) -> Self;
    /// Adds to each of the sums, one a lane, the value in that lane times the coefficient of
    /// its vector, one vector after the other, in double precision.
    fn add_to<const S: usize>(values: [Self; S], coefs: [f64; S], sums: &mut [f64]);
}

/// A number of the vector's type in every lane.
#[inline(always)]
pub(super) fn constant<V: Vector>(value: f64) -> V {
    V::splat(V::Real::from_f64(value))
}

/// 2^x, for x below 127; 2 to the least exponent where x is below that.
#[inline(always)]
pub(super) fn exp2<V: Vector>(x: V) -> V {
    let rounder = constant::<V>(V::ROUNDER);
    let x = x.max(constant(V::LEAST));
    let rounded = x + rounder;
    let r = x - (rounded - rounder);
    let mut sum = constant::<V>(V::EXP2[V::EXP2.len() - 1]);
    let mut power = V::EXP2.len() - 1;
    while power > 0 {
        power -= 1;
        sum = sum.fma(r, constant(V::EXP2[power]));
    }
    sum.fma(r, constant(1.0)).times_two_to(rounded)
}

/// 1 - 2 / (e^2x + 1), to about one unit in the last place of 1.
#[inline(always)]
pub(super) fn tanh<V: Vector>(x: V) -> V {
    let twice = x * constant(2.0 * std::f64::consts::LOG2_E);
    let power = exp2(twice.min(constant(60.0)));
    constant::<V>(1.0) - constant::<V>(2.0) / (power + constant(1.0))
}

macro_rules! constants {
    ($rounder:literal, $least:literal, [$($c:literal),+]) => {
        const ROUNDER: f64 = $rounder;
        const LEAST: f64 = $least;
        const EXP2: &'static [f64] = &[$($c),+];
    };
    (f32) => {
        $crate::gram::vector::constants!(12_582_912.0, -126.0, [
            0.693_147_214_968_027_9,
            0.240_226_527_828_877_37,
            0.055_503_105_510_137_97,
            0.009_617_692_992_973_063,
            0.001_340_664_390_235_176,
            0.000_155_946_781_613_266_2
        ]);
    };
    (f64) => {
        $crate::gram::vector::constants!(6_755_399_441_055_744.0, -1022.0, [
            0.693_147_180_559_945_7,
            0.240_226_506_959_100_98,
            0.055_504_108_664_790_39,
            0.009_618_129_107_607_002,
            0.001_333_355_815_343_996_5,
            0.000_154_035_304_415_721_3,
            1.525_272_738_519_386_8e-5,
            1.321_544_267_532_982_2e-6,
            1.018_064_765_923_413_9e-7,
            7.072_570_412_814_424e-9,
            4.078_071_929_588_337e-10
        ]);
    };
}
pub(super) use constants;

macro_rules! scalar {
    ($t:ident, $bits:literal) => {
        impl Vector for $t {
            type Real = Self;
            const LANES: usize = 1;
            constants!($t);

            #[inline(always)]
            fn splat(value: Self) -> Self {
                value
            }
            #[inline(always)]
            fn load(values: &[Self]) -> Self {
                values[0]
            }
            #[inline(always)]
            fn narrow(values: &[f64]) -> Self {
                Self::from_f64(values[0])
            }
            #[inline(always)]
            fn first_equal(self, other: Self) -> Option<usize> {
                (self == other).then_some(0)
            }
            #[inline(always)]
            fn store(self, to: &mut [Self]) {
                to[0] = self;
            }
            #[inline(always)]
            fn fma(self, a: Self, b: Self) -> Self {
                self.mul_add(a, b)
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                if self > other { self } else { other }
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                if self < other { self } else { other }
            }
            #[inline(always)]
            fn times_two_to(self, rounded: Self) -> Self {
                Self::from_bits(self.to_bits().wrapping_add(rounded.to_bits() << $bits))
            }
            #[inline(always)]
            fn add_to<const S: usize>(values: [Self; S], coefs: [f64; S], sums: &mut [f64]) {
                for (value, coef) in values.into_iter().zip(coefs) {
                    sums[0] = coef.mul_add(value.to_f64(), sums[0]);
                }
            }
        }
    };
}

scalar!(f32, 23);
scalar!(f64, 52);
