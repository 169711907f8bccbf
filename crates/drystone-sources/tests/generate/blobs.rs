//! `generate::Blobs`.

use drystone_core::{Dtype, laws};
use drystone_sources::generate::Blobs;
use ndarray::{Array2, arr2};
use proptest::prelude::*;

use crate::stats::{column, mean, variance};
use crate::{all, bits, class_counts, golden, registry};

#[test]
fn it_keeps_the_laws_of_sources() {
    let blobs = || Blobs::new(2500, 3).seed(7).block_rows(999);
    let points = arr2(&[[0.0, 1.0, 2.0], [-0.0, 5.0, 1e300]]);
    for blobs in [
        blobs(),
        blobs().centers(11).cluster_std(0.25).center_box(-1.0, 4.0).shuffle(false),
        blobs().sizes(vec![0, 2000, 500]).cluster_stds(vec![1.0, 0.0, 9.0]),
        blobs().center_points(points),
        blobs().dtype(Dtype::F32),
        Blobs::new(1, 1),
        Blobs::new(5, 5000).block_rows(2),
    ] {
        laws::check_source(&blobs.try_dataset().expect("valid"), &registry());
    }
}

fn example(n_samples: u64, n_features: usize, seed: u64) -> Blobs {
    Blobs::new(n_samples, n_features)
        .centers(5)
        .cluster_stds(vec![0.1, 1.0, 2.0, 0.0, 5.0])
        .seed(seed)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn blocks_change_no_bit(
        n_samples in 1_u64..6000, n_features in 1_usize..40, block_rows in 1_u64..3000,
        seed: u64, shuffle: bool, single: bool,
    ) {
        let dtype = if single { Dtype::F32 } else { Dtype::F64 };
        let blobs = example(n_samples, n_features, seed).shuffle(shuffle).dtype(dtype);
        let whole = all(&blobs.clone().block_rows(n_samples).dataset());
        let parts = all(&blobs.block_rows(block_rows.max(n_samples / 50)).dataset());
        prop_assert_eq!(bits(&parts.0), bits(&whole.0));
        prop_assert_eq!(parts.1, whole.1);
    }
}

/// Changing these is value-breaking.
#[test]
fn values_are_pinned() {
    let (values, targets) = all(&Blobs::new(1000, 3).seed(0).dataset());
    assert_eq!(
        values[..6],
        [
            0.12973597774238188,
            8.601535731333195,
            -8.242368285416143,
            0.32971909890015016,
            6.766723530750838,
            -7.505361529811121
        ]
    );
    assert_eq!(values[2997..], [-0.4117776035978986, -9.778276426477532, 6.488103411601466]);
    assert_eq!(targets[..20], [0, 0, 0, 1, 1, 1, 0, 1, 1, 2, 1, 2, 1, 0, 1, 0, 2, 2, 2, 0]);
    let far = Blobs::new(1 << 40, 20).centers(50).seed(1).block_rows(10).dataset();
    let block = far.read(far.n_blocks() - 1).expect("a block");
    assert_eq!(block.records.to_f64()[..2], [-5.296735848729585, -9.53643172650019]);
    let centers = Blobs::new(1000, 3).seed(0).centers_array().expect("valid");
    assert_eq!(
        centers.as_slice().expect("rows"),
        [
            -0.9704622122223405,
            7.851633358384067,
            -7.7930683160230885,
            -1.5597521321572003,
            -9.488054176176753,
            7.677584867535412,
            -7.169080560172492,
            -8.925901318077031,
            -8.076325747471866
        ]
    );
}

#[test]
fn sizes_are_those_of_scikit_learn() {
    for case in golden::list(&golden::load("make_blobs")["class_counts"]) {
        let blobs = golden::blobs(case).expect("a call that can be made here");
        let mut expected = golden::counts(&case["class_counts"]);
        let (values, targets) = all(&blobs.clone().shuffle(false).dataset());
        assert!(targets.is_sorted(), "{case}");
        let shape: Vec<u64> = golden::counts(&case["shape"]);
        assert_eq!(values.len() as u64, shape[0] * shape[1], "{case}");
        let n_centers = blobs.centers_array().expect("valid").nrows();
        expected.resize(n_centers, 0);
        assert_eq!(class_counts(&targets, n_centers), expected, "{case}");
        let (_, shuffled) = all(&blobs.dataset());
        assert_eq!(class_counts(&shuffled, n_centers), expected, "{case}");
    }
}

#[test]
fn without_noise_rows_are_their_centres() {
    let blobs = Blobs::new(900, 4).centers(3).cluster_std(0.0).seed(1);
    let centers = blobs.centers_array().expect("valid");
    let (values, targets) = all(&blobs.dataset());
    for (row, &target) in values.chunks_exact(4).zip(&targets) {
        assert_eq!(row, centers.row(target as usize).to_slice().expect("a row"));
    }
    assert!(targets.windows(2).any(|pair| pair[0] > pair[1]), "rows are shuffled");
}

