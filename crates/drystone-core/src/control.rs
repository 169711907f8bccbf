//! Stopping work from outside: a token that another thread pulls, or a limit of time.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::{ErrorKind, Result};

/// A handle that stops the work it was given to; clones pull the same cord.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// A token that nobody has cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the work to stop at the next slice of a block.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether [`cancel`](Self::cancel) was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why work was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopReason {
    /// The [`CancelToken`] was pulled.
    Cancelled,
    /// `max_time` has passed.
    MaxTime,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cancelled => "it was cancelled",
            Self::MaxTime => "max_time has passed",
        })
    }
}

/// When to stop: asked before each slice of a block.
#[derive(Clone, Debug, Default)]
pub struct Control {
    cancel: CancelToken,
    deadline: Option<Instant>,
}

impl Control {
    /// Stops when the token is pulled or, if given, when `max_time` has passed from now.
    #[must_use]
    pub fn new(cancel: CancelToken, max_time: Option<Duration>) -> Self {
        let deadline = max_time.and_then(|limit| Instant::now().checked_add(limit));
        Self { cancel, deadline }
    }

    /// Why to stop now, if there is a reason.
    #[must_use]
    pub fn stop_reason(&self) -> Option<StopReason> {
        if self.cancel.is_cancelled() {
            Some(StopReason::Cancelled)
        } else if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            Some(StopReason::MaxTime)
        } else {
            None
        }
    }

    /// # Errors
    /// [`ErrorKind::Stopped`] when there is a reason to stop.
    pub fn check(&self) -> Result<()> {
        match self.stop_reason() {
            Some(reason) => Err(ErrorKind::Stopped { reason }.into()),
            None => Ok(()),
        }
    }
}
