//! What the benchmark programs share. Not a library for anyone else.

pub mod markdown;
pub mod program;
pub mod recipes;
pub mod spread;
pub mod statistics;
