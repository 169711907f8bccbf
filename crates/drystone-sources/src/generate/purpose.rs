//! What random numbers are for. Each use has a stream of its own, so that no parameter
//! moves the numbers of another, and two generators of one seed share none.
//!
//! Part of the definition of every value: changing one is value-breaking.

pub(super) const BLOBS_CENTERS: u64 = tag(b"b.center");
pub(super) const BLOBS_NOISE: u64 = tag(b"b.noise ");
pub(super) const BLOBS_ROWS: u64 = tag(b"b.rows  ");

pub(super) const CLASS_VERTICES: u64 = tag(b"c.vertex");
pub(super) const CLASS_EXTRA_SIGNS: u64 = tag(b"c.signs ");
pub(super) const CLASS_CLUSTER_SCALES: u64 = tag(b"c.hyperk");
pub(super) const CLASS_FEATURE_SCALES: u64 = tag(b"c.hyperj");
pub(super) const CLASS_MIXING: u64 = tag(b"c.mixing");
pub(super) const CLASS_REDUNDANT: u64 = tag(b"c.redund");
pub(super) const CLASS_REPEATED: u64 = tag(b"c.repeat");
pub(super) const CLASS_SHIFT: u64 = tag(b"c.shift ");
pub(super) const CLASS_SCALE: u64 = tag(b"c.scale ");
pub(super) const CLASS_INFORMATIVE: u64 = tag(b"c.inform");
pub(super) const CLASS_USELESS: u64 = tag(b"c.noise ");
pub(super) const CLASS_FLIP: u64 = tag(b"c.flip  ");
pub(super) const CLASS_FLIP_TO: u64 = tag(b"c.flipto");
pub(super) const CLASS_ROWS: u64 = tag(b"c.rows  ");
pub(super) const CLASS_COLUMNS: u64 = tag(b"c.column");

const fn tag(name: &[u8; 8]) -> u64 {
    u64::from_le_bytes(*name)
}
