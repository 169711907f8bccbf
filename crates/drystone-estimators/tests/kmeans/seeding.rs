//! What seeding draws, how often, in how many passes, and how good it is.

use std::collections::BTreeSet;
use std::sync::Mutex;

use drystone_core::{ChunkedDataset, Event, Inline, input};
use drystone_estimators::{Init, KMeans, KMeansParams, Oversampling};
use ndarray::{Array2, array};

use crate::support::{blobs, lazy, read_text, seeded, to_block};

fn parallel(rows: f64, rounds: usize) -> Init {
    Init::parallel(Oversampling::Rows(rows), rounds)
}

fn one_block(records: &Array2<f64>, weights: Option<&[f64]>) -> ChunkedDataset {
    lazy(vec![to_block::<f64>(records, weights)], true)
}

/// Rows as bits, to be looked up.
fn rows(records: &Array2<f64>) -> BTreeSet<Vec<u64>> {
    let bits = |row: ndarray::ArrayView1<'_, f64>| row.iter().map(|x| x.to_bits()).collect();
    records.rows().into_iter().map(bits).collect()
}

#[test]
fn a_round_draws_about_as_many_rows_as_it_should() {
    let data = one_block(&blobs((3000, 2), 30, 2.0, 0.0, 1), None);
    let inline = Inline::new(0);
    let mut drawn = 0;
    for seed in 0..50 {
        let params = KMeans::params(5).init(parallel(12.0, 4)).max_iter(1).seed(seed);
        let model = params.on(&inline).fit(&data).expect("a model");
        let rounds = &model.history().rounds;
        assert_eq!((rounds.len(), rounds[0].n_candidates), (5, 1));
        assert!(rounds.windows(2).all(|pair| pair[1].cost < pair[0].cost));
        drawn += rounds[4].n_candidates - 1;
    }
    // 200 rounds: the standard deviation of the mean is 0.25. Rows of a chance over 1
    // are drawn once, so it is a little less than 12.
    let mean = drawn as f64 / 200.0;
    assert!((11.0..12.8).contains(&mean), "{mean}");
}

/// Frequencies of the first row over seeds, against its weight.
#[test]
fn the_first_row_is_drawn_in_proportion_to_its_weight() {
    let records = Array2::from_shape_fn((6, 1), |(row, _)| row as f64);
    let weights = [1.0, 2.0, 3.0, 0.0, 4.0, 6.0];
    let data = one_block(&records, Some(&weights));
    for init in [Init::PlusPlus, Init::Random] {
        let mut counts = [0.0; 6];
        let draws = 1600;
        for seed in 0..draws {
            let first = seeded(KMeans::params(1).init(init.clone()).seed(seed), &data);
            counts[first[(0, 0)] as usize] += 1.0;
        }
        let term = |(count, weight): (&f64, &f64)| {
            let expected = draws as f64 * weight / 16.0;
            if expected == 0.0 { *count } else { (count - expected).powi(2) / expected }
        };
        let chi2: f64 = counts.iter().zip(&weights).map(term).sum();
        // Four degrees of freedom: 23.5 is passed once in 10,000 times.
        assert!(chi2 < 23.5, "{init}: {chi2} {counts:?}");
        assert_eq!(counts[3], 0.0, "{init}");
    }
}

#[test]
fn rows_of_zero_weight_are_never_candidates() {
    let inner = blobs((60, 2), 3, 1.0, 0.0, 2);
    let outliers = Array2::from_shape_fn((60, 2), |(row, _)| 1e3 + row as f64);
    let both = ndarray::concatenate![ndarray::Axis(0), outliers, inner];
    let weights: Vec<f64> = (0..120).map(|row| if row < 60 { 0.0 } else { 1e-3 }).collect();
    let data = one_block(&both, Some(&weights));
    for init in [Init::default(), parallel(1.0, 1), Init::PlusPlus, Init::Random] {
        for seed in 0..20 {
            let first = seeded(KMeans::params(12).init(init.clone()).seed(seed), &data);
            assert!(first.iter().all(|&value| value < 100.0), "{init}: {first}");
            let model = KMeans::params(12).init(init.clone()).seed(seed).fit(&data);
            assert!(
                model.expect("a model").centroids().to_f64().iter().all(|&value| value < 100.0)
            );
        }
    }
}

#[test]
fn rows_of_next_to_no_weight_can_be_drawn() {
    // 1 / 1e-310 is infinite, which must not make the row's key so.
    let records = array![[0.0], [1.0], [2.0], [3.0]];
    let data = one_block(&records, Some(&[1.0, 1e-310, 1e-310, 0.0]));
    let first = seeded(KMeans::params(3).init(Init::Random), &data);
    let found: BTreeSet<i64> = first.iter().map(|&value| value as i64).collect();
    assert_eq!(found, BTreeSet::from([0, 1, 2]));
    for init in [Init::default(), Init::PlusPlus] {
        let model = KMeans::params(3).init(init.clone()).fit(&data).expect("a model");
        assert_eq!(model.n_clusters(), 3, "{init}");
    }
}

