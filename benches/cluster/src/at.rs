//! Doing something at a certain pass of a fit.

use std::sync::{Mutex, PoisonError};

use drystone_core::{Event, Observer};

/// Does something once, when a pass begins.
pub struct At<F> {
    pass: usize,
    act: Mutex<Option<F>>,
}

impl<F: FnOnce() + Send> At<F> {
    /// At the beginning of this pass, from 1.
    pub fn pass(pass: usize, act: F) -> Self {
        Self { pass, act: Mutex::new(Some(act)) }
    }

    /// Whether it was done.
    pub fn has_fired(&self) -> bool {
        self.act.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

impl<F: FnOnce() + Send> Observer for At<F> {
    fn event(&self, event: &Event<'_>) {
        if let Event::PassStarted { pass, .. } = *event
            && pass == self.pass
            && let Some(act) = self.act.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            act();
        }
    }
}
