//! The laws of executors hold for each of them, whatever the threads, budget and state.

use drystone_core::executor::SLICE_ROWS;
use drystone_core::{ChunkedDataset, Executor, Inline, StatePolicy, Threads, input, laws};

const POLICIES: [StatePolicy; 4] = [
    StatePolicy::Keep,
    StatePolicy::Discard,
    StatePolicy::LoseSome { seed: 0 },
    StatePolicy::LoseSome { seed: 1 },
];

/// Datasets of many blocks, and of empty ones between others.
fn datasets() -> [ChunkedDataset; 2] {
    let small = laws::small_dataset(40, 6);
    let parts = [3..3, 0..7, 9..9, 7..40].map(|rows| small.slice(rows).persist().expect("rows"));
    let mixed = ChunkedDataset::concat(&parts).expect("the same columns");
    [small, mixed.map(Ok)]
}

fn check(executor: impl Fn(u64, StatePolicy) -> Box<dyn Executor>) {
    for data in datasets() {
        let bytes = data.layout().bytes().expect("known rows");
        for budget in [0, bytes / 2, bytes] {
            for policy in POLICIES {
                laws::check_executor(&*executor(budget, policy), &data);
            }
        }
    }
    let sliced = laws::small_dataset(2 * SLICE_ROWS as u64 + 5, SLICE_ROWS as u64 + 2);
    laws::check_executor(&*executor(SLICE_ROWS as u64 * 30, POLICIES[2]), &sliced);
}

fn threads(n: usize) -> impl Fn(u64, StatePolicy) -> Box<dyn Executor> {
    move |budget, policy| {
        let threads = Threads::new(n).expect("threads").memory_budget(budget).state_policy(policy);
        assert_eq!(threads.describe().threads, n);
        assert_eq!(threads.describe().memory_budget, budget);
        Box::new(threads)
    }
}

#[test]
fn inline() {
    check(|budget, policy| Box::new(Inline::new(budget).state_policy(policy)));
}

#[test]
fn one_thread() {
    check(threads(1));
}

#[test]
fn two_threads() {
    check(threads(2));
}

#[test]
fn three_threads() {
    check(threads(3));
}

#[test]
fn seven_threads() {
    check(threads(7));
}

#[test]
fn one_block_is_shared_by_seven_threads() {
    let data = laws::small_dataset(10 * SLICE_ROWS as u64 + 1, u64::MAX);
    assert_eq!(data.n_blocks(), 1);
    let executor = Threads::new(7).expect("threads").memory_budget(0);
    let sum = data.sum().compute_on(&executor).expect("a sum");
    let n = (10 * SLICE_ROWS + 1) as f64;
    assert_eq!(sum[0], n * (n - 1.0) / 2.0);
    assert_eq!(sum, data.sum().compute_on(&Inline::new(0)).expect("a sum"));
}

#[test]
fn the_number_of_threads_is_checked() {
    for n in [0, 1025] {
        let error = Threads::new(n).map(|_| ()).expect_err("out of range");
        let text = format!("parameter `threads` must be between 1 and 1024, found {n}");
        assert_eq!(error.to_string(), text);
    }
}

/// The law's job finds what it should: state that belongs to other rows.
#[test]
fn state_belongs_to_the_dataset_it_was_made_for() {
    let (a, b) = (laws::small_dataset(20, 5), laws::small_dataset(20, 5).slice(5..20));
    let fresh = steps_alternating(&Inline::new(0).state_policy(StatePolicy::Discard), &a, &b);
    assert_eq!(steps_alternating(&Inline::new(0), &a, &b), fresh);
    assert_eq!(steps_alternating(&Threads::new(2).expect("threads"), &a, &b), fresh);
}

fn steps_alternating(executor: &dyn Executor, a: &ChunkedDataset, b: &ChunkedDataset) -> Vec<u64> {
    use drystone_core::{Control, Session, observe::Silent};
    let control = Control::default();
    let session = Session::new(executor, &Silent, &control);
    let steps = (0..6).map(|step| {
        let data = if step % 2 == 0 { a } else { b };
        session.run(data, &counting::Count { step }).expect("a count").0
    });
    steps.collect()
}

/// A job whose state is the first row and the number of steps.
mod counting {
    use drystone_core::{BlockAt, Job, Partial, Result};
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    pub struct Count {
        pub step: u64,
    }

    #[derive(Serialize, Deserialize)]
    pub struct Sum(pub u64);

    impl Partial for Sum {
        fn merge(&mut self, other: Self) {
            self.0 += other.0;
        }
    }

    fn first_value(rows: &BlockAt) -> u64 {
        rows.block.records.to_f64()[0] as u64
    }

    impl Job for Count {
        const NAME: &'static str = "test.count/1";
        type State = u64;
        type Partial = Sum;

        fn empty(&self) -> Sum {
            Sum(0)
        }

        fn map(&self, rows: &BlockAt, state: &mut u64, into: &mut Sum) -> Result<()> {
            into.0 += *state * (rows.first_row + 1);
            *state += 1;
            Ok(())
        }

        fn step(&self) -> u64 {
            self.step
        }

        fn restore(&self, rows: &BlockAt) -> Result<u64> {
            Ok(first_value(rows) * 1000 + self.step)
        }
    }
}

#[test]
fn arrays_are_cut_for_threads_without_copying() {
    let array = ndarray::Array2::from_shape_fn((20, 2), |(row, column)| (row * 2 + column) as f64);
    let data = input::cut(drystone_core::Block::new(array), 3).expect("a dataset");
    assert!(data.in_memory());
    laws::check_executor(&Threads::new(2).expect("threads"), &data.map(Ok));
}
