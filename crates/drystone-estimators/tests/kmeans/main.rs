//! KMeans against naive oracles, golden values and its own laws.

mod edge_cases;
mod files;
mod golden;
mod oracle;
mod reproducibility;
mod seeding;
mod support;
