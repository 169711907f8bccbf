//! The vectors of AVX2 and FMA.

use std::arch::x86_64::*;
use std::ops::{Add, Div, Mul, Sub};

use super::real::Real;
use super::vector::{Vector, constants};
use super::{Sink, Task, Terms};
use crate::smo::{Solver, Stop};

/// Eight numbers; made only in functions that need AVX2.
#[derive(Clone, Copy)]
pub struct F32x8(__m256);

/// Four numbers; made only in functions that need AVX2.
#[derive(Clone, Copy)]
pub struct F64x4(__m256d);

/// [`Task::meet_all`] with AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub(super) fn run<T: Real, S: Sink<T>, X: Terms<T>, const G: usize>(
    task: &Task<'_, T>,
    terms: &X,
    sink: &mut S,
) {
    task.meet_all::<T::Avx2, S, G>(terms, sink);
}

/// [`Solver::run`] with AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub(crate) fn solve<T: Real>(solver: &mut Solver<'_, T>, stop: Stop) -> usize {
    solver.run::<T::Avx2, F64x4>(stop)
}

/// An intrinsic, called from code that is inlined into this file's entries.
macro_rules! avx2 {
    ($call:expr) => {
        // SAFETY: nothing makes these types but what is called by `run` and `solve`, which
        // require AVX2 and FMA of their callers.
        unsafe { $call }
    };
}

macro_rules! operator {
    ($type:ident, $trait:ident, $method:ident, $intrinsic:ident) => {
        impl $trait for $type {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(avx2!($intrinsic(self.0, other.0)))
            }
        }
    };
}

operator!(F32x8, Add, add, _mm256_add_ps);
operator!(F32x8, Sub, sub, _mm256_sub_ps);
operator!(F32x8, Mul, mul, _mm256_mul_ps);
operator!(F32x8, Div, div, _mm256_div_ps);
operator!(F64x4, Add, add, _mm256_add_pd);
operator!(F64x4, Sub, sub, _mm256_sub_pd);
operator!(F64x4, Mul, mul, _mm256_mul_pd);
operator!(F64x4, Div, div, _mm256_div_pd);

impl Vector for F32x8 {
    type Real = f32;
    const LANES: usize = 8;
    constants!(f32);

    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self(avx2!(_mm256_set1_ps(value)))
    }
    #[inline(always)]
    fn load(values: &[f32]) -> Self {
        assert!(values.len() >= 8, "a number a lane");
        Self(avx2!(_mm256_loadu_ps(values.as_ptr())))
    }
    #[inline(always)]
    fn narrow(values: &[f64]) -> Self {
        assert!(values.len() >= 8, "a number a lane");
        avx2!({
            let low = _mm256_cvtpd_ps(_mm256_loadu_pd(values.as_ptr()));
            let high = _mm256_cvtpd_ps(_mm256_loadu_pd(values.as_ptr().add(4)));
            Self(_mm256_set_m128(high, low))
        })
    }
    #[inline(always)]
    fn first_equal(self, other: Self) -> Option<usize> {
        let equal = avx2!(_mm256_movemask_ps(_mm256_cmp_ps::<_CMP_EQ_OQ>(self.0, other.0)));
        (equal != 0).then(|| equal.trailing_zeros() as usize)
    }
    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        assert!(to.len() >= 8, "a place a lane");
        avx2!(_mm256_storeu_ps(to.as_mut_ptr(), self.0));
    }
    #[inline(always)]
    fn fma(self, a: Self, b: Self) -> Self {
        Self(avx2!(_mm256_fmadd_ps(self.0, a.0, b.0)))
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self(avx2!(_mm256_max_ps(self.0, other.0)))
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self(avx2!(_mm256_min_ps(self.0, other.0)))
    }
    #[inline(always)]
    fn times_two_to(self, rounded: Self) -> Self {
        avx2!({
            let exponent = _mm256_slli_epi32::<23>(_mm256_castps_si256(rounded.0));
            Self(_mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(self.0), exponent)))
        })
    }
    #[inline(always)]
    fn add_to<const S: usize>(values: [Self; S], coefs: [f64; S], sums: &mut [f64]) {
        assert!(sums.len() >= 8, "a sum a lane");
        avx2!({
            let mut low = _mm256_loadu_pd(sums.as_ptr());
            let mut high = _mm256_loadu_pd(sums.as_ptr().add(4));
            for (value, coef) in values.into_iter().zip(coefs) {
                let coef = _mm256_set1_pd(coef);
                let (a, b) = (_mm256_castps256_ps128(value.0), _mm256_extractf128_ps::<1>(value.0));
                low = _mm256_fmadd_pd(coef, _mm256_cvtps_pd(a), low);
                high = _mm256_fmadd_pd(coef, _mm256_cvtps_pd(b), high);
            }
            _mm256_storeu_pd(sums.as_mut_ptr(), low);
            _mm256_storeu_pd(sums.as_mut_ptr().add(4), high);
        });
    }
}

impl Vector for F64x4 {
    type Real = f64;
    const LANES: usize = 4;
    constants!(f64);

    #[inline(always)]
    fn splat(value: f64) -> Self {
        Self(avx2!(_mm256_set1_pd(value)))
    }
    #[inline(always)]
    fn load(values: &[f64]) -> Self {
        assert!(values.len() >= 4, "a number a lane");
        Self(avx2!(_mm256_loadu_pd(values.as_ptr())))
    }
    #[inline(always)]
    fn narrow(values: &[f64]) -> Self {
        Self::load(values)
    }
    #[inline(always)]
    fn first_equal(self, other: Self) -> Option<usize> {
        let equal = avx2!(_mm256_movemask_pd(_mm256_cmp_pd::<_CMP_EQ_OQ>(self.0, other.0)));
        (equal != 0).then(|| equal.trailing_zeros() as usize)
    }
    #[inline(always)]
    fn store(self, to: &mut [f64]) {
        assert!(to.len() >= 4, "a place a lane");
        avx2!(_mm256_storeu_pd(to.as_mut_ptr(), self.0));
    }
    #[inline(always)]
    fn fma(self, a: Self, b: Self) -> Self {
        Self(avx2!(_mm256_fmadd_pd(self.0, a.0, b.0)))
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self(avx2!(_mm256_max_pd(self.0, other.0)))
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self(avx2!(_mm256_min_pd(self.0, other.0)))
    }
    #[inline(always)]
    fn times_two_to(self, rounded: Self) -> Self {
        avx2!({
            let exponent = _mm256_slli_epi64::<52>(_mm256_castpd_si256(rounded.0));
            Self(_mm256_castsi256_pd(_mm256_add_epi64(_mm256_castpd_si256(self.0), exponent)))
        })
    }
    #[inline(always)]
    fn add_to<const S: usize>(values: [Self; S], coefs: [f64; S], sums: &mut [f64]) {
        assert!(sums.len() >= 4, "a sum a lane");
        avx2!({
            let mut sum = _mm256_loadu_pd(sums.as_ptr());
            for (value, coef) in values.into_iter().zip(coefs) {
                sum = _mm256_fmadd_pd(_mm256_set1_pd(coef), value.0, sum);
            }
            _mm256_storeu_pd(sums.as_mut_ptr(), sum);
        });
    }
}
