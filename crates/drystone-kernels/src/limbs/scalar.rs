//! Sums of rows by cluster in portable Rust: what every other version must equal.

use super::accumulator::Pending;
use crate::Float;

/// Adds rows to their clusters; whether all values were in range.
pub(super) fn add_rows<T: Float>(
    pending: &mut Pending,
    records: &[T],
    weights: Option<&[f64]>,
    index: &[u32],
    sign: f64,
) -> bool {
    let weight_bound = pending.scales.weight.bound;
    // An unweighted row has weight one, which its range must allow as well.
    let mut in_range = weights.is_some() || weight_bound >= 1.0;
    let rows = records.chunks_exact(pending.scales.n_features());
    for (row, (values, &cluster)) in rows.zip(index).enumerate() {
        let cluster = cluster as usize;
        let weight = sign * weights.map_or(1.0, |w| w[row]);
        in_range &= add_row(pending, values, weight, cluster);
        if weights.is_some() || sign < 0.0 {
            in_range &= weight.abs() <= weight_bound;
            pending.add_weight(cluster, weight);
        }
        pending.count_row(cluster);
    }
    in_range
}

fn add_row<T: Float>(pending: &mut Pending, values: &[T], weight: f64, cluster: usize) -> bool {
    let scales = &pending.scales;
    let stride = scales.stride();
    let sums = &mut pending.limbs[cluster * T::LIMBS * stride..][..T::LIMBS * stride];
    let mut in_range = true;
    for (column, &x) in values.iter().enumerate() {
        let fixed = scales.columns.get(column);
        let value = weight * x.to_f64();
        in_range &= value.abs() <= fixed.bound;
        let limbs = fixed.limb_bits_of(value);
        for (limb, bits) in limbs.into_iter().take(T::LIMBS).enumerate() {
            let sum = &mut sums[limb * stride + column];
            *sum = sum.wrapping_add(bits);
        }
    }
    in_range
}
