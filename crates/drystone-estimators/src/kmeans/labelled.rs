//! What Lloyd's iterations keep of the rows of a slice: their labels, how long these are
//! sure to stay, and what the rows of each cluster add up to.
//!
//! A row whose nearest centroid is nearer than every other by some gap keeps its label
//! until the centroids have moved by that much: its own one away from it, and the others
//! towards it (G. Hamerly, *Making k-means even faster*, SDM 2010,
//! doi:10.1137/1.9781611972801.12). Instead of taking each step's drift off every row's gap,
//! the drifts of a cluster are added up, and a row remembers at which total its label ends;
//! so rows that stay are not touched at all. Rows that move are taken from the sums of one
//! cluster and added to those of another, which is exact.

use drystone_kernels::limbs::ClusterSums;

use super::nearness::Index;

/// The labels of the rows of a slice, and what follows from them.
#[derive(Clone, Debug)]
pub(crate) struct Labelled {
    pub labels: Index,
    /// For each row the drift of its cluster at which the label may end; empty if all rows
    /// are compared in each step.
    pub ends: Vec<f32>,
    /// What the rows add up to, where that takes little memory beside the rows.
    pub sums: Option<ClusterSums>,
    /// Sum of [`label_hash`] over the rows of positive weight.
    pub hash: u64,
}

/// Bytes of a label, and of where it ends.
pub(crate) fn bytes_per_row(n_clusters: usize, skips: bool) -> usize {
    Index::bytes(n_clusters) + if skips { size_of::<f32>() } else { 0 }
}

/// Bytes of the sums of a slice, if they are kept: where they are small beside its rows.
pub(crate) fn bytes_of_sums(n_sums: usize, bytes_of_rows: usize) -> Option<usize> {
    let bytes = n_sums.saturating_mul(size_of::<i128>());
    (bytes <= bytes_of_rows / 32).then_some(bytes)
}

/// When the label of a row ends, given its gap and the drift so far; rounded down.
pub(crate) fn end(gap: f32, drift: f64) -> f32 {
    ((f64::from(gap) + drift) * (1.0 - 1e-6)) as f32
}

/// The drift that an end must be above, rounded up.
pub(crate) fn reach(drift: f64, margin: f64) -> f32 {
    ((drift + margin) * (1.0 + 1e-6)) as f32
}

/// Scrambles a row and its label. Another label of the same row always gives another
/// value; several rows' changes cancel in the sum with a chance of about 2^-64.
#[inline]
pub(crate) fn label_hash(row: u64, label: u32) -> u64 {
    let both = row.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let both = both.wrapping_add((u64::from(label) + 1).wrapping_mul(0xd1b5_4a32_d192_ed03));
    let folded = (both ^ (both >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    folded ^ (folded >> 32)
}

impl Labelled {
    /// Rows that need a look: those whose cluster has drifted as far as their label reaches.
    pub fn due(&self, reach: &[f32]) -> Vec<u32> {
        if self.ends.is_empty() {
            return (0..self.labels.len() as u32).collect();
        }
        let due = |&row: &u32| {
            let row = row as usize;
            // An end that is not a number is no reason to stay.
            !matches!(
                self.ends[row].partial_cmp(&reach[self.labels.get(row)]),
                Some(std::cmp::Ordering::Greater)
            )
        };
        (0..self.labels.len() as u32).filter(due).collect()
    }
}
