//! The seam: a job is mapped over the blocks, and its partials are merged.

use std::any::Any;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::block::BlockAt;
use crate::error::{Error, Result};
use crate::executor::SLICE_ROWS;
use crate::layout::Layout;
use crate::state::Slot;
use crate::wire::{self, Digest};

/// The result of a job on some of the rows.
///
/// `merge` is associative and commutative: executors merge in any order and grouping,
/// and the outcome has the same bits. [`laws::check_job`](crate::laws::check_job) tests it.
pub trait Partial: Serialize + DeserializeOwned + Send + 'static {
    /// Takes in the result on other rows.
    fn merge(&mut self, other: Self);
}

/// One step of an algorithm over all blocks: small, named, and able to travel.
///
/// Blocks are mapped in slices (see [`slice_rows`](Job::slice_rows)), in any order and from
/// any thread. What an algorithm keeps about rows between steps is the
/// job's [`State`](Job::State): held where the block is, and rebuilt by
/// [`restore`](Job::restore) whenever it is not there, so that losing it changes no bit.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Name and version, as in `kmeans.lloyd/1`; versioned, for processes of different age.
    const NAME: &'static str;

    /// State of a slice of rows; `()` for none.
    type State: Default + Send + 'static;

    /// The result on some rows.
    type Partial: Partial;

    /// Whether the job fits datasets of this layout: what arrives from another process is
    /// not trusted, and this is asked before anything is allocated for it.
    ///
    /// # Errors
    /// Why not.
    fn check(&self, layout: &Layout) -> Result<()> {
        let _ = layout;
        Ok(())
    }

    /// The result on no rows: the identity of `merge`.
    fn empty(&self) -> Self::Partial;

    /// Adds the result on `rows` to `into`, and advances their state by one step.
    ///
    /// # Errors
    /// Whatever is wrong with the rows; the caller adds the block.
    fn map(&self, rows: &BlockAt, state: &mut Self::State, into: &mut Self::Partial) -> Result<()>;

    /// Rows of a slice: what one thread maps at a time, and what a state is of. At least 1,
    /// and the same for all jobs that share state. Fewer where a row takes long.
    fn slice_rows(&self) -> usize {
        SLICE_ROWS
    }

    /// How many steps the state that [`map`](Job::map) expects has behind it.
    fn step(&self) -> u64 {
        0
    }

    /// The state of `rows` after [`step`](Job::step) steps, from nothing but the job and the rows.
    ///
    /// # Errors
    /// As for [`map`](Job::map).
    fn restore(&self, rows: &BlockAt) -> Result<Self::State> {
        let _ = rows;
        Ok(Self::State::default())
    }

    /// Bytes of state for each row.
    fn state_bytes_per_row(&self) -> usize {
        0
    }

    /// The hash by which a [checkpoint](crate::Checkpointed) knows the job again: jobs of the
    /// same hash give the same partial. That of the job as bytes, unless there is something in
    /// it that says only how the work is gone about, which is then left out.
    ///
    /// # Errors
    /// As for [`wire::digest`].
    fn digest(&self) -> Result<Digest> {
        wire::digest(self)
    }
}

/// A partial whose type only its job knows.
pub type AnyPartial = Box<dyn Any + Send>;

/// A [`Job`] without its types: what executors handle. Implemented for every job.
pub trait ErasedJob: Send + Sync {
    /// [`Job::NAME`].
    fn name(&self) -> &'static str;
    /// The job as bytes.
    ///
    /// # Errors
    /// As for [`wire::encode`].
    fn encode(&self) -> Result<Vec<u8>>;
    /// [`Job::digest`].
    ///
    /// # Errors
    /// As for [`wire::digest`].
    fn digest_any(&self) -> Result<Digest>;
    /// [`Job::check`].
    ///
    /// # Errors
    /// Why not.
    fn check_any(&self, layout: &Layout) -> Result<()>;
    /// [`Job::empty`].
    fn empty_any(&self) -> AnyPartial;
    /// [`Job::map`] with the state of `slot`, which is restored first if it is not of
    /// the right step.
    ///
    /// # Errors
    /// The job's.
    fn map_any(&self, rows: &BlockAt, slot: &mut Slot, into: &mut AnyPartial) -> Result<()>;
    /// [`Partial::merge`].
    ///
    /// # Errors
    /// When the partials are another job's.
    fn merge_any(&self, into: &mut AnyPartial, other: AnyPartial) -> Result<()>;
    /// A partial as bytes.
    ///
    /// # Errors
    /// As for [`wire::encode`], or when the partial is another job's.
    fn encode_partial(&self, partial: &AnyPartial) -> Result<Vec<u8>>;
    /// A partial from bytes.
    ///
    /// # Errors
    /// As for [`wire::decode`].
    fn decode_partial(&self, bytes: &[u8]) -> Result<AnyPartial>;
    /// [`Job::slice_rows`].
    fn rows_of_slice(&self) -> usize;
    /// Whether rows have state at all.
    fn has_state(&self) -> bool;
    /// [`Job::state_bytes_per_row`].
    fn state_bytes(&self) -> usize;
}

impl<J: Job> ErasedJob for J {
    fn name(&self) -> &'static str {
        J::NAME
    }

    fn encode(&self) -> Result<Vec<u8>> {
        wire::encode(self)
    }

    fn digest_any(&self) -> Result<Digest> {
        self.digest()
    }

    fn check_any(&self, layout: &Layout) -> Result<()> {
        self.check(layout)
    }

    fn empty_any(&self) -> AnyPartial {
        Box::new(self.empty())
    }

    fn map_any(&self, rows: &BlockAt, slot: &mut Slot, into: &mut AnyPartial) -> Result<()> {
        let into = into.downcast_mut::<J::Partial>().ok_or_else(|| foreign(J::NAME))?;
        let mut state = match slot.take::<J::State>(self.step()) {
            Some(state) => state,
            None => self.restore(rows)?,
        };
        self.map(rows, &mut state, into)?;
        if self.has_state() {
            slot.put(self.step() + 1, state);
        }
        Ok(())
    }

    fn merge_any(&self, into: &mut AnyPartial, other: AnyPartial) -> Result<()> {
        let into = into.downcast_mut::<J::Partial>().ok_or_else(|| foreign(J::NAME))?;
        into.merge(*other.downcast::<J::Partial>().map_err(|_| foreign(J::NAME))?);
        Ok(())
    }

    fn encode_partial(&self, partial: &AnyPartial) -> Result<Vec<u8>> {
        wire::encode(partial.downcast_ref::<J::Partial>().ok_or_else(|| foreign(J::NAME))?)
    }

    fn decode_partial(&self, bytes: &[u8]) -> Result<AnyPartial> {
        Ok(Box::new(wire::decode::<J::Partial>(bytes)?))
    }

    fn rows_of_slice(&self) -> usize {
        self.slice_rows().max(1)
    }

    fn has_state(&self) -> bool {
        size_of::<J::State>() > 0
    }

    fn state_bytes(&self) -> usize {
        self.state_bytes_per_row()
    }
}

pub(crate) fn foreign(job: &str) -> Error {
    Error::format(format!("a partial of {job}"), "another job's")
}
