//! The random stream of drystone: bits, uniforms and standard normals as pure
//! functions of (seed, grain, purpose), with the same bits on every machine.
//!
//! What these functions return is pinned: a change of any bit is value-breaking.
//! There is no generator object here that is passed around and advanced, and
//! nothing that knows of rows, blocks or distributions with parameters. Nothing
//! here is for cryptography.
//!
//! A stream consists of [`LANES`] independent xoshiro256++ generators; lane `l`
//! is seeded by `seed_from_u64(mix(&[seed, grain, purpose, l]))`, and number
//! `8 s + l` of the stream is the one that lane `l` gives in step `s`.

#[cfg(target_arch = "x86_64")]
mod avx2;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

use crate::Isa;
use crate::math::{Lanes, Words, ln, sin_cos_quarters};

/// Independent generators in a stream. Part of the definition of every value.
pub const LANES: usize = 8;

/// Normals that one pair of steps gives.
const CHUNK: usize = 2 * LANES;

const TWO_POW_MINUS_53: f64 = 1.0 / (1_u64 << 53) as f64;

/// One word out of several, every bit of it depending on every bit of them.
///
/// A bijection of each word while the others stay: streams that differ in one
/// word differ in the seeds of all lanes. The order and the number of the words
/// count. The values are pinned. No words give a constant.
///
/// ```
/// use drystone_kernels::normal::mix;
/// assert_ne!(mix(&[0, 1]), mix(&[1, 0]));
/// assert_ne!(mix(&[0]), mix(&[0, 0]));
/// ```
///
/// # References
/// G. L. Steele, D. Lea, C. H. Flood, *Fast splittable pseudorandom number
/// generators*, 2014, DOI 10.1145/2660193.2660195 (the finaliser, with the
/// multipliers of D. Stafford's variant 13).
#[must_use]
#[inline]
pub fn mix(words: &[u64]) -> u64 {
    // The fractional bits of the golden ratio, and of the square root of two.
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    const START: u64 = 0x6a09_e667_f3bc_c908;
    let absorb = |state: u64, &word: &u64| finalise((state ^ word).wrapping_add(STEP));
    words.iter().fold(START, absorb)
}

