//! Elementary functions whose bits do not depend on the machine: `ln`, `exp`
//! and the sine and cosine of a fraction of a turn.
//!
//! They use operations that IEEE 754 rounds in one way only (`+ - * /`, square
//! root, fused multiply-add) and integer operations on the bits. This is not a
//! libm: there is what drystone needs, in `f64`, to about one unit in the last
//! place, and no floating-point flags.
//!
//! The cores are written once over `Lanes`, for one `f64` or for a vector.

use std::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Sub};

/// One or several `u64` that the same operations are done to.
pub(crate) trait Words:
    Copy + BitAnd<Output = Self> + BitOr<Output = Self> + BitXor<Output = Self>
{
    /// The same value in every lane.
    fn splat(value: u64) -> Self;
    /// Addition modulo 2^64.
    fn plus(self, other: Self) -> Self;
    /// Shift towards the high bits.
    fn shl<const N: i32>(self) -> Self;
    /// Shift towards the low bits; zeros come in.
    fn shr<const N: i32>(self) -> Self;
}

/// One or several `f64` that the same operations are done to, each correctly
/// rounded, so that the bits of a lane do not depend on the number of lanes.
pub(crate) trait Lanes:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// The bit patterns of the lanes.
    type Bits: Words;
    /// The same value in every lane.
    fn splat(value: f64) -> Self;
    /// The bit patterns.
    fn bits(self) -> Self::Bits;
    /// The lanes of these bit patterns.
    fn from_bits(bits: Self::Bits) -> Self;
    /// `self * a + b`, rounded once.
    fn fma(self, a: Self, b: Self) -> Self;
    /// The square root.
    fn root(self) -> Self;
    /// `(a, b)`, exchanged in the lanes where the top bit of `flag` is set.
    fn exchange(flag: Self::Bits, a: Self, b: Self) -> (Self, Self);
}

