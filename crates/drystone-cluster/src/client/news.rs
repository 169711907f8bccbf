//! What a driver tells its scheduler about its sessions, and hears about its steps.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use drystone_core::{Error, Result};
use hyper::body::Incoming;

use crate::link::http::Connection;
use crate::link::lines::{Lines, Pen, written};
use crate::link::{DRIVER_PATH, FromDriver, News, ToDriver, VERSION};
use crate::trust::Trust;

/// Between two attempts to reach a scheduler that was lost.
const RETRY: Duration = Duration::from_millis(500);
/// A scheduler that is silent for so long is gone: it beats each second.
const SILENCE: Duration = Duration::from_secs(8);
/// How long a driver that ends waits for what it told to arrive.
const GOODBYE: Duration = Duration::from_millis(500);
/// How often the driver says that it lives.
const BEAT: Duration = Duration::from_secs(1);

/// The connection of a driver, which is made again when it is lost.
pub(super) struct Link {
    heard: Arc<Mutex<Heard>>,
}

#[derive(Default)]
struct Heard {
    /// While there is a connection.
    pen: Option<Pen>,
    /// Whether the driver ends.
    closing: bool,
    /// The slots of all workers, if the scheduler has said it.
    slots: Option<usize>,
    /// Tasks that run on all workers.
    busy: usize,
    /// The steps that are under way.
    steps: HashMap<u64, HeardOfStep>,
}

#[derive(Default)]
struct HeardOfStep {
    /// Blocks that are done.
    blocks: u64,
    /// Workers that were lost since it began.
    lost: Vec<String>,
}

impl Heard {
    fn disconnected(&mut self) {
        (self.pen, self.slots) = (None, None);
    }
}

/// How far a step is, seen from a driver.
pub(super) struct Ahead {
    heard: Arc<Mutex<Heard>>,
    step: u64,
    blocks: u64,
    lost: Vec<String>,
}

impl Link {
    /// Connects; from then on the connection is kept in the background.
    ///
    /// # Errors
    /// Those of the connection: the first one has to succeed.
    pub async fn open(scheduler: String, trust: Trust) -> Result<Self> {
        let heard = Arc::<Mutex<Heard>>::default();
        let lines = connect(&scheduler, &trust, &heard).await?;
        tokio::spawn(keep(lines, scheduler, trust, Arc::downgrade(&heard)));
        Ok(Self { heard })
    }

    /// Says something about a session; lost when there is no connection.
    pub fn tell(&self, session: u64, what: News) {
        if let Some(pen) = &mut lock(&self.heard).pen {
            pen.write(&FromDriver::Session { session, what });
        }
    }

    /// Says goodbye, and waits a little until all that was told has arrived.
    pub async fn close(&self) {
        let pen = {
            let mut heard = lock(&self.heard);
            heard.closing = true;
            heard.pen.clone()
        };
        let Some(mut pen) = pen.filter(|pen| pen.clone().write(&FromDriver::Beat)) else { return };
        pen.write(&FromDriver::Bye);
        let started = tokio::time::Instant::now();
        while lock(&self.heard).pen.is_some() && started.elapsed() < GOODBYE {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Watches a step from its beginning.
    pub fn ahead(&self, step: u64) -> Ahead {
        lock(&self.heard).steps.insert(step, HeardOfStep::default());
        Ahead { heard: Arc::clone(&self.heard), step, blocks: 0, lost: Vec::new() }
    }
}

impl Ahead {
    /// Blocks that are done, if they are others than before.
    pub fn advanced(&mut self) -> Option<u64> {
        let blocks = lock(&self.heard).steps.get(&self.step).map_or(0, |step| step.blocks);
        (std::mem::replace(&mut self.blocks, blocks) != blocks).then_some(blocks)
    }

    /// Blocks that were done when this was asked last.
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Workers that were lost since this was asked last.
    pub fn newly_lost(&mut self) -> Vec<String> {
        let heard = lock(&self.heard);
        let lost = heard.steps.get(&self.step).map_or(&[][..], |step| &step.lost);
        let new = lost[self.lost.len()..].to_vec();
        self.lost.extend_from_slice(&new);
        new
    }

    /// Workers that were lost in this step, as of the last question.
    pub fn lost(&self) -> &[String] {
        &self.lost
    }

    /// Whether the scheduler says that it has no workers.
    pub fn nobody_there(&self) -> bool {
        lock(&self.heard).slots == Some(0)
    }

    /// Whether the scheduler says that none of its workers has anything to do.
    pub fn nobody_busy(&self) -> bool {
        let heard = lock(&self.heard);
        heard.slots.is_some_and(|slots| slots > 0) && heard.busy == 0
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        lock(&self.heard).steps.remove(&self.step);
    }
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn connect(scheduler: &str, trust: &Trust, heard: &Mutex<Heard>) -> Result<Lines<Incoming>> {
    let mut connection = Connection::open(trust, scheduler).await?;
    let (mut pen, body) = written();
    let name = format!("{}:{}", host_name(), std::process::id());
    pen.write(&FromDriver::Hello { version: VERSION.to_owned(), name });
    let mut lines = Lines::new(connection.post(DRIVER_PATH, body).await?);
    match lines.next(SILENCE).await? {
        Some(ToDriver::Welcome) => {}
        _ => return Err(Error::format("a welcome by the scheduler", "something else")),
    }
    lock(heard).pen = Some(pen);
    Ok(lines)
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname");
    name.map_or_else(|_| "driver".to_owned(), |name| name.trim().to_owned())
}

/// Listens, beats, and connects again, until the driver has no use for it.
async fn keep(
    mut lines: Lines<Incoming>,
    scheduler: String,
    trust: Trust,
    heard: std::sync::Weak<Mutex<Heard>>,
) {
    while let Some(here) = heard.upgrade() {
        drop(here);
        tokio::select! {
            () = listen(&mut lines, &heard) => {}
            () = beat(&heard) => {}
        }
        loop {
            let Some(here) = heard.upgrade() else { return };
            lock(&here).disconnected();
            if lock(&here).closing {
                return;
            }
            match connect(&scheduler, &trust, &here).await {
                Ok(again) => break lines = again,
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        }
    }
}

async fn listen(lines: &mut Lines<Incoming>, heard: &std::sync::Weak<Mutex<Heard>>) {
    while let Ok(Some(line)) = lines.next(SILENCE).await {
        let Some(heard) = heard.upgrade() else { return };
        let mut heard = lock(&heard);
        match line {
            ToDriver::Done { step, blocks } => {
                if let Some(heard) = heard.steps.get_mut(&step) {
                    heard.blocks = blocks;
                }
            }
            ToDriver::Lost { worker } => {
                heard.steps.values_mut().for_each(|step| step.lost.push(worker.clone()));
            }
            ToDriver::Beat { slots, busy } => (heard.slots, heard.busy) = (Some(slots), busy),
            ToDriver::Welcome => {}
        }
    }
}

async fn beat(heard: &std::sync::Weak<Mutex<Heard>>) {
    loop {
        tokio::time::sleep(BEAT).await;
        let Some(heard) = heard.upgrade() else { return };
        let Some(mut pen) = lock(&heard).pen.clone() else { return };
        if !pen.write(&FromDriver::Beat) {
            return;
        }
    }
}
