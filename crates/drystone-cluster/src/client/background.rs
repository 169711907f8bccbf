//! The threads that talk to the scheduler.

use drystone_core::{Error, ErrorKind, Result};
use tokio::runtime::{Builder, Runtime};

/// A runtime of our own: callers may be within another one.
pub(super) struct Background(Option<Runtime>);

impl Background {
    pub fn start() -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(|error| Error::io("cannot start threads", error))?;
        Ok(Self(Some(runtime)))
    }

    /// Waits for some work.
    pub fn run<T: Send>(&self, work: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let gone = |what: &str| Err(ErrorKind::Worker { found: what.to_owned() }.into());
        let Some(runtime) = &self.0 else {
            return gone("the threads that talk to the scheduler have ended");
        };
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| runtime.block_on(work));
            thread.join().unwrap_or_else(|_| gone("a thread that talks to the scheduler panicked"))
        })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