impl Words for u64 {
    #[inline(always)]
    fn splat(value: u64) -> Self {
        value
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    #[inline(always)]
    fn shl<const N: i32>(self) -> Self {
        self << N
    }
    #[inline(always)]
    fn shr<const N: i32>(self) -> Self {
        self >> N
    }
}

impl Lanes for f64 {
    type Bits = u64;
    #[inline(always)]
    fn splat(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn bits(self) -> u64 {
        self.to_bits()
    }
    #[inline(always)]
    fn from_bits(bits: u64) -> Self {
        f64::from_bits(bits)
    }
    #[inline(always)]
    fn fma(self, a: Self, b: Self) -> Self {
        self.mul_add(a, b)
    }
    #[inline(always)]
    fn root(self) -> Self {
        self.sqrt()
    }
    #[inline(always)]
    fn exchange(flag: u64, a: Self, b: Self) -> (Self, Self) {
        if flag >> 63 == 1 { (b, a) } else { (a, b) }
    }
}

const SIGN: u64 = 1 << 63;
const MANTISSA: u64 = (1 << 52) - 1;
const ONE_BITS: u64 = 1.0_f64.to_bits();
const SQRT_HALF_BITS: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
/// 2^52: a `f64` of this exponent holds an integer in its low bits.
const TWO_52: f64 = 4_503_599_627_370_496.0;
/// 1.5 * 2^52: adding it rounds a small number of either sign to an integer.
const ROUNDER: f64 = 1.5 * TWO_52;

/// The first 42 bits of ln 2: an exponent times this is exact.
const LN_2_HI: f64 = 0.693_147_180_559_890_3;
/// What is left of ln 2.
const LN_2_LO: f64 = 5.497_923_018_708_371e-14;
/// What `FRAC_PI_2` lacks of pi / 2.
const FRAC_PI_2_LO: f64 = 6.123_233_995_736_766e-17;

// Minimax polynomials, lowest power first, fitted by exchange in 300 bits and
// rounded. The error given is that of the function, relative to it.

/// -(2 atanh(s) - 2s) / s^3 in s^2, for |s| <= 3 - 2 sqrt 2; 2^-58.
const LN: [f64; 7] = [
    -0.666_666_666_666_671,
    -0.399_999_999_995_198_25,
    -0.285_714_287_292_847_87,
    -0.222_221_990_908_934_2,
    -0.181_835_715_411_694_16,
    -0.153_131_643_750_768_15,
    -0.148_105_199_908_240_6,
];
/// (sin(pi t / 2) - pi t / 2) / t^3 in t^2, for |t| <= 1/2; 2^-57.
const SIN: [f64; 6] = [
    -0.645_964_097_506_245_3,
    0.079_692_626_246_074_65,
    -0.004_681_754_132_695_618,
    0.000_160_441_152_365_314_64,
    -3.598_645_959_530_147_4e-6,
    5.633_936_132_273_839e-8,
];
/// (cos(pi t / 2) - 1) / t^2 in t^2, for |t| <= 1/2; 2^-63.
const COS: [f64; 7] = [
    -1.233_700_550_136_169_7,
    0.253_669_507_901_047_14,
    -0.020_863_480_763_318_17,
    0.000_919_260_274_236_879_1,
    -2.520_203_696_171_001e-5,
    4.710_612_286_370_458_5e-7,
    -6.321_258_921_032_388e-9,
];
/// (e^r - 1 - r) / r^2 in r, for |r| <= ln 2 / 2; 2^-64.
const EXP: [f64; 11] = [
    0.5,
    0.166_666_666_666_666_85,
    0.041_666_666_666_666_73,
    0.008_333_333_333_316_739,
    0.001_388_888_888_885_853_6,
    0.000_198_412_698_970_600_93,
    2.480_158_737_357_557e-5,
    2.755_723_423_560_120_5e-6,
    2.755_723_348_867_611_4e-7,
    2.511_224_026_180_442e-8,
    2.092_690_618_153_496_3e-9,
];

/// The polynomial with these coefficients, lowest power first, by Horner's rule.
#[inline(always)]
fn polynomial<L: Lanes, const N: usize>(x: L, coefficients: &[f64; N]) -> L {
    let mut sum = L::splat(coefficients[N - 1]);
    for &c in coefficients[..N - 1].iter().rev() {
        sum = sum.fma(x, L::splat(c));
    }
    sum
}

/// `(k, f)` with `x = 2^k (1 + f)` and `1 + f` in [sqrt 1/2, sqrt 2), for
/// positive, normal, finite `x`.
#[inline(always)]
fn split<L: Lanes>(x: L) -> (L, L) {
    let moved = x.bits().plus(L::Bits::splat(ONE_BITS - SQRT_HALF_BITS));
    let exponent = moved.shr::<52>() | L::Bits::splat(TWO_52.to_bits());
    let k = L::from_bits(exponent) - L::splat(TWO_52 + 1023.0);
    let mantissa = moved & L::Bits::splat(MANTISSA);
    let m = L::from_bits(mantissa.plus(L::Bits::splat(SQRT_HALF_BITS)));
    (k, m - L::splat(1.0))
}

/// ln(2^k (1 + f)) as k ln 2 + 2 atanh(s), where `s` is `f / (2 + f)`.
#[inline(always)]
fn ln_of_split<L: Lanes>(k: L, f: L, s: L) -> L {
    let z = s * s;
    // 2s = f - sf, so that only a small term carries the error of the division.
    let small = s.fma(z.fma(polynomial(z, &LN), f), k * L::splat(-LN_2_LO));
    k.fma(L::splat(LN_2_HI), f - small)
}

/// The division in the logarithm of `x`. It is apart from the rest because a
/// loop that only divides, and one that does not, are faster than one of both.
#[inline(always)]
pub(crate) fn ln_quotient<L: Lanes>(x: L) -> L {
    let (_, f) = split(x);
    f / (f + L::splat(2.0))
}

/// [`ln`] for positive, normal, finite `x`, given its [`ln_quotient`].
#[inline(always)]
pub(crate) fn ln_with_quotient<L: Lanes>(x: L, quotient: L) -> L {
    let (k, f) = split(x);
    ln_of_split(k, f, quotient)
}

/// Sine and cosine of the angle of `q` quarter turns, for |q| < 2^50.
#[inline(always)]
pub(crate) fn sin_cos_quarters<L: Lanes>(q: L) -> (L, L) {
    let rounder = L::splat(ROUNDER);
    let rounded = q + rounder;
    // What is left after whole quarters, in [-1/2, 1/2]: exact.
    let t = q - (rounded - rounder);
    let z = t * t;
    let low = z.fma(polynomial(z, &SIN), L::splat(FRAC_PI_2_LO));
    let sin = t.fma(L::splat(std::f64::consts::FRAC_PI_2), t * low);
    let cos = z.fma(polynomial(z, &COS), L::splat(1.0));
    turn_quarters(rounded.bits(), sin, cos)
}

/// Sine and cosine after as many more quarter turns as the low bits say.
#[inline(always)]
fn turn_quarters<L: Lanes>(quarters: L::Bits, sin: L, cos: L) -> (L, L) {
    let odd = quarters.shl::<63>();
    let half = quarters.shl::<62>();
    let (sin, cos) = L::exchange(odd, sin, cos);
    let sign = L::Bits::splat(SIGN);
    (L::from_bits(sin.bits() ^ (half & sign)), L::from_bits(cos.bits() ^ ((half ^ odd) & sign)))
}

/// The natural logarithm, the same bits on every machine.
///
/// To about one unit in the last place (0.83 at worst in 90,000 random points),
/// subnormal arguments too; two is what is tested. `ln(0)` is -inf, `ln(inf)`
/// inf; a negative number and NaN give NaN.
///
/// ```
/// use drystone_kernels::math::ln;
/// assert_eq!(ln(1.0), 0.0);
/// assert_eq!(ln(2.0), std::f64::consts::LN_2);
/// assert_eq!(ln(0.0), f64::NEG_INFINITY);
/// assert!(ln(-1.0).is_nan());
/// ```
#[must_use]
pub fn ln(x: f64) -> f64 {
    if (f64::MIN_POSITIVE..f64::INFINITY).contains(&x) {
        ln_with_quotient(x, ln_quotient(x))
    } else if x == f64::INFINITY {
        x
    } else if x > 0.0 {
        let x = x * TWO_52;
        let (k, f) = split(x);
        ln_of_split(k - 52.0, f, ln_quotient(x))
    } else if x == 0.0 {
        f64::NEG_INFINITY
    } else {
        f64::NAN
    }
}

/// The exponential function, the same bits on every machine.
///
/// To about one unit in the last place (0.94 at worst in 60,000 random points),
/// subnormal results too; two is what is tested. The result is inf from about
/// 709.8 on and 0 below about -745.1; NaN gives NaN.
///
/// ```
/// use drystone_kernels::math::exp;
/// assert_eq!(exp(0.0), 1.0);
/// assert!((exp(1.0) - std::f64::consts::E).abs() < 1e-15);
/// assert_eq!(exp(710.0), f64::INFINITY);
/// assert_eq!(exp(-746.0), 0.0);
/// ```
#[must_use]
pub fn exp(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    let x = x.clamp(-746.0, 710.0);
    let k = (x * std::f64::consts::LOG2_E + ROUNDER) - ROUNDER;
    let r = k.mul_add(-LN_2_LO, k.mul_add(-LN_2_HI, x));
    let y = 1.0 + (r * r).mul_add(polynomial(r, &EXP), r);
    // In two steps, for 2^k alone may be out of range; only the last can round.
    let k = k as i64;
    y * power_of_two(k / 2) * power_of_two(k - k / 2)
}

/// 2^k, for |k| < 1023.
fn power_of_two(k: i64) -> f64 {
    f64::from_bits(((1023 + k) as u64) << 52)
}

/// Sine and cosine of the angle of `u` turns, `(sin 2 pi u, cos 2 pi u)`, for `u`
/// in [0, 1), the same bits on every machine.
///
/// To about one unit in the last place (0.99 at worst in 60,000 random points;
/// two is what is tested): the argument is reduced before it is multiplied by pi,
/// which is exact.
///
/// ```
/// use drystone_kernels::math::sin_cos_turns;
/// assert_eq!(sin_cos_turns(0.0), (0.0, 1.0));
/// assert_eq!(sin_cos_turns(0.25), (1.0, 0.0));
/// assert_eq!(sin_cos_turns(0.5), (0.0, -1.0));
/// let (sin, cos) = sin_cos_turns(0.125);
/// assert!((sin - cos).abs() < 1e-15);
/// ```
#[must_use]
pub fn sin_cos_turns(u: f64) -> (f64, f64) {
    sin_cos_quarters(4.0 * u)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "libm is what these are compared with")]
mod tests {
    use std::f64::consts::FRAC_PI_2;

