//! What goes around a fit: scalers, splits and metrics, against naive oracles, scikit-learn and
//! their own laws.

mod golden;
mod metrics;
mod predictions;
mod scalers;
mod scalers_bad_input;
mod splits;
mod splits_bad_input;
mod support;
mod travel;
