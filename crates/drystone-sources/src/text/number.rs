//! Numbers in fields, and fields without one.

use drystone_core::block::RecordElement;

use super::decimal;

/// A number that is read from text, correctly rounded to its own type.
pub(crate) trait Number: RecordElement {
    /// What a missing value is read as.
    const NAN: Self;

    /// The number, the word `inf` included; `None` for anything else, `NaN` and numbers
    /// beyond the type's range included.
    fn parse(field: &[u8]) -> Option<Self>;
}

macro_rules! impl_number {
    ($($t:ty: $fast:ident),*) => {$(
        impl Number for $t {
            const NAN: Self = <$t>::NAN;

            #[inline]
            fn parse(field: &[u8]) -> Option<Self> {
                if let Some(value) = decimal::$fast(field) {
                    return Some(value);
                }
                let value: $t = std::str::from_utf8(field).ok()?.parse().ok()?;
                let beyond = value.is_infinite() && field.iter().any(u8::is_ascii_digit);
                if value.is_nan() || beyond { None } else { Some(value) }
            }
        }
    )*};
}
impl_number!(f32: fast_f32, f64: fast_f64);

/// An integer in decimal digits, with an optional sign.
pub(crate) fn integer(field: &[u8]) -> Option<i64> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// Whether a field stands for no value: see [`Missing`](crate::csv::Missing).
pub(crate) fn is_missing(field: &[u8]) -> bool {
    const WORDS: [&[u8]; 7] = [b"na", b"n/a", b"nan", b"+nan", b"-nan", b"null", b"none"];
    field.is_empty() || field == b"?" || WORDS.iter().any(|word| field.eq_ignore_ascii_case(word))
}
