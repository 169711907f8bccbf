//! The same bits however rows are cut, wherever they are mapped, whatever is lost.

use drystone_core::{Inline, StatePolicy, Threads};
use drystone_estimators::svc::{Kernel, Svc, SvcParams};
use ndarray::{Array2, Axis, concatenate};

use crate::support::{Rows, lattice, load, two_classes};

fn all_params() -> Vec<SvcParams<'static>> {
    let poly = Kernel::Poly { degree: 2, coef0: 1.0 };
    vec![
        Svc::params().c(10.0).tol(1e-4),
        Svc::params().kernel(Kernel::Linear),
        Svc::params().kernel(poly).shrinking(false),
        Svc::params().kernel(Kernel::Sigmoid { coef0: 0.0 }),
    ]
}

fn block_rows(rows: &Rows, n_blocks: usize) -> usize {
    rows.n_samples().div_ceil(n_blocks)
}

#[test]
fn blocks_threads_and_memory_change_no_bit() {
    for rows in [lattice(), two_classes()] {
        for params in all_params() {
            let hash = |params: SvcParams<'_>, n_blocks| {
                let data = rows.cut(block_rows(&rows, n_blocks));
                params.fit(&data).expect("a model").sha256().expect("a hash")
            };
            let first = hash(params.clone(), 1);
            let two = Threads::new(2).expect("threads");
            for n_blocks in [1, 2, 7, 64] {
                let inline = Inline::default();
                assert_eq!(hash(params.clone().on(&inline), n_blocks), first, "{n_blocks} blocks");
                assert_eq!(hash(params.clone().on(&two), n_blocks), first, "{n_blocks} blocks");
            }
            assert_eq!(hash(params.clone().memory_budget(0), 3), first, "rows not kept");
        }
    }
}

#[test]
fn lost_state_changes_no_bit() {
    let rows = lattice();
    for params in all_params() {
        let data = rows.cut(100);
        let wanted = params.fit(&data).expect("a model").sha256().expect("a hash");
        for policy in [StatePolicy::LoseSome { seed: 1 }, StatePolicy::Discard] {
            let inline = Inline::new(0).state_policy(policy);
            let model = params.clone().on(&inline).fit(&data).expect("a model");
            assert_eq!(model.sha256().expect("a hash"), wanted, "{policy:?}");
        }
    }
}

#[test]
fn large_slices_are_shared_out_the_same() {
    // More rows than a slice has, so that working sets, slices and shrinking all come in.
    let rows = load("spambase.data");
    let hash = |n_blocks, policy| {
        let threads = Threads::new(2).expect("threads").state_policy(policy);
        let data = rows.cut(block_rows(&rows, n_blocks));
        let model = Svc::params().on(&threads).fit(&data).expect("a model");
        model.sha256().expect("a hash")
    };
    let first = hash(1, StatePolicy::Keep);
    assert_eq!(hash(5, StatePolicy::LoseSome { seed: 3 }), first);
    assert_eq!(hash(2, StatePolicy::Keep), first);
}

#[test]
fn single_precision_records_give_their_own_optimum() {
    let rows = two_classes();
    let hash = |n_blocks| {
        let data = rows.cut_as::<f32>(block_rows(&rows, n_blocks));
        let model = Svc::params().fit(&data).expect("a model");
        assert!(model.converged());
        model.sha256().expect("a hash")
    };
    assert_eq!(hash(1), hash(7));
}

#[test]
fn a_row_twice_is_a_row_of_weight_two() {
    let mut rows = two_classes();
    let n_samples = rows.n_samples();
    let records: Array2<f64> =
        concatenate(Axis(0), &[rows.records.view(), rows.records.view()]).expect("rows");
    let twice = Rows::new(records, [rows.targets.clone(), rows.targets.clone()].concat());
    rows.weights = Some(vec![2.0; n_samples]);
    let fit = |rows: &Rows| {
        let model = Svc::params().tol(1e-6).fit(&rows.cut(50)).expect("a model");
        model.certificates()[0].primal_objective
    };
    let (twice, weighted) = (fit(&twice), fit(&rows));
    assert!((twice - weighted).abs() < 1e-7 * weighted, "{twice} is not {weighted}");
}

#[test]
fn rows_without_weight_do_not_count() {
    let mut rows = two_classes();
    let kept: Vec<usize> = (0..rows.n_samples()).filter(|row| row % 3 != 0).collect();
    let without = rows.select(&kept);
    rows.weights = Some((0..rows.n_samples()).map(|row| f64::from(row % 3 != 0)).collect());
    let gamma = drystone_estimators::svc::Gamma::Value(0.5);
    let fit =
        |rows: &Rows| Svc::params().gamma(gamma).tol(1e-6).fit(&rows.cut(100)).expect("a model");
    let (all, without) = (fit(&rows), fit(&without));
    let (a, b) = (all.certificates()[0], without.certificates()[0]);
    assert!((a.dual_objective - b.dual_objective).abs() < 1e-7 * b.dual_objective);
    assert!(all.support().iter().all(|row| row % 3 != 0));
}
