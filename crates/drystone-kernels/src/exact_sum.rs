//! exact_sum
