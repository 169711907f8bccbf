//! Why connections are refused, said seldom enough that nobody can fill a disk with it.

use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// At most one line in this time.
const EVERY: Duration = Duration::from_secs(1);

pub(crate) struct Refusals {
    say: Box<dyn Fn(&str) + Send + Sync>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: Option<Instant>,
    unsaid: u64,
}

impl Refusals {
    pub fn new(say: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { say: Box::new(say), state: Mutex::default() }
    }

    /// One peer was refused.
    pub fn note(&self, peer: SocketAddr, why: &str) {
        self.line(|| format!("refused a connection from {peer}: {why}"));
    }

    /// Nobody gets through.
    pub fn note_all(&self, why: &dyn Display) {
        self.line(|| format!("cannot take connections: {why}"));
    }

    fn line(&self, text: impl Fn() -> String) {
        let Some(unsaid) = self.turn() else { return };
        match unsaid {
            0 => (self.say)(&text()),
            n => (self.say)(&format!("{} ({n} more since the last such line)", text())),
        }
    }

    /// How many lines were not said before this one, if it may be.
    fn turn(&self) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.last.is_some_and(|last| last.elapsed() < EVERY) {
            state.unsaid += 1;
            return None;
        }
        state.last = Some(Instant::now());
        Some(std::mem::take(&mut state.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn lines_are_counted_rather_than_said() {
        let said = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&said);
        let refusals = Refusals::new(move |line| lines.lock().unwrap().push(line.to_owned()));
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        for _ in 0..1000 {
            refusals.note(peer, "why");
        }
        assert_eq!(*said.lock().unwrap(), ["refused a connection from 127.0.0.1:1: why"]);
        refusals.state.lock().unwrap().last = None;
        refusals.note(peer, "why");
        assert!(said.lock().unwrap()[1].ends_with("why (999 more since the last such line)"));
    }
}
