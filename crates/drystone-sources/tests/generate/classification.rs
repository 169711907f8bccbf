//! `generate::Classification`.

use std::collections::HashSet;

use drystone_core::{Dtype, laws};
use drystone_sources::generate::{Classification, FeatureKind, PerFeature};
use proptest::prelude::*;

use crate::stats::{column, mean, rank, variance};
use crate::{all, bits, class_counts, golden, registry};

#[test]
fn it_keeps_the_laws_of_sources() {
    let made = || Classification::new(2500, 9).seed(7).block_rows(999);
    for made in [
        made(),
        made().n_informative(4).n_redundant(3).n_repeated(2).n_classes(5).shuffle(false),
        made().weights(vec![0.9]).flip_y(0.5).hypercube(false).dtype(Dtype::F32),
        made().shift(PerFeature::Random).scale(PerFeature::Random).class_sep(3.0),
        made().shift(vec![1.0; 9]).scale(vec![0.5; 9]).n_classes(1).n_clusters_per_class(3),
        Classification::new(1, 1).n_informative(1).n_redundant(0).n_clusters_per_class(1),
        Classification::new(3, 3000).n_informative(70).block_rows(2),
    ] {
        laws::check_source(&made.try_dataset().expect("valid"), &registry());
    }
}

fn example(n_samples: u64, n_features: usize, seed: u64) -> Classification {
    let made = Classification::new(n_samples, n_features).seed(seed).n_informative(3);
    made.n_redundant(2).n_repeated(1).n_classes(3).flip_y(0.1).weights(vec![0.2, 0.5, 0.3])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn blocks_change_no_bit(
        n_samples in 1_u64..6000, n_features in 6_usize..40, block_rows in 1_u64..3000,
        seed: u64, shuffle: bool, single: bool,
    ) {
        let dtype = if single { Dtype::F32 } else { Dtype::F64 };
        let made = example(n_samples, n_features, seed).shuffle(shuffle).dtype(dtype);
        let whole = all(&made.clone().block_rows(n_samples).dataset());
        let parts = all(&made.block_rows(block_rows.max(n_samples / 50)).dataset());
        prop_assert_eq!(bits(&parts.0), bits(&whole.0));
        prop_assert_eq!(parts.1, whole.1);
    }
}

/// Changing these is value-breaking.
#[test]
fn values_are_pinned() {
    let (values, targets) = all(&Classification::new(1000, 5).seed(0).dataset());
    assert_eq!(
        values[..5],
        [
            -1.4053828324018625,
            -0.2624434433139945,
            -1.7086084451147994,
            -1.1141030304250448,
            0.8129782110204345
        ]
    );
    assert_eq!(
        values[4995..],
        [
            -0.709751051508759,
            0.18956486841182404,
            -0.3542649380138146,
            -0.17136233933172942,
            -0.676817721849743
        ]
    );
    assert_eq!(targets[..20], [1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1]);
    let random = example(100, 7, 1).hypercube(false);
    let random = random.shift(PerFeature::Random).scale(PerFeature::Random);
    let (values, _) = all(&random.dataset());
    assert_eq!(
        values[..7],
        [
            -6.866049521795086,
            2.9599642263051726,
            3.833969058342364,
            1.558172301108132,
            -172.03924028478298,
            -86.10777034356843,
            -13.407901182716344
        ]
    );
    let wide = Classification::new(10, 40).n_informative(35).seed(2).shuffle(false);
    let (values, _) = all(&wide.dataset());
    assert_eq!(values[34..36], [-2.4047023695460608, -16.73860708566848]);
}

/// Calls that scikit-learn gives a meaning of its own, and that are errors here.
fn has_odd_weights(case: &serde_json::Value) -> bool {
    let weights = case["kwargs"]["weights"].as_array();
    let sum = |weights: &Vec<serde_json::Value>| weights.iter().filter_map(golden::number).sum();
    let n_classes = case["kwargs"]["n_classes"].as_u64().unwrap_or(2) as usize;
    weights.is_some_and(|weights| {
        let sum: f64 = sum(weights);
        weights.len() == n_classes && (sum - 1.0).abs() > 1e-6
    })
}

#[test]
fn cluster_and_class_sizes_are_those_of_scikit_learn() {
    let mut odd = 0;
    for case in golden::list(&golden::load("make_classification")["class_counts"]) {
        let made = golden::classification(&case["kwargs"]).expect("a call that can be made here");
        let made = made.flip_y(0.0);
        if has_odd_weights(case) {
            assert!(made.check().is_err(), "{case}");
            odd += 1;
            continue;
        }
        let expected = golden::counts(&case["class_counts"]);
        let (_, targets) = all(&made.clone().shuffle(false).dataset());
        assert_eq!(class_counts(&targets, expected.len()), expected, "{case}");
        let runs: Vec<(i64, usize)> =
            targets.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect();
        let expected_runs = golden::list(&case["runs_of_y"]).iter().map(golden::counts);
        let expected_runs: Vec<(i64, usize)> =
            expected_runs.map(|run| (run[0] as i64, run[1] as usize)).collect();
        assert_eq!(runs, expected_runs, "{case}");
        let (_, shuffled) = all(&made.dataset());
        assert_eq!(class_counts(&shuffled, expected.len()), expected, "{case}");
    }
    assert_eq!(odd, 2);
}

