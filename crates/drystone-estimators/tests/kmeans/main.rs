//! KMeans against naive oracles, golden values and its own laws.

mod golden;
mod support;
