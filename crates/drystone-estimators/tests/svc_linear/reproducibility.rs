//! One model, to the last bit, however the rows are cut, wherever they are mapped, and
//! whatever is kept between passes.

use std::process::Command;

use drystone_core::{Block, ChunkedDataset, Executor, Inline, Records, Rows, StatePolicy, Threads};
use drystone_estimators::svc::{LinearSvc, Loss};
use drystone_kernels::Isa;
use drystone_sources::generate::Classification;
use proptest::prelude::*;

use crate::support::{LOSSES, children, cut_at, cut_into, noisy};

fn hash(loss: Loss, data: &ChunkedDataset, executor: &dyn Executor) -> String {
    let model = LinearSvc::params().loss(loss).on(executor).fit(data).expect("a model");
    assert!(model.converged());
    model.sha256().expect("a hash")
}

fn single(block: &Block) -> Block {
    let values = block.records.to_f64().iter().map(|&value| value as f32).collect();
    let rows = Rows::new(values, block.records.n_features()).expect("rows");
    Block { records: Records::F32(rows), ..block.clone() }
}

#[test]
fn neither_blocks_nor_executors_matter() {
    let block = noisy(3000, 6, 2, 3);
    let weights: Vec<f64> = (0..3000).map(|row| f64::from(row % 4) / 3.0).collect();
    let weighted = noisy(2000, 5, 3, 4).with_weights(weights[..2000].to_vec());
    let (one, two) = (Threads::new(1).expect("it"), Threads::new(2).expect("them"));
    let discarding = Inline::new(0).state_policy(StatePolicy::Discard);
    for block in [single(&block), block, weighted] {
        for loss in LOSSES {
            let wanted = hash(loss, &cut_into(&block, 1), &Inline::default());
            for n_blocks in [1, 2, 7, 64] {
                let data = cut_into(&block, n_blocks);
                let executors: [&dyn Executor; 3] = [&one, &two, &discarding];
                for executor in executors {
                    assert_eq!(hash(loss, &data, executor), wanted, "{loss:?}, {n_blocks}");
                }
            }
        }
    }
}

#[test]
fn rows_that_are_far_more_than_those_held_in_memory() {
    let block = noisy(70_000, 3, 2, 5);
    let (one, two) = (Threads::new(1).expect("it"), Threads::new(2).expect("them"));
    let params = LinearSvc::params().loss(Loss::Hinge).tol(1e-7);
    let model = params.clone().on(&one).fit(&cut_into(&block, 3)).expect("a model");
    assert!(model.converged(), "{:?}", model.certificates());
    let again = params.on(&two).fit(&cut_into(&block, 11)).expect("a model");
    assert_eq!(model.sha256().expect("a hash"), again.sha256().expect("a hash"));
}

#[test]
fn other_processes_give_the_same_bits() {
    let data = Classification::new(5000, 8).n_informative(5).n_classes(3).seed(2).block_rows(900);
    let data = data.dataset();
    let (two, here) = (children(2), Inline::default());
    for loss in LOSSES {
        assert_eq!(hash(loss, &data, &two), hash(loss, &data, &here));
    }
}

const CHILD: &str = "DRYSTONE_LINEAR_SVC_ISA";

fn hashes() -> String {
    let block = noisy(1500, 9, 3, 8);
    let all = LOSSES.map(|loss| hash(loss, &cut_into(&block, 4), &Inline::default()));
    let wide = noisy(60, 520, 2, 9);
    let wide = hash(Loss::SquaredHinge, &cut_into(&wide, 2), &Inline::default());
    format!("hashes {} {wide}", all.join(" "))
}

/// Prints the hashes where the parent asks for them.
#[test]
fn hashes_of_this_process() {
    if std::env::var_os(CHILD).is_some() {
        println!("{}", hashes());
    }
}

#[test]
fn neither_do_instruction_sets() {
    let wanted = hashes();
    for isa in Isa::available() {
        let mut command = Command::new(std::env::current_exe().expect("this binary"));
        let test = "reproducibility::hashes_of_this_process";
        command.args([test, "--exact", "--nocapture"]).env(CHILD, "1");
        let output = command.env("DRYSTONE_ISA", isa.name()).output().expect("a child");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains(&wanted), "{isa}: {text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn any_cuts(
        n in 20_usize..200, d in 1_usize..9, n_classes in 2_i64..4, seed in any::<u64>(),
        cuts in prop::collection::vec(0_usize..200, 0..9), known in any::<bool>(),
    ) {
        let block = noisy(n, d, n_classes, seed);
        let weights: Vec<f64> = (0..n).map(|row| 0.25 + (row % 5) as f64).collect();
        let block = if seed % 2 == 0 { block.with_weights(weights) } else { block };
        for loss in LOSSES {
            let wanted = hash(loss, &cut_into(&block, 1), &Inline::default());
            prop_assert_eq!(hash(loss, &cut_at(&block, &cuts, known), &Inline::default()), wanted);
        }
    }
}
