//! `drystone status`: what a scheduler knows, for people and for programs.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write, stdout};
use std::time::Duration;

use drystone_cluster::{FitState, State, WorkerState, state};
use drystone_core::memory::human_bytes;
use drystone_core::{Error, Result};

use crate::flags::StatusFlags;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// Fits that are shown.
const MAX_FITS: usize = 5;

pub async fn run(flags: StatusFlags) -> Result<()> {
    let trust = flags.trust.trust()?;
    loop {
        let known = state(&flags.scheduler, &trust).await?;
        let text = if flags.json { json(&known)? } else { words(&known) };
        let clear =
            if flags.watch && !flags.json && stdout().is_terminal() { "\x1b[H\x1b[2J" } else { "" };
        // A reader that has seen enough closes the pipe: that is no fault.
        if writeln!(stdout(), "{clear}{text}").is_err() || !flags.watch {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}

fn json(known: &State) -> Result<String> {
    serde_json::to_string(known).map_err(Error::external)
}

fn words(known: &State) -> String {
    let slots: usize = known.workers.iter().map(|worker| worker.slots).sum();
    let busy: usize = known.workers.iter().map(|worker| worker.busy).sum();
    let mut text = format!(
        "scheduler at {}, drystone {}, up {:.0} s: {} with {busy} of {slots} slots busy\n",
        known.address,
        known.version,
        known.uptime_s,
        counted(known.workers.len(), "worker"),
    );
    // Writing to a string does not fail.
    let _ = writeln!(text, "dashboard at {}", known.dashboard);
    for worker in &known.workers {
        let _ = writeln!(text, "{}", worker_line(worker));
    }
    if known.workers.is_empty() {
        let _ = writeln!(text, "start one with: drystone worker {}", known.address);
    }
    for fit in known.fits.iter().take(MAX_FITS) {
        let _ = writeln!(text, "{}", fit_lines(fit));
        if fit.status == "running" && known.workers.is_empty() {
            let _ = writeln!(text, "    waits for a worker");
        }
    }
    text.truncate(text.trim_end().len());
    text
}

fn worker_line(worker: &WorkerState) -> String {
    let WorkerState { name, host, port, slots, busy, .. } = worker;
    let cache =
        format!("{} of {}", human_bytes(worker.cache_bytes), human_bytes(worker.cache_budget));
    let resident = worker.resident_bytes.map_or("?".to_owned(), human_bytes);
    let state = match worker {
        WorkerState { leaving: true, .. } => "leaving".to_owned(),
        WorkerState { silent_s, .. } if *silent_s > 2.0 => format!("silent for {silent_s:.0} s"),
        _ => "here".to_owned(),
    };
    format!(
        "  {name:<20} {host}:{port:<6} {busy}/{slots} slots  {} in {cache}, {resident} in all  {state}",
        counted(worker.cached_blocks, "block"),
    )
}

fn fit_lines(fit: &FitState) -> String {
    let mut text = format!(
        "  {} of {}: {}, {:.1} s, pass {} ({}), {} of {} blocks",
        fit.estimator,
        fit.driver,
        fit.status,
        fit.elapsed_s,
        fit.pass,
        fit.job,
        fit.blocks_done,
        fit.n_blocks
    );
    if let Some(cost) = fit.costs.last() {
        let _ = write!(text, ", cost {cost:.6e}");
    }
    if let Some(error) = &fit.error {
        let _ = write!(text, "\n    {error}");
    }
    text
}

fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
