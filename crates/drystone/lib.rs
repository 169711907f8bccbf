//! facade

pub use drystone_core as core;
pub use drystone_estimators as estimators;
pub use drystone_kernels as kernels;
pub use drystone_sources as sources;
