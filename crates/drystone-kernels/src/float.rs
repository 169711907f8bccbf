//! The two element types: `f32` and `f64`.

#[cfg(target_arch = "x86_64")]
use crate::{distance, limbs, limbs::Pending, screen, screen::Found, screen::Screen};

pub(crate) mod sealed {
    #[cfg(target_arch = "x86_64")]
    use crate::{limbs::Pending, screen::Found, screen::Screen};

    /// What differs between the two element types: the kernels that are written
    /// once per type, and the width of their fixed-point sums. Being a private
    /// supertrait, it also seals [`Float`](super::Float).
    pub trait Kernels: Sized {
        /// How many `i64` limbs hold a value in a fixed-point sum.
        const LIMBS: usize;
        /// How many bits one limb holds.
        const LIMB_BITS: u32;

        /// Adds rows times `sign` to pending sums with AVX2; whether all were in range.
        ///
        /// # Safety
        ///
        /// The machine must have AVX2 and FMA.
        #[cfg(target_arch = "x86_64")]
        unsafe fn add_rows_avx2(
            pending: &mut Pending,
            records: &[Self],
            weights: Option<&[f64]>,
            index: &[u32],
            sign: f64,
        ) -> bool;

        /// The [`distance`](crate::distance::distance) of pairs of rows with AVX2.
        ///
        /// # Safety
        ///
        /// The machine must have AVX2 and FMA.
        #[cfg(target_arch = "x86_64")]
        unsafe fn distances_avx2<'a>(
            pairs: impl Iterator<Item = (&'a [Self], &'a [Self])>,
            out: &mut [f64],
        ) where
            Self: 'a;

        /// [`Screen::search`](crate::screen::Screen::search) with AVX2.
        ///
        /// # Safety
        ///
        /// The machine must have AVX2 and FMA; the rows are within the records.
        #[cfg(target_arch = "x86_64")]
        unsafe fn screen_avx2(
            screen: &Screen<Self>,
            records: &[Self],
            rows: &[u32],
            found: &mut Found,
        );
    }
}

/// `f32` or `f64`: the element type of records. Sealed.
pub trait Float:
    sealed::Kernels
    + Copy
    + PartialOrd
    + Default
    + Send
    + Sync
    + std::ops::Sub<Output = Self>
    + std::fmt::Debug
    + std::fmt::Display
    + 'static
{
    /// Positive infinity.
    const INFINITY: Self;
    /// The value in double precision; exact.
    fn to_f64(self) -> f64;
    /// The nearest value of this type.
    fn from_f64(value: f64) -> Self;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
}

macro_rules! impl_float {
    ($t:ty, $limbs:literal x $limb_bits:literal) => {
        impl sealed::Kernels for $t {
            const LIMBS: usize = $limbs;
            const LIMB_BITS: u32 = $limb_bits;

            #[cfg(target_arch = "x86_64")]
            unsafe fn add_rows_avx2(
                pending: &mut Pending,
                records: &[Self],
                weights: Option<&[f64]>,
                index: &[u32],
                sign: f64,
            ) -> bool {
                // SAFETY: the caller vouches for AVX2 and FMA.
                unsafe { limbs::avx2::add_rows(pending, records, weights, index, sign) }
            }

            #[cfg(target_arch = "x86_64")]
            unsafe fn distances_avx2<'a>(
                pairs: impl Iterator<Item = (&'a [Self], &'a [Self])>,
                out: &mut [f64],
            ) {
                // SAFETY: the caller vouches for AVX2 and FMA.
                unsafe { distance::avx2::distances(pairs, out) }
            }

            #[cfg(target_arch = "x86_64")]
            unsafe fn screen_avx2(
                screen: &Screen<Self>,
                records: &[Self],
                rows: &[u32],
                found: &mut Found,
            ) {
                // SAFETY: the caller vouches for AVX2, FMA and the rows.
                unsafe { screen::avx2::search(screen, records, rows, found) }
            }
        }

        impl Float for $t {
            const INFINITY: Self = <$t>::INFINITY;
            #[inline(always)]
            #[allow(clippy::unnecessary_cast, reason = "one macro for both types")]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $t
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                <$t>::is_finite(self)
            }
        }
    };
}

impl_float!(f32, 1 x 50);
impl_float!(f64, 2 x 44);
