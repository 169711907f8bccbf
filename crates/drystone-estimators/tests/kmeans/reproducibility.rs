//! One model, to the last bit, however the rows are cut, wherever they are mapped, and
//! whatever is kept between passes.

use drystone_core::{
    Block, ChunkedDataset, Executor, Inline, Records, StatePolicy, Threads, ToChunked,
};
use drystone_estimators::{Init, KMeans, KMeansParams, Oversampling};
use drystone_kernels::{Isa, normal::mix};
use drystone_sources::generate::Blobs;
use ndarray::{Array2, Axis};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rand::Rng;

use crate::extremes;
use crate::support::{
    Carried, blobs, centroids, children, counts, difference, labels, lazy, naive, random, slices,
    this_binary, to_block,
};

/// Data, parameters and cuts.
#[derive(Clone, Debug)]
struct Case {
    shape: (usize, usize),
    is_f32: bool,
    weights: Weights,
    init: usize,
    n_clusters: usize,
    n_init: usize,
    seed: u64,
    cuts: Vec<usize>,
}

#[derive(Clone, Copy, Debug)]
enum Weights {
    None,
    Positive,
    SomeZero,
}

fn cases() -> impl Strategy<Value = Case> {
    const WEIGHTS: [Weights; 3] = [Weights::None, Weights::Positive, Weights::SomeZero];
    let data = (
        (60_usize..400, 1_usize..7),
        any::<bool>(),
        prop::sample::select(&WEIGHTS[..]),
        prop::collection::vec(0_usize..400, 0..9),
    );
    let params = (0_usize..5, 1_usize..8, prop::sample::select(&[1_usize, 3][..]), any::<u64>());
    (data, params).prop_map(|(data, params)| {
        let (shape, is_f32, weights, mut cuts) = data;
        let (init, n_clusters, n_init, seed) = params;
        // A block without rows.
        cuts.extend(cuts.first().copied());
        Case { shape, is_f32, weights, init, n_clusters, n_init, seed, cuts }
    })
}

impl Case {
    fn records(&self) -> Array2<f64> {
        blobs(self.shape, 5, 1.5, 3.0, self.seed)
    }

    fn weights(&self) -> Option<Vec<f64>> {
        let mut rng = random(self.seed ^ 1);
        let mut weight = |row: usize| match self.weights {
            Weights::SomeZero if row % 4 == 1 => 0.0,
            _ => rng.gen_range(0.1..3.0),
        };
        match self.weights {
            Weights::None => None,
            _ => Some((0..self.shape.0).map(&mut weight).collect()),
        }
    }

    fn block(&self) -> Block {
        let (records, weights) = (self.records(), self.weights());
        match self.is_f32 {
            true => to_block::<f32>(&records, weights.as_deref()),
            false => to_block::<f64>(&records, weights.as_deref()),
        }
    }

    fn init(&self) -> Init {
        let first: Vec<usize> = (0..self.n_clusters).collect();
        let given = self.records().select(Axis(0), &first);
        match self.init {
            0 => Init::parallel(Oversampling::PerCluster(1.5), 3),
            1 => Init::parallel(Oversampling::Rows(4.0), 2),
            2 => Init::PlusPlus,
            3 => Init::Random,
            _ if self.is_f32 => Init::centroids(given.mapv(|value| value as f32)),
            _ => Init::centroids(given),
        }
    }

    fn params<'a>(&self) -> KMeansParams<'a> {
        let init = self.init();
        let n_init = if matches!(init, Init::Centroids(_)) { 1 } else { self.n_init };
        let params = KMeans::params(self.n_clusters).init(init).n_init(n_init);
        params.max_iter(12).seed(self.seed)
    }

    fn fit(&self, data: &impl ToChunked, executor: &dyn Executor) -> KMeans {
        self.params().on(executor).fit(data).expect("a model")
    }
}

fn sha(model: &KMeans) -> String {
    model.sha256().expect("a hash")
}

/// The same rows, in several ways.
fn datasets(case: &Case) -> Vec<ChunkedDataset> {
    let block = case.block();
    let blocks = slices(&block, &case.cuts);
    let resident = ChunkedDataset::from_resident(blocks.clone()).expect("blocks");
    let n = block.n_samples() as u64;
    let halves = [resident.slice(0..n / 3), resident.slice(n / 3..n)];
    vec![
        lazy(blocks.clone(), true),
        lazy(blocks, false),
        resident.rechunk(37),
        ChunkedDataset::concat(&halves).expect("one layout"),
        resident,
    ]
}

