//! What it costs that a worker is killed, or stands still.

use std::time::Instant;

use clap::Args;
use drystone_core::{ChunkedDataset, Inline, Result};
use drystone_estimators::KMeans;
use drystone_sources::generate::Blobs;
use drystone_trials::{At, Processes};
use rustix::process::Signal;
use serde_json::json;

use crate::{Setting, median};

#[derive(Args, Debug)]
pub struct Faults {
    /// Times that each is tried
    #[arg(long, default_value_t = 3)]
    times: usize,
    /// Blocks of 200,000 x 20
    #[arg(long, default_value_t = 20)]
    blocks: u64,
}

impl Faults {
    pub fn run(&self, setting: &Setting) -> Result<()> {
        let data = Blobs::new(self.blocks * 200_000, 20).centers(8).cluster_std(6.0);
        let data = data.block_rows(200_000).dataset();
        let hash = KMeans::params(8).on(&Inline::default()).fit(&data)?.sha256()?;
        let undisturbed = (0..self.times).map(|_| fit(setting, &data, &hash, None));
        let undisturbed = median(undisturbed.collect::<Result<Vec<_>>>()?);
        for (name, signal) in [("SIGKILL", Signal::KILL), ("SIGSTOP", Signal::STOP)] {
            let mut costs = Vec::new();
            for pass in (3..).take(self.times) {
                costs.push(fit(setting, &data, &hash, Some((pass, signal)))? - undisturbed);
            }
            let worst = costs.iter().copied().fold(f64::MIN, f64::max);
            match setting.json {
                true => println!(
                    "{}",
                    json!({"fault": name, "undisturbed_s": undisturbed, "cost_s": costs})
                ),
                false => println!(
                    "{name} of one of two workers: {undisturbed:.2} s undisturbed, longer by \
                     {costs:.2?}, {worst:.2} s at most, the same bits"
                ),
            }
        }
        Ok(())
    }
}

/// Seconds of a fit on two new workers, one of which gets a signal at the beginning of a pass.
fn fit(
    setting: &Setting,
    data: &ChunkedDataset,
    hash: &str,
    fault: Option<(usize, Signal)>,
) -> Result<f64> {
    let processes = Processes::start(&setting.program, &[1, 1], "4");
    let cluster = processes.connect();
    let (pass, which) = fault.unwrap_or((usize::MAX, Signal::CONT));
    let act = At::pass(pass, || processes.workers[0].signal(which));
    let started = Instant::now();
    let model = KMeans::params(8).on(&cluster).observe(&act).fit(data)?;
    let seconds = started.elapsed().as_secs_f64();
    assert_eq!(model.sha256()?, hash, "other bits");
    assert!(fault.is_none() || act.has_fired(), "the fit was over before pass {pass}");
    Ok(seconds)
}
