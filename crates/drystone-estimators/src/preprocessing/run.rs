//! Where a scaler is fitted, whom it tells, and when it stops.

use drystone_core::observe::Silent;
use drystone_core::{
    CancelToken, ChunkedDataset, Control, ErrorKind, Executor, Observer, Result, Session, Threads,
};

#[derive(Clone)]
pub(super) struct Run<'a> {
    pub executor: Option<&'a dyn Executor>,
    pub observer: &'a dyn Observer,
    pub cancel: CancelToken,
}

impl Default for Run<'_> {
    fn default() -> Self {
        Self { executor: None, observer: &Silent, cancel: CancelToken::new() }
    }
}

impl Run<'_> {
    /// Works on a dataset with columns, whose rows are known, in a session of its own.
    pub fn session<T>(
        &self,
        data: &ChunkedDataset,
        work: impl FnOnce(&Session<'_>, &ChunkedDataset) -> Result<T>,
    ) -> Result<T> {
        if data.n_features() == 0 {
            return Err(ErrorKind::Empty { what: "the dataset has no columns".into() }.into());
        }
        let shared = Threads::shared();
        let executor = self.executor.unwrap_or(&*shared);
        let control = Control::new(self.cancel.clone(), None);
        let session = Session::new(executor, self.observer, &control);
        work(&session, &session.with_known_rows(data)?)
    }
}
