//! Integration tests of the whole: one binary.
