//! Calibrated probabilities: against independent optima, naive oracles, and their own laws.

mod bad_input;
mod files;
mod golden;
mod naive;
mod probabilities;
mod reproducibility;
mod support;
