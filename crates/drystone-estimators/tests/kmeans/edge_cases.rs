//! Bad input gets a typed error in known words; hard input gets a defined outcome.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use drystone_core::{
    Block, CancelToken, ChunkedDataset, Dtype, Error, ErrorKind, Event, Inline, Layout, Records,
    Result, Rows, Threads, ToChunked,
};
use drystone_estimators::kmeans::Status;
use drystone_estimators::{Init, KMeans, KMeansParams, Oversampling};
use ndarray::{Array2, array};

use crate::support::{
    blobs, cancelled_at, centroids, counts, labels, lazy, naive, slices, to_block,
};

fn good() -> Array2<f64> {
    blobs((30, 2), 3, 0.5, 0.0, 1)
}

fn params<'a>(n_clusters: usize) -> KMeansParams<'a> {
    KMeans::params(n_clusters)
}

fn init<'a>(init: Init) -> KMeansParams<'a> {
    params(2).init(init)
}

fn oversampling<'a>(oversampling: Oversampling) -> KMeansParams<'a> {
    init(Init::parallel(oversampling, 5))
}

/// Three blocks of `good` rows, of which one value is another.
fn spoilt(row: usize, column: usize, value: f64, is_f32: bool) -> ChunkedDataset {
    let mut records = good();
    records[(row, column)] = value;
    let block =
        if is_f32 { to_block::<f32>(&records, None) } else { to_block::<f64>(&records, None) };
    lazy(slices(&block, &[10, 20]), true)
}

/// Three blocks of good rows; weight 1 but for one row.
fn weighted(row: usize, weight: f64) -> ChunkedDataset {
    let mut weights = [1.0; 30];
    weights[row] = weight;
    lazy(slices(&to_block::<f64>(&good(), Some(&weights)), &[10, 20]), true)
}

/// Good rows, all of the same weight.
fn all_weigh(weight: f64) -> ChunkedDataset {
    lazy(vec![to_block::<f64>(&good(), Some(&[weight; 30]))], true)
}

fn scaled(scale: f64) -> Array2<f64> {
    array![[0.0, 1.0], [0.5, 0.0], [1.0, 0.25]] * scale
}

fn check(wanted: &str, result: Result<KMeans>) {
    let error = result.map(|model| model.status()).expect_err(wanted);
    assert_eq!(error.to_string(), wanted);
}

#[test]
fn bad_parameters_are_named() {
    let fit = |params: KMeansParams<'_>| params.fit(&good());
    let check = |wanted: &str, params: KMeansParams<'_>| {
        check(wanted, fit(params.clone()));
        // What a fit would refuse cannot be explained either.
        let data = good().to_chunked().expect("data");
        assert!(params.explain(&data).is_err() || wanted.contains("features"));
    };
    check("parameter `n_clusters` must be between 1 and 16777216, found 0", params(0));
    check(
        "parameter `n_clusters` must be between 1 and 16777216, found 16777217",
        params((1 << 24) + 1),
    );
    check("parameter `n_init` must be between 1 and 1000, found 0", params(2).n_init(0));
    check("parameter `n_init` must be between 1 and 1000, found 1001", params(2).n_init(1001));
    check("parameter `max_iter` must be at least 1, found 0", params(2).max_iter(0));
    check("parameter `tol` must be finite and at least 0, found NaN", params(2).tol(f64::NAN));
    check(
        "parameter `tol` must be finite and at least 0, found -0.000000001",
        params(2).tol(-1e-9),
    );
    check("parameter `tol` must be finite and at least 0, found inf", params(2).tol(f64::INFINITY));
    check(
        "parameter `oversampling` must be above 0 and at most 10000, found 0",
        oversampling(Oversampling::PerCluster(0.0)),
    );
    check(
        "parameter `oversampling` must be above 0 and at most 10000, found NaN",
        oversampling(Oversampling::PerCluster(f64::NAN)),
    );
    check(
        "parameter `oversampling` must be above 0 and at most 10000, found inf",
        oversampling(Oversampling::PerCluster(f64::INFINITY)),
    );
    check(
        "parameter `oversampling` must be above 0 and at most 10000, found -1",
        oversampling(Oversampling::PerCluster(-1.0)),
    );
    check(
        "parameter `oversampling` must be above 0 and at most 10000, found 1000000000",
        oversampling(Oversampling::PerCluster(1e9)),
    );
    check(
        "parameter `oversampling` must be above 0 and at most 10000000, found 0",
        oversampling(Oversampling::Rows(0.0)),
    );
    check(
        "parameter `oversampling` must be above 0 and at most 10000000, found 1000000000",
        oversampling(Oversampling::Rows(1e9)),
    );
    check(
        "parameter `rounds` must be between 1 and 1000, found 0",
        init(Init::parallel(Oversampling::Rows(2.0), 0)),
    );
    check(
        "parameter `rounds` must be between 1 and 1000, found 1001",
        init(Init::parallel(Oversampling::Rows(2.0), 1001)),
    );
    check(
        "parameter `init` must be 2 centroids, found 1",
        init(Init::centroids(array![[0.0, 0.0]])),
    );
    check(
        "parameter `init` must be finite centroids, found NaN or infinity",
        init(Init::centroids(array![[0.0, 0.0], [0.0, f64::NAN]])),
    );
    check(
        "parameter `n_init` must be 1 when the centroids are given: all restarts would be the same, found 3",
        init(Init::centroids(array![[0.0, 0.0], [0.0, 1.0]])).n_init(3),
    );
}