#[test]
fn centres_are_uniform_in_their_box() {
    let blobs = |seed| Blobs::new(1, 4).centers(5).center_box(-3.0, 7.0).seed(seed);
    let drawn = |seed| blobs(seed).centers_array().expect("valid").into_raw_vec_and_offset().0;
    let values: Vec<f64> = (0..500).flat_map(drawn).collect();
    assert!(values.iter().all(|value| (-3.0..=7.0).contains(value)));
    assert!((mean(values.iter().copied()) - 2.0).abs() < 0.12);
    assert!((variance(&values) - 100.0 / 12.0).abs() < 0.3);
    let point = Blobs::new(1, 2).center_box(1.5, 1.5).centers_array().expect("valid");
    assert_eq!(point, Array2::from_elem((3, 2), 1.5));
}

#[test]
fn each_cluster_has_its_mean_and_standard_deviation() {
    let stds = [0.5, 1.0, 4.0];
    let blobs = Blobs::new(60_000, 3).centers(3).cluster_stds(stds.to_vec()).seed(2);
    let centers = blobs.centers_array().expect("valid");
    let (values, targets) = all(&blobs.dataset());
    for (cluster, std) in stds.into_iter().enumerate() {
        let rows = values.chunks_exact(3).zip(&targets);
        let rows = rows.filter(|&(_, &target)| target as usize == cluster).map(|(row, _)| row);
        let rows: Vec<f64> = rows.flatten().copied().collect();
        for j in 0..3 {
            let values = column(&rows, 3, j);
            let off = mean(values.iter().copied()) - centers[(cluster, j)];
            assert!(off.abs() < 5.0 * std / 20_000_f64.sqrt(), "cluster {cluster}: off by {off}");
            let found = variance(&values).sqrt();
            assert!((found / std - 1.0).abs() < 0.025, "cluster {cluster}: std {found}");
        }
    }
}

#[test]
fn noise_does_not_depend_on_the_order_of_rows() {
    let blobs = |shuffle| example(3000, 4, 9).cluster_std(1.0).shuffle(shuffle);
    let centers = blobs(true).centers_array().expect("valid");
    let noise = |shuffle| {
        let (values, targets) = all(&blobs(shuffle).dataset());
        let center = |i: usize| centers[(targets[i / 4] as usize, i % 4)];
        (0..values.len()).map(|i| values[i] - center(i)).collect::<Vec<f64>>()
    };
    let (sorted, shuffled) = (noise(false), noise(true));
    assert!(sorted.iter().zip(&shuffled).all(|(a, b)| (a - b).abs() < 1e-12));
}

#[test]
fn noise_of_columns_and_of_rows_is_uncorrelated() {
    let n = 20_000;
    let blobs = Blobs::new(n as u64, 5).center_points(Array2::zeros((1, 5))).seed(3);
    let (values, _) = all(&blobs.dataset());
    for lag in [1, 2, 4, 5, 8, 10, 16, 4095, 4096, 8192] {
        let products = values.iter().zip(&values[lag..]).map(|(a, b)| a * b);
        let correlation = mean(products);
        assert!(correlation.abs() < 5.0 / (5.0 * n as f64).sqrt(), "lag {lag}: {correlation}");
    }
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
    let base = || Blobs::new(200, 2);
    let values = |blobs: Blobs| bits(&all(&blobs.try_dataset().expect("valid")).0);
    let others = [
        base().centers(4),
        base().center_points(arr2(&[[1.0, 2.0]])),
        base().sizes(vec![100, 100, 0]),
        base().cluster_std(2.0),
        base().cluster_stds(vec![1.0, 2.0, 1.0]),
        base().center_box(0.0, 1.0),
        base().shuffle(false),
        base().seed(1),
    ];
    for other in others {
        assert_ne!(values(other.clone()), values(base()), "{other:?}");
    }
}

#[test]
fn blocks_are_about_8_mib_unless_the_user_says_otherwise() {
    let rows = |blobs: Blobs| blobs.dataset().layout().rows.max_block_rows();
    assert_eq!(rows(Blobs::new(1 << 40, 20)), Some(51 * 1024));
    assert_eq!(rows(Blobs::new(1 << 40, 20).dtype(Dtype::F32)), Some(102 * 1024));
    assert_eq!(rows(Blobs::new(1 << 30, 100_000)), Some(10));
    assert_eq!(rows(Blobs::new(10, 20)), Some(10));
    let data = Blobs::new(1 << 40, 20).dataset();
    assert_eq!(
        data.fingerprint(),
        Blobs::new(1 << 40, 20).block_rows(51 * 1024).dataset().fingerprint()
    );
}

#[test]
fn a_trillion_rows_cost_nothing_until_they_are_read() {
    let n_samples = 1_000_000_000_000_u64;
    let data = Blobs::new(n_samples, 50).centers(7).block_rows(1000).dataset();
    let last = data.read(data.n_blocks() - 1).expect("a block");
    assert_eq!(last.n_samples(), 1000);
}
