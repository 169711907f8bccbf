//! The stream on AVX2 and FMA: eight lanes as two vectors of four. Gives the
//! bits of the scalar path; knows nothing of seeds beyond a lane's.

use std::arch::x86_64::*;
use std::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Sub};

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

use super::{CHUNK, LANES, first_uniform, polar};
use crate::Isa;
use crate::math::{Lanes, Words, ln_quotient, ln_with_quotient};

/// Chunks of normals that are made together: what one loop hands to the next
/// stays in the first-level cache.
const BATCH: usize = 16;

/// Whether this is the instruction set asked for, and the machine has it.
pub(super) fn runs(isa: Isa) -> bool {
    isa == Isa::Avx2 && Isa::available().contains(&Isa::Avx2)
}

/// Eight words of 64 bits, one of each lane; made only in functions that need AVX2.
#[derive(Clone, Copy)]
struct U64x8([__m256i; 2]);

/// Eight numbers, one of each lane; made only in functions that need AVX2.
#[derive(Clone, Copy)]
struct F64x8([__m256d; 2]);

/// An intrinsic, called from code that is inlined into this file's entries.
macro_rules! avx2 {
    ($call:expr) => {
        // SAFETY: the two types are private to this file, whose only entries
        // are functions that require AVX2 and FMA of their callers.
        unsafe { $call }
    };
}

macro_rules! operator {
    ($type:ident, $trait:ident, $method:ident, $intrinsic:ident) => {
        impl $trait for $type {
            type Output = Self;
            #[inline(always)]
            fn $method(mut self, other: Self) -> Self {
                for (a, b) in self.0.iter_mut().zip(other.0) {
                    *a = avx2!($intrinsic(*a, b));
                }
                self
            }
        }
    };
}

operator!(U64x8, BitAnd, bitand, _mm256_and_si256);
operator!(U64x8, BitOr, bitor, _mm256_or_si256);
operator!(U64x8, BitXor, bitxor, _mm256_xor_si256);
operator!(F64x8, Add, add, _mm256_add_pd);
operator!(F64x8, Sub, sub, _mm256_sub_pd);
operator!(F64x8, Mul, mul, _mm256_mul_pd);
operator!(F64x8, Div, div, _mm256_div_pd);

impl Words for U64x8 {
    #[inline(always)]
    fn splat(value: u64) -> Self {
        Self([avx2!(_mm256_set1_epi64x(value as i64)); 2])
    }
    #[inline(always)]
    fn plus(mut self, other: Self) -> Self {
        for (a, b) in self.0.iter_mut().zip(other.0) {
            *a = avx2!(_mm256_add_epi64(*a, b));
        }
        self
    }
    #[inline(always)]
    fn shl<const N: i32>(mut self) -> Self {
        for a in &mut self.0 {
            *a = avx2!(_mm256_slli_epi64::<N>(*a));
        }
        self
    }
    #[inline(always)]
    fn shr<const N: i32>(mut self) -> Self {
        for a in &mut self.0 {
            *a = avx2!(_mm256_srli_epi64::<N>(*a));
        }
        self
    }
}

