//! `Retry-After`: seconds, or a date (RFC 9110, sections 5.6.7 and 10.2.3).

use std::time::Duration;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// How long the field asks to wait, seen from `now` (seconds since 1970). A date in the past is no wait.
pub(crate) fn retry_after(field: &str, now: u64) -> Option<Duration> {
    let field = field.trim();
    if !field.is_empty() && field.len() <= 10 && field.bytes().all(|byte| byte.is_ascii_digit()) {
        return field.parse().ok().map(Duration::from_secs);
    }
    date(field).map(|then| Duration::from_secs(then.saturating_sub(now)))
}

/// Seconds since 1970 of an HTTP date in any of its three forms.
fn date(text: &str) -> Option<u64> {
    if !text.is_ascii() || text.len() > 64 {
        return None;
    }
    let words: Vec<&str> = text.split([' ', ',', '-']).filter(|word| !word.is_empty()).collect();
    let (day, month, year, time) = match words.as_slice() {
        // `Sun, 06 Nov 1994 08:49:37 GMT` and `Sunday, 06-Nov-94 08:49:37 GMT`
        [_, day, month, year, time, "GMT"] => (day, month, year, time),
        // `Sun Nov  6 08:49:37 1994`
        [_, month, day, time, year] => (day, month, year, time),
        _ => return None,
    };
    let month = MONTHS.iter().position(|name| name == month)?;
    let short = year.len() == 2;
    let year: u64 = year.parse().ok()?;
    let year = if short { year + if year < 70 { 2000 } else { 1900 } } else { year };
    let day: u64 = day.parse().ok()?;
    let mut parts = time.split(':').map(str::parse::<u64>);
    let (hour, minute, second) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    if !(1970..=9999).contains(&year) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days from civil, counted from March so that the leap day comes last.
    let month = u64::try_from(month).ok()?;
    let (shifted_year, shifted_month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let days = 365 * shifted_year + shifted_year / 4 - shifted_year / 100
        + shifted_year / 400
        + (153 * shifted_month + 2) / 5
        + day
        - 1;
    (days.checked_sub(719_468)?).checked_mul(86_400)?.checked_add(hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_the_three_forms_of_a_date_are_read() {
        let then = 784_111_777;
        for (field, now, expected) in [
            ("120", 0, Some(120)),
            (" 0 ", 0, Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", then - 30, Some(30)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", then - 30, Some(30)),
            ("Sun Nov  6 08:49:37 1994", then - 30, Some(30)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", then + 30, Some(0)),
            ("Thu, 29 Feb 2024 00:00:00 GMT", 1_709_164_800 - 1, Some(1)),
            ("99999999999", 0, None),
            ("-1", 0, None),
            ("Sun, 06 Nov 1994 25:49:37 GMT", 0, None),
            ("soon", 0, None),
            ("", 0, None),
        ] {
            assert_eq!(retry_after(field, now), expected.map(Duration::from_secs), "{field:?} at {now}");
        }
    }
}
