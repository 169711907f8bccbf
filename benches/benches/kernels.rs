//! Criterion benches of the kernels, for daily work.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use drystone::kernels::limbs::{Accumulator, Scales};
use drystone::kernels::nearest::nearest;
use drystone::kernels::normal::fill_normal;
use drystone::kernels::{ExactSum, Isa};

const ROWS: usize = 256;

fn records(n_features: usize) -> Vec<f64> {
    let mut values = vec![0.0; ROWS * n_features];
    fill_normal(Isa::best(), 0, 0, 0, &mut values);
    values
}

fn bench_nearest(c: &mut Criterion) {
    let mut group = c.benchmark_group("nearest");
    for (n_features, n_clusters) in [(20, 50), (128, 100), (784, 10)] {
        let tile = records(n_features);
        let centroids: Vec<f64> =
            tile.iter().copied().cycle().skip(3).take(n_clusters * n_features).collect();
        group.throughput(Throughput::Elements((ROWS * n_features * n_clusters) as u64));
        let id = BenchmarkId::from_parameter(format!("{n_features}x{n_clusters}"));
        group.bench_function(id, |b| {
            let (mut best, mut index) = (vec![0.0; ROWS], vec![0; ROWS]);
            b.iter(|| {
                let tile = black_box(&tile);
                nearest(Isa::best(), tile, n_features, &centroids, &mut best, &mut index);
            });
        });
    }
    group.finish();
}

fn bench_sums(c: &mut Criterion) {
    let tile = records(20);
    let index: Vec<u32> = (0..ROWS as u32).map(|row| row * 7 % 50).collect();
    let scales = Scales::new::<f64>(&[16.0; 20], 1.0);
    let mut group = c.benchmark_group("sums");
    group.throughput(Throughput::Elements((ROWS * 20) as u64));
    group.bench_function("limbs", |b| {
        let mut accumulator = Accumulator::<f64>::new(50, &scales);
        b.iter(|| accumulator.add(Isa::best(), black_box(&tile), None, &index));
    });
    group.bench_function("plain_f64", |b| {
        let mut sums = vec![0.0; 50 * 20];
        b.iter(|| {
            for (row, &cluster) in black_box(&tile).chunks_exact(20).zip(&index) {
                let sums = &mut sums[cluster as usize * 20..][..20];
                sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
        });
    });
    group.bench_function("exact_sum", |b| {
        let mut sum = ExactSum::new();
        b.iter(|| black_box(&tile).iter().for_each(|&x| sum.add(x)));
    });
    group.finish();
}

fn bench_normals(c: &mut Criterion) {
    let mut group = c.benchmark_group("normals");
    let mut values = vec![0.0; 20_480];
    group.throughput(Throughput::Elements(values.len() as u64));
    for &isa in Isa::available() {
        group.bench_function(isa.name(), |b| b.iter(|| fill_normal(isa, 0, 1, 2, &mut values)));
    }
    group.finish();
}

criterion_group!(benches, bench_nearest, bench_sums, bench_normals);
criterion_main!(benches);
