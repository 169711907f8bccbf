//! Scaled datasets and parts of datasets are made again in other processes, and fits there
//! have the same bits.

use drystone_core::{ChunkedDataset, Description, ErrorKind, Executor, Threads, laws, wire};
use drystone_estimators::KMeans;
use drystone_estimators::model_selection::{
    StratifiedKFold, stratified_train_test_split, stratified_train_test_split_on, train_test_split,
};
use drystone_estimators::preprocessing::{MinMaxScaler, StandardScaler};
use drystone_sources::generate::Blobs;

use crate::support::{children, registry};

fn blobs() -> ChunkedDataset {
    Blobs::new(3000, 3).centers(4).seed(2).block_rows(450).dataset()
}

#[test]
fn a_whole_workflow_gives_the_same_bits() {
    let (two, threads) = (children(2), Threads::new(2).expect("threads"));
    let fit = |executor: &dyn Executor| {
        let (train, test) =
            stratified_train_test_split_on(&blobs(), 0.25, 3, executor).expect("a split");
        let scaler = StandardScaler::params().on(executor).fit(&train).expect("a scaler");
        let extremes = MinMaxScaler::params().on(executor).fit(&train).expect("a scaler");
        let scaled = extremes.transform(&scaler.transform(&train));
        laws::check_source(&scaled, &registry());
        let model = KMeans::params(4).on(executor).fit(&scaled).expect("a model");
        let score = model.score_on(&scaler.transform(&test), executor).expect("a score");
        let folds = StratifiedKFold::new(3).on(executor).split(&train).expect("folds");
        let sums = folds.iter().map(|(train, _)| train.sum().compute_on(executor).expect("it"));
        let sums: Vec<_> = sums.collect();
        (model.sha256().expect("a hash"), score.to_bits(), scaler, sums)
    };
    assert_eq!(fit(&two), fit(&threads));
}

#[test]
fn what_is_in_memory_stays_here() {
    let scaler = StandardScaler::params().fit(&blobs()).expect("a scaler");
    let data = blobs().persist().expect("blocks");
    let (train, _) = train_test_split(&data, 0.5, 0).expect("a split");
    for data in [scaler.transform(&data), train] {
        assert!(data.describe().is_none());
        let error = data.sum().compute_on(&children(1)).expect_err("it has no description");
        assert!(matches!(error.kind(), ErrorKind::NotDescribed { .. }), "{error}");
    }
}

#[test]
fn descriptions_that_make_no_sense() {
    let open = |kind: &str, body: Vec<u8>| {
        let description = Description { kind: kind.into(), body };
        registry().open_source(&description).map(|_| ()).expect_err("nonsense").to_string()
    };
    let inner = blobs().describe().expect("a description");
    let raw = |values: &[f64]| -> Vec<u8> { values.iter().flat_map(|v| v.to_le_bytes()).collect() };
    let body = |frames: [&[f64]; 4]| {
        let [a, b, c, d] = frames.map(raw);
        wire::encode(&(((a, b), (c, d)), &inner)).expect("bytes")
    };
    let kind = "preprocessing.affine/1";
    let three: &[f64] = &[1.0, 2.0, 3.0];
    assert!(
        registry().open_source(&Description { kind: kind.into(), body: body([three; 4]) }).is_ok()
    );
    let text = "expected finite origins and units, one a column, found others";
    let none: &[f64] = &[];
    let nan: &[f64] = &[1.0, f64::NAN, 3.0];
    for frames in [[three, three, three, &[1.0]], [three, none, three, three], [nan; 4], [none; 4]]
    {
        assert_eq!(open(kind, body(frames)), text);
    }
    assert_eq!(open(kind, body([&[1.0]; 4])), "expected 1 features, found 3");
    assert!(open(kind, vec![1, 2, 3]).starts_with("expected a well-formed message"));
}

#[test]
fn nothing_is_read_before_it_is_needed() {
    let layout = drystone_core::Layout::new(drystone_core::Dtype::F64, 1, 100, 10);
    let data = ChunkedDataset::from_blocks(layout, |_| panic!("nothing is to be read"));
    let (train, test) = train_test_split(&data, 0.5, 0).expect("a split");
    assert_eq!((train.n_samples(), test.n_samples()), (Some(50), Some(50)));
    let scaler = StandardScaler::params().fit(&ndarray::array![[1.0]]).expect("a scaler");
    assert_eq!(scaler.transform(&test).n_samples(), Some(50));
    let error = stratified_train_test_split(&data, 0.5, 0).expect_err("no targets");
    assert!(matches!(error.kind(), ErrorKind::Format { .. }), "{error}");
}
