//! The two types that kernel functions are evaluated in.

use super::vector::Vector;
use crate::Float;

/// `f32` or `f64`, and the vectors of it.
pub trait Real: Float + Vector<Real = Self> {
    /// A vector of AVX2.
    #[cfg(target_arch = "x86_64")]
    #[doc(hidden)]
    type Avx2: Vector<Real = Self>;
}

impl Real for f32 {
    #[cfg(target_arch = "x86_64")]
    type Avx2 = super::avx2::F32x8;
}

impl Real for f64 {
    #[cfg(target_arch = "x86_64")]
    type Avx2 = super::avx2::F64x4;
}