#[test]
fn given_centroids_must_fit_the_data() {
    check(
        "expected 2 features in the given centroids, found 1",
        init(Init::centroids(array![[0.0], [1.0]])).fit(&good()),
    );
    check(
        "expected f64 data, found f32",
        init(Init::centroids(array![[0.0_f32, 0.0], [1.0, 0.0]])).fit(&good()),
    );
    check(
        "squared distances leave the range of f64: the data are 1e160 wide; rescale the columns",
        init(Init::centroids(array![[0.0, 0.0], [1e160, 0.0]])).fit(&good()),
    );
}

#[test]
fn bad_data_are_located() {
    check("the dataset has no rows", params(2).fit(&Array2::<f64>::zeros((0, 2))));
    check("the dataset has no columns", params(2).fit(&Array2::<f64>::zeros((5, 0))));
    check(
        "31 clusters need at least 31 rows of positive weight, found 30; ask for fewer clusters",
        params(31).fit(&good()),
    );
    check(
        "block 1, row 13, column 1: expected a finite number, found NaN",
        params(2).fit(&spoilt(13, 1, f64::NAN, false)),
    );
    check(
        "block 0, row 0, column 0: expected a finite number, found inf",
        params(2).fit(&spoilt(0, 0, f64::INFINITY, false)),
    );
    check(
        "block 2, row 29, column 1: expected a finite number, found -inf",
        params(2).fit(&spoilt(29, 1, f64::NEG_INFINITY, true)),
    );
    check(
        "block 0, row 9, column 0: expected a finite number, found NaN",
        params(2).fit(&spoilt(9, 0, f64::NAN, true)),
    );
    check(
        "block 1, row 11: expected a finite sample weight of at least 0, found -1",
        params(2).fit(&weighted(11, -1.0)),
    );
    check(
        "block 2, row 21: expected a finite sample weight of at least 0, found NaN",
        params(2).fit(&weighted(21, f64::NAN)),
    );
    check(
        "block 0, row 1: expected a finite sample weight of at least 0, found inf",
        params(2).fit(&weighted(1, f64::INFINITY)),
    );
    check("no row has a positive weight", params(2).fit(&all_weigh(0.0)));
    check(
        "expected a finite sample weight of at least 0, found a largest weight of 1e300, beyond what can be summed; rescale the weights",
        params(2).fit(&all_weigh(1e300)),
    );
    check(
        "expected a finite sample weight of at least 0, found a largest weight of 1e-300, beyond what can be summed; rescale the weights",
        params(2).fit(&all_weigh(1e-300)),
    );
    check(
        "expected a finite sample weight of at least 0, found a largest weight of 1e300, beyond what can be summed; rescale the weights",
        params(2).fit(&weighted(4, 1e300)),
    );
    check(
        "squared distances leave the range of f64: the data are 1e200 wide; rescale the columns",
        params(2).fit(&scaled(1e200)),
    );
    check(
        "squared distances leave the range of f64: the data are 1e152 wide; rescale the columns",
        params(2).fit(&scaled(1e152)),
    );
    check(
        "squared distances leave the range of f32: the data are 9.999999562023526e24 wide; rescale the columns or use f64",
        params(2).fit(&scaled(1e25).mapv(|value| value as f32)),
    );
    check(
        "squared distances leave the range of f64: the data are 1e-200 wide; rescale the columns",
        params(2).fit(&scaled(1e-200)),
    );
    check(
        "squared distances leave the range of f32: the data are 1.0000000031710769e-30 wide; rescale the columns or use f64",
        params(2).fit(&scaled(1e-30).mapv(|value| value as f32)),
    );
    check(
        "squared distances leave the range of f64: the data are up to 1e307 large and 0e0 wide; rescale the columns",
        params(1).fit(&Array2::from_elem((3, 2), 1e307)),
    );
    check(
        "squared distances leave the range of f64: the data are inf wide; rescale the columns",
        params(2).fit(&array![[-f64::MAX], [f64::MAX]]),
    );
    check(
        "expected a finite sample weight of at least 0, found a largest weight of 1e99, beyond what can be summed; rescale the weights",
        params(2).fit(&lazy(vec![to_block::<f64>(&scaled(1e145), Some(&[1.0, 1e99, 1.0]))], true)),
    );
}

