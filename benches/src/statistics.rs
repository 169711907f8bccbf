//! Medians and relative differences.

/// The middle value, or the mean of the two middle ones; NaN of none.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.len() / 2, sorted.len() % 2) {
        (0, 0) => f64::NAN,
        (half, 0) => f64::midpoint(sorted[half - 1], sorted[half]),
        (half, _) => sorted[half],
    }
}

/// How much `found` is above `wanted`, as a part of it; negative if it is below.
#[must_use]
pub fn excess(found: f64, wanted: f64) -> f64 {
    found / wanted - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn below_is_negative() {
        assert_eq!(excess(1.5, 2.0), -0.25);
    }
}
