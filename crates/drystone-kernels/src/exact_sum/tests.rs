//! The exact sum against a big integer, and the laws that it promises.

use proptest::prelude::*;

use super::ExactSum;

/// The sum as a two's complement integer of 2240 bits, in units of 2^-1074.
#[derive(Clone)]
struct Big([u64; 35]);

impl Big {
    fn sum(values: &[f64]) -> Self {
        let mut total = Self([0; 35]);
        for &value in values {
            total.add(&Self::from(value));
        }
        total
    }

    fn from(value: f64) -> Self {
        let (bits, mut big) = (value.abs().to_bits(), Self([0; 35]));
        let exponent = (bits >> 52).max(1) as usize - 1;
        let mantissa = (bits & ((1 << 52) - 1)) | u64::from(bits >> 52 != 0) << 52;
        let shifted = u128::from(mantissa) << (exponent % 64);
        big.0[exponent / 64] = shifted as u64;
        big.0[exponent / 64 + 1] = (shifted >> 64) as u64;
        if value < 0.0 { big.negated() } else { big }
    }

    fn add(&mut self, other: &Self) {
        let mut carry = false;
        for (a, &b) in self.0.iter_mut().zip(&other.0) {
            let (sum, first) = a.overflowing_add(b);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            (*a, carry) = (sum, first | second);
        }
    }

    fn negated(&self) -> Self {
        let mut big = Self(self.0.map(|word| !word));
        let mut one = Self([0; 35]);
        one.0[0] = 1;
        big.add(&one);
        big
    }

    fn is_negative(&self) -> bool {
        self.0[34] >> 63 == 1
    }

    /// Whether `self <= other`.
    fn at_most(&self, other: &Self) -> bool {
        let mut difference = other.clone();
        difference.add(&self.negated());
        !difference.is_negative()
    }

    /// The distance to a finite value.
    fn distance(&self, value: f64) -> Self {
        let mut difference = self.clone();
        difference.add(&Self::from(-value));
        if difference.is_negative() { difference.negated() } else { difference }
    }
}

/// `value` is the nearest to the exact sum, and even if a neighbour is as near.
fn check_rounding(values: &[f64]) {
    let (value, exact) = (values.iter().copied().collect::<ExactSum>().value(), Big::sum(values));
    assert!(value.is_finite(), "these values do not overflow");
    let error = exact.distance(value);
    for neighbour in [value.next_up(), value.next_down()].into_iter().filter(|n| n.is_finite()) {
        let other = exact.distance(neighbour);
        assert!(error.at_most(&other), "{value:e} of {values:?}");
        let tie = other.at_most(&error);
        assert!(!tie || value.to_bits() & 1 == 0, "{value:e} of {values:?}");
    }
}

/// Finite values, of any exponent or of few, so that many cancel.
fn value() -> impl Strategy<Value = f64> {
    let any = any::<u64>().prop_map(|bits| f64::from_bits(bits & !(1 << 62)));
    let near = (-1_000_000_i64..1_000_000).prop_map(|x| x as f64 * 0.5_f64.powi(10));
    let tiny = (0_u64..1 << 54).prop_map(f64::from_bits);
    prop_oneof![any, near, tiny.clone(), tiny.prop_map(|x| -x)]
}

proptest! {
    #[test]
    fn the_value_is_the_correctly_rounded_sum(values in prop::collection::vec(value(), 0..40)) {
        check_rounding(&values);
    }

    #[test]
    fn of_two_values_it_is_the_sum(a in value(), b in value()) {
        prop_assert_eq!([a, b].into_iter().collect::<ExactSum>().value(), a + b);
    }

    #[test]
    fn order_and_grouping_do_not_matter(
        values in prop::collection::vec(value(), 0..60).prop_shuffle(),
        cut in 0_usize..60,
    ) {
        let whole: ExactSum = values.iter().copied().collect();
        let (left, right) = values.split_at(cut.min(values.len()));
        let (mut left, right): (ExactSum, ExactSum) =
            (left.iter().rev().copied().collect(), right.iter().copied().collect());
        let mut other_way = right.clone();
        other_way.merge(&left);
        left.merge(&right);
        prop_assert_eq!(left.to_words(), whole.to_words());
        prop_assert_eq!(other_way.to_words(), whole.to_words());
        prop_assert_eq!(left, whole.clone());
        let back = ExactSum::from_words(&whole.to_words()).expect("its own words");
        prop_assert_eq!(back.value().to_bits(), whole.value().to_bits());
        prop_assert_eq!(back, whole);
    }

    #[test]
    fn what_is_taken_away_leaves_nothing(values in prop::collection::vec(value(), 0..60)) {
        let sum: ExactSum = values.iter().chain(values.iter()).copied()
            .zip([1.0, -1.0].into_iter().flat_map(|s| std::iter::repeat_n(s, values.len())))
            .map(|(x, sign)| x * sign)
            .collect();
        prop_assert_eq!(sum.value().to_bits(), 0);
        prop_assert_eq!(sum, ExactSum::new());
    }
}

