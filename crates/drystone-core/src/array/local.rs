//! A closure as a job: for executors of this process, since code never travels.

use std::sync::Arc;

use ndarray::{Array, Axis, RemoveAxis};

use super::{Compute, nothing};
use crate::block::BlockAt;
use crate::dataset::ChunkedDataset;
use crate::error::{Error, ErrorKind, Result};
use crate::job::{AnyPartial, ErasedJob, foreign};
use crate::layout::Layout;
use crate::session::Session;
use crate::state::Slot;
use crate::wire::Digest;

const NAME: &str = "core.collect_closure";

/// Whole blocks are mapped: what is known of the closure is what it gives for these.
struct Local<T, D>(Arc<Compute<T, D>>);

/// The first row of each block, and what the closure gave for it.
type Arrays<T, D> = Vec<(u64, Array<T, D>)>;

/// All rows of the array; row counts are known.
pub(super) fn collect<T: Clone + Send + Sync + 'static, D: RemoveAxis + 'static>(
    session: &Session<'_>,
    data: &ChunkedDataset,
    compute: &Arc<Compute<T, D>>,
) -> Result<Array<T, D>> {
    let arrays = session.run_any(data, &Local(Arc::clone(compute)))?;
    let mut arrays = arrays.downcast::<Arrays<T, D>>().map_err(|_| foreign(NAME))?;
    arrays.sort_by_key(|(first_row, _)| *first_row);
    let views: Vec<_> = arrays.iter().map(|(_, array)| array.view()).collect();
    if views.is_empty() {
        // Executors map no blocks without rows, but these have the shape.
        return (0..data.n_blocks()).next().map_or(Ok(nothing()), |idx| compute(&data.read(idx)?));
    }
    ndarray::concatenate(Axis(0), &views).map_err(Error::external)
}

fn stays_here() -> Error {
    let source = "an array that a closure computes, or a model of linfa,".to_owned();
    let alternative = "compute it on local threads".to_owned();
    ErrorKind::NotDescribed { source, alternative }.into()
}

impl<T: Send + Sync + 'static, D: RemoveAxis + 'static> ErasedJob for Local<T, D> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encode(&self) -> Result<Vec<u8>> {
        Err(stays_here())
    }

    fn digest_any(&self) -> Result<Digest> {
        Err(stays_here())
    }

    fn check_any(&self, _: &Layout) -> Result<()> {
        Ok(())
    }

    fn empty_any(&self) -> AnyPartial {
        Box::new(Arrays::<T, D>::new())
    }

    fn map_any(&self, rows: &BlockAt, _: &mut Slot, into: &mut AnyPartial) -> Result<()> {
        let into = into.downcast_mut::<Arrays<T, D>>().ok_or_else(|| foreign(NAME))?;
        let values = (self.0)(&rows.block).map_err(|error| error.moved_down(rows.first_row))?;
        let (expected, found) = (rows.block.n_samples() as u64, values.len_of(Axis(0)) as u64);
        if expected != found {
            return Err(Error::shape("rows", expected, found));
        }
        into.push((rows.first_row, values));
        Ok(())
    }

    fn merge_any(&self, into: &mut AnyPartial, other: AnyPartial) -> Result<()> {
        let into = into.downcast_mut::<Arrays<T, D>>().ok_or_else(|| foreign(NAME))?;
        into.extend(*other.downcast::<Arrays<T, D>>().map_err(|_| foreign(NAME))?);
        Ok(())
    }

    fn encode_partial(&self, _: &AnyPartial) -> Result<Vec<u8>> {
        Err(stays_here())
    }

    fn decode_partial(&self, _: &[u8]) -> Result<AnyPartial> {
        Err(stays_here())
    }

    fn rows_of_slice(&self) -> usize {
        usize::MAX
    }

    fn has_state(&self) -> bool {
        false
    }

    fn state_bytes(&self) -> usize {
        0
    }
}
