use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time in UTC, to the nanosecond, from year 1 to year 9999. It is always somebody's: a certificate's, a
/// timestamp authority's, a log's, or the caller's; nothing here asks a clock.
///
/// Written and read as RFC 3339.
///
/// ```
/// use lotse_sign::Time;
///
/// let time: Time = "2022-12-31T23:59:59.999Z".parse()?;
/// assert_eq!(time.to_string(), "2022-12-31T23:59:59.999Z");
/// assert!(time < Time::from_seconds(1_672_531_200));
/// # Ok::<(), lotse_sign::ParseTimeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    seconds: i64,
    nanoseconds: u32,
}

const DAY: i64 = 86_400;
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;

impl Time {
    /// Seconds since 1970, held to the years 1 to 9999.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        let seconds = if seconds < FIRST {
            FIRST
        } else if seconds > LAST {
            LAST
        } else {
            seconds
        };
        Self { seconds, nanoseconds: 0 }
    }

    /// Milliseconds since 1970, as certificate transparency counts.
    #[must_use]
    pub fn from_milliseconds(milliseconds: u64) -> Self {
        let seconds = i64::try_from(milliseconds / 1000).unwrap_or(LAST);
        let rest = u32::try_from(milliseconds % 1000).unwrap_or(0);
        Self { nanoseconds: rest * 1_000_000, ..Self::from_seconds(seconds) }
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// The date: year, month, day.
    #[must_use]
    pub const fn date(self) -> (i64, i64, i64) {
        civil(self.seconds.div_euclid(DAY))
    }

    /// The first moment of the second after this one, for windows that must still hold what is written in whole seconds.
    pub(crate) const fn next_second(self) -> Self {
        Self::from_seconds(self.seconds + 1)
    }

    /// `YYYYMMDDHHMMSS[.f…]Z`.
    pub(crate) fn parse_asn1(text: &str) -> Option<Self> {
        let text = text.strip_suffix('Z')?;
        let (whole, fraction) = match text.split_once('.') {
            // DER: no zeros at the end of a fraction.
            Some((_, fraction)) if fraction.is_empty() || fraction.ends_with('0') => return None,
            Some((whole, fraction)) => (whole, fraction),
            None => (text, ""),
        };
        if whole.len() != 14 {
            return None;
        }
        let part = |from: usize, to: usize| number(whole.get(from..to)?);
        let seconds = civil_seconds(
            [part(0, 4)?, part(4, 6)?, part(6, 8)?],
            [part(8, 10)?, part(10, 12)?, part(12, 14)?],
        )?;
        Some(Self { seconds, nanoseconds: nanoseconds(fraction)? })
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let second = self.seconds.rem_euclid(DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if self.nanoseconds > 0 {
            let fraction = format!("{:09}", self.nanoseconds);
            write!(f, ".{}", fraction.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

impl FromStr for Time {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        parse(text).ok_or_else(|| ParseTimeError(text.chars().take(40).collect()))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A text that is no RFC 3339 time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no RFC 3339 time, such as 2026-11-21T10:00:00Z")]
pub struct ParseTimeError(String);

fn parse(text: &str) -> Option<Time> {
    let (date, time) = text.split_once(['T', 't'])?;
    let (time, offset) = match time.strip_suffix(['Z', 'z']) {
        Some(time) => (time, 0),
        None => {
            let at = time.rfind(['+', '-'])?;
            let (time, zone) = time.split_at_checked(at)?;
            let [hour, minute] = numbers(zone.get(1..)?, ':', [2, 2])?;
            if hour > 23 || minute > 59 {
                return None;
            }
            let offset = hour * 3600 + minute * 60;
            (time, if zone.starts_with('-') { -offset } else { offset })
        }
    };
    let (time, fraction) = match time.split_once('.') {
        Some((_, "")) => return None,
        Some((time, fraction)) => (time, fraction),
        None => (time, ""),
    };
    let seconds = civil_seconds(numbers(date, '-', [4, 2, 2])?, numbers(time, ':', [2, 2, 2])?)? - offset;
    if !(FIRST..=LAST).contains(&seconds) {
        return None;
    }
    Some(Time { seconds, nanoseconds: nanoseconds(fraction)? })
}

/// Up to nine digits after the point.
fn nanoseconds(fraction: &str) -> Option<u32> {
    if fraction.len() > 9 {
        return None;
    }
    let padded = format!("{fraction:0<9}");
    u32::try_from(number(&padded)?).ok()
}

fn number(text: &str) -> Option<i64> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn numbers<const N: usize>(text: &str, separator: char, lengths: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(separator);
    let mut found = [0; N];
    for (slot, length) in found.iter_mut().zip(lengths) {
        let part = parts.next()?;
        if part.len() != length {
            return None;
        }
        *slot = number(part)?;
    }
    parts.next().is_none().then_some(found)
}

fn civil_seconds(date: [i64; 3], time: [i64; 3]) -> Option<i64> {
    let ([year, month, day], [hour, minute, second]) = (date, time);
    let days = days(year, month, day);
    // Second 60 exists on paper; no clock that we meet writes it.
    let valid = year >= 1 && civil(days) == (year, month, day) && hour < 24 && minute < 60 && second < 60;
    valid.then(|| days * DAY + hour * 3600 + minute * 60 + second)
}

/// Days since 1970 of a date in the proleptic Gregorian calendar.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is the last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

const fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}