#[test]
fn too_few_rows_or_weights_are_counted() {
    let mut weights = [0.0; 30];
    weights[3] = 1.0;
    weights[7] = 2.0;
    let data = lazy(vec![to_block::<f64>(&good(), Some(&weights))], true);
    for init in [
        Init::default(),
        Init::PlusPlus,
        Init::Random,
        Init::centroids(Array2::<f64>::zeros((3, 2))),
    ] {
        check(
            "3 clusters need at least 3 rows of positive weight, found 2; ask for fewer clusters",
            params(3).init(init.clone()).fit(&data),
        );
    }
    let twins = array![[1.0], [2.0], [1.0], [2.0], [2.0]];
    let equal = Array2::from_elem((5, 2), 0.1);
    for init in [Init::default(), Init::PlusPlus] {
        check(
            "3 clusters need at least 3 distinct rows of positive weight, found 2; ask for fewer clusters",
            params(3).init(init.clone()).fit(&twins),
        );
        check(
            "2 clusters need at least 2 distinct rows of positive weight, found 1; ask for fewer clusters",
            params(2).init(init).fit(&equal),
        );
    }
}

#[test]
fn predictions_on_other_data_are_refused() {
    let model = params(2).fit(&good()).expect("a model");
    let check = |wanted: &str, data: &dyn Fn() -> Result<ChunkedDataset>| {
        let data = data().expect("data");
        let error = model.predict(&data).compute().expect_err(wanted);
        assert_eq!(error.to_string(), wanted);
        assert!(model.transform(&data).compute().is_err());
        assert!(model.score(&data).is_err());
    };
    check("block 0: expected f64 data, found f32", &|| {
        good().mapv(|value| value as f32).to_chunked()
    });
    check("block 0: expected 2 features, found 3", &|| Array2::<f64>::zeros((4, 3)).to_chunked());
    check(
        "block 1: expected finite rows within the range of the element type, found row 7 of the block, at an infinite or undefined distance",
        &|| Ok(spoilt(17, 1, f64::NAN, false)),
    );
    check(
        "block 0: expected finite rows within the range of the element type, found row 2 of the block, at an infinite or undefined distance",
        &|| Ok(spoilt(2, 1, f64::INFINITY, false)),
    );
    check(
        "block 0: expected finite rows within the range of the element type, found row 2 of the block, at an infinite or undefined distance",
        &|| Ok(spoilt(2, 1, 1e200, false)),
    );
}

