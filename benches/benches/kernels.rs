//! Criterion benches of the kernels on tiles that stay in cache, for daily work. Not of
//! threads, blocks or memory: those are in `kmeans.rs`.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use drystone::kernels::distance::distances;
use drystone::kernels::limbs::{Accumulator, Scales};
use drystone::kernels::nearest::nearest;
use drystone::kernels::normal::fill_normal;
use drystone::kernels::screen::{Found, Frame, Screen};
use drystone::kernels::{ExactSum, Float, Isa};

/// Rows of a tile: KMeans gives its kernels as many.
const ROWS: usize = 256;
/// Columns and clusters: few and many of each.
const SHAPES: [(usize, usize); 3] = [(20, 50), (128, 100), (784, 10)];

fn records<T: Float>(n_features: usize) -> Vec<T> {
    let mut values = vec![0.0; ROWS * n_features];
    fill_normal(Isa::best(), 0, 0, 0, &mut values);
    values.into_iter().map(T::from_f64).collect()
}

/// Rows of the tile itself, so that some distances are small.
fn centroids<T: Float>(tile: &[T], n_features: usize, n_clusters: usize) -> Vec<T> {
    tile.iter().copied().cycle().skip(3).take(n_clusters * n_features).collect()
}

fn labels(n_clusters: usize) -> Vec<u32> {
    (0..ROWS).map(|row| (row * 7 % n_clusters) as u32).collect()
}

fn name<T>() -> &'static str {
    std::any::type_name::<T>()
}

fn bench_nearest(c: &mut Criterion) {
    let mut group = c.benchmark_group("nearest");
    for (n_features, n_clusters) in SHAPES {
        let tile = records::<f64>(n_features);
        let centroids = centroids(&tile, n_features, n_clusters);
        let (mut best, mut index) = (vec![0.0; ROWS], vec![0; ROWS]);
        group.throughput(Throughput::Elements((ROWS * n_features * n_clusters) as u64));
        for &isa in Isa::available() {
            let id = BenchmarkId::new(isa.name(), format!("{n_features}x{n_clusters}"));
            group.bench_function(id, |b| {
                b.iter(|| {
                    let tile = black_box(&tile);
                    nearest(isa, tile, n_features, &centroids, &mut best, &mut index);
                });
            });
        }
    }
    group.finish();
}

/// The same search where single precision can tell: it leaves no row of this data open.
fn bench_screen<T: Float>(c: &mut Criterion) {
    let mut group = c.benchmark_group(format!("screen/{}", name::<T>()));
    for (n_features, n_clusters) in SHAPES {
        let tile = records::<T>(n_features);
        let centroids = centroids(&tile, n_features, n_clusters);
        let frame = Frame::new(&vec![-5.0; n_features], &vec![5.0; n_features]);
        let screen = Screen::new(&centroids, &frame);
        let (rows, mut found): (Vec<u32>, _) = ((0..ROWS as u32).collect(), Found::default());
        group.throughput(Throughput::Elements((ROWS * n_features * n_clusters) as u64));
        group.bench_function(format!("{n_features}x{n_clusters}"), |b| {
            b.iter(|| screen.search(Isa::best(), black_box(&tile), &rows, &mut found));
        });
    }
    group.finish();
}

fn bench_distances<T: Float>(c: &mut Criterion) {
    let mut group = c.benchmark_group(format!("distances/{}", name::<T>()));
    for (n_features, n_clusters) in SHAPES {
        let tile = records::<T>(n_features);
        let centroids = centroids(&tile, n_features, n_clusters);
        let (index, mut out) = (labels(n_clusters), vec![0.0; ROWS]);
        let rows: Vec<u32> = (0..ROWS as u32).collect();
        group.throughput(Throughput::Elements((ROWS * n_features) as u64));
        group.bench_function(format!("{n_features}x{n_clusters}"), |b| {
            b.iter(|| {
                let (tile, isa) = (black_box(&tile), Isa::best());
                distances(isa, tile, n_features, &rows, &centroids, &index, &mut out);
            });
        });
    }
    group.finish();
}

/// What sums cost that do not depend on the order of rows (`limbs`), beside sums in
/// floating point that do (`plain`).
fn bench_sums<T: Float>(c: &mut Criterion) {
    let (n_features, n_clusters) = SHAPES[0];
    let (tile, index) = (records::<T>(n_features), labels(n_clusters));
    let mut group = c.benchmark_group(format!("sums/{}", name::<T>()));
    group.throughput(Throughput::Elements((ROWS * n_features) as u64));
    let scales = Scales::new::<T>(&vec![16.0; n_features], 1.0);
    group.bench_function("limbs", |b| {
        let mut accumulator = Accumulator::<T>::new(n_clusters, &scales);
        b.iter(|| accumulator.add(Isa::best(), black_box(&tile), None, &index));
    });
    group.bench_function("plain", |b| {
        let mut sums = vec![0.0; n_clusters * n_features];
        b.iter(|| scatter(black_box(&tile), n_features, &index, &mut sums));
    });
    group.finish();
}

/// Adds rows to the sums of their clusters, in `f64` as is usual.
fn scatter<T: Float>(tile: &[T], n_features: usize, index: &[u32], sums: &mut [f64]) {
    for (row, &cluster) in tile.chunks_exact(n_features).zip(index) {
        let sums = &mut sums[cluster as usize * n_features..][..n_features];
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x.to_f64());
    }
}

/// The exact sum of the squared distances, one a row, beside a plain one.
fn bench_exact_sum(c: &mut Criterion) {
    let values = records::<f64>(1);
    let mut group = c.benchmark_group("exact_sum");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("exact", |b| {
        let mut sum = ExactSum::new();
        b.iter(|| black_box(&values).iter().for_each(|&x| sum.add(x)));
    });
    group.bench_function("plain", |b| b.iter(|| black_box(&values).iter().sum::<f64>()));
    group.finish();
}

fn bench_normals(c: &mut Criterion) {
    let mut group = c.benchmark_group("normals");
    let mut values = vec![0.0; 20_480];
    group.throughput(Throughput::Elements(values.len() as u64));
    for &isa in Isa::available() {
        group.bench_function(isa.name(), |b| {
            b.iter(|| fill_normal(isa, 0, 1, 2, black_box(&mut values)));
        });
    }
    group.finish();
}

criterion_group!(
    benches,
    bench_nearest,
    bench_screen::<f64>,
    bench_screen::<f32>,
    bench_distances::<f64>,
    bench_distances::<f32>,
    bench_sums::<f64>,
    bench_sums::<f32>,
    bench_exact_sum,
    bench_normals,
);
criterion_main!(benches);
