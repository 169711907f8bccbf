//! Data whose squares leave the range of single or of double precision: the labels are
//! those of the direct search all the same, or the fit is refused.

use drystone_core::{Block, ErrorKind, Inline, StatePolicy, ToChunked};
use drystone_estimators::{Init, KMeans, KMeansParams, Oversampling};
use drystone_kernels::{Isa, nearest::nearest};
use ndarray::{Array2, Axis, array};
use rand::Rng;

use crate::support::{labels, lazy, random, slices, to_block};

/// Round rows of a spread, around zero.
fn spread((n, d): (usize, usize), by: f64, seed: u64) -> Array2<f64> {
    let mut rng = random(seed);
    let mut normal = || (0..12).map(|_| rng.r#gen::<f64>()).sum::<f64>() - 6.0;
    Array2::from_shape_simple_fn((n, d), || by * normal())
}

/// Tiny rows and two at a distance of 1 from them: in all columns, or in one that is zero in
/// the others.
fn beside_outliers(shape: (usize, usize), by: f64, in_all: bool) -> Array2<f64> {
    let mut records = spread(shape, by, 3);
    if !in_all {
        records.column_mut(0).fill(0.0);
    }
    for (row, value) in [(shape.0 - 2, 1.0), (shape.0 - 1, -1.0)] {
        let n_columns = if in_all { shape.1 } else { 1 };
        records.row_mut(row).iter_mut().take(n_columns).for_each(|x| *x = value);
    }
    records
}

/// Fits with and without pruning, in one block and in some: one model, and the direct
/// search finds its labels and its counts.
fn check(name: &str, block: &Block, params: &KMeansParams<'_>) {
    let whole = lazy(vec![block.clone()], true);
    let inline = Inline::new(0);
    let fit = |pruning| params.clone().pruning(pruning).on(&inline).fit(&whole).expect(name);
    let model = fit(true);
    let sha = model.sha256().expect("a hash");
    assert_eq!(fit(false).sha256().expect("a hash"), sha, "{name}: without pruning");
    let lossy = Inline::new(0).state_policy(StatePolicy::LoseSome { seed: 5 });
    let cut = lazy(slices(block, &[7, 100, 333]), true);
    let other = params.clone().on(&lossy).fit(&cut).expect(name);
    assert_eq!(other.sha256().expect("a hash"), sha, "{name}: in blocks");

    let n = block.n_samples();
    let (mut best, mut index) = (vec![0.0; n], vec![0; n]);
    let (records, centroids) = (block.records.to_f64(), model.centroids().to_f64());
    nearest(Isa::Scalar, &records, model.n_features(), &centroids, &mut best, &mut index);
    assert!(labels(&model, &whole) == index, "{name}: labels");
    let mut counts = vec![0; model.n_clusters()];
    index.iter().for_each(|&label| counts[label as usize] += 1);
    assert_eq!(model.cluster_counts(), counts, "{name}");
}

#[test]
fn tiny_rows_beside_outliers_are_told_apart() {
    for by in [1e-20, 1e-21, 1e-22] {
        for (d, in_all) in [(8, true), (8, false), (170, false)] {
            let records = beside_outliers((400, d), by, in_all);
            let given = records.select(Axis(0), &(0..10).collect::<Vec<usize>>());
            let params = KMeans::params(10).max_iter(12).tol(0.0);
            let name = format!("{by:e} x {d}, {in_all}");
            let block = to_block::<f64>(&records, None);
            check(&name, &block, &params.clone().init(Init::centroids(given.clone())));
            check(&name, &block, &params.clone().init(Init::Random));
            let block = to_block::<f32>(&records, None);
            let given = given.mapv(|value| value as f32);
            check(&name, &block, &params.init(Init::centroids(given)));
        }
    }
}

/// What seeding and far rows come to, in words: the instruction sets must agree.
pub fn outcomes() -> Vec<String> {
    let mut all = Vec::new();
    for by in [1e-18, 1e-20, 1e-21, 1e-22, 1e-23, 1e-24] {
        for d in [1, 3] {
            let records = spread((1500, d), by, 1);
            for init in [Init::PlusPlus, Init::parallel(Oversampling::Rows(1.0), 6)] {
                let model =
                    KMeans::params(9).init(init).max_iter(2).fit(&records).expect("a model");
                let costs = model.history().rounds.iter().map(|round| round.cost.to_bits());
                let costs = costs.fold(0_u64, |all, cost| all.rotate_left(5) ^ cost);
                all.push(format!("{}-{costs:x}", model.sha256().expect("a hash")));
            }
        }
    }
    let wide = array![[-5e149, 1e140], [5e149, -1e140], [4e149, 0.0], [-4e149, 0.0]];
    let model = KMeans::params(2).fit(&wide).expect("a model");
    for far in [1e152, 1.2e154, 1.4e154, 2e154, 1e155, 1e160] {
        let found = model.predict(&array![[far, 0.0], [-far, 1.0]]).compute();
        all.push(found.map_or("too-far".to_owned(), |labels| format!("{:?}", labels.to_vec())));
    }
    all.iter().map(|text| text.replace(' ', "")).collect()
}

fn error(params: &KMeansParams<'_>, data: &impl ToChunked) -> ErrorKind {
    let error = params.fit(data).map(|model| (model.inertia(), model.status()));
    error.expect_err("out of range").kind().clone()
}

#[test]
fn data_whose_own_squares_underflow_are_refused() {
    for by in [1e-155, 1e-158, 1e-161, 1e-165] {
        let records = spread((400, 8), by, 5);
        let mut given = records.select(Axis(0), &(0..16).collect::<Vec<usize>>());
        // That it is far from the rows makes their own distances no better.
        given.row_mut(15).fill(1e-140);
        let params = KMeans::params(16).init(Init::centroids(given));
        assert!(matches!(error(&params, &records), ErrorKind::Range { .. }), "{by:e}");
    }
}

/// A column that is large and the same in all rows, and weights.
fn constant_column(large: f64, weight: f64, by: f64) -> drystone_core::ChunkedDataset {
    let mut records = spread((200, 12), by, 8);
    records.column_mut(0).fill(large);
    for (row, mut record) in records.rows_mut().into_iter().enumerate() {
        record.iter_mut().skip(1).for_each(|x| *x += by * 3.0 * (row % 4) as f64);
    }
    let weights: Vec<f64> = (0..200).map(|row| weight * f64::from(1 << (row % 3))).collect();
    lazy(vec![to_block::<f64>(&records, Some(&weights))], true)
}

#[test]
fn weighted_squares_that_overflow_are_refused() {
    for (large, weight) in [(1e150, 2e99), (1e150, 1e60), (1e140, 2e99), (1e120, 1e62)] {
        let params = KMeans::params(6).init(Init::Random);
        let kind = error(&params, &constant_column(large, weight, 1.0));
        assert!(matches!(kind, ErrorKind::Range { .. }), "{large:e} {weight:e}: {kind:?}");
    }
}

/// At the largest magnitudes that are not refused, costs on the way are those of the rows,
/// and `tol` is relative to their variance.
#[test]
fn costs_are_sound_up_to_where_squares_overflow() {
    // Powers of two, so that the mean of the column is exact: its last digit is wider than
    // all of the others.
    for (large, weight, by) in [(330, 320, 0), (488, 0, 465), (488, 0, -400), (0, 200, 0)] {
        let [large, weight, by] = [large, weight, by].map(|exponent| 2.0_f64.powi(exponent));
        let data = constant_column(large, weight, by);
        let fit = |tol| {
            let params = KMeans::params(6).init(Init::Random).tol(tol).max_iter(9);
            params.fit(&data).expect("a model")
        };
        let model = fit(0.0);
        let costs: Vec<f64> = model.history().iterations.iter().map(|it| it.cost).collect();
        let falls = costs.windows(2).all(|pair| pair[1] <= pair[0] * (1.0 + 1e-9));
        assert!(falls && costs.iter().all(|cost| *cost > 0.0), "{large:e}: {costs:?}");
        let last = *costs.last().expect("an iteration");
        assert!(model.inertia() <= last * (1.0 + 1e-9) && model.inertia() > last / 2.0);
        assert_eq!(fit(1e3).n_iter(), 1, "{large:e}");
    }
}

#[test]
fn costs_that_underflow_are_refused() {
    for (by, weight) in [(1e-140, 1e-60), (1e-140, 1e-30), (1e-145, 1e-100), (1e-120, 1e-90)] {
        for large in [0.0, 1.0] {
            let params = KMeans::params(6).init(Init::Random);
            let kind = error(&params, &constant_column(large, weight, by));
            assert!(matches!(kind, ErrorKind::Weight { .. }), "{by:e} {weight:e}: {kind:?}");
        }
    }
    // Equal rows cost nothing, whatever they weigh, as long as they weigh something.
    let equal = to_block::<f64>(&Array2::from_elem((5, 2), 1e-140), Some(&[1e-60; 5]));
    let model = KMeans::params(1).fit(&lazy(vec![equal], true)).expect("a model");
    assert_eq!((model.inertia(), model.cluster_counts()), (0.0, &[5][..]));
}
