//! Days since 1970-01-01 and calendar dates, both ways (Hinnant, "chrono-Compatible Low-Level Date
//! Algorithms": years counted from March, so that the leap day comes last).

/// `YYYY-MM-DD` of a day. Years outside 0 to 9999 take a sign and as many digits as they need.
#[must_use]
pub fn format_days(days: i64) -> String {
    let (year, month, day) = calendar(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The year of a day.
pub(crate) fn year_of(days: i64) -> i64 {
    calendar(days).0
}

/// Year, month and day of the month.
fn calendar(days: i64) -> (i64, i64, i64) {
    let days = days.clamp(-100_000_000_000, 100_000_000_000) + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The day of a `YYYY-MM-DD`, or `None` where that is no date of the calendar.
#[must_use]
pub fn parse_days(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let part = |range: std::ops::Range<usize>| {
        let digits = text.get(range)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<i64>().ok())?
    };
    let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year_from_march = year - i64::from(month <= 2);
    let (era, year_of_era) = (year_from_march.div_euclid(400), year_from_march.rem_euclid(400));
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    // A 31st of April comes back as the 1st of May: not a date.
    (format_days(days) == text).then_some(days)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn dates_round_trip() {
        assert_eq!(parse_days("1970-01-01"), Some(0));
        assert_eq!(parse_days("2000-02-29"), Some(11_016));
        for days in (-719_528..2_932_896).step_by(97) {
            assert_eq!(parse_days(&format_days(days)), Some(days));
            assert_eq!(format_days(days)[..4].parse(), Ok(year_of(days)));
        }
        for wrong in
            ["1999-02-29", "2000-13-01", "2000-00-10", "2000-1-01", "", "20000-01-1", "+200-01-01"]
        {
            assert_eq!(parse_days(wrong), None, "{wrong}");
        }
    }
}
