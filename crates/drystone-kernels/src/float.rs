//! The two element types: `f32` and `f64`.

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` or `f64`: the element type of records. Sealed.
pub trait Float:
    sealed::Sealed + Copy + PartialOrd + Default + Send + Sync + std::fmt::Debug + std::fmt::Display + 'static
{
    /// Positive infinity.
    const INFINITY: Self;
    /// Zero.
    const ZERO: Self;
    /// The value in double precision; exact.
    fn to_f64(self) -> f64;
    /// The nearest value of this type.
    fn from_f64(value: f64) -> Self;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// `self * a + b`, rounded once.
    #[must_use]
    fn mul_add(self, a: Self, b: Self) -> Self;
}

macro_rules! impl_float {
    ($t:ty) => {
        impl Float for $t {
            const INFINITY: Self = <$t>::INFINITY;
            const ZERO: Self = 0.0;
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
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                <$t>::mul_add(self, a, b)
            }
        }
    };
}

impl_float!(f32);
impl_float!(f64);
