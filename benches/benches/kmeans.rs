//! Criterion benches through the public interface: short fits over blocks in memory, and
//! one block of a generator. Beside `kernels.rs` they show what threads, blocks and memory
//! add; whole fits beside other libraries are timed by `peers/compare.py`.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use drystone::generate::Blobs;
use drystone::{Block, ChunkedDataset, Dtype, Init, KMeans, Records, Result};

const N_SAMPLES: u64 = 100_000;
const N_FEATURES: usize = 20;
const N_CLUSTERS: usize = 50;
const BLOCK_ROWS: u64 = 10_000;

fn blobs(dtype: Dtype) -> Blobs {
    Blobs::new(N_SAMPLES, N_FEATURES).centers(N_CLUSTERS).dtype(dtype).block_rows(BLOCK_ROWS)
}

/// Data in memory, and some of its rows.
fn data_and_centroids(dtype: Dtype) -> Result<(ChunkedDataset, Records)> {
    let data = blobs(dtype).try_dataset()?.persist()?;
    let first = data.slice(0..N_CLUSTERS as u64).read(0)?;
    Ok((data, first.records))
}

/// Fits of one and of two iterations, which scan before and assign once more afterwards:
/// their difference is one iteration.
fn bench_fit(c: &mut Criterion) {
    for dtype in [Dtype::F64, Dtype::F32] {
        let (data, centroids) = data_and_centroids(dtype).expect("generated data are in memory");
        let mut group = c.benchmark_group(format!("fit/{dtype}/100000x20x50"));
        group.throughput(Throughput::Elements(N_SAMPLES)).sample_size(20);
        for max_iter in [1, 2] {
            let init = Init::Centroids(centroids.clone());
            let params = KMeans::params(N_CLUSTERS).init(init).max_iter(max_iter).tol(0.0);
            group.bench_function(format!("{max_iter}_iterations"), |b| {
                b.iter(|| params.fit(black_box(&data)).expect("a fit of finite data"));
            });
        }
        group.finish();
    }
}

/// Labels of a block by a fitted model.
fn bench_predict(c: &mut Criterion) {
    let (data, centroids) = data_and_centroids(Dtype::F64).expect("generated data are in memory");
    let params = KMeans::params(N_CLUSTERS).init(Init::Centroids(centroids)).max_iter(1);
    let model = params.fit(&data).expect("a fit of finite data");
    let mut group = c.benchmark_group("predict");
    group.throughput(Throughput::Elements(BLOCK_ROWS));
    group.bench_function("f64/10000x20x50", |b| {
        let labels = model.predict(&data);
        b.iter(|| labels.slice(0..BLOCK_ROWS).compute().expect("labels of finite data"));
    });
    group.finish();
}

/// One block of a generator, shuffled, on one thread.
fn bench_generate(c: &mut Criterion) {
    let mut group = c.benchmark_group("generate_block");
    group.throughput(Throughput::Elements(BLOCK_ROWS * N_FEATURES as u64));
    for dtype in [Dtype::F64, Dtype::F32] {
        let data = blobs(dtype).try_dataset().expect("parameters are valid");
        let read = |block_idx| -> Block { data.read(block_idx).expect("a block of a generator") };
        group.bench_function(format!("blobs/{dtype}"), |b| {
            b.iter_batched(|| 3, |block_idx| read(black_box(block_idx)), BatchSize::SmallInput);
        });
    }
    group.finish();
}

criterion_group!(benches, bench_fit, bench_predict, bench_generate);
criterion_main!(benches);
