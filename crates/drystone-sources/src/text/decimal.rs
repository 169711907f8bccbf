//! The fast way to read a short decimal: digits with at most one point, as most numbers
//! in files are.
//!
//! It gives the number that the standard library gives, to the last bit, or nothing: an
//! integer below 2^53 (2^24 for `f32`) and a power of ten up to 10^22 (10^10) are exact,
//! and so their quotient is rounded once.
//!
//! W. D. Clinger. How to read floating point numbers accurately. PLDI 1990.
//! doi:10.1145/93542.93557

/// Longer fields are left to the standard library: they have too many digits. 19 digits
/// cannot overflow a `u64`.
const MAX_LEN: usize = 18;

/// A decimal number: `digits / 10^scale`.
struct Decimal {
    negative: bool,
    digits: u64,
    scale: usize,
}

#[inline]
fn scan(field: &[u8]) -> Option<Decimal> {
    let (negative, unsigned) = match field {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, field),
    };
    if unsigned.len() > MAX_LEN {
        return None;
    }
    let (mut digits, mut seen, mut point) = (0_u64, 0, None);
    for &byte in unsigned {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            digits = digits * 10 + u64::from(digit);
            seen += 1;
        } else if byte == b'.' && point.is_none() {
            point = Some(seen);
        } else {
            return None;
        }
    }
    let scale = seen - point.unwrap_or(seen);
    (seen > 0).then_some(Decimal { negative, digits, scale })
}

macro_rules! fast {
    ($name:ident, $t:ty, $powers:expr) => {
        /// The number, if it is short enough to be read exactly.
        #[inline]
        pub(crate) fn $name(field: &[u8]) -> Option<$t> {
            const POWERS: &[$t] = &$powers;
            let decimal = scan(field)?;
            if decimal.digits > 1 << <$t>::MANTISSA_DIGITS {
                return None;
            }
            let value = decimal.digits as $t / POWERS.get(decimal.scale)?;
            Some(if decimal.negative { -value } else { value })
        }
    };
}

fast!(fast_f32, f32, [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10]);
fast!(
    fast_f64,
    f64,
    [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22
    ]
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{fast_f32, fast_f64};

    fn check(text: &str) {
        if let Some(value) = fast_f64(text.as_bytes()) {
            assert_eq!(Ok(value.to_bits()), text.parse().map(f64::to_bits), "{text}");
        }
        if let Some(value) = fast_f32(text.as_bytes()) {
            assert_eq!(Ok(value.to_bits()), text.parse().map(f32::to_bits), "{text}");
        }
    }

    proptest! {
        #[test]
        fn matches_the_standard_library(text in "[-+]{0,1}[0-9]{0,12}[.]{0,2}[0-9]{0,12}") {
            check(&text);
        }

        #[test]
        fn matches_it_on_any_bytes(text in "[-+.0-9eE ]{0,8}") {
            check(&text);
        }
    }

    #[test]
    fn borders() {
        for text in
            ["", "-", ".", "-.", "0", "-0", ".5", "5.", "9007199254740992", "9007199254740993"]
        {
            check(text);
        }
        assert_eq!(fast_f64(b"-0").map(f64::is_sign_negative), Some(true));
        assert_eq!(fast_f64(b"0.1"), Some(0.1));
        assert_eq!(fast_f64(b"9007199254740993"), None);
        assert_eq!(fast_f32(b"16777217"), None);
    }
}
