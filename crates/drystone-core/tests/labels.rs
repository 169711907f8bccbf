//! Classes by their value: one order over numbers of both kinds and names.

use drystone_core::label::{Coded, Label};
use drystone_core::{Targets, wire};
use proptest::prelude::*;

fn real(value: f64) -> Label {
    Label::real(value).expect("a label")
}

fn label() -> impl Strategy<Value = Label> {
    prop_oneof![
        any::<i64>().prop_map(Label::from),
        (-4_i64..4).prop_map(Label::from),
        any::<f64>().prop_filter_map("finite", |value| Label::real(value).ok()),
        (-16_i32..16).prop_map(|value| real(f64::from(value) / 4.0)),
        "[a-c]{0,2}".prop_map(|name| Label::from(&*name)),
    ]
}

proptest! {
    #[test]
    fn the_order_is_one(a in label(), b in label(), c in label()) {
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a.cmp(&b).is_eq(), a == b);
        if a <= b && b <= c {
            prop_assert!(a <= c);
        }
        let bytes = wire::encode(&a).unwrap();
        prop_assert_eq!(wire::decode::<Label>(&bytes).unwrap(), a);
    }

    #[test]
    fn rows_have_their_labels(values in prop::collection::vec(-8_i32..8, 0..50)) {
        let halves: Vec<f64> = values.iter().map(|&value| f64::from(value) / 2.0).collect();
        let labels: Vec<Label> = halves.iter().map(|&value| real(value)).collect();
        let coded = Coded::of(&Targets::F64(halves.into())).unwrap();
        prop_assert!(coded.labels.is_sorted_by(|a, b| a < b));
        let found: Vec<Label> =
            coded.codes.iter().map(|&code| coded.labels[code as usize].clone()).collect();
        prop_assert_eq!(&found, &labels);
        prop_assert_eq!(Coded::of_labels(&labels), coded);
    }
}

#[test]
fn whole_numbers_are_integers() {
    assert_eq!(real(3.0), Label::Integer(3));
    assert_eq!(real(-0.0), Label::Integer(0));
    assert_eq!(real(-9_223_372_036_854_775_808.0), Label::Integer(i64::MIN));
    assert_eq!(real(9_223_372_036_854_775_808.0), Label::Real(9_223_372_036_854_775_808.0));
    let ascending = [
        real(f64::MIN),
        Label::Integer(i64::MIN),
        real(-1.5),
        Label::Integer(-1),
        real(-0.5),
        Label::Integer(0),
        real(0.5),
        Label::Integer(i64::MAX),
        real(9_223_372_036_854_775_808.0),
        Label::from(""),
        Label::from("1"),
    ];
    assert!(ascending.is_sorted_by(|a, b| a < b), "{ascending:?}");
    let text = ascending[4..].iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    assert_eq!(text, "-0.5 0 0.5 9223372036854775807 9223372036854776000 \"\" \"1\"");
}

#[test]
fn classes_of_targets_that_are_none() {
    let targets = Targets::F64(vec![1.0, f64::NEG_INFINITY].into());
    let error = Coded::of(&targets).expect_err("no class");
    assert_eq!(error.to_string(), "row 1: expected a finite number, found -inf");
    assert_eq!(error.moved_down(10).location().row, Some(11));
}

/// Blocks that were cut from one share its dictionary.
#[test]
fn names_that_no_row_has_are_no_classes() {
    let names = ["b", "a", "c", "b"];
    let block = drystone_core::Block::new(ndarray::Array2::<f64>::zeros((4, 1)))
        .with_targets(Targets::categories(&names));
    let Some(targets) = block.slice(0..2).targets else { panic!("targets") };
    let coded = Coded::of(&targets).expect("classes");
    assert_eq!((coded.labels, coded.codes), (["a", "b"].map(Label::from).to_vec(), vec![1, 0]));
}