#[test]
fn flip_y_redraws_as_many_labels_as_in_scikit_learn() {
    for case in golden::list(&golden::load("make_classification")["flip_y"]) {
        let n_samples = 20_000;
        let made = |flip: bool| {
            let made = golden::classification(&case["kwargs"]).expect("a call");
            let made = if flip { made } else { made.flip_y(0.0) };
            all(&small(made, n_samples).dataset())
        };
        let ((plain, before), (flipped, after)) = (made(false), made(true));
        assert_eq!(bits(&plain), bits(&flipped), "labels only");
        let n = n_samples as f64;
        let changed = before.iter().zip(&after).filter(|(a, b)| a != b).count() as f64 / n;
        let expected = golden::number(&case["expected_fraction_changed"]).expect("a number");
        let tolerance = 5.0 * (expected * (1.0 - expected) / n).sqrt();
        assert!((changed - expected).abs() < tolerance, "{case}: {changed}");
        let wanted = golden::list(&case["expected_class_counts"]);
        for (count, wanted) in class_counts(&after, wanted.len()).into_iter().zip(wanted) {
            let wanted = golden::number(wanted).expect("a number") * n / 20_000.0;
            assert!((count as f64 - wanted).abs() < 5.0 * wanted.sqrt(), "{case}: {count}");
        }
    }
}

/// The same with 4 features and other rows, by way of the wire: sizes have no setters.
fn small(made: Classification, n_samples: u64) -> Classification {
    let mut bytes = drystone_core::wire::encode(&made).expect("bytes");
    bytes[..8].copy_from_slice(&n_samples.to_le_bytes());
    bytes[8..16].copy_from_slice(&4_u64.to_le_bytes());
    drystone_core::wire::decode(&bytes).expect("parameters")
}

#[test]
fn flip_y_0_redraws_none_and_1_all() {
    let labels = |flip_y| all(&example(5000, 6, 3).flip_y(flip_y).dataset()).1;
    let (none, all) = (labels(0.0), labels(1.0));
    assert_eq!(class_counts(&none, 3), [1000, 2500, 1500]);
    for count in class_counts(&all, 3) {
        assert!(count.abs_diff(5000 / 3) < 170, "{count}");
    }
}

/// Centroids over `class_sep`, read off with a separation that drowns the noise.
fn centroids(
    n_informative: usize,
    n_classes: usize,
    per: usize,
    hypercube: bool,
    seed: u64,
) -> Vec<f64> {
    let sep = 1e9;
    let made = Classification::new((n_classes * per) as u64, n_informative);
    let made = made.n_informative(n_informative).n_redundant(0).n_classes(n_classes);
    let made = made.n_clusters_per_class(per).flip_y(0.0).class_sep(sep).seed(seed);
    let (values, _) = all(&made.hypercube(hypercube).shuffle(false).dataset());
    values.into_iter().map(|value| value / sep).collect()
}

#[test]
fn centroids_are_distinct_vertices() {
    let shapes = [(2, 2, 2), (3, 4, 2), (4, 3, 2), (35, 3, 4), (10, 2, 512), (600, 2, 2)];
    for (n_informative, n_classes, per) in shapes {
        for seed in 0..3 {
            let values = centroids(n_informative, n_classes, per, true, seed);
            assert!(values.iter().all(|value| (value.abs() - 1.0).abs() < 1e-5));
            let vertices = values.chunks_exact(n_informative);
            let vertices: HashSet<Vec<bool>> =
                vertices.map(|row| row.iter().map(|value| *value > 0.0).collect()).collect();
            assert_eq!(vertices.len(), n_classes * per);
            if n_informative > 30 {
                let positive = values.iter().filter(|value| **value > 0.0).count() as f64;
                let n = values.len() as f64;
                assert!((positive - n / 2.0).abs() < 2.5 * n.sqrt(), "{positive} of {n}");
            }
        }
    }
}

#[test]
fn vertices_are_drawn_alike() {
    let mut hits = [0_i64; 16];
    for seed in 0..4000 {
        let values = centroids(4, 2, 1, true, seed);
        for vertex in values.chunks_exact(4) {
            let bit = |(j, value): (usize, &f64)| usize::from(*value > 0.0) << j;
            hits[vertex.iter().enumerate().map(bit).sum::<usize>()] += 1;
        }
    }
    assert!(hits.iter().all(|&n| (n - 500).abs() < 110), "{hits:?}");
}

