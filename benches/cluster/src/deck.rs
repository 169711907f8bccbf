//! The deck's job on workers: lazily generated blocks, k-means|| with oversampling.

use std::time::Instant;

use clap::Args;
use drystone_core::Result;
use drystone_estimators::{Init, KMeans, Oversampling};
use drystone_sources::generate::Blobs;
use drystone_trials::Processes;
use serde_json::json;

use crate::Setting;

#[derive(Args, Debug)]
pub struct Deck {
    #[arg(long, default_value_t = 20)]
    blocks: u64,
    #[arg(long, default_value_t = 200_000)]
    block_rows: u64,
    #[arg(long, default_value_t = 20)]
    features: usize,
    #[arg(long, default_value_t = 8)]
    clusters: usize,
    #[arg(long, default_value_t = 10.0)]
    oversampling: f64,
    #[arg(long, default_value_t = 3)]
    init_max_iter: usize,
    /// Lloyd's iterations at most
    #[arg(long, default_value_t = 10)]
    max_iter: usize,
    /// Workers of one slot each
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// What each worker keeps of blocks; with 0 they are made again in each pass, as in the tutorial
    #[arg(long, default_value = "1GiB")]
    memory: String,
    /// Centres that rows are around
    #[arg(long, default_value_t = 50)]
    centers: usize,
    /// Chooses the data and all draws
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl Deck {
    pub fn run(&self, setting: &Setting) -> Result<()> {
        let processes =
            Processes::start_with(&setting.program, &vec![1; self.workers], "4", &self.memory);
        let cluster = processes.connect();
        let n_samples = self.blocks * self.block_rows;
        let data = Blobs::new(n_samples, self.features).centers(self.centers).seed(self.seed);
        let data = data.block_rows(self.block_rows).dataset();
        let init = Init::parallel(Oversampling::Rows(self.oversampling), self.init_max_iter);
        let params = KMeans::params(self.clusters).init(init).max_iter(self.max_iter);
        let started = Instant::now();
        let model = params.seed(self.seed).on(&cluster).fit(&data)?;
        let seconds = started.elapsed().as_secs_f64();
        let inertia = model.inertia() / n_samples as f64;
        let (n_iter, sha256) = (model.n_iter(), model.sha256()?);
        let history = model.history();
        match setting.json {
            true => println!(
                "{}",
                json!({
                    "seconds": seconds, "n_iter": n_iter, "inertia_per_row": inertia,
                    "passes": history.passes, "blocks_read": history.blocks_read,
                    "model_sha256": sha256, "workers": self.workers,
                })
            ),
            false => println!(
                "{n_samples} rows on {} workers: {seconds:.2} s, {n_iter} iterations in {} passes, \
                 {} blocks made, inertia of a row {inertia:.3}, model {sha256}",
                self.workers, history.passes, history.blocks_read
            ),
        }
        Ok(())
    }
}
