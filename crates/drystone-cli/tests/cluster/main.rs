//! Real processes on loopback: a scheduler, workers, and fits on them.

mod bits;
mod faults;
mod refusals;
mod support;
mod trust;
