//! The linear SVC against scikit-learn's, against its own certificate, and against itself
//! however the rows are cut and wherever they are mapped.

mod bad_input;
mod certificates;
mod files;
mod golden;
mod predictions;
mod reproducibility;
mod stopping;
mod support;
mod weights;
