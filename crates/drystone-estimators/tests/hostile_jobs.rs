//! A worker process that is sent jobs that make no sense answers with an error.

use std::io::Cursor;

use drystone_core::error::WireError;
use drystone_core::executor::serve;
use drystone_core::wire::{self, raw::Raw};
use drystone_core::{
    BlockRows, ChunkedDataset, Description, Dtype, Error, ErrorKind, Registry, Targets,
};
use drystone_estimators::{Calibrated, KMeans, LinearSvc, Svc};
use drystone_sources::generate::Blobs;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
enum Request {
    #[expect(dead_code)]
    Configure,
    Map(Map),
}

#[derive(Serialize)]
struct Map {
    session: u64,
    job: String,
    body: Vec<u8>,
    data: Description,
    rows: BlockRows,
    block_idx: u64,
}

#[derive(Deserialize)]
enum Reply {
    Done,
    #[expect(dead_code)]
    Mapped {
        partial: Vec<u8>,
        read: bool,
        rows: u64,
    },
    Failed(WireError),
}

#[derive(Clone, Copy, Serialize)]
enum Task {
    Draw(usize),
    Weigh,
}

/// The answer to a job over 100 rows of 2 columns: an error, or none.
fn ask(job: &str, body: &impl Serialize) -> Option<Error> {
    let mut registry = Registry::new();
    drystone_estimators::register(&mut registry);
    drystone_sources::register(&mut registry);
    let data = Blobs::new(100, 2).centers(3).dataset();
    let request = Request::Map(Map {
        session: 1,
        job: job.to_owned(),
        body: wire::encode(body).unwrap(),
        data: data.describe().unwrap(),
        rows: data.layout().rows.clone(),
        block_idx: 0,
    });
    let (mut input, mut output) = (Vec::new(), Vec::new());
    wire::write_frame(&mut input, &wire::encode(&request).unwrap()).unwrap();
    serve(&registry, Cursor::new(input), &mut output).unwrap();
    let mut output = Cursor::new(output.strip_prefix(b"\ndrystone wire 1\n").unwrap());
    let reply = wire::read_frame(&mut output).unwrap().unwrap();
    match wire::decode(&reply).unwrap() {
        Reply::Failed(error) => Some(error.into()),
        Reply::Done | Reply::Mapped { .. } => None,
    }
}

fn refused(job: &str, body: impl Serialize) {
    let error = ask(job, &body).unwrap_or_else(|| panic!("{job} was mapped"));
    let typed = matches!(error.kind(), ErrorKind::Format { .. } | ErrorKind::Shape { .. });
    assert!(typed, "{job}: {error}");
}

fn raw<T: Raw>(values: &[T]) -> Vec<u8> {
    let mut bytes = Vec::new();
    values.iter().for_each(|value| value.write(&mut bytes));
    bytes
}

const HUGE: usize = 1 << 60;
const LARGE: usize = 1 << 36;

#[test]
fn sums_and_scans_of_other_columns() {
    for n_features in [0, 1, 3, LARGE, HUGE] {
        refused("core.moments/1", n_features);
        refused("kmeans.scan/1", (n_features, vec![1_u64], 1_usize));
        refused("preprocessing.sums/1", n_features);
        refused("preprocessing.extremes/1", n_features);
    }
    for center in [&[][..], &[0.0], &[0.0; 3]] {
        refused("preprocessing.spread/1", raw::<f64>(center));
    }
    assert!(ask("preprocessing.spread/1", &raw(&[f64::NAN, f64::INFINITY])).is_none());
    refused("core.spread/1", vec![0.0; 1]);
    refused("core.spread/1", vec![0.0; 3]);
    refused("kmeans.scan/1", (2_usize, vec![1_u64; 1001], 1_usize));
    assert!(ask("kmeans.scan/1", &(2_usize, vec![1_u64], usize::MAX)).is_none());
}

#[test]
fn iterations_of_other_shapes() {
    let job = |n_features: usize, n_range: usize, drifts: &[f64], centroids: &[f64]| {
        let range = (raw(&vec![-99.0; n_range]), raw(&vec![99.0; n_range]), 1.0);
        (n_features, range, 0_u64, vec![(0_u32, raw(centroids), raw(drifts), true)])
    };
    let lloyd = "kmeans.lloyd.f64/2";
    assert!(ask(lloyd, &job(2, 2, &[0.0], &[1.0, 2.0])).is_none());
    assert!(ask(lloyd, &job(2, 2, &[f64::NAN], &[f64::NAN, f64::INFINITY])).is_some());
    refused(lloyd, job(0, 2, &[], &[1.0, 2.0]));
    refused(lloyd, job(LARGE, 2, &[0.0], &[]));
    refused(lloyd, job(HUGE, 2, &[0.0], &[]));
    refused(lloyd, job(2, 1, &[], &[1.0, 2.0]));
    refused(lloyd, job(2, 7, &[], &[1.0, 2.0]));
    refused(lloyd, job(2, 2, &[0.0, 0.0], &[1.0, 2.0]));
    refused(lloyd, job(2, 2, &[], &[1.0, 2.0, 3.0]));
    refused(lloyd, job(2, 2, &[], &[]));
    for centroids in [&[][..], &[1.0], &[1.0, 2.0, 3.0]] {
        refused("kmeans.score.f64/1", (2_usize, raw(centroids)));
        refused("kmeans.farthest.f64/1", (2_usize, raw(centroids), 1_usize));
    }
}

