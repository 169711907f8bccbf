//! Which instruction set a kernel runs on, chosen once and passed as a value.

use std::fmt;
use std::sync::OnceLock;

/// An instruction set that kernels are written for. Every one gives the same bits.
///
/// ```
/// use drystone_kernels::Isa;
/// assert!(Isa::available().contains(&Isa::Scalar));
/// assert!(Isa::available().contains(&Isa::best()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Isa {
    /// Portable Rust, one value at a time.
    Scalar,
    /// AVX2 with fused multiply-add (x86-64).
    Avx2,
}

impl Isa {
    /// The fastest instruction set of this machine, or the one that the
    /// environment variable `DRYSTONE_ISA` (`scalar`, `avx2`) names. A name that
    /// is unknown, or not available here, changes nothing here: who should know is
    /// told by [`check_choice`](Self::check_choice).
    #[must_use]
    pub fn best() -> Self {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            let wanted = std::env::var("DRYSTONE_ISA").unwrap_or_default();
            let available = Self::available();
            let named = available.iter().find(|isa| isa.name() == wanted);
            *named.unwrap_or(&available[0])
        })
    }

    /// Whether `DRYSTONE_ISA`, if it is set, names an instruction set of this machine.
    ///
    /// # Errors
    /// The name that is not available here.
    pub fn check_choice() -> Result<(), String> {
        match std::env::var("DRYSTONE_ISA") {
            Ok(name) if Self::available().iter().all(|isa| isa.name() != name) => Err(name),
            _ => Ok(()),
        }
    }

    /// The instruction sets that this machine can run, fastest first.
    #[must_use]
    pub fn available() -> &'static [Self] {
        if has_avx2_and_fma() { &[Self::Avx2, Self::Scalar] } else { &[Self::Scalar] }
    }

    /// The lower-case name: what `DRYSTONE_ISA` takes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx2_and_fma() -> bool {
    std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx2_and_fma() -> bool {
    false
}