#[test]
fn too_few_draws_are_made_up_for_and_said() {
    let records = blobs((400, 2), 20, 0.5, 0.0, 3);
    let notes = Mutex::new(Vec::new());
    let observer = |event: &Event<'_>| {
        if let Event::Note { text } = event {
            notes.lock().expect("notes").push((*text).to_owned());
        }
    };
    for seed in 0..5 {
        let params = || KMeans::params(20).init(parallel(1.0, 1)).seed(seed);
        let first = seeded(params(), &records);
        assert_eq!(rows(&first).len(), 20, "seed {seed}: {first}");
        notes.lock().expect("notes").clear();
        params().observe(&observer).fit(&records).expect("a model");
        let notes = notes.lock().expect("notes");
        let said = notes.iter().any(|note| {
            note.starts_with("k-means|| has ") && note.ends_with(" after round 1: going on")
        });
        assert!(said, "seed {seed}: {notes:?}");
    }
}

#[test]
fn every_distinct_row_is_found_when_there_is_one_a_cluster() {
    // Each of 12 rows 50 times: draws repeat, and repetitions do not count.
    let records = Array2::from_shape_fn((600, 1), |(row, _)| ((row % 12) * (row % 12)) as f64);
    for init in [Init::default(), parallel(0.5, 1), parallel(1.0, 3), Init::PlusPlus] {
        for seed in 0..10 {
            let params = KMeans::params(12).init(init.clone()).seed(seed);
            let model = params.fit(&records).expect("a model");
            assert_eq!((model.inertia(), model.cluster_counts()), (0.0, &[50; 12][..]), "{init}");
        }
    }
}

#[test]
fn random_draws_without_replacement() {
    let records = blobs((40, 2), 5, 1.0, 0.0, 4);
    let all = rows(&records);
    for seed in 0..20 {
        let first = seeded(KMeans::params(40).init(Init::Random).seed(seed), &records);
        assert_eq!(rows(&first), all, "seed {seed}");
        let some = rows(&seeded(KMeans::params(7).init(Init::Random).seed(seed), &records));
        assert!(some.len() == 7 && some.is_subset(&all), "seed {seed}");
    }
}

#[test]
fn k_means_plus_plus_draws_distinct_rows() {
    let records = blobs((40, 2), 5, 1.0, 0.0, 4);
    let all = rows(&records);
    for seed in 0..10 {
        let first = seeded(KMeans::params(15).init(Init::PlusPlus).seed(seed), &records);
        let first = rows(&first);
        assert!(first.len() == 15 && first.is_subset(&all), "seed {seed}");
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
fn seeding_by_distance_beats_chance() {
    let data = one_block(&blobs((500, 2), 25, 0.2, 0.0, 5), None);
    let cost = |init: &Init| {
        let cost = |seed: u64| {
            let params = KMeans::params(25).init(init.clone()).max_iter(1).seed(seed);
            let model = params.on(&Inline::new(0)).fit(&data).expect("a model");
            model.history().iterations[0].cost
        };
        median((0..11).map(cost).collect())
    };
    let random = cost(&Init::Random);
    for init in [Init::PlusPlus, Init::default()] {
        let found = cost(&init);
        assert!(found < random / 2.0, "{init}: {found} is not below {random}");
    }
}

#[test]
fn passes_are_as_documented() {
    let data = one_block(&blobs((300, 2), 8, 0.5, 0.0, 6), None);
    let passes = |k: usize, init: Init| {
        let params = KMeans::params(k).init(init).max_iter(1).tol(0.0);
        params.on(&Inline::new(0)).fit(&data).expect("a model").history().passes
    };
    // A scan, the passes of seeding, one iteration, and one to settle.
    for rounds in [1, 5] {
        let init = Init::parallel(Oversampling::PerCluster(4.0), rounds);
        assert_eq!(passes(5, init), 1 + (rounds + 1) + 1 + 1);
    }
    for k in [2, 7] {
        assert_eq!(passes(k, Init::PlusPlus), 1 + k + 1 + 1);
    }
    assert_eq!(passes(1, Init::PlusPlus), 1 + 1 + 1);
    assert_eq!(passes(7, Init::Random), 1 + 1 + 1);
    assert_eq!(passes(2, Init::centroids(array![[0.0, 0.0], [9.0, 9.0]])), 1 + 1 + 1);
}

fn reaches(file: &str, params: KMeansParams<'_>, best_known: f64) {
    let data = input::cut(to_block::<f64>(&read_text(file), None), 1 << 12).expect("data");
    let model = params.fit(&data).expect("a model");
    let excess = model.inertia() / best_known - 1.0;
    assert!(excess < 1e-3, "{file}: {:e} is {excess:e} above", model.inertia());
}

#[test]
fn benchmark_sets_are_solved() {
    reaches("s1.txt", KMeans::params(15).n_init(10), 8.91765e12);
    reaches("a3.txt", KMeans::params(50).n_init(10), 2.89374e10);
}
