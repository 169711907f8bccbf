//! How single rows are read.

use drystone_core::Records;

/// The weight of a row of a slice; 1 where rows have none.
pub(crate) fn weight_of(weights: Option<&[f64]>, row: usize) -> f64 {
    weights.map_or(1.0, |weights| weights[row])
}

/// The values of a row, exactly.
pub(crate) fn row_values(records: &Records, row: usize) -> Vec<f64> {
    match records {
        Records::F32(rows) => rows.row(row).iter().map(|&value| f64::from(value)).collect(),
        Records::F64(rows) => rows.row(row).to_vec(),
    }
}