    use super::{FRAC_PI_2_LO, exp, ln, sin_cos_turns};
    use crate::normal::mix;

    /// How many representable numbers lie between two of the same sign.
    fn ulps(a: f64, b: f64) -> u64 {
        if a == b { 0 } else { a.to_bits().abs_diff(b.to_bits()) }
    }

    /// The `i`-th of a fixed sequence, uniform in [0, 1).
    fn point(i: u64) -> f64 {
        (mix(&[i]) >> 11) as f64 * 2.0_f64.powi(-53)
    }

    const POINTS: u64 = 200_000;

    #[test]
    fn ln_is_near_std() {
        for i in 0..POINTS {
            let any = f64::from_bits(mix(&[i]) >> 1);
            for x in [any, point(i), 1.0 - point(i) / 1024.0, 1.0 + point(i)] {
                if x > 0.0 && x.is_finite() {
                    assert!(ulps(ln(x), x.ln()) <= 2, "ln({x:e})");
                }
            }
        }
    }

    #[test]
    fn ln_at_the_borders() {
        assert_eq!(ln(1.0).to_bits(), 0);
        assert_eq!(ln(-0.0), f64::NEG_INFINITY);
        assert_eq!(ln(f64::INFINITY), f64::INFINITY);
        assert!(ln(f64::NAN).is_nan() && ln(f64::NEG_INFINITY).is_nan());
        let (tiny, huge) = (f64::from_bits(1), f64::MAX);
        for x in [tiny, f64::MIN_POSITIVE, huge, 0.5_f64.sqrt(), 2.0_f64.sqrt()] {
            assert!(ulps(ln(x), x.ln()) <= 1, "ln({x:e})");
        }
    }