#[test]
fn errors_are_typed() {
    let kind = |data: &ChunkedDataset| {
        let error = params(2).fit(data).map(|model| model.status()).expect_err("bad data");
        error.kind().clone()
    };
    assert!(matches!(kind(&spoilt(13, 1, f64::NAN, false)), ErrorKind::NotFinite { .. }));
    assert!(matches!(kind(&weighted(11, -1.0)), ErrorKind::Weight { .. }));
    assert!(matches!(kind(&all_weigh(0.0)), ErrorKind::Empty { .. }));
    assert!(matches!(kind(&all_weigh(1e300)), ErrorKind::Weight { .. }));
    let error = params(2).fit(&spoilt(13, 1, f64::NAN, false)).map(|_| ()).expect_err("NaN");
    let place = error.location();
    assert_eq!((place.block, place.row, place.column), (Some(1), Some(13), Some(1)));
}

#[test]
fn equal_rows_are_one_cluster() {
    for value in [0.0, -0.1, 1e150] {
        let equal = Array2::from_elem((7, 3), value);
        for init in [Init::default(), Init::PlusPlus, Init::Random] {
            let model = params(1).init(init.clone()).n_init(2).fit(&equal).expect("a model");
            assert_eq!((model.inertia(), model.cluster_counts()), (0.0, &[7][..]), "{init}");
            assert_eq!(model.status(), Status::LabelsUnchanged, "{init}");
            assert!(centroids(&model).iter().all(|&found| found == value), "{init}");
        }
    }
}

#[test]
fn clusters_beyond_the_distinct_rows_stay_empty() {
    let twins = array![[1.0], [2.0], [1.0], [2.0], [2.0]];
    for init in [Init::Random, Init::centroids(array![[1.0], [2.0], [2.0], [2.0]])] {
        let model = params(4).init(init.clone()).fit(&twins).expect("a model");
        let mut counts = model.cluster_counts().to_vec();
        counts.sort_unstable();
        assert_eq!((model.inertia(), counts), (0.0, vec![0, 0, 2, 3]), "{init}");
        assert_eq!(model.status(), Status::LabelsUnchanged, "{init}");
        let values: Vec<f64> = centroids(&model).into_raw_vec_and_offset().0;
        assert!(values.iter().all(|value| [1.0, 2.0].contains(value)), "{init}: {values:?}");
    }
}

#[test]
fn empty_clusters_take_the_farthest_rows() {
    // All but the first centroid start where no row is nearest.
    let records = array![[0.0], [1.0], [2.0], [30.0], [40.0], [3.0]];
    let far = Init::centroids(array![[0.0], [500.0], [600.0], [700.0]]);
    let notes = AtomicUsize::new(0);
    let observer = |event: &Event<'_>| {
        if let Event::Note { text } = event {
            assert_eq!(*text, "3 clusters were empty: 3 took far rows");
            notes.fetch_add(1, Ordering::Relaxed);
        }
    };
    let model = params(4).init(far).tol(0.0).observe(&observer).fit(&records).expect("a model");
    assert_eq!(notes.into_inner(), 1);
    // 40, 30 and 3 went to the clusters in turn; what was left has a mean of 1, and the row
    // at 2, as near to 3, stays with the lower index.
    assert_eq!(centroids(&model), array![[1.0], [40.0], [30.0], [3.0]]);
    assert_eq!(model.cluster_counts(), [3, 1, 1, 1]);
    assert_eq!(model.status(), Status::LabelsUnchanged);
}

#[test]
fn a_row_that_is_all_of_its_cluster_stays() {
    // The rows at 100 and 50 are far from their centroids, but alone with them.
    let records = array![[0.0], [0.5], [100.0], [50.0]];
    let start = Init::centroids(array![[0.0], [80.0], [40.0], [900.0]]);
    let model = params(4).init(start).tol(0.0).fit(&records).expect("a model");
    assert_eq!(centroids(&model), array![[0.0], [100.0], [50.0], [0.5]]);
    assert_eq!(model.inertia(), 0.0);
}

#[test]
fn rows_of_zero_weight_are_not_moved_to_empty_clusters() {
    let records = array![[0.0], [1.0], [9.0], [1000.0]];
    let data = lazy(vec![to_block::<f64>(&records, Some(&[1.0, 1.0, 1.0, 0.0]))], true);
    let start = Init::centroids(array![[0.0], [5000.0]]);
    let model = params(2).init(start).tol(0.0).fit(&data).expect("a model");
    assert_eq!(centroids(&model), array![[0.5], [9.0]]);
    assert_eq!(model.cluster_counts(), [2, 2]);
}

