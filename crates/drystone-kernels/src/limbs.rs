//! limbs
