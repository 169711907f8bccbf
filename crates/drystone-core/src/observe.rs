//! What long work tells whoever watches it; drawing it is not done here.

/// Receives the events of a fit, from any thread.
///
/// Closures are observers: `|event: &Event<'_>| eprintln!("{event:?}")`.
pub trait Observer: Send + Sync {
    /// Called as things happen; must return quickly.
    fn event(&self, event: &Event<'_>);
}

impl<F: Fn(&Event<'_>) + Send + Sync> Observer for F {
    fn event(&self, event: &Event<'_>) {
        self(event);
    }
}

/// The observer that looks away.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _: &Event<'_>) {}
}

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A pass over the blocks begins.
    PassStarted {
        /// The pass, from 1, in this session.
        pass: usize,
        /// The name of its job, as in `kmeans.lloyd/1`.
        job: &'a str,
        /// Blocks it goes over.
        n_blocks: usize,
    },
    /// A block of the pass is done.
    BlockDone {
        /// The pass, from 1.
        pass: usize,
        /// Blocks done so far in this pass.
        done: usize,
        /// Blocks it goes over.
        n_blocks: usize,
    },
    /// The pass is done.
    PassDone {
        /// The pass, from 1.
        pass: usize,
        /// The name of its job.
        job: &'a str,
        /// Blocks that had to be read or generated; the others were in memory.
        blocks_read: usize,
    },
    /// An iteration of an estimator is done.
    Iteration {
        /// Which, from 1.
        iteration: usize,
        /// The cost that it reached.
        cost: f64,
    },
    /// Something that the user should know.
    Note {
        /// A sentence.
        text: &'a str,
    },
}
