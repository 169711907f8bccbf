//! What every estimator and job checks.

use drystone_core::{Error, Result};
use drystone_kernels::Isa;

/// What a job that may come from another process says of itself.
///
/// # Errors
/// [`Format`](drystone_core::ErrorKind::Format) when it is not sound.
pub(crate) fn sound(sound: bool) -> Result<()> {
    if sound { Ok(()) } else { Err(Error::format("a sound job", "another")) }
}

/// Whether the instruction set that the user asked for, if any, is there.
///
/// # Errors
/// [`Parameter`](drystone_core::ErrorKind::Parameter) with those that are.
pub(crate) fn check_isa() -> Result<()> {
    Isa::check_choice().map_err(|name| {
        let available: Vec<&str> = Isa::available().iter().map(|isa| isa.name()).collect();
        Error::parameter("DRYSTONE_ISA", available.join(" or "), format!("{name:?}"))
    })
}