#[test]
fn a_polytope_scales_each_cluster_and_each_feature() {
    let mut magnitudes = Vec::new();
    for seed in 0..50 {
        let values = centroids(4, 3, 2, false, seed);
        let size: Vec<f64> = values.iter().map(|value| value.abs()).collect();
        assert!(size.iter().all(|&size| size < 1.0 + 1e-6));
        for row in 1..6 {
            for j in 1..4 {
                let minor = size[0] * size[4 * row + j] - size[j] * size[4 * row];
                assert!(minor.abs() < 1e-6, "the magnitudes have rank 1");
            }
        }
        magnitudes.push(mean(size));
    }
    assert!((mean(magnitudes) - 0.25).abs() < 0.06);
}

#[test]
fn columns_have_the_ranks_of_scikit_learn() {
    let golden = golden::load("make_classification")["columns"].clone();
    let rank_of = |name: &str| golden[name].as_u64().expect("a rank") as usize;
    let made = Classification::new(300, 15).n_informative(5).n_redundant(3).n_repeated(4);
    let (values, _) = all(&made.clone().shuffle(false).dataset());
    let columns: Vec<usize> = (0..15).collect();
    assert_eq!(rank(&values, 15, &columns[..5]), rank_of("rank_informative"));
    assert_eq!(rank(&values, 15, &columns[..12]), rank_of("rank_useful"));
    assert_eq!(rank(&values, 15, &columns), rank_of("rank_all"));
    for repeated in 8..12 {
        let same = |&source: &usize| column(&values, 15, source) == column(&values, 15, repeated);
        assert!((0..8).any(|source| same(&source)), "column {repeated} repeats none");
    }
    let (shifted, _) = all(&made.clone().shift(3.0).shuffle(false).dataset());
    assert_eq!(rank(&shifted, 15, &columns[..12]), rank_of("rank_useful_with_shift_3"));
    let kinds = made.feature_kinds().expect("valid");
    let (shuffled, _) = all(&made.dataset());
    let useful = columns.iter().copied().filter(|&j| kinds[j] != FeatureKind::Useless);
    assert_eq!(rank(&shuffled, 15, &useful.collect::<Vec<_>>()), rank_of("rank_useful"));
    assert_eq!(rank(&shuffled, 15, &columns), rank_of("rank_all"));
}

#[test]
fn columns_are_shuffled_with_their_kinds() {
    let made =
        |seed| Classification::new(1, 15).n_informative(5).n_redundant(3).n_repeated(4).seed(seed);
    let mut first = HashSet::new();
    for seed in 0..20 {
        let kinds = made(seed).feature_kinds().expect("valid");
        let count = |kind| kinds.iter().filter(|&&other| other == kind).count();
        assert_eq!(count(FeatureKind::Informative), 5);
        assert_eq!(count(FeatureKind::Redundant), 3);
        assert_eq!(count(FeatureKind::Repeated), 4);
        assert_eq!(count(FeatureKind::Useless), 3);
        first.insert(format!("{kinds:?}"));
    }
    assert!(first.len() > 15);
}

#[test]
fn repeated_columns_are_drawn_as_in_scikit_learn() {
    let golden = golden::load("make_classification")["columns"]["repeated_index"].clone();
    let seeds = 2000;
    let mut hits = [0_u32; 5];
    for seed in 0..seeds {
        let made = Classification::new(2, 6).n_informative(3).n_redundant(2).n_repeated(1);
        let (values, _) = all(&made.seed(seed).shuffle(false).dataset());
        hits[(0..5).find(|&j| values[j] == values[5]).expect("a repeated column")] += 1;
    }
    for (hits, expected) in hits.iter().zip(golden::list(&golden["expected"])) {
        let frequency = f64::from(*hits) / seeds as f64;
        assert!((frequency - golden::number(expected).expect("a number")).abs() < 0.05, "{hits}");
    }
}

/// Of `z A` with `A` uniform in [-1, 1], the covariance is `d / 3` on average.
#[test]
fn clusters_have_the_covariance_of_scikit_learn() {
    let (d, per, mut diagonal, mut off, mut centre) = (4, 300, Vec::new(), Vec::new(), Vec::new());
    for seed in 0..100 {
        let made = Classification::new(4 * per, d).n_informative(d).n_redundant(0).flip_y(0.0);
        let (values, _) = all(&made.seed(seed).shuffle(false).dataset());
        for rows in values.chunks_exact(per as usize * d) {
            let columns: Vec<Vec<f64>> = (0..d).map(|j| column(rows, d, j)).collect();
            diagonal.extend(columns.iter().map(|values| variance(values)));
            centre.extend(columns.iter().map(|values| mean(values.iter().copied()).abs()));
            let sums: Vec<f64> = columns[0].iter().zip(&columns[1]).map(|(a, b)| a + b).collect();
            off.push((variance(&sums) - variance(&columns[0]) - variance(&columns[1])) / 2.0);
        }
    }
    assert!((mean(diagonal.iter().copied()) - d as f64 / 3.0).abs() < 0.08);
    assert!(mean(off).abs() < 0.15);
    assert!((mean(centre) - 1.0).abs() < 0.01);
    assert!(diagonal.chunks_exact(4 * d).all(|fit| variance(fit) > 0.01), "own matrices");
}

