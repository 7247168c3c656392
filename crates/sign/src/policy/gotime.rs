//! RFC 3339 as Go's `time.Time` reads and writes it in JSON.

use super::json::go_quote;

/// The time as Go writes it again: a zero offset is `Z`, fractions lose their trailing zeros.
pub(crate) fn normalise(text: &str) -> Result<String, String> {
    read(text).ok_or_else(|| {
        let quoted = go_quote(text);
        format!("parsing time {quoted} as \"2006-01-02T15:04:05Z07:00\": cannot parse {quoted} as \"2006\"")
    })
}

fn read(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<u32> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let literal = |at: usize, wanted: u8| (bytes.get(at) == Some(&wanted)).then_some(());
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    for (at, wanted) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')] {
        literal(at, wanted)?;
    }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if day == 0 || day > days || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut at = 19;
    let mut fraction = String::new();
    if bytes.get(at) == Some(&b'.') {
        let digits: String = text.get(20..)?.chars().take_while(char::is_ascii_digit).collect();
        if digits.is_empty() {
            return None;
        }
        at = 20 + digits.len();
        let nanoseconds: String = digits.chars().take(9).collect();
        let short = nanoseconds.trim_end_matches('0');
        if !short.is_empty() {
            fraction = format!(".{short}");
        }
    }
    let zone = match text.get(at..)? {
        "Z" | "+00:00" | "-00:00" => "Z",
        zone => {
            let sign = zone.as_bytes().first()?;
            let fits =
                zone.len() == 6 && matches!(sign, b'+' | b'-') && zone.as_bytes().get(3) == Some(&b':');
            let (hours, minutes) = (number(at + 1, at + 3)?, number(at + 4, at + 6)?);
            if !fits || hours > 23 || minutes > 59 {
                return None;
            }
            zone
        }
    };
    Some(format!("{}{fraction}{zone}", text.get(..19)?))
}