    #[test]
    fn exp_is_near_std() {
        for i in 0..POINTS {
            let u = point(i);
            for x in [1460.0 * u - 748.0, u - 0.5, (u - 0.5) * 1e-8, -20.0 * u] {
                assert!(ulps(exp(x), x.exp()) <= 2, "exp({x:e})");
            }
        }
    }

    #[test]
    fn exp_at_the_borders() {
        assert!(exp(f64::NAN).is_nan());
        assert_eq!(exp(f64::INFINITY), f64::INFINITY);
        assert_eq!(exp(f64::NEG_INFINITY), 0.0);
        assert_eq!(exp(-0.0), 1.0);
        for x in [709.782_712_893_383_9, 709.782_712_893_384_1, -708.4, -745.1, -745.2] {
            assert!(ulps(exp(x), x.exp()) <= 2, "exp({x})");
        }
    }

    /// sin and cos of `t` quarter turns, |t| <= 1/2, with the rounding of the
    /// angle made good to first order.
    fn std_sin_cos(t: f64) -> (f64, f64) {
        let angle = t * FRAC_PI_2;
        let rest = t.mul_add(FRAC_PI_2, -angle) + t * FRAC_PI_2_LO;
        let (sin, cos) = (angle.sin(), angle.cos());
        (sin + rest * cos, cos - rest * sin)
    }

    #[test]
    fn sin_cos_turns_is_near_std() {
        for i in 0..POINTS {
            for u in [point(i), point(i) * 1e-9, 0.25 + point(i) * 1e-9] {
                let quarter = (4.0 * u).round_ties_even();
                let (s, c) = std_sin_cos(4.0 * u - quarter);
                let expected = match quarter as u64 % 4 {
                    0 => (s, c),
                    1 => (c, -s),
                    2 => (-s, -c),
                    _ => (-c, s),
                };
                let (sin, cos) = sin_cos_turns(u);
                assert!(ulps(sin, expected.0) <= 2, "sin of {u:e} turns");
                assert!(ulps(cos, expected.1) <= 2, "cos of {u:e} turns");
            }
        }
    }

    #[test]
    fn values_are_pinned() {
        let bits = |(a, b): (f64, f64)| (a.to_bits(), b.to_bits());
        assert_eq!(bits((ln(0.1), ln(10.0))), (0xc002_6bb1_bbb5_5515, 0x4002_6bb1_bbb5_5516));
        assert_eq!(bits((exp(0.1), exp(-10.0))), (0x3ff1_aec7_b35a_00d4, 0x3f07_cd79_b564_7c9a));
        assert_eq!(bits(sin_cos_turns(0.1)), (0x3fe2_cf23_0475_5a5e, 0x3fe9_e377_9b97_f4a8));
        assert_eq!(bits(sin_cos_turns(0.7)), (0xbfee_6f0e_1344_54ff, 0xbfd3_c6ef_372f_e954));
    }
}
