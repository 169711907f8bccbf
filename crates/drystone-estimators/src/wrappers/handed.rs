//! What is handed to linfa's models, and what comes back.

use drystone_core::block::RecordElement;
use drystone_core::{Block, Error, ErrorKind, Result, catch_panic};
use linfa::traits::Predict;
use ndarray::{Array, ArrayView2, Axis, RemoveAxis};

/// The records of a block, all finite: few of linfa's estimators look, and some never end.
///
/// # Errors
/// [`ErrorKind::Dtype`]; [`ErrorKind::NotFinite`] with row, from the first of the block, and
/// column.
pub(super) fn records<F: RecordElement>(block: &Block) -> Result<ArrayView2<'_, F>> {
    let rows = block.records.as_rows::<F>()?;
    let finite = |value: &F| value.to_f64().is_finite();
    if let Some(at) = rows.values().iter().position(|value| !finite(value)) {
        let found = rows.values()[at].to_f64().to_string();
        let (row, column) = (at / rows.n_features(), at % rows.n_features());
        let error: Error = ErrorKind::NotFinite { found }.into();
        return Err(error.at_row(row as u64).at_column(column as u64));
    }
    Ok(rows.view())
}

/// What a model says of some rows.
///
/// # Errors
/// [`ErrorKind::External`] when it panics, [`ErrorKind::Shape`] when it does not give one value
/// a row.
pub(super) fn predictions<M, F, T, D>(model: &M, records: ArrayView2<'_, F>) -> Result<Array<T, D>>
where
    M: for<'a, 'b> Predict<&'a ArrayView2<'b, F>, Array<T, D>>,
    F: RecordElement,
    D: RemoveAxis,
{
    let found = catch_panic(|| Ok(model.predict(&records)))?;
    if found.len_of(Axis(0)) == records.nrows() {
        return Ok(found);
    }
    let (expected, found) = (records.nrows() as u64, found.len_of(Axis(0)) as u64);
    Err(Error::shape("predictions", expected, found))
}
