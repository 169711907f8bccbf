//! What the examples share: files, checkpoints, flags of text files, output, a progress bar and pictures.
//! No use of the library that a reader would want to learn from.

pub mod bar;
pub mod checkpoint;
pub mod executor;
pub mod files;
pub mod machine;
pub mod output;
pub mod picture;
