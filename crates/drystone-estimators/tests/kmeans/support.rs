//! Data, oracles and executors that the tests share.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use drystone_core::block::RecordElement;
use drystone_core::executor::serve;
use drystone_core::{
    Block, BlockRows, BlockSource, CancelToken, ChunkedDataset, Description, Dtype, Event, Inline,
    Layout, Registry, Result, Rows, StatePolicy, Subprocess, ToChunked, wire,
};
use drystone_estimators::{KMeans, KMeansParams};
use ndarray::Array2;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A file of `datasets/`.
pub fn dataset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets").join(name)
}

/// The numbers of a text file, by lines; a first line of words is skipped.
pub fn read_text(name: &str) -> Array2<f64> {
    let text = std::fs::read_to_string(dataset(name)).expect("a dataset");
    let split = |line: &str| -> Option<Vec<f64>> {
        let fields = line.split(|c: char| c == ',' || c.is_whitespace());
        let fields = fields.filter(|field| !field.is_empty());
        fields.map(|field| field.parse().ok()).collect()
    };
    let rows = text.lines().filter_map(split);
    let rows: Vec<Vec<f64>> = rows.filter(|row| !row.is_empty()).collect();
    let shape = (rows.len(), rows[0].len());
    Array2::from_shape_vec(shape, rows.concat()).expect("rows of one width")
}

/// A generator for the data of a test.
pub fn random(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// Round groups of rows around centres in `offset + [0, 10)`, one after the other in turn.
pub fn blobs(
    (n, d): (usize, usize),
    n_groups: usize,
    std: f64,
    offset: f64,
    seed: u64,
) -> Array2<f64> {
    let mut rng = random(seed);
    let centres = Array2::from_shape_simple_fn((n_groups, d), || offset + rng.gen_range(0.0..10.0));
    Array2::from_shape_fn((n, d), |(row, column)| {
        let normal: f64 = (0..12).map(|_| rng.r#gen::<f64>()).sum::<f64>() - 6.0;
        centres[(row % n_groups, column)] + std * normal
    })
}

/// Records as `T` and their weights, as one block.
pub fn to_block<T: RecordElement>(records: &Array2<f64>, weights: Option<&[f64]>) -> Block {
    let records = records.mapv(|value| T::from_f64(value));
    let block = Block::new(T::into_records(Rows::from_array(records)));
    match weights {
        Some(weights) => block.with_weights(weights.to_vec()),
        None => block,
    }
}

/// A block in slices that end at `cuts` and at its end; equal cuts give empty slices.
pub fn slices(block: &Block, cuts: &[usize]) -> Vec<Block> {
    let mut ends: Vec<usize> = cuts.iter().map(|&cut| cut.min(block.n_samples())).collect();
    ends.sort_unstable();
    ends.push(block.n_samples());
    let starts = std::iter::once(0).chain(ends.clone());
    starts.zip(&ends).map(|(start, &end)| block.slice(start..end)).collect()
}

/// Blocks that are made when they are read: they can be cached, and counted or not.
pub fn lazy(blocks: Vec<Block>, known: bool) -> ChunkedDataset {
    let counts: Vec<u64> = blocks.iter().map(|block| block.n_samples() as u64).collect();
    let rows = match known {
        true => BlockRows::from_counts(&counts),
        false => BlockRows::Unknown { n_blocks: blocks.len() },
    };
    ChunkedDataset::from_blocks(layout_of(&blocks[0], rows), move |idx| Ok(blocks[idx].clone()))
}

fn layout_of(block: &Block, rows: BlockRows) -> Layout {
    let records = &block.records;
    let layout = Layout::with_rows(records.dtype(), records.n_features(), rows);
    if block.weights.is_some() { layout.weighted() } else { layout }
}

/// Weighted sum of squared distances to the nearest centroid, and rows per centroid, the
/// naive way.
pub fn naive(
    records: &Array2<f64>,
    weights: Option<&[f64]>,
    centroids: &Array2<f64>,
) -> (f64, Vec<u64>) {
    let mut inertia = 0.0;
    let mut counts = vec![0; centroids.nrows()];
    for (row, record) in records.rows().into_iter().enumerate() {
        let distance = |centroid: ndarray::ArrayView1<'_, f64>| -> f64 {
            record.iter().zip(centroid).map(|(x, c)| (x - c) * (x - c)).sum()
        };
        let all: Vec<f64> = centroids.rows().into_iter().map(distance).collect();
        let best = (0..all.len()).reduce(|a, b| if all[b] < all[a] { b } else { a });
        let best = best.expect("a centroid");
        inertia += weights.map_or(1.0, |weights| weights[row]) * all[best];
        counts[best] += 1;
    }
    (inertia, counts)
}

/// The centroids of a model in double precision.
pub fn centroids(model: &KMeans) -> Array2<f64> {
    let shape = (model.n_clusters(), model.n_features());
    Array2::from_shape_vec(shape, model.centroids().to_f64()).expect("whole rows")
}

/// The labels that a model gives.
pub fn labels(model: &KMeans, data: &impl ToChunked) -> Vec<u32> {
    model.predict(data).compute().expect("labels").to_vec()
}

/// Rows a label.
pub fn counts(labels: &[u32], n_clusters: usize) -> Vec<u64> {
    let mut counts = vec![0; n_clusters];
    labels.iter().for_each(|&label| counts[label as usize] += 1);
    counts
}

/// Largest relative difference, relative to the largest magnitude.
pub fn difference(found: &[f64], wanted: &[f64]) -> f64 {
    assert_eq!(found.len(), wanted.len());
    let largest = wanted.iter().fold(f64::MIN_POSITIVE, |most, x| most.max(x.abs()));
    let differences = found.iter().zip(wanted).map(|(a, b)| (a - b).abs() / largest);
    differences.fold(0.0, f64::max)
}

/// Fits on the calling thread, and cancels when the `n`-th pass of a job begins.
pub fn cancelled_at(
    params: KMeansParams<'_>,
    data: &impl ToChunked,
    job: &str,
    n: usize,
) -> Result<KMeans> {
    let token = CancelToken::new();
    let passes = AtomicUsize::new(0);
    let observer = |event: &Event<'_>| {
        if let Event::PassStarted { job: name, .. } = event
            && name.starts_with(job)
            && passes.fetch_add(1, Ordering::Relaxed) + 1 == n
        {
            token.cancel();
        }
    };
    let inline = Inline::new(0);
    params.on(&inline).observe(&observer).cancel(&token).fit(data)
}

