//! Steps that run in other processes: what travels there, and what is done with it.
//!
//! Names and descriptions travel, and partials come back; neither code nor rows do.

use serde::{Deserialize, Serialize};

use super::counting::count_block;
use super::{Step, StepStats};
use crate::cache::KeptBlocks;
use crate::control::Control;
use crate::dataset::ChunkedDataset;
use crate::error::{Error, ErrorKind, Result};
use crate::layout::BlockRows;
use crate::observe::Observer;
use crate::place::{Place, catch_panic};
use crate::registry::Registry;
use crate::source::Description;
use crate::state::StatePolicy;
use crate::wire;

/// A step as it travels.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RemoteStep {
    /// Whose state is used: unique among all who ask the same process.
    pub session: u64,
    job: String,
    #[serde(with = "wire::bytes")]
    body: Vec<u8>,
    data: Description,
    rows: BlockRows,
}

impl RemoteStep {
    /// What another process needs for this step.
    ///
    /// # Errors
    /// [`ErrorKind::NotDescribed`] for data that only this process has; those of encoding
    /// the job.
    pub fn of(step: &Step<'_>) -> Result<Self> {
        Ok(Self {
            session: step.session,
            job: step.job.name().to_owned(),
            body: step.job.encode()?,
            data: step.data.describe().ok_or_else(not_described)?,
            rows: step.data.layout().rows.clone(),
        })
    }
}

/// A dataset whose blocks are to be counted, as it travels.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RemoteCount {
    data: Description,
}

impl RemoteCount {
    /// What another process needs to count these blocks.
    ///
    /// # Errors
    /// [`ErrorKind::NotDescribed`] for data that only this process has.
    pub fn of(data: &ChunkedDataset) -> Result<Self> {
        Ok(Self { data: data.describe().ok_or_else(not_described)? })
    }
}

fn not_described() -> Error {
    let source = "a source of closures, or of data in memory,".to_owned();
    let alternative = "use a generator, or a CSV or .npy file that the worker can read, or run \
                       on local threads"
        .to_owned();
    ErrorKind::NotDescribed { source, alternative }.into()
}

/// What mapping some blocks came to.
pub struct Mapped {
    /// The partial, encoded.
    pub partial: Vec<u8>,
    /// What it took.
    pub stats: StepStats,
}

/// Maps blocks for other processes, with the jobs and sources of a registry; keeps blocks and
/// state between the steps.
///
/// Nothing that arrives is trusted: what does not decode, has other shapes or panics is an
/// error.
pub struct Mapper {
    registry: Registry,
    place: Place,
}

impl Mapper {
    /// With this many bytes for blocks that are kept between steps.
    #[must_use]
    pub fn new(registry: Registry, memory_budget: u64, policy: StatePolicy) -> Self {
        Self { registry, place: Place::new(memory_budget, policy) }
    }

    /// Maps some blocks, one after the other, on this thread. The observer hears how many are
    /// done; the control is asked before each slice.
    ///
    /// # Errors
    /// [`ErrorKind::NotRegistered`]; [`ErrorKind::Format`] and [`ErrorKind::Shape`] for a step
    /// that does not fit together, or blocks that there are not; the source's and the job's,
    /// with the block; [`ErrorKind::Stopped`] when the control says so.
    pub fn map(
        &self,
        step: &RemoteStep,
        blocks: impl IntoIterator<Item = u64>,
        control: &Control,
        observer: &dyn Observer,
    ) -> Result<Mapped> {
        catch_panic(|| {
            let job = self.registry.open_job(&step.job, &step.body)?;
            let data = self.open(step)?;
            job.check_any(data.layout())?;
            let (job, data, session) = (&*job, &data, step.session);
            self.map_all(&Step { job, data, session, pass: 1, control, observer }, blocks)
        })
    }

    fn open(&self, step: &RemoteStep) -> Result<ChunkedDataset> {
        let data = ChunkedDataset::from_arc(self.registry.open_source(&step.data)?);
        let data = data.with_rows(step.rows.clone().validated()?)?;
        data.layout().check_features()?;
        Ok(data)
    }

    fn map_all(&self, step: &Step<'_>, blocks: impl IntoIterator<Item = u64>) -> Result<Mapped> {
        let mut partial = step.job.empty_any();
        let mut stats = StepStats::default();
        for block_idx in blocks {
            let fetched = self.place.fetch(step, block_idx as usize)?;
            self.place.map_block(step, &fetched.block, &mut partial)?;
            let rows = fetched.block.block.n_samples() as u64;
            stats.merge(StepStats { blocks: 1, blocks_read: usize::from(fetched.read), rows });
            step.block_done(stats.blocks);
        }
        Ok(Mapped { partial: step.job.encode_partial(&partial)?, stats })
    }

    /// Merges partials of a step into one.
    ///
    /// # Errors
    /// [`ErrorKind::NotRegistered`]; [`ErrorKind::Format`] for what is no such partial.
    pub fn merge<'a>(
        &self,
        step: &RemoteStep,
        partials: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Vec<u8>> {
        catch_panic(|| {
            let job = self.registry.open_job(&step.job, &step.body)?;
            job.check_any(self.open(step)?.layout())?;
            let mut merged = job.empty_any();
            for partial in partials {
                job.merge_any(&mut merged, job.decode_partial(partial)?)?;
            }
            job.encode_partial(&merged)
        })
    }

    /// The rows of some blocks, counted one after the other on this thread; nothing is kept. The
    /// other side must not trust them more than what it reads: [`Session`](crate::Session)
    /// refuses another number of counts than of blocks.
    ///
    /// # Errors
    /// [`ErrorKind::NotRegistered`]; [`ErrorKind::Parameter`] for blocks that there are not; the
    /// source's, with the block.
    pub fn count(
        &self,
        count: &RemoteCount,
        blocks: impl IntoIterator<Item = u64>,
    ) -> Result<Vec<u64>> {
        catch_panic(|| {
            let data = ChunkedDataset::from_arc(self.registry.open_source(&count.data)?);
            blocks.into_iter().map(|block_idx| count_block(&data, block_idx as usize)).collect()
        })
    }

    /// Drops the state of a session that is over.
    pub fn forget(&self, session: u64) {
        self.place.forget(session);
    }

    /// The blocks that are kept between steps now.
    #[must_use]
    pub fn kept(&self) -> KeptBlocks {
        self.place.cache.kept()
    }
}
