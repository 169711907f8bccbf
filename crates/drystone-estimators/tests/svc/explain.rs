//! What a fit says that it will cost.

use drystone_core::layout::TargetKind;
use drystone_core::{BlockRows, ChunkedDataset, Dtype, Inline, Layout};
use drystone_estimators::svc::{Gamma, Kernel, Svc, SvcParams};

use crate::support::two_classes;

fn unread(rows: BlockRows) -> ChunkedDataset {
    let layout = Layout::with_rows(Dtype::F32, 20, rows).targets(TargetKind::I64);
    ChunkedDataset::from_blocks(layout, |_| panic!("explain must read nothing"))
}

fn million() -> ChunkedDataset {
    unread(BlockRows::Uniform { n_samples: 1_000_000, block_rows: 200_000 })
}

fn plan(params: SvcParams<'_>, data: &ChunkedDataset) -> String {
    let inline = Inline::new(200_000_000);
    params.on(&inline).explain(data).expect("a plan").to_string()
}

#[test]
fn a_plan_says_passes_bytes_and_memory() {
    assert_eq!(
        plan(Svc::params().c(2.0), &million()),
        "\
SVC: rbf, C = 2; row state of 2 classes, with each further one as much again
  data       (1000000, 20) f32, 5 blocks of up to 200000 rows, 88.0 MB, targets i64
  runs on    inline (1)
  passes     at most 1 pass: survey rows and classes
  passes     at most 1 pass: measure the variance, for gamma
  passes     as many as it takes: sweeps, until no two rows violate the conditions of the optimum
  reads      88.0 MB in the first pass, 0 B in each later one
  cache      88.0 MB of blocks (budget 200.0 MB)
  in flight  17.6 MB of blocks
  row state  113.0 MB
  peak       about 218.6 MB of blocks and state"
    );
}

#[test]
fn rows_are_not_kept_beyond_the_budget() {
    let state = |budget| {
        let plan = Svc::params().memory_budget(budget).explain(&million()).expect("a plan");
        plan.state_bytes.expect("known rows")
    };
    // Twenty-one numbers in single precision.
    assert_eq!(state(84_000_000) - state(83_999_999), 84_000_000);
}

#[test]
fn what_is_not_known_is_said_to_be_unknown() {
    let data = unread(BlockRows::Unknown { n_blocks: 7 });
    let params = Svc::params().kernel(Kernel::Sigmoid { coef0: 1.0 }).gamma(Gamma::Auto);
    assert_eq!(
        plan(params, &data),
        "\
SVC: sigmoid(coef0=1), C = 1; row state of 2 classes, with each further one as much again
  data       (unknown, 20) f32, 7 blocks, unknown bytes, targets i64
  runs on    inline (1)
  passes     at most 1 pass: count rows
  passes     at most 1 pass: survey rows and classes
  passes     as many as it takes: sweeps, until no two rows violate the conditions of the optimum
  reads      unknown in the first pass, unknown in each later one
  cache      unknown of blocks (budget 200.0 MB)
  in flight  unknown of blocks
  row state  unknown
  peak       about unknown of blocks and state"
    );
}

#[test]
fn a_fit_keeps_to_its_plan() {
    let data = two_classes().cut(50);
    for params in [Svc::params(), Svc::params().kernel(Kernel::Linear).memory_budget(0)] {
        let plan = params.explain(&data).expect("a plan");
        let model = params.fit(&data).expect("a model");
        assert_eq!(plan.state_bytes, Some(model.history().state_bytes));
        let known: usize = plan.passes.iter().filter_map(|pass| pass.at_most).sum();
        assert!(plan.passes.last().is_some_and(|sweeps| sweeps.at_most.is_none()));
        assert!(model.history().passes > known);
    }
}

#[test]
fn bad_parameters_are_not_explained() {
    let error = Svc::params().c(0.0).explain(&million()).map(|_| ()).expect_err("no cost");
    assert_eq!(error.to_string(), "parameter `c` must be above 0 and finite, found 0");
}
