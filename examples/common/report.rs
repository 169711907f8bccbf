//! What a fit came to: a table for people, one JSON object for machines.

use std::path::PathBuf;

use drystone::kernels::Isa;
use drystone::{ChunkedDataset, KMeans, Result, TargetKind, metrics, sizes};
use serde_json::{Value, json};

use super::flags::Flags;
use super::peak_rss_bytes;
use super::progress::Seconds;

/// Rows whose labels are shown.
const HEAD: u64 = 10;
/// Clusters in the table.
const TABLE_ROWS: usize = 10;

/// Everything that is reported.
pub struct Outcome<'a> {
    model: &'a KMeans,
    n_samples: u64,
    threads: usize,
    seconds: Seconds,
    peak_rss_bytes: Option<u64>,
    model_sha256: String,
    labels_head: Vec<u32>,
    adjusted_rand: Option<f64>,
}

pub struct Report<'a> {
    pub flags: &'a Flags,
    pub outcome: Outcome<'a>,
    pub plot: Option<PathBuf>,
}

impl<'a> Outcome<'a> {
    /// The memory of the fit is read before the labels are compared, which is another pass.
    pub fn new(
        model: &'a KMeans,
        data: &ChunkedDataset,
        threads: usize,
        seconds: Seconds,
    ) -> Result<Self> {
        let peak_rss_bytes = peak_rss_bytes();
        let n_samples = model.cluster_counts().iter().sum();
        let labels = model.predict(data);
        let head = labels.slice(0..HEAD.min(n_samples)).compute()?;
        let comparable =
            matches!(data.layout().targets, Some(TargetKind::I64 | TargetKind::Categories));
        let adjusted_rand =
            if comparable { Some(metrics::adjusted_rand(data, &labels)?) } else { None };
        Ok(Self {
            model,
            n_samples,
            threads,
            seconds,
            peak_rss_bytes,
            model_sha256: model.sha256()?,
            labels_head: head.to_vec(),
            adjusted_rand,
        })
    }

    fn init_cost(&self) -> Option<f64> {
        self.model.history().iterations.first().map(|iteration| iteration.cost)
    }

    fn n_candidates(&self) -> Option<usize> {
        self.model.history().rounds.last().map(|round| round.n_candidates)
    }

    fn json(&self) -> Value {
        let Seconds { init, lloyd, total } = self.seconds;
        let (model, history) = (self.model, self.model.history());
        json!({
            "n_samples": self.n_samples,
            "n_features": model.n_features(),
            "n_clusters": model.n_clusters(),
            "dtype": model.centroids().dtype().name(),
            "inertia": model.inertia(),
            "n_iter": model.n_iter(),
            "converged": model.converged(),
            "status": model.status().name(),
            "init_cost": self.init_cost(),
            "n_candidates": self.n_candidates(),
            "passes": history.passes,
            "blocks_read": history.blocks_read,
            "seconds": { "init": init, "lloyd": lloyd, "total": total },
            "peak_rss_bytes": self.peak_rss_bytes,
            "state_bytes": history.state_bytes,
            "model_sha256": self.model_sha256,
            "labels_head": self.labels_head,
            "threads": self.threads,
            "isa": Isa::best().name(),
            "adjusted_rand": self.adjusted_rand,
        })
    }
}

impl Report<'_> {
    pub fn print(&self) {
        if self.flags.json {
            println!("{}", self.outcome.json());
        } else {
            self.print_table();
        }
    }

    fn print_table(&self) {
        let Outcome { model, n_samples, threads, seconds, .. } = &self.outcome;
        let history = model.history();
        let line = |name: &str, value: String| println!("  {name:<14} {value}");
        println!("KMeans: {} clusters of {n_samples} rows", model.n_clusters());
        line("inertia", format!("{:.6e}", model.inertia()));
        if let Some(cost) = self.outcome.init_cost() {
            let candidates = self.outcome.n_candidates();
            let from = candidates.map_or(String::new(), |n| format!(" from {n} candidates"));
            line("after seeding", format!("{cost:.6e}{from}"));
        }
        line("iterations", format!("{} ({})", model.n_iter(), model.status().name()));
        if let Some(index) = self.outcome.adjusted_rand {
            line("adjusted Rand", format!("{index:.6} against the targets"));
        }
        line("passes", format!("{}, {} blocks read", history.passes, history.blocks_read));
        let Seconds { init, lloyd, total } = seconds;
        let isa = Isa::best();
        line(
            "seconds",
            format!(
                "{total:.2} = {init:.2} seeding + {lloyd:.2} iterating, {threads} threads, {isa}"
            ),
        );
        let peak = self.outcome.peak_rss_bytes.map_or("unknown".to_owned(), sizes::human_bytes);
        let state = sizes::human_bytes(history.state_bytes);
        line("memory", format!("{peak} at most, of which {state} state of rows"));
        line("first labels", format!("{:?}", self.outcome.labels_head));
        line("model", self.outcome.model_sha256.clone());
        self.print_clusters();
        if let Some(path) = &self.plot {
            println!("picture: {}", path.display());
        }
    }

    fn print_clusters(&self) {
        let model = self.outcome.model;
        let centroids = model.centroids().to_f64();
        println!("  cluster       rows  centroid");
        for (cluster, centroid) in centroids.chunks(model.n_features()).enumerate().take(TABLE_ROWS)
        {
            let head: Vec<String> =
                centroid.iter().take(5).map(|value| format!("{value:.3}")).collect();
            let more = if centroid.len() > 5 { ", ..." } else { "" };
            let rows = model.cluster_counts()[cluster];
            println!("  {cluster:>7} {rows:>10}  [{}{more}]", head.join(", "));
        }
        if model.n_clusters() > TABLE_ROWS {
            println!("  ... and {} more", model.n_clusters() - TABLE_ROWS);
        }
    }
}
