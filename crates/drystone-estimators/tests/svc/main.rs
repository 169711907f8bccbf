//! The SVC against LIBSVM's optima, its own certificate, and the laws of blocks.

mod bad_input;
mod explain;
mod far;
mod files;
mod golden;
mod predictions;
mod reproducibility;
mod stopping;
mod support;
