//! KMeans against naive oracles, golden values and its own laws.

mod bad_input;
mod bad_sources;
mod edge_cases;
mod explain;
mod extremes;
mod files;
mod golden;
mod linfa_traits;
mod metrics;
mod oracle;
mod pruning;
mod reproducibility;
mod seeding;
mod stopping;
mod support;
