use std::fmt;
use std::str::FromStr;

use lotse_sign::Time;

/// A point in time, to the second, given by whoever knows it (a commit, a CI system): nothing here asks a clock.
///
/// Printed as RFC 3339 in UTC.
///
/// ```
/// let time: lotse_provenance::Timestamp = "2025-10-14T06:36:07Z".parse()?;
/// assert_eq!(time.seconds(), 1_760_423_767);
/// assert_eq!(time.to_string(), "2025-10-14T06:36:07Z");
/// # Ok::<(), lotse_provenance::ParseTimestampError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The last second of the year 9999, which RFC 3339 can still write.
const LAST: i64 = 253_402_300_799;

impl Timestamp {
    /// Seconds since 1970 in UTC, held to the years 1970 to 9999.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        if seconds < 0 {
            Self(0)
        } else if seconds > LAST {
            Self(LAST)
        } else {
            Self(seconds)
        }
    }

    /// Seconds since 1970 in UTC, never negative.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// The date in UTC: year, month, day.
    #[must_use]
    pub const fn date(self) -> (i64, i64, i64) {
        Time::from_seconds(self.0).date()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Time::from_seconds(self.0).fmt(f)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, ParseTimestampError> {
        parse(text).ok_or_else(|| ParseTimestampError(text.chars().take(40).collect()))
    }
}

/// A text that is no RFC 3339 time in UTC.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time as 2026-11-21T10:00:00Z, or a date as 2026-11-21, from 1970 on")]
pub struct ParseTimestampError(String);

/// A date alone is its first second. What may be written is narrower than RFC 3339: whole seconds, `T` and `Z`.
fn parse(text: &str) -> Option<Timestamp> {
    let text = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let plain = text.len() == 20 && text.as_bytes().get(10) == Some(&b'T') && text.ends_with('Z');
    let seconds = text.parse::<Time>().ok().filter(|_| plain)?.seconds();
    (seconds >= 0).then_some(Timestamp(seconds))
}
