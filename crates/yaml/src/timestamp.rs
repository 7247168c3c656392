//! The timestamps that Go's yaml v2 takes behind the tag `!!timestamp`. It keeps their text.

/// `2006-1-2`, `2006-1-2 15:4:5.9`, and with `T` or `t` and a zone, `2006-1-2T15:4:5.9Z07:00`.
pub(crate) fn is_timestamp(text: &str) -> bool {
    let Some((date, time)) = text.split_once(['T', 't', ' ']) else { return is_date(text) };
    if text.get(date.len()..).is_some_and(|rest| rest.starts_with(' ')) {
        return is_date(date) && is_time(time);
    }
    let zone = time.strip_suffix('Z').or_else(|| {
        let (clock, zone) = time.split_at_checked(time.len().checked_sub(6)?)?;
        let (hours, minutes) = zone.strip_prefix(['+', '-'])?.split_once(':')?;
        let small =
            |part: &str, most| part.len() == 2 && number(part, 2).is_some_and(|number| number <= most);
        (small(hours, 24) && small(minutes, 60)).then_some(clock)
    });
    is_date(date) && zone.is_some_and(is_time)
}

/// `2006-01-02T15:04:05.9Z07:00`, every part in full, as the times of Kubernetes are written.
pub(crate) fn is_rfc3339(text: &str) -> bool {
    let shape = text.split_at_checked(19).is_some_and(|(head, _)| {
        head.bytes().zip("dddd-dd-ddTdd:dd:dd".bytes()).all(|(byte, shape)| match shape {
            b'd' => byte.is_ascii_digit(),
            other => byte == other,
        })
    });
    shape && is_timestamp(text)
}

fn number(part: &str, longest: usize) -> Option<u32> {
    let digits = (1..=longest).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| part.parse().ok()).flatten()
}

fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let (Some(year), Some(month), Some(day), None) = (year, month, day, parts.next()) else { return false };
    let (Some(year_number), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2))
    else {
        return false;
    };
    let leap = year_number % 4 == 0 && (year_number % 100 != 0 || year_number % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    year.len() == 4 && (1..=days).contains(&day)
}

fn is_time(text: &str) -> bool {
    let (clock, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let parts: Vec<Option<u32>> = clock.split(':').map(|part| number(part, 2)).collect();
    let fine = match parts.as_slice() {
        [Some(hours), Some(minutes), Some(seconds)] => *hours < 24 && *minutes < 60 && *seconds < 60,
        _ => false,
    };
    fine && !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit())
}
