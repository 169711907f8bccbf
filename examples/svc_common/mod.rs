//! Flags, data, progress, report and picture of the `svc` example. No use of the library that
//! a reader would want to learn from.

pub mod data;
pub mod fitted;
pub mod flags;
pub mod plot;
pub mod progress;
pub mod report;
pub mod results;
