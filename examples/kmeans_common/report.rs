//! What a fit came to: a table for people, one JSON object for machines.

use std::fmt;

use drystone::executor::Resources;
use drystone::kernels::Isa;
use drystone::{ChunkedDataset, KMeans, Result, TargetKind, metrics};
use serde_json::{Value, json};

use super::progress::Seconds;
use crate::common::machine::{memory_of, peak_rss_bytes, ran_on};
use crate::common::output::{counted, resumed};

/// Rows whose labels are shown.
const HEAD: u64 = 10;
/// Clusters in the table.
const TABLE_ROWS: usize = 10;

/// Everything that is reported.
pub struct Outcome<'a> {
    model: &'a KMeans,
    n_samples: u64,
    resources: Resources,
    seconds: Seconds,
    resumed_steps: u64,
    peak_rss_bytes: Option<u64>,
    model_sha256: String,
    labels_head: Vec<u32>,
    adjusted_rand: Option<f64>,
}

impl<'a> Outcome<'a> {
    /// The memory of the fit is read before the labels are compared, which is another pass.
    pub fn new(
        model: &'a KMeans,
        data: &ChunkedDataset,
        resources: Resources,
        seconds: Seconds,
        resumed_steps: u64,
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
            resources,
            seconds,
            resumed_steps,
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

    /// For machines.
    pub fn json(&self) -> Value {
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
            "resumed_steps": self.resumed_steps,
            "seconds": { "init": init, "lloyd": lloyd, "total": total },
            "peak_rss_bytes": self.peak_rss_bytes,
            "state_bytes": history.state_bytes,
            "model_sha256": self.model_sha256,
            "labels_head": self.labels_head,
            "threads": self.resources.threads,
            "isa": Isa::best().name(),
            "adjusted_rand": self.adjusted_rand,
        })
    }
}

/// For people.
impl fmt::Display for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let history = self.model.history();
        let (k, n) = (self.model.n_clusters() as u64, self.n_samples);
        writeln!(f, "KMeans: {} of {}", counted(k, "cluster"), counted(n, "row"))?;
        let mut line = |name: &str, value: String| writeln!(f, "  {name:<14} {value}");
        line("inertia", format!("{:.6e}", self.model.inertia()))?;
        if let Some(cost) = self.init_cost() {
            let from = |n: usize| format!(" from {}", counted(n as u64, "candidate"));
            let from = self.n_candidates().map(from).unwrap_or_default();
            line("after seeding", format!("{cost:.6e}{from}"))?;
        }
        line("iterations", format!("{} ({})", self.model.n_iter(), self.model.status().name()))?;
        if let Some(index) = self.adjusted_rand {
            line("adjusted Rand", format!("{index:.6} against the targets"))?;
        }
        let blocks = counted(history.blocks_read as u64, "block");
        line("passes", format!("{}, {blocks} read", history.passes))?;
        if let Some(resumed) = resumed(self.resumed_steps) {
            line("resumed", resumed)?;
        }
        line("seconds", self.time())?;
        line("memory", self.memory())?;
        line("first labels", format!("{:?}", self.labels_head))?;
        line("model", self.model_sha256.clone())?;
        self.write_clusters(f)
    }
}

impl Outcome<'_> {
    fn time(&self) -> String {
        let Seconds { init, lloyd, total } = self.seconds;
        let ran_on = ran_on(&self.resources);
        format!("{total:.2} = {init:.2} seeding + {lloyd:.2} iterating, {ran_on}")
    }

    fn memory(&self) -> String {
        memory_of(&self.resources, self.peak_rss_bytes, self.model.history().state_bytes)
    }

    fn write_clusters(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = self.model;
        let centroids = model.centroids().to_f64();
        write!(f, "  cluster       rows  centroid")?;
        let clusters = centroids.chunks(model.n_features()).zip(model.cluster_counts());
        for (cluster, (centroid, rows)) in clusters.enumerate().take(TABLE_ROWS) {
            let head = centroid.iter().take(5).map(|value| format!("{value:.3}"));
            let head = head.collect::<Vec<_>>().join(", ");
            let more = if centroid.len() > 5 { ", ..." } else { "" };
            write!(f, "\n  {cluster:>7} {rows:>10}  [{head}{more}]")?;
        }
        match model.n_clusters().checked_sub(TABLE_ROWS) {
            Some(more @ 1..) => write!(f, "\n  ... and {more} more"),
            _ => Ok(()),
        }
    }
}