#[test]
fn seeding_of_other_shapes() {
    let round = "kmeans.round.f64/1";
    let job = |n_features: usize, round: u64, most: usize, groups: &[&[f64]], task: Task| {
        let groups: Vec<_> = groups.iter().map(|group| raw(group)).collect();
        (n_features, 1.0, 1.0, round, most, vec![(1_u64, groups, task)])
    };
    assert!(ask(round, &job(2, u64::MAX, HUGE, &[&[1.0, 2.0]], Task::Draw(HUGE))).is_none());
    refused(round, job(0, 1, 9, &[&[1.0, 2.0]], Task::Weigh));
    refused(round, job(2, 0, 9, &[&[1.0, 2.0]], Task::Weigh));
    refused(round, job(2, 1, 0, &[&[1.0, 2.0]], Task::Weigh));
    refused(round, job(2, 1, 9, &[&[1.0, 2.0, 3.0]], Task::Draw(1)));
    refused(round, job(2, 2, 9, &[&[1.0], &[1.0, 2.0]], Task::Weigh));
    refused(round, job(2, 1, 9, &[], Task::Weigh));
    refused(round, job(2, 1, 9, &[&[]], Task::Weigh));
    let none: [Vec<u8>; 0] = [];
    let many = vec![(1_u64, none, Task::Draw(1)); 1001];
    refused(round, (2_usize, 1.0, 1.0, 1_u64, 9_usize, many));
    let plus_plus = |n_features: usize, round: u64, centroids: &[f64], trials: &[f64]| {
        (n_features, 1.0, round, 1_usize, vec![(1_u64, raw(centroids), raw(trials))])
    };
    let name = "kmeans.plus_plus.f64/1";
    assert!(ask(name, &plus_plus(2, 1, &[1.0, 2.0], &[])).is_none());
    refused(name, plus_plus(0, 1, &[1.0], &[]));
    refused(name, plus_plus(2, 0, &[1.0, 2.0], &[]));
    refused(name, plus_plus(2, 1, &[], &[]));
    refused(name, plus_plus(2, 1, &[1.0, 2.0], &[1.0]));
}

#[test]
fn models_that_are_none() {
    for bytes in [&[][..], &[0; 8], b"not a model"] {
        refused("svc.held_out/1", bytes.to_vec());
    }
}

/// A model as it travels, and its two jobs: over the two columns that [`ask`] asks about.
fn models(n_features: usize, dtype: Dtype) -> Vec<(Vec<u8>, [&'static str; 2])> {
    let data = Blobs::new(60, n_features).centers(2).dtype(dtype).dataset();
    let block = data.compute().unwrap();
    let targets: Vec<i64> = (0..60).map(|row| row % 2).collect();
    let block = block.with_targets(Targets::I64(targets.into()));
    let data = ChunkedDataset::from_resident(vec![block]).unwrap();
    let kmeans = KMeans::params(2).fit(&data).unwrap().to_bytes().unwrap();
    let svc = Svc::params().fit(&data).unwrap().to_bytes().unwrap();
    let linear = LinearSvc::params().fit(&data).unwrap().to_bytes().unwrap();
    let calibrated = Calibrated::params(Svc::params()).folds(2).fit(&data).unwrap();
    vec![
        (kmeans, ["kmeans.labels/1", "kmeans.distances/1"]),
        (svc, ["svc.codes/1", "svc.decision_function/1"]),
        (linear, ["linear_svc.codes/1", "linear_svc.decision_function/1"]),
        (calibrated.to_bytes().unwrap(), ["svc.probabilities/1", "svc.most_probable/1"]),
    ]
}

#[test]
fn predictions_of_models_that_are_none() {
    let good = models(2, Dtype::F64);
    for (at, (model, jobs)) in good.iter().enumerate() {
        let another = &good[(at + 1) % good.len()].0;
        for job in jobs {
            assert!(ask(job, model).is_none(), "{job}");
            refused(job, Vec::<u8>::new());
            refused(job, vec![0_u8; 100]);
            refused(job, model[..model.len() - 1].to_vec());
            refused(job, another);
            refused(job, (model, 1_u64));
            for byte in (0..model.len()).step_by(1 + model.len() / 50) {
                let mut flipped = model.clone();
                flipped[byte] ^= 0x7f;
                refused(job, flipped);
            }
            // The last bytes are an array's: numbers that are none.
            let mut not_finite = model.clone();
            let end = not_finite.len();
            not_finite[end - 8..].copy_from_slice(&f64::NAN.to_le_bytes());
            refused(job, not_finite);
        }
    }
}

#[test]
fn predictions_of_models_for_other_data() {
    for (model, jobs) in models(3, Dtype::F64) {
        jobs.iter().for_each(|job| refused(job, &model));
    }
    let (single, jobs) = models(2, Dtype::F32).swap_remove(0);
    for job in jobs {
        let error = ask(job, &single).unwrap();
        assert!(matches!(error.kind(), ErrorKind::Dtype { .. }), "{error}");
    }
}