impl Lanes for F64x8 {
    type Bits = U64x8;
    #[inline(always)]
    fn splat(value: f64) -> Self {
        Self([avx2!(_mm256_set1_pd(value)); 2])
    }
    #[inline(always)]
    fn bits(self) -> U64x8 {
        let mut bits = U64x8::splat(0);
        for (a, b) in bits.0.iter_mut().zip(self.0) {
            *a = avx2!(_mm256_castpd_si256(b));
        }
        bits
    }
    #[inline(always)]
    fn from_bits(bits: U64x8) -> Self {
        let mut values = Self::splat(0.0);
        for (a, b) in values.0.iter_mut().zip(bits.0) {
            *a = avx2!(_mm256_castsi256_pd(b));
        }
        values
    }
    #[inline(always)]
    fn fma(mut self, a: Self, b: Self) -> Self {
        for ((x, a), b) in self.0.iter_mut().zip(a.0).zip(b.0) {
            *x = avx2!(_mm256_fmadd_pd(*x, a, b));
        }
        self
    }
    #[inline(always)]
    fn root(mut self) -> Self {
        for x in &mut self.0 {
            *x = avx2!(_mm256_sqrt_pd(*x));
        }
        self
    }
    #[inline(always)]
    fn exchange(flag: U64x8, mut a: Self, mut b: Self) -> (Self, Self) {
        let flags = Self::from_bits(flag).0;
        for ((a, b), flag) in a.0.iter_mut().zip(&mut b.0).zip(flags) {
            (*a, *b) =
                (avx2!(_mm256_blendv_pd(*a, *b, flag)), avx2!(_mm256_blendv_pd(*b, *a, flag)));
        }
        (a, b)
    }
}

/// The lanes' xoshiro256++ generators: word `w` of their states is `self.0[w]`.
#[derive(Clone, Copy)]
struct Xoshiro([U64x8; 4]);

impl Xoshiro {
    /// Those that `Xoshiro256PlusPlus::seed_from_u64` makes of the seeds.
    #[inline(always)]
    fn new(seeds: [u64; LANES]) -> Self {
        let mut words = [[0; LANES]; 4];
        for (lane, &seed) in seeds.iter().enumerate() {
            let mut source = SplitMix64::seed_from_u64(seed);
            for word in &mut words {
                word[lane] = source.next_u64();
            }
        }
        Self(words.map(|w| load_bits(&w)))
    }

    /// The next number of each.
    #[inline(always)]
    fn next(&mut self) -> U64x8 {
        let [a, b, c, d] = self.0;
        let result = rotate::<23, 41>(a.plus(d)).plus(a);
        let c_new = c ^ a;
        let d_new = d ^ b;
        self.0 = [a ^ d_new, b ^ c_new, c_new ^ b.shl::<17>(), rotate::<45, 19>(d_new)];
        result
    }
}

/// Rotation to the left by `L`, with `R = 64 - L`.
#[inline(always)]
fn rotate<const L: i32, const R: i32>(x: U64x8) -> U64x8 {
    const { assert!(L + R == 64) };
    x.shl::<L>() | x.shr::<R>()
}

/// Calls `make` for each whole or partial piece of `N` values.
#[inline(always)]
fn fill<T: Copy + Default, const N: usize>(out: &mut [T], mut make: impl FnMut(&mut [T; N])) {
    let (pieces, rest) = out.as_chunks_mut::<N>();
    for piece in pieces {
        make(piece);
    }
    if !rest.is_empty() {
        let mut piece = [T::default(); N];
        make(&mut piece);
        rest.copy_from_slice(&piece[..rest.len()]);
    }
}

/// See [`super::fill_bits`].
#[target_feature(enable = "avx2,fma")]
pub(super) fn fill_bits(seeds: [u64; LANES], out: &mut [u64]) {
    let mut lanes = Xoshiro::new(seeds);
    fill(out, |step: &mut [u64; LANES]| store_bits(lanes.next(), step));
}

/// See [`super::fill_uniform`].
#[target_feature(enable = "avx2,fma")]
pub(super) fn fill_uniform(seeds: [u64; LANES], out: &mut [f64]) {
    let mut lanes = Xoshiro::new(seeds);
    fill(out, |step: &mut [f64; LANES]| store(uniform(lanes.next()), step));
}

/// See [`super::fill_normal`].
#[target_feature(enable = "avx2,fma")]
pub(super) fn fill_normal(seeds: [u64; LANES], out: &mut [f64]) {
    let mut lanes = Xoshiro::new(seeds);
    let mut quotients = [[0.0; LANES]; BATCH];
    let (chunks, rest) = out.as_chunks_mut();
    for batch in chunks.chunks_mut(BATCH) {
        fill_batch(&mut lanes, batch, &mut quotients);
    }
    if !rest.is_empty() {
        let mut last = [[0.0; CHUNK]];
        fill_batch(&mut lanes, &mut last, &mut quotients);
        rest.copy_from_slice(&last[0][..rest.len()]);
    }
}

