//! What the benchmark programs share. Not a library for anyone else.

pub mod markdown;
pub mod recipes;
pub mod statistics;
