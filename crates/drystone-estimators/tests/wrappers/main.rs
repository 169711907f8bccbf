//! linfa's estimators over blocks, against naive oracles; and our SVC against linfa's.

mod against_linfa;
mod bad_input;
mod post_fit;
mod support;
mod voting;
