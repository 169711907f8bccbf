//! The plan of a fit, word by word.

use drystone_core::{Block, BlockRows, ChunkedDataset, Dtype, Inline, Layout};
use drystone_estimators::{Init, KMeans, KMeansParams, Oversampling};
use ndarray::array;

use crate::support::{blobs, lazy, to_block};

/// A dataset that is never read.
fn unread(rows: BlockRows) -> ChunkedDataset {
    let layout = Layout::with_rows(Dtype::F32, 20, rows).weighted();
    ChunkedDataset::from_blocks(layout, |_| panic!("explain must read nothing"))
}

fn million() -> ChunkedDataset {
    unread(BlockRows::Uniform { n_samples: 1_000_000, block_rows: 200_000 })
}

fn check(params: KMeansParams<'_>, data: &ChunkedDataset, wanted: &str) {
    let inline = Inline::new(50_000_000);
    let plan = params.on(&inline).explain(data).expect("a plan");
    assert_eq!(plan.to_string(), wanted.trim_start_matches('\n'));
}

#[test]
fn a_plan_says_passes_bytes_and_memory() {
    check(
        KMeans::params(50).n_init(2),
        &million(),
        "
KMeans: 50 clusters, k-means|| (2 x n_clusters rows, 5 rounds)
  data       (1000000, 20) f32, 5 blocks of up to 200000 rows, 88.0 MB, weighted
  runs on    inline (1)
  passes     at most 1 pass: scan ranges and weights
  passes     at most 6 passes: seed by k-means||
  passes     at most 58 passes: seed on, only if it drew too few rows
  passes     at most 301 passes: Lloyd's iterations, and one to settle labels
  passes     at most 600 passes: find rows for clusters, only if some run empty
  reads      88.0 MB in the first pass, 38.0 MB in each later one
  cache      50.0 MB of blocks (budget 50.0 MB)
  in flight  17.6 MB of blocks
  row state  14.0 MB
  peak       about 81.6 MB of blocks and state",
    );
    check(
        KMeans::params(5).init(Init::PlusPlus).max_iter(10),
        &million(),
        "
KMeans: 5 clusters, k-means++
  data       (1000000, 20) f32, 5 blocks of up to 200000 rows, 88.0 MB, weighted
  runs on    inline (1)
  passes     at most 1 pass: scan ranges and weights
  passes     at most 5 passes: seed by k-means++
  passes     at most 11 passes: Lloyd's iterations, and one to settle labels
  passes     at most 10 passes: find rows for clusters, only if some run empty
  reads      88.0 MB in the first pass, 38.0 MB in each later one
  cache      50.0 MB of blocks (budget 50.0 MB)
  in flight  17.6 MB of blocks
  row state  7.0 MB
  peak       about 74.6 MB of blocks and state",
    );
    check(
        KMeans::params(50).init(Init::Random).n_init(10),
        &million(),
        "
KMeans: 50 clusters, random rows
  data       (1000000, 20) f32, 5 blocks of up to 200000 rows, 88.0 MB, weighted
  runs on    inline (1)
  passes     at most 1 pass: scan ranges and weights
  passes     at most 301 passes: Lloyd's iterations, and one to settle labels
  passes     at most 3000 passes: find rows for clusters, only if some run empty
  reads      88.0 MB in the first pass, 38.0 MB in each later one
  cache      50.0 MB of blocks (budget 50.0 MB)
  in flight  17.6 MB of blocks
  row state  70.0 MB
  peak       about 137.6 MB of blocks and state",
    );
    let many = Init::parallel(Oversampling::Rows(5000.0), 5);
    check(
        KMeans::params(50).init(many),
        &million(),
        "
KMeans: 50 clusters, k-means|| (5000 rows, 5 rounds)
  data       (1000000, 20) f32, 5 blocks of up to 200000 rows, 88.0 MB, weighted
  runs on    inline (1)
  passes     at most 1 pass: scan ranges and weights
  passes     at most 6 passes: seed by k-means||
  passes     at most 58 passes: seed on, only if it drew too few rows
  passes     at most 301 passes: Lloyd's iterations, and one to settle labels
  passes     at most 300 passes: find rows for clusters, only if some run empty
  reads      88.0 MB in the first pass, 38.0 MB in each later one
  cache      50.0 MB of blocks (budget 50.0 MB)
  in flight  17.6 MB of blocks
  row state  8.0 MB
  peak       about 75.6 MB of blocks and state",
    );
}

#[test]
fn what_is_not_known_is_said_to_be_unknown() {
    let data = unread(BlockRows::Unknown { n_blocks: 7 });
    check(
        KMeans::params(3),
        &data,
        "
KMeans: 3 clusters, k-means|| (2 x n_clusters rows, 5 rounds)
  data       (unknown, 20) f32, 7 blocks, unknown bytes, weighted
  runs on    inline (1)
  passes     at most 1 pass: count rows
  passes     at most 1 pass: scan ranges and weights
  passes     at most 6 passes: seed by k-means||
  passes     at most 11 passes: seed on, only if it drew too few rows
  passes     at most 301 passes: Lloyd's iterations, and one to settle labels
  passes     at most 300 passes: find rows for clusters, only if some run empty
  reads      unknown in the first pass, unknown in each later one
  cache      unknown of blocks (budget 50.0 MB)
  in flight  unknown of blocks
  row state  unknown
  peak       about unknown of blocks and state",
    );
}

#[test]
fn data_in_memory_are_not_cached() {
    let data = ChunkedDataset::from_resident(vec![Block::new(array![[1.0], [2.0]])]);
    let params = KMeans::params(1).init(Init::centroids(array![[1.0]]));
    let plan = params.explain(&data.expect("a block")).expect("a plan");
    assert_eq!(
        (plan.cached_bytes, plan.in_flight_bytes, plan.peak_bytes()),
        // Two labels of two bytes.
        (Some(0), Some(0), Some(4))
    );
}

#[test]
fn a_fit_keeps_to_its_plan() {
    let data = lazy(vec![to_block::<f64>(&blobs((300, 2), 6, 1.0, 0.0, 1), None)], false);
    for init in [Init::default(), Init::PlusPlus, Init::Random] {
        let params = || KMeans::params(6).init(init.clone()).n_init(2);
        let plan = params().explain(&data).expect("a plan");
        let at_most: usize = plan.passes.iter().filter_map(|pass| pass.at_most).sum();
        let model = params().fit(&data).expect("a model");
        assert!(model.history().passes <= at_most, "{init}");
    }
}

#[test]
fn bad_parameters_are_not_explained() {
    let error = KMeans::params(0).explain(&million()).map(|_| ()).expect_err("no clusters");
    assert_eq!(error.to_string(), "parameter `n_clusters` must be between 1 and 16777216, found 0");
}