/// The centroids before any iteration: the model of a fit that is stopped in its second.
pub fn seeded(params: KMeansParams<'_>, data: &impl ToChunked) -> Array2<f64> {
    centroids(&cancelled_at(params, data, "kmeans.lloyd", 2).expect("a first assignment"))
}

/// Rows that travel in their description.
pub struct Carried {
    body: Body,
    blocks: Vec<Block>,
    layout: Layout,
}

/// Element type, columns, row ends, values and weights.
type Body = (Dtype, u64, Vec<usize>, Vec<f64>, Option<Vec<f64>>);

impl Carried {
    const KIND: &'static str = "test.carried/1";

    pub fn dataset(block: &Block, cuts: &[usize]) -> ChunkedDataset {
        let records = &block.records;
        let (dtype, n_features) = (records.dtype(), records.n_features() as u64);
        let weights = block.weights.as_deref().map(<[f64]>::to_vec);
        let body = (dtype, n_features, cuts.to_vec(), records.to_f64(), weights);
        ChunkedDataset::new(Self::new(body))
    }

    fn new(body: Body) -> Self {
        let (dtype, n_features, cuts, values, weights) = &body;
        let shape = (values.len() / *n_features as usize, *n_features as usize);
        let records = Array2::from_shape_vec(shape, values.clone()).expect("whole rows");
        let block = match dtype {
            Dtype::F32 => to_block::<f32>(&records, weights.as_deref()),
            Dtype::F64 => to_block::<f64>(&records, weights.as_deref()),
        };
        let blocks = slices(&block, cuts);
        let counts: Vec<u64> = blocks.iter().map(|block| block.n_samples() as u64).collect();
        let layout = layout_of(&block, BlockRows::from_counts(&counts));
        Self { body, blocks, layout }
    }
}

impl BlockSource for Carried {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, block_idx: usize) -> Result<Block> {
        Ok(self.blocks[block_idx].clone())
    }

    fn describe(&self) -> Option<Description> {
        let body = wire::encode(&self.body).ok()?;
        Some(Description { kind: Self::KIND.into(), body })
    }
}

const WORKER: &str = "DRYSTONE_KMEANS_WORKER";

/// What the children of [`children`] run; it does nothing in the parent.
#[test]
fn worker_process() {
    if std::env::var_os(WORKER).is_some() {
        let mut registry = Registry::new();
        drystone_estimators::register(&mut registry);
        drystone_sources::register(&mut registry);
        registry.source(Carried::KIND, |body, _| Ok(Arc::new(Carried::new(wire::decode(body)?))));
        serve(&registry, std::io::stdin(), std::io::stdout()).expect("requests");
    }
}

/// This test binary, asked to run one test.
pub fn this_binary(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
    command
}

/// An executor of child processes.
pub fn children(n: usize, memory_budget: u64, policy: StatePolicy) -> Subprocess {
    let command = || {
        let mut command = this_binary("support::worker_process");
        command.env(WORKER, "1");
        command
    };
    Subprocess::spawn(n, memory_budget, policy, command).expect("children")
}