#[test]
fn blocks_without_rows_do_nothing() {
    let block = to_block::<f64>(&good(), None);
    let whole = params(3).fit(&lazy(vec![block.clone()], true)).expect("a model");
    for known in [true, false] {
        let data = lazy(slices(&block, &[0, 0, 5, 5, 5, 30, 30]), known);
        let threads = Threads::new(3).expect("threads");
        for executor in [&threads as &dyn drystone_core::Executor, &Inline::new(0)] {
            let model = params(3).on(executor).fit(&data).expect("a model");
            assert_eq!(model.sha256().expect("a hash"), whole.sha256().expect("a hash"));
        }
        assert_eq!(labels(&whole, &data), labels(&whole, &good()));
    }
}

/// Good rows in two blocks, made by `make` from the block, the read (from 1) and its rows.
fn misbehaving(
    make: impl Fn(usize, usize, Array2<f64>) -> Result<Array2<f64>> + Send + Sync + 'static,
) -> ChunkedDataset {
    let reads = [(); 2].map(|()| AtomicUsize::new(0));
    ChunkedDataset::from_blocks(Layout::new(Dtype::F64, 2, 30, 15), move |block_idx| {
        let read = reads[block_idx].fetch_add(1, Ordering::Relaxed) + 1;
        let rows = good().slice_move(ndarray::s![15 * block_idx..15 * (block_idx + 1), ..]);
        let rows = make(block_idx, read, rows)?;
        Ok(Block::new(Records::F64(Rows::from_array(rows.as_standard_layout().into_owned()))))
    })
}

fn on_inline(data: &ChunkedDataset, init: Init) -> Error {
    let fit = params(3).init(init).tol(0.0).on(&Inline::new(0)).fit(data);
    fit.map(|model| model.status()).expect_err("a source that misbehaves")
}

/// A change to the second block from some pass on, and the row in which it is found.
type Change = (fn(&mut Array2<f64>), Option<u64>);

#[test]
fn a_source_that_changes_is_found_out() {
    let changes: [Change; 4] = [
        (|rows| rows[(3, 1)] = 1e9, Some(18)),
        (|rows| rows[(3, 1)] = f64::NAN, Some(18)),
        (|rows| rows[(3, 0)] = f64::NEG_INFINITY, Some(18)),
        (|rows| *rows = rows.slice(ndarray::s![..14, ..]).to_owned(), None),
    ];
    let passes = [(Init::Random, 2..=3), (Init::default(), 2..=9), (Init::PlusPlus, 2..=6)];
    for (init, pass) in
        passes.into_iter().flat_map(|(init, passes)| passes.map(move |pass| (init.clone(), pass)))
    {
        for (idx, (change, row)) in changes.into_iter().enumerate() {
            let data = misbehaving(move |block_idx, read, mut rows| {
                if block_idx == 1 && read >= pass {
                    change(&mut rows);
                }
                Ok(rows)
            });
            let error = on_inline(&data, init.clone());
            let name = format!("change {idx} in pass {pass}, {init}: {error}");
            // A source that declared how many rows it has breaks its word.
            let broken = row.is_none() && matches!(error.kind(), ErrorKind::Shape { .. });
            assert!(broken || matches!(error.kind(), ErrorKind::SourceChanged { .. }), "{name}");
            let place = error.location();
            assert_eq!((place.block, place.row), (Some(1), row), "{name}");
        }
    }
}

#[test]
fn rows_that_were_counted_must_not_change() {
    let reads = AtomicUsize::new(0);
    let layout =
        Layout::with_rows(Dtype::F64, 2, drystone_core::BlockRows::Unknown { n_blocks: 1 });
    let data = ChunkedDataset::from_blocks(layout, move |_| {
        let rows = 30 - reads.fetch_add(1, Ordering::Relaxed);
        Ok(to_block::<f64>(&good().slice_move(ndarray::s![..rows, ..]), None))
    });
    let error = on_inline(&data, Init::default());
    let wanted = "block 0: the source gave other data than in an earlier pass: expected 30 rows, \
                  found 29 rows; a source must give the same block each time it is read";
    assert_eq!(error.to_string(), wanted);
}

