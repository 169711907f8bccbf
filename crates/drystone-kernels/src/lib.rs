//! Numeric kernels whose bits do not depend on the machine: pure functions on
//! slices that take an [`Isa`] value. This is the only crate with `unsafe`.
//!
//! It knows nothing of blocks, datasets or threads.

pub mod distance;
pub mod exact_sum;
pub mod float;
pub mod gram;
pub mod isa;
pub mod limbs;
pub mod linear;
pub mod math;
pub mod nearest;
pub mod normal;
pub mod screen;
pub mod smo;

pub use exact_sum::ExactSum;
pub use float::Float;
pub use isa::Isa;