fn local_executors(bytes: u64, seed: u64) -> Vec<Box<dyn Executor>> {
    let threads = |n| Threads::new(n).expect("threads").memory_budget(bytes / 2);
    let lossy = StatePolicy::LoseSome { seed };
    vec![
        Box::new(Inline::new(0).state_policy(StatePolicy::Discard)),
        Box::new(Inline::new(bytes / 2).state_policy(lossy)),
        Box::new(Inline::new(bytes)),
        Box::new(threads(1)),
        Box::new(threads(2).state_policy(StatePolicy::Discard)),
        Box::new(threads(3).state_policy(lossy)),
        Box::new(threads(7)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn blocks_threads_memory_and_lost_state_change_no_bit(case in cases()) {
        let block = case.block();
        let whole = ChunkedDataset::from_resident(vec![block.clone()]).expect("one block");
        let reference = case.fit(&whole, &Inline::new(0));
        let executors = local_executors(block.bytes(), case.seed);
        let datasets = datasets(&case);
        for (idx, executor) in executors.iter().enumerate() {
            for data in [&datasets[idx % 5], &datasets[(idx + 1) % 5]] {
                let model = case.fit(data, &**executor);
                prop_assert_eq!(sha(&model), sha(&reference), "{} {}", idx, data);
            }
        }
    }

    #[test]
    fn predict_gives_the_labels_of_the_fit(case in cases()) {
        let data = lazy(slices(&case.block(), &case.cuts), true);
        let model = case.fit(&data, &Inline::new(0));
        let labels = labels(&model, &data);
        prop_assert_eq!(counts(&labels, model.n_clusters()), model.cluster_counts());
        let shape = case.shape;
        let records = case.block().records.to_f64();
        let records = Array2::from_shape_vec(shape, records).expect("whole rows");
        let (inertia, _) = naive(&records, case.weights().as_deref(), &centroids(&model));
        prop_assert!(difference(&[model.inertia()], &[inertia]) < 1e-6);
        let score = model.score(&data).expect("a score");
        prop_assert_eq!(score.to_bits(), (-model.inertia()).to_bits());
    }
}

#[test]
fn other_processes_change_no_bit() {
    let executors = [
        children(1, 0, StatePolicy::Discard),
        children(2, 4_000, StatePolicy::LoseSome { seed: 3 }),
        children(3, 1 << 20, StatePolicy::Keep),
    ];
    let config = ProptestConfig { cases: 16, ..ProptestConfig::default() };
    let result = TestRunner::new(config).run(&cases(), |case| {
        let block = case.block();
        let reference = case.fit(&lazy(vec![block.clone()], true), &Inline::new(0));
        for (idx, executor) in executors.iter().enumerate() {
            let cuts = [&[10, 10, 31][..], &case.cuts].concat();
            let data = Carried::dataset(&block, &cuts);
            let model = case.fit(&data, executor);
            prop_assert_eq!(sha(&model), sha(&reference), "{}", idx);
        }
        Ok(())
    });
    result.expect("the same bits");
}

#[test]
fn rows_generated_in_other_processes_are_the_same() {
    let blobs =
        |block_rows: u64| Blobs::new(20_000, 4).centers(6).seed(3).block_rows(block_rows).dataset();
    let params = KMeans::params(6).max_iter(5);
    let fit = |data: ChunkedDataset, executor: &dyn Executor| {
        sha(&params.clone().on(executor).fit(&data).expect("a model"))
    };
    let reference = fit(blobs(20_000), &Inline::new(0));
    let two = children(2, 100_000, StatePolicy::Keep);
    assert_eq!(fit(blobs(3_000), &two), reference);
    assert_eq!(fit(blobs(7_001).slice(0..20_000), &two), reference);
}

#[test]
fn slices_within_a_block_change_no_bit() {
    let records = blobs((40_000, 2), 3, 1.0, 0.0, 4);
    let block = to_block::<f64>(&records, None);
    let params = || {
        let init = Init::parallel(Oversampling::PerCluster(2.0), 2);
        KMeans::params(3).init(init).max_iter(4)
    };
    let one = lazy(vec![block.clone()], true);
    let many = lazy(slices(&block, &[1, 9_000, 9_001, 33_333]), true);
    let fit = |data: &ChunkedDataset, executor: &dyn Executor| {
        sha(&params().on(executor).fit(data).expect("a model"))
    };
    let threads = Threads::new(3).expect("threads");
    let reference = fit(&one, &Inline::new(0));
    assert_eq!(fit(&one, &threads), reference);
    assert_eq!(fit(&many, &threads), reference);
    assert_eq!(fit(&many, &Inline::new(0).state_policy(StatePolicy::Discard)), reference);
}

const PRINT_SHA: &str = "DRYSTONE_KMEANS_PRINT_SHA";

fn models_of_this_process() -> Vec<String> {
    let case = |is_f32, init| Case {
        shape: (700, 5),
        is_f32,
        weights: Weights::Positive,
        init,
        n_clusters: 6,
        n_init: 2,
        seed: 11,
        cuts: vec![100, 333],
    };
    let all =
        [false, true].into_iter().flat_map(|is_f32| (0..5).map(move |init| case(is_f32, init)));
    let models = all.map(|case| sha(&case.fit(&lazy(vec![case.block()], true), &Inline::new(0))));
    models.chain(extremes::outcomes()).collect()
}

/// What the children of the next test run; it does nothing in the parent.
#[test]
fn print_sha() {
    if std::env::var_os(PRINT_SHA).is_some() {
        println!("on {}: {}", Isa::best(), models_of_this_process().join(" "));
    }
}

#[test]
fn instruction_sets_change_no_bit() {
    let models = |isa: &str| {
        let mut command = this_binary("reproducibility::print_sha");
        let output = command.env(PRINT_SHA, "1").env("DRYSTONE_ISA", isa).output();
        let text = String::from_utf8(output.expect("a child").stdout).expect("text");
        let line = text.lines().find_map(|line| line.split_once(&format!("on {isa}: ")));
        line.expect("hashes").1.to_owned()
    };
    let reference = models_of_this_process().join(" ");
    for isa in Isa::available() {
        assert_eq!(models(isa.name()), reference, "{isa}");
    }
}

#[test]
fn restarts_share_their_passes() {
    let block = to_block::<f64>(&blobs((600, 3), 4, 1.0, 0.0, 2), None);
    let data = lazy(slices(&block, &[100, 200, 350]), true);
    for init in [Init::default(), Init::PlusPlus, Init::Random] {
        let fit = |n_init: usize, seed: u64| {
            let params = KMeans::params(4).init(init.clone()).n_init(n_init).seed(seed);
            params.on(&Inline::new(0)).fit(&data).expect("a model")
        };
        let seeds =
            [0, 1, 2, 3, 4].map(|restart| if restart == 0 { 9 } else { mix(&[9, restart]) });
        let alone: Vec<KMeans> = seeds.iter().map(|&seed| fit(1, seed)).collect();
        let together = fit(5, 9);
        let history = together.history();
        assert_eq!(history.blocks_read, history.passes * data.n_blocks());
        let most = alone.iter().map(|model| model.history().passes).max();
        assert_eq!(Some(history.passes), most, "{init}");
        let best = alone.iter().min_by(|a, b| a.inertia().total_cmp(&b.inertia())).expect("five");
        let parts = |model: &KMeans| -> (Records, u64, usize) {
            (model.centroids().clone(), model.inertia().to_bits(), model.n_iter())
        };
        assert_eq!(parts(&together), parts(best), "{init}");
    }
}

#[test]
fn the_cache_saves_reading_and_nothing_else() {
    let block = to_block::<f64>(&blobs((400, 2), 4, 1.0, 0.0, 2), None);
    let data = || lazy(slices(&block, &[100, 200, 300]), true);
    let fit =
        |budget: u64| KMeans::params(4).on(&Inline::new(budget)).fit(&data()).expect("a model");
    let [none, half, all] = [0, block.bytes() / 2, block.bytes()].map(fit);
    let passes = none.history().passes;
    assert_eq!(none.history().blocks_read, 4 * passes);
    assert_eq!(half.history().blocks_read, 4 + 2 * (passes - 1));
    assert_eq!(all.history().blocks_read, 4);
    assert_eq!([sha(&half), sha(&all)], [sha(&none), sha(&none)]);
}