/// The next chunks, at most [`BATCH`]; `quotients` is scratch. Three short loops,
/// because one long one waits for its own chain of division, logarithm and root.
#[inline(always)]
fn fill_batch(
    lanes: &mut Xoshiro,
    batch: &mut [[f64; CHUNK]],
    quotients: &mut [[f64; LANES]; BATCH],
) {
    for (chunk, quotient) in batch.iter_mut().zip(quotients.iter_mut()) {
        let [u1, word] = halves(chunk);
        let x = first_uniform::<F64x8>(lanes.next());
        store(x, u1);
        store(ln_quotient(x), quotient);
        store(F64x8::from_bits(lanes.next()), word);
    }
    for (chunk, quotient) in batch.iter_mut().zip(quotients.iter()) {
        let [u1, _] = halves(chunk);
        let ln = ln_with_quotient(load(u1), load(quotient));
        store(F64x8::splat(-2.0) * ln, u1);
    }
    for chunk in batch {
        let [squared, word] = halves(chunk);
        let (x, y) = polar(load(squared), load(word).bits());
        store(x, squared);
        store(y, word);
    }
}

/// What the first and what the second step give to a chunk.
#[inline(always)]
fn halves(chunk: &mut [f64; CHUNK]) -> &mut [[f64; LANES]; 2] {
    let (halves, _) = chunk.as_chunks_mut();
    halves.try_into().expect("CHUNK is 2 LANES")
}

/// The top 53 bits times 2^-53. AVX2 has no conversion from 64-bit integers:
/// the upper 21 and the lower 32 of them become mantissas of numbers whose last
/// bits are worth 2^-21 and 2^-53; no operation rounds.
#[inline(always)]
fn uniform(bits: U64x8) -> F64x8 {
    const HIGH: f64 = (1_u64 << 31) as f64;
    const LOW: f64 = 0.5;
    let low = bits.shr::<11>() & U64x8::splat(u64::from(u32::MAX));
    let high = F64x8::from_bits(bits.shr::<43>() | U64x8::splat(HIGH.to_bits()));
    let low = F64x8::from_bits(low | U64x8::splat(LOW.to_bits()));
    (high - F64x8::splat(HIGH + LOW)) + low
}

/// The eight values.
#[inline(always)]
fn load(from: &[f64; LANES]) -> F64x8 {
    let halves = from.as_chunks::<4>().0;
    // The loads need no alignment.
    F64x8([0, 1].map(|h| avx2!(_mm256_loadu_pd(halves[h].as_ptr()))))
}

/// The eight words.
#[inline(always)]
fn load_bits(from: &[u64; LANES]) -> U64x8 {
    let halves = from.as_chunks::<4>().0;
    // The loads need no alignment.
    U64x8([0, 1].map(|h| avx2!(_mm256_loadu_si256(halves[h].as_ptr().cast()))))
}

/// Writes the eight values.
#[inline(always)]
fn store(values: F64x8, out: &mut [f64; LANES]) {
    for (half, value) in out.as_chunks_mut::<4>().0.iter_mut().zip(values.0) {
        // `half` has room for four; the store needs no alignment.
        avx2!(_mm256_storeu_pd(half.as_mut_ptr(), value));
    }
}

/// Writes the eight words.
#[inline(always)]
fn store_bits(values: U64x8, out: &mut [u64; LANES]) {
    for (half, value) in out.as_chunks_mut::<4>().0.iter_mut().zip(values.0) {
        // `half` has room for four; the store needs no alignment.
        avx2!(_mm256_storeu_si256(half.as_mut_ptr().cast(), value));
    }
}
