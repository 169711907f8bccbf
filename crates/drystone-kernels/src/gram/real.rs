//! The two types that kernel functions are evaluated in.

use super::vector::Vector;
use super::{Matrix, Sums, Task};
use crate::smo::{Solver, Stop};
use crate::{Float, Isa};

/// `f32` or `f64`, with the kernels of each: compiled here once, whatever calls them. Being a
/// private supertrait's, they also seal [`Real`].
pub(crate) mod sealed {
    use super::{Isa, Matrix, Solver, Stop, Sums, Task};

    pub trait Kernels: Sized {
        fn add_up(isa: Isa, task: &Task<'_, Self>, sums: &mut Sums<'_>);
        fn write(isa: Isa, task: &Task<'_, Self>, matrix: &mut Matrix<'_, Self>);
        fn solve(isa: Isa, solver: &mut Solver<'_, Self>, stop: Stop) -> usize;
    }
}

/// `f32` or `f64`: what kernel functions are evaluated in. Sealed.
pub trait Real: Float + Vector<Real = Self> + sealed::Kernels {
    /// A vector of AVX2.
    #[cfg(target_arch = "x86_64")]
    #[doc(hidden)]
    type Avx2: Vector<Real = Self>;
}

macro_rules! real {
    ($t:ident, $avx2:ident, $group:literal) => {
        impl sealed::Kernels for $t {
            fn add_up(isa: Isa, task: &Task<'_, Self>, sums: &mut Sums<'_>) {
                task.run_on::<_, $group>(isa, sums);
            }

            fn write(isa: Isa, task: &Task<'_, Self>, matrix: &mut Matrix<'_, Self>) {
                task.run_on::<_, $group>(isa, matrix);
            }

            fn solve(isa: Isa, solver: &mut Solver<'_, Self>, stop: Stop) -> usize {
                solver.run_on(isa, stop)
            }
        }

        impl Real for $t {
            #[cfg(target_arch = "x86_64")]
            type Avx2 = super::avx2::$avx2;
        }
    };
}

// Supports that meet four vectors of rows at a time. Three fill the registers of AVX2 with their
// sums and what goes into them; in single precision the compiler then spills one of them.
real!(f32, F32x8, 2);
real!(f64, F64x4, 3);