#[test]
fn errors_and_panics_of_a_source_come_through() {
    let fails = misbehaving(|block_idx, read, rows| match (block_idx, read) {
        (1, 3) => Err(Error::external("the disk is gone")),
        _ => Ok(rows),
    });
    let error = on_inline(&fails, Init::default());
    assert_eq!(error.to_string(), "block 1: the user's code failed: the disk is gone");
    let panics = misbehaving(|block_idx, read, rows| {
        assert!((block_idx, read) != (1, 3), "no such thing");
        Ok(rows)
    });
    let error = on_inline(&panics, Init::default());
    assert_eq!(error.to_string(), "block 1: the user's code failed: it panicked: no such thing");
    let threads = Threads::new(2).expect("threads").memory_budget(0);
    let panics = misbehaving(|_, read, rows| {
        assert!(read < 3, "no such thing");
        Ok(rows)
    });
    let error = params(3).on(&threads).fit(&panics).map(|_| ()).expect_err("a panic");
    assert!(error.to_string().ends_with("it panicked: no such thing"), "{error}");
    assert!(params(3).on(&threads).fit(&good()).is_ok(), "the threads do not recover");
}

#[test]
fn before_there_is_a_model_stopping_is_an_error() {
    let token = CancelToken::new();
    token.cancel();
    let stopped = "stopped before there was a result: it was cancelled";
    check(stopped, params(2).cancel(&token).fit(&good()));
    for job in ["kmeans.scan", "kmeans.round", "kmeans.lloyd"] {
        check(stopped, cancelled_at(params(2), &good(), job, 1));
    }
    check(stopped, cancelled_at(params(2).init(Init::PlusPlus), &good(), "kmeans.plus_plus", 2));
    let wanted = "stopped before there was a result: max_time has passed";
    check(wanted, params(2).max_time(Duration::ZERO).fit(&good()));
    assert!(params(2).max_time(Duration::MAX).fit(&good()).is_ok());
}

#[test]
fn a_cancelled_fit_gives_its_latest_model() {
    let records = blobs((300, 2), 9, 2.0, 0.0, 3);
    let data = lazy(slices(&to_block::<f64>(&records, None), &[100, 200]), true);
    for n_init in [1, 3] {
        let params = || params(6).init(Init::Random).n_init(n_init).tol(0.0);
        let whole = params().fit(&data).expect("a model");
        let mut costs = vec![f64::INFINITY];
        for pass in 2..=whole.n_iter().min(8) {
            let model = cancelled_at(params(), &data, "kmeans.lloyd", pass).expect("a model");
            assert_eq!((model.status(), model.converged()), (Status::Cancelled, false));
            assert_eq!(model.n_iter(), pass - 1);
            let (inertia, found) = naive(&records, None, &centroids(&model));
            assert!((model.inertia() / inertia - 1.0).abs() < 1e-12, "pass {pass}");
            assert_eq!(model.cluster_counts(), found, "pass {pass}");
            assert_eq!(counts(&labels(&model, &data), 6), found, "pass {pass}");
            assert!(model.inertia() <= costs[costs.len() - 1], "pass {pass}");
            costs.push(model.inertia());
        }
        assert!(costs.len() > 4, "too few iterations to cancel");
    }
}

#[test]
fn a_fit_that_was_cancelled_says_so_though_a_restart_was_done() {
    let records = blobs((300, 2), 9, 2.0, 0.0, 3);
    let params = || params(6).init(Init::Random).n_init(6).tol(0.0);
    let iterations = AtomicUsize::new(0);
    let observer = |event: &Event<'_>| {
        if let Event::Iteration { iteration, .. } = event {
            iterations.store(*iteration, Ordering::Relaxed);
        }
    };
    params().observe(&observer).fit(&records).expect("a model");
    for pass in 2..=iterations.into_inner() {
        let model = cancelled_at(params(), &records, "kmeans.lloyd", pass).expect("a model");
        assert_eq!(model.status(), Status::Cancelled, "pass {pass}");
    }
}