#[track_caller]
fn check(values: &[f64], expected: f64) {
    let sum: ExactSum = values.iter().copied().collect();
    assert_eq!(sum.value().to_bits(), expected.to_bits(), "{values:?}: {:e}", sum.value());
}

#[test]
fn cancellation() {
    check(&[1e308, 1.0, -1e308], 1.0);
    check(&[1e308, 1e308, -1e308, -1e308, -5e-324], -5e-324);
    check(&[-1.0, 1.0], 0.0);
}

#[test]
fn ties_go_to_even() {
    let ulp = f64::EPSILON;
    check(&[1.0, ulp / 2.0], 1.0);
    check(&[1.0 + ulp, ulp / 2.0], 1.0 + 2.0 * ulp);
    check(&[1.0, ulp / 2.0, 5e-324], 1.0 + ulp);
    check(&[1.0, ulp / 2.0, -5e-324], 1.0);
}

#[test]
fn subnormals() {
    let tiny = 5e-324;
    check(&[tiny, tiny, tiny], 3.0 * tiny);
    check(&[f64::MIN_POSITIVE, -tiny], f64::MIN_POSITIVE - tiny);
    check(&[f64::MIN_POSITIVE - tiny, tiny], f64::MIN_POSITIVE);
}

#[test]
fn overflow_is_an_infinity_and_only_at_the_end() {
    check(&[f64::MAX, f64::MAX], f64::INFINITY);
    check(&[f64::MIN, f64::MIN], f64::NEG_INFINITY);
    check(&[f64::MAX, f64::MAX, f64::MIN], f64::MAX);
    let half_ulp = 2.0_f64.powi(970);
    check(&[f64::MAX, half_ulp], f64::INFINITY);
    check(&[f64::MAX, half_ulp, -5e-324], f64::MAX);
}

#[test]
fn what_is_not_finite_is_remembered() {
    let (plus, minus) = (f64::INFINITY, f64::NEG_INFINITY);
    check(&[1.0, plus, 1.0], plus);
    check(&[minus, f64::MAX], minus);
    for values in [[plus, minus], [f64::NAN, 1.0], [minus, f64::NAN]] {
        let sum: ExactSum = values.into_iter().collect();
        assert!(sum.value().is_nan());
        let mut merged = ExactSum::new();
        merged.merge(&sum);
        assert!(merged.value().is_nan());
        assert_eq!(ExactSum::from_words(&sum.to_words()), Some(sum));
    }
}

#[test]
fn many_adds_carry_in_time() {
    let mut sum = ExactSum::new();
    let largest_chunk = f64::from_bits((32 << 52) | ((1 << 52) - 1));
    for _ in 0..100_000 {
        sum.add(largest_chunk);
        sum.add(-1.0);
    }
    sum.add(100_000.0);
    assert_eq!(sum.value(), largest_chunk * 100_000.0);
}

#[test]
fn words_of_no_sum_are_refused() {
    let mut words = ExactSum::new().to_words();
    words[3] = 1 << 32;
    assert_eq!(ExactSum::from_words(&words), None);
    words[3] = -1;
    assert_eq!(ExactSum::from_words(&words), None);
    words[3] = 0;
    words[ExactSum::WORDS - 1] = 8;
    assert_eq!(ExactSum::from_words(&words), None);
}
