//! Times of modification as people read them.

/// Nanoseconds since 1970 as a date and time of day in UTC, to the nanosecond.
pub(crate) fn utc(ns: i64) -> String {
    const SECOND: i64 = 1_000_000_000;
    let (seconds, ns) = (ns.div_euclid(SECOND), ns.rem_euclid(SECOND));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{ns:09} UTC")
}

/// The date of a day, counted from 1970-01-01. Years start in March here, so that the day
/// that some have more is their last.
///
/// # References
/// E. G. Richards, "Calendars", Explanatory Supplement to the Astronomical Almanac, 3rd ed.
fn date(days: i64) -> (i64, i64, i64) {
    const FOUR_CENTURIES: i64 = 146_097;
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(FOUR_CENTURIES), days.rem_euclid(FOUR_CENTURIES));
    let year = (day - day / 1_460 + day / 36_524 - day / (FOUR_CENTURIES - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let day = day - (153 * from_march + 2) / 5 + 1;
    (400 * era + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_dates() {
        // As `date -u -d @...` gives them.
        for (ns, expected) in [
            (0, "1970-01-01 00:00:00.000000000 UTC"),
            (-1, "1969-12-31 23:59:59.999999999 UTC"),
            (951_827_696_000_000_007, "2000-02-29 12:34:56.000000007 UTC"),
            (1_772_323_200_000_000_000, "2026-03-01 00:00:00.000000000 UTC"),
            (4_107_542_399_500_000_000, "2100-02-28 23:59:59.500000000 UTC"),
            (4_107_542_400_000_000_000, "2100-03-01 00:00:00.000000000 UTC"),
            (i64::MAX, "2262-04-11 23:47:16.854775807 UTC"),
            (i64::MIN, "1677-09-21 00:12:43.145224192 UTC"),
        ] {
            assert_eq!(utc(ns), expected);
        }
    }

    #[test]
    fn days_follow_each_other() {
        let mut last = date(-200_000);
        for days in -199_999..200_000 {
            let (year, month, day) = date(days);
            let next = match (last, (year, month, day)) {
                ((y, m, d), (year, month, day)) if d + 1 == day => (y, m) == (year, month),
                ((y, 12, 31), (year, 1, 1)) => y + 1 == year,
                ((y, m, d), (year, month, 1)) => (y, m + 1) == (year, month) && d >= 28,
                _ => false,
            };
            assert!(next, "{last:?} is not followed by {:?}", (year, month, day));
            last = (year, month, day);
        }
    }
}