/// A bijection of 64 bits in which each input bit flips half the output bits.
#[inline]
fn finalise(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Fills `out` with the first `out.len()` 64-bit numbers of a stream.
///
/// A longer slice begins with the numbers of a shorter one, and every `isa`
/// gives the same; one that this machine lacks is taken as [`Isa::Scalar`].
///
/// # Performance
/// O(len), plus about 0.1 us for the seeding; no allocation.
///
/// # Examples
/// ```
/// use drystone_kernels::{Isa, normal::fill_bits};
/// let mut bits = [0; 3];
/// fill_bits(Isa::best(), 42, 0, 0, &mut bits);
/// let mut more = [0; 100];
/// fill_bits(Isa::Scalar, 42, 0, 0, &mut more);
/// assert_eq!(bits, more[..3]);
/// ```
///
/// # References
/// D. Blackman, S. Vigna, *Scrambled linear pseudorandom number generators*,
/// 2021, DOI 10.1145/3460772.
pub fn fill_bits(isa: Isa, seed: u64, grain: u64, purpose: u64, out: &mut [u64]) {
    let seeds = lane_seeds(seed, grain, purpose);
    #[cfg(target_arch = "x86_64")]
    if avx2::runs(isa) {
        // SAFETY: `runs` has seen that this machine has AVX2 and FMA.
        return unsafe { avx2::fill_bits(seeds, out) };
    }
    let _ = isa;
    fill_steps(seeds, out, |bits| bits);
}

/// Fills `out` with uniform numbers in [0, 1), multiples of 2^-53: the top 53
/// bits of the numbers that [`fill_bits`] gives, one for one.
///
/// A longer slice begins with the numbers of a shorter one, and every `isa`
/// gives the same; one that this machine lacks is taken as [`Isa::Scalar`].
///
/// # Performance
/// O(len), plus about 0.1 us for the seeding; no allocation.
///
/// # Examples
/// ```
/// use drystone_kernels::{Isa, normal::fill_uniform};
/// let mut values = [0.0; 1000];
/// fill_uniform(Isa::best(), 42, 0, 0, &mut values);
/// assert!(values.iter().all(|v| (0.0..1.0).contains(v)));
/// ```
///
/// # References
/// D. Blackman, S. Vigna, *Scrambled linear pseudorandom number generators*,
/// 2021, DOI 10.1145/3460772.
pub fn fill_uniform(isa: Isa, seed: u64, grain: u64, purpose: u64, out: &mut [f64]) {
    let seeds = lane_seeds(seed, grain, purpose);
    #[cfg(target_arch = "x86_64")]
    if avx2::runs(isa) {
        // SAFETY: `runs` has seen that this machine has AVX2 and FMA.
        return unsafe { avx2::fill_uniform(seeds, out) };
    }
    let _ = isa;
    fill_steps(seeds, out, |bits| (bits >> 11) as f64 * TWO_POW_MINUS_53);
}

/// Fills `out` with standard normal numbers (mean 0, variance 1).
///
/// Box-Muller: two steps of the stream give 16 numbers. Of lane `l` the first
/// step gives `u1` in (0, 1], the second `u2` in [0, 1), each of 52 bits; with
/// `r = sqrt(-2 ln u1)`, number `l` is `r cos(2 pi u2)` and number `8 + l` is
/// `r sin(2 pi u2)`.
///
/// All are finite: the largest magnitude there can be is 8.49. A longer slice
/// begins with the numbers of a shorter one, and every `isa` gives the same; one
/// that this machine lacks is taken as [`Isa::Scalar`].
///
/// # Performance
/// O(len), plus about 0.1 us for the seeding; no allocation.
///
/// # Examples
/// ```
/// use drystone_kernels::{Isa, normal::fill_normal};
/// let (mut a, mut b) = ([0.0; 1000], [0.0; 1000]);
/// fill_normal(Isa::best(), 42, 7, 0, &mut a);
/// fill_normal(Isa::Scalar, 42, 7, 0, &mut b);
/// assert_eq!(a, b);
/// assert!((a.iter().sum::<f64>() / 1000.0).abs() < 0.2);
/// ```
///
/// # References
/// G. E. P. Box, M. E. Muller, *A note on the generation of random normal
/// deviates*, 1958, DOI 10.1214/aoms/1177706645.
/// D. Blackman, S. Vigna, *Scrambled linear pseudorandom number generators*,
/// 2021, DOI 10.1145/3460772.
pub fn fill_normal(isa: Isa, seed: u64, grain: u64, purpose: u64, out: &mut [f64]) {
    let seeds = lane_seeds(seed, grain, purpose);
    #[cfg(target_arch = "x86_64")]
    if avx2::runs(isa) {
        // SAFETY: `runs` has seen that this machine has AVX2 and FMA.
        return unsafe { avx2::fill_normal(seeds, out) };
    }
    let _ = isa;
    fill_normal_scalar(seeds, out);
}

/// The seed of each lane's generator.
fn lane_seeds(seed: u64, grain: u64, purpose: u64) -> [u64; LANES] {
    std::array::from_fn(|lane| mix(&[seed, grain, purpose, lane as u64]))
}

/// One value for each number of the stream.
fn fill_steps<T>(seeds: [u64; LANES], out: &mut [T], value: impl Fn(u64) -> T) {
    let mut lanes = seeds.map(Xoshiro256PlusPlus::seed_from_u64);
    for step in out.chunks_mut(LANES) {
        for (slot, lane) in step.iter_mut().zip(&mut lanes) {
            *slot = value(lane.next_u64());
        }
    }
}

fn fill_normal_scalar(seeds: [u64; LANES], out: &mut [f64]) {
    let mut lanes = seeds.map(Xoshiro256PlusPlus::seed_from_u64);
    for slots in out.chunks_mut(CHUNK) {
        let mut chunk = [0.0; CHUNK];
        for (l, lane) in lanes.iter_mut().enumerate() {
            let (first, second) = (lane.next_u64(), lane.next_u64());
            (chunk[l], chunk[LANES + l]) = polar(-2.0 * ln(first_uniform(first)), second);
        }
        slots.copy_from_slice(&chunk[..slots.len()]);
    }
}

/// `u1`, in (0, 1], of a random word.
#[inline(always)]
fn first_uniform<L: Lanes>(word: L::Bits) -> L {
    L::splat(2.0) - with_mantissa(1.0, word)
}

/// `(r cos(2 pi u2), r sin(2 pi u2))` of `r^2` and the random word for `u2`.
#[inline(always)]
fn polar<L: Lanes>(squared: L, word: L::Bits) -> (L, L) {
    // A whole turn more than u2, in [4, 8) quarters: reduced without rounding.
    let (sin, cos) = sin_cos_quarters(with_mantissa::<L>(4.0, word));
    let r = squared.root();
    (r * cos, r * sin)
}

/// Uniform in [scale, 2 scale), for a power of two: the top 52 bits as a mantissa.
#[inline(always)]
fn with_mantissa<L: Lanes>(scale: f64, word: L::Bits) -> L {
    L::from_bits(word.shr::<12>() | L::Bits::splat(scale.to_bits()))
}
