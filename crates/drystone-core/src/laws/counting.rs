//! The law of counting rows: every executor counts as [`Inline`] does, and fails as it does.

use std::sync::Arc;

use crate::block::Block;
use crate::control::Control;
use crate::dataset::ChunkedDataset;
use crate::error::{ErrorKind, Result};
use crate::executor::{Executor, Inline};
use crate::layout::{BlockRows, Layout};
use crate::observe::Silent;
use crate::registry::{Opener, Registry};
use crate::session::Session;
use crate::source::{BlockSource, Description};
use crate::wire;

const KIND: &str = "core.law_uncounted/1";

/// Another dataset's blocks, whose rows must be counted; which fails from a block on.
struct Uncounted {
    data: ChunkedDataset,
    fails_from: usize,
    layout: Layout,
}

impl Uncounted {
    fn new(data: ChunkedDataset, fails_from: usize) -> Self {
        let rows = BlockRows::Unknown { n_blocks: data.n_blocks() };
        let layout = Layout { rows, ..data.layout().clone() };
        Self { data, fails_from, layout }
    }
}

impl BlockSource for Uncounted {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        self.data.read(block_idx)
    }

    fn count_rows(&self, block_idx: usize) -> Result<u64> {
        if block_idx >= self.fails_from {
            let what = format!("as the law asks of block {block_idx}");
            return Err(ErrorKind::Empty { what }.into());
        }
        self.data.count_rows(block_idx)
    }

    fn describe(&self) -> Option<Description> {
        let body = wire::encode(&(self.fails_from, self.data.describe()?)).ok()?;
        Some(Description { kind: KIND.to_owned(), body })
    }
}

fn open(body: &[u8], opener: &Opener<'_>) -> Result<Arc<dyn BlockSource>> {
    let (fails_from, inner): (usize, Description) = wire::decode(body)?;
    let data = ChunkedDataset::from_arc(opener.open(&inner)?);
    Ok(Arc::new(Uncounted::new(data, fails_from)))
}

pub(crate) fn register(registry: &mut Registry) {
    registry.source(KIND, open);
}

/// Counts are those of [`Inline`]; of several blocks that cannot be counted, the error of the
/// first is given, and says which it is.
pub(super) fn check(executor: &dyn Executor, data: &ChunkedDataset) {
    let inline = Inline::new(0);
    let n_blocks = data.n_blocks();
    let uncounted = |fails_from| ChunkedDataset::new(Uncounted::new(data.clone(), fails_from));
    let expected = inline.count_rows(data).expect("counts");
    for data in [data, &uncounted(n_blocks)] {
        let counts = executor.count_rows(data).expect("counts");
        assert_eq!(counts, expected, "the executor's counts are not those of Inline");
    }
    for fails_from in [0, n_blocks / 2, n_blocks - 1] {
        let data = uncounted(fails_from);
        let [expected, error] = [&inline, executor].map(|executor: &dyn Executor| {
            executor.count_rows(&data).expect_err("it cannot be counted")
        });
        assert_eq!(error.location().block, Some(fails_from as u64), "{error}");
        assert_eq!(error.location(), expected.location(), "{error}");
        assert_eq!(error.kind(), expected.kind());
    }
    let control = Control::default();
    let session = Session::new(executor, &Silent, &control);
    let counted = session.with_known_rows(&uncounted(n_blocks)).expect("known rows");
    assert_eq!(counted.n_samples(), Some(expected.iter().sum()), "it does not recover");
}
