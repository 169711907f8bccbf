//! Bad parameters and bad data get a typed error in known words, with its place.

use drystone_core::{ChunkedDataset, ErrorKind, Result, ToChunked};
use drystone_estimators::{Init, KMeans, KMeansParams, Oversampling};
use ndarray::{Array2, array};

use crate::support::{blobs, lazy, slices, to_block};

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
        "parameter `init` must be f64 centroids, the type of the data, found f32",
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
    let equal = to_block::<f64>(&Array2::from_elem((3, 2), 1e150), Some(&[1e60; 3]));
    check(
        "squared distances leave the range of f64: the data are up to 1e150 large with a total weight of 3e60, and 0e0 wide; rescale the columns",
        params(1).fit(&lazy(vec![equal], true)),
    );
    check(
        "expected a finite sample weight of at least 0, found a largest weight of 1e-60, beyond what can be summed; rescale the weights",
        params(2).fit(&lazy(vec![to_block::<f64>(&scaled(1e-140), Some(&[1e-60; 3]))], true)),
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
        "block 1, row 17: expected finite rows within the range of the element type, found one at an infinite or undefined distance",
        &|| Ok(spoilt(17, 1, f64::NAN, false)),
    );
    check(
        "block 0, row 2: expected finite rows within the range of the element type, found one at an infinite or undefined distance",
        &|| Ok(spoilt(2, 1, f64::INFINITY, false)),
    );
    check(
        "block 0, row 2: expected finite rows within the range of the element type, found one at an infinite or undefined distance",
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