#[test]
fn useless_columns_are_standard_normal() {
    let made = Classification::new(20_000, 5).n_redundant(0).shuffle(false).seed(5);
    let (values, targets) = all(&made.dataset());
    for j in 2..5 {
        let noise = column(&values, 5, j);
        assert!(mean(noise.iter().copied()).abs() < 0.035);
        assert!((variance(&noise) - 1.0).abs() < 0.05);
        let with_class = mean(noise.iter().zip(&targets).map(|(x, &y)| x * (2 * y - 1) as f64));
        assert!(with_class.abs() < 0.035);
    }
}

#[test]
fn shift_and_scale_apply_in_this_order_and_follow_their_columns() {
    let each: Vec<f64> = (1..=8).map(f64::from).collect();
    for shuffle in [false, true] {
        let made = || example(50, 8, 3).shuffle(shuffle);
        let (base, _) = all(&made().dataset());
        let (both, _) = all(&made().shift(2.0).scale(3.0).dataset());
        assert!(base.iter().zip(&both).all(|(x, y)| *y == (x + 2.0) * 3.0));
        let (scaled, _) = all(&made().scale(each.clone()).dataset());
        let factors = scaled.iter().zip(&base).take(8).map(|(y, x)| (y / x).round());
        let mut factors: Vec<f64> = factors.collect();
        assert!((0..scaled.len()).all(|i| scaled[i] == base[i] * factors[i % 8]));
        assert_eq!(factors == each, !shuffle);
        factors.sort_by(f64::total_cmp);
        assert_eq!(factors, each);
    }
}

#[test]
fn random_shifts_and_scales_have_their_ranges() {
    let (mut shifts, mut scales) = (Vec::new(), Vec::new());
    for seed in 0..100 {
        let made = || Classification::new(1, 20).class_sep(2.5).seed(seed).flip_y(0.0);
        let (base, _) = all(&made().dataset());
        let (shifted, _) = all(&made().shift(PerFeature::Random).dataset());
        let (scaled, _) = all(&made().scale(PerFeature::Random).dataset());
        shifts.extend(shifted.iter().zip(&base).map(|(y, x)| y - x));
        scales.extend(scaled.iter().zip(&base).map(|(y, x)| y / x));
    }
    assert!(shifts.iter().all(|shift| shift.abs() <= 2.5 + 1e-9));
    assert!((variance(&shifts) - 25.0 / 12.0).abs() < 0.2);
    assert!(scales.iter().all(|scale| (1.0..101.0 + 1e-6).contains(scale)));
    assert!((mean(scales.iter().copied()) - 51.0).abs() < 3.5);
}

#[test]
fn single_precision_is_double_precision_rounded_once() {
    let (double, _) = all(&example(2000, 7, 4).dataset());
    let (single, _) = all(&example(2000, 7, 4).dtype(Dtype::F32).dataset());
    let rounded: Vec<f64> = double.iter().map(|&value| f64::from(value as f32)).collect();
    assert_eq!(bits(&single), bits(&rounded));
}

#[test]
fn every_parameter_has_an_effect() {
    let base = || Classification::new(2000, 8).n_informative(3);
    let made = |made: Classification| {
        let (values, targets) = all(&made.try_dataset().expect("valid"));
        (bits(&values), targets)
    };
    let others = [
        base().n_informative(4),
        base().n_redundant(1),
        base().n_repeated(1),
        base().n_classes(3),
        base().n_clusters_per_class(1),
        base().weights(vec![0.3]),
        base().flip_y(0.2),
        base().class_sep(2.0),
        base().hypercube(false),
        base().shift(1.0),
        base().scale(2.0),
        base().shuffle(false),
        base().seed(1),
    ];
    for other in others {
        assert_ne!(made(other.clone()), made(base()), "{other:?}");
    }
}

#[test]
fn a_trillion_rows_cost_nothing_until_they_are_read() {
    let data = Classification::new(1_000_000_000_000, 20).block_rows(1000).dataset();
    let last = data.read(data.n_blocks() - 1).expect("a block");
    assert_eq!(last.n_samples(), 1000);
}
