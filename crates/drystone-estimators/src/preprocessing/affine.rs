//! Moving and stretching each column, as a lazy step that can travel.

use std::sync::Arc;

use drystone_core::block::RecordElement;
use drystone_core::registry::Opener;
use drystone_core::wire::{self, raw};
use drystone_core::{
    Block, BlockAt, BlockSource, ChunkedDataset, Description, Error, Layout, Records, Result, Rows,
    ToChunked, buffer,
};
use ndarray::{Array2, ArrayBase, Data, Ix2};
use serde::{Deserialize, Serialize};

use super::rows::not_finite;

pub(super) const KIND: &str = "preprocessing.affine/1";

/// For each column, where it has its origin and how long its unit is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Frame {
    #[serde(with = "raw")]
    pub origin: Vec<f64>,
    #[serde(with = "raw")]
    pub unit: Vec<f64>,
}

/// Takes each column from one frame to another: what is at the origin of the first goes to
/// the origin of the second, a unit from it to a unit from that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Affine {
    pub from: Frame,
    pub to: Frame,
}

impl Affine {
    pub fn inverse(&self) -> Self {
        Self { from: self.to.clone(), to: self.from.clone() }
    }

    pub fn n_features(&self) -> usize {
        self.from.origin.len()
    }

    /// The rows of a dataset, lazily. What cannot be seen as a dataset, or does not fit, is an
    /// error when it is read.
    pub fn of_dataset(&self, data: &impl ToChunked) -> ChunkedDataset {
        match data.to_chunked() {
            Ok(data) => data.step(Scaled::new(&data, self.clone())),
            Err(error) => {
                let layout = Layout::new(drystone_core::Dtype::F64, self.n_features(), 0, 1);
                ChunkedDataset::broken(error, layout)
            }
        }
    }

    pub fn of_array<T: RecordElement, D: Data<Elem = T>>(
        &self,
        records: &ArrayBase<D, Ix2>,
    ) -> Result<Array2<T>> {
        self.check_width(records.ncols())?;
        let rows = self.of_rows(&Rows::from_view(records));
        let rows = rows.map_err(|(error, row)| error.at_row(row as u64))?;
        Array2::from_shape_vec(records.dim(), rows.values().to_vec()).map_err(Error::external)
    }

    fn check_width(&self, found: usize) -> Result<()> {
        if found == self.n_features() {
            return Ok(());
        }
        Err(Error::shape("features", self.n_features() as u64, found as u64))
    }

    /// Computed in double precision and rounded once. The error says which row it is about.
    fn of_rows<T: RecordElement>(&self, rows: &Rows<T>) -> Result<Rows<T>, (Error, usize)> {
        let n_features = self.n_features();
        let mut values = buffer::take::<T>(rows.values().len());
        let out = values.chunks_exact_mut(n_features);
        for (row, (from, to)) in rows.values().chunks_exact(n_features).zip(out).enumerate() {
            self.of_row(from, to);
            if let Some(column) = to.iter().position(|value| !value.is_finite()) {
                return Err((bad(from[column], column), row));
            }
        }
        Rows::new(values, n_features).map_err(|error| (error, 0))
    }

    fn of_row<T: RecordElement>(&self, from: &[T], to: &mut [T]) {
        let Self { from: old, to: new } = self;
        for column in 0..to.len() {
            let units = (from[column].to_f64() - old.origin[column]) / old.unit[column];
            to[column] = T::from_f64(units * new.unit[column] + new.origin[column]);
        }
    }

    /// What arrives from another process is not trusted.
    fn check(&self) -> Result<()> {
        let n = self.n_features();
        let sizes = [&self.from.unit, &self.to.origin, &self.to.unit].map(Vec::len);
        let all = [&self.from, &self.to].map(|frame| [&frame.origin, &frame.unit]);
        let finite = all.iter().flatten().all(|values| values.iter().all(|v| v.is_finite()));
        if n > 0 && sizes == [n; 3] && finite {
            return Ok(());
        }
        Err(Error::format("finite origins and units, one a column", "others"))
    }
}

/// A value that is not finite, or not once it is scaled.
fn bad<T: RecordElement>(value: T, column: usize) -> Error {
    if value.is_finite() {
        return not_finite(
            format!("{value}, which scaled leaves the range of {}", T::DTYPE),
            column,
        );
    }
    not_finite(value, column)
}

/// The step.
pub(super) struct Scaled {
    data: ChunkedDataset,
    affine: Affine,
}

impl Scaled {
    fn new(data: &ChunkedDataset, affine: Affine) -> Result<Self> {
        affine.check()?;
        affine.check_width(data.n_features())?;
        Ok(Self { data: data.clone(), affine })
    }

    fn records<T: RecordElement>(&self, rows: &Rows<T>) -> Result<Records, (Error, usize)> {
        Ok(T::into_records(self.affine.of_rows(rows)?))
    }
}

impl BlockSource for Scaled {
    fn layout(&self) -> &Layout {
        self.data.layout()
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        let block = self.data.read(block_idx)?;
        let scaled = match &block.records {
            Records::F32(rows) => self.records(rows),
            Records::F64(rows) => self.records(rows),
        };
        match scaled {
            Ok(records) => Ok(Block { records, ..block }),
            Err((error, row)) => match self.data.layout().rows.rows_of(block_idx) {
                Some(rows) => {
                    let at = BlockAt { block, block_idx, first_row: rows.start };
                    Err(at.locate(error, Some(row)))
                }
                None => Err(error),
            },
        }
    }

    fn count_rows(&self, block_idx: usize) -> Result<u64> {
        self.data.count_rows(block_idx)
    }

    fn describe(&self) -> Option<Description> {
        let body = wire::encode(&(&self.affine, self.data.describe()?)).ok()?;
        Some(Description { kind: KIND.to_owned(), body })
    }
}

pub(super) fn open(body: &[u8], opener: &Opener<'_>) -> Result<Arc<dyn BlockSource>> {
    let (affine, inner): (Affine, Description) = wire::decode(body)?;
    let data = ChunkedDataset::from_arc(opener.open(&inner)?);
    Ok(Arc::new(Scaled::new(&data, affine)?))
}
