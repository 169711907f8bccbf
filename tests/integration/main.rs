//! Integration tests of the whole, through the facade and the `kmeans` and `svc` examples: one binary.

#[cfg(unix)]
mod bad_input;
mod checkpoint_example;
mod facade;
mod files;
mod kmeans_example;
#[cfg(target_os = "linux")]
mod memory;
mod reproducibility;
mod support;
mod svc_example;
