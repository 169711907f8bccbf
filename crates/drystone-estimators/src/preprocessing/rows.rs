//! Going over the rows of a slice in double precision, and refusing bad numbers.

use drystone_core::block::RecordElement;
use drystone_core::{BlockAt, Error, ErrorKind, Records, Result, Rows};

/// Hands over each row and its weight, 1 where rows have none.
///
/// # Errors
/// For records of another width, a value that is not finite, or a weight that is negative or
/// not finite, with block, row and column.
pub(super) fn for_each_row(
    rows: &BlockAt,
    n_features: usize,
    f: impl FnMut(f64, &[f64]),
) -> Result<()> {
    let found = rows.block.records.n_features();
    if found != n_features {
        return Err(Error::shape("features", n_features as u64, found as u64));
    }
    match &rows.block.records {
        Records::F32(records) => each(rows, records, f),
        Records::F64(records) => each(rows, records, f),
    }
}

fn each<T: RecordElement>(
    rows: &BlockAt,
    records: &Rows<T>,
    mut f: impl FnMut(f64, &[f64]),
) -> Result<()> {
    let weights = rows.block.weights.as_deref();
    let mut values = vec![0.0; records.n_features()];
    for row in 0..records.n_samples() {
        for (to, &value) in values.iter_mut().zip(records.row(row)) {
            *to = value.to_f64();
        }
        if !values.iter().fold(true, |sound, value| sound & value.is_finite()) {
            let column = values.iter().position(|value| !value.is_finite()).unwrap_or(0);
            return Err(rows.locate(not_finite(values[column], column), Some(row)));
        }
        let weight = weights.map_or(1.0, |weights| weights[row]);
        if !(weight >= 0.0 && weight.is_finite()) {
            let error: Error = ErrorKind::Weight { found: weight.to_string() }.into();
            return Err(rows.locate(error, Some(row)));
        }
        f(weight, &values);
    }
    Ok(())
}

/// Takes the values of a row into the least and the greatest of each column.
pub(super) fn widen(min: &mut [f64], max: &mut [f64], values: &[f64]) {
    for ((min, max), &value) in min.iter_mut().zip(max).zip(values) {
        // Adding 0 makes -0.0 to 0.0: which of them came first must not show.
        let value = value + 0.0;
        *min = if value < *min { value } else { *min };
        *max = if value > *max { value } else { *max };
    }
}

pub(super) fn not_finite(found: impl std::fmt::Display, column: usize) -> Error {
    Error::from(ErrorKind::NotFinite { found: found.to_string() }).at_column(column as u64)
}
