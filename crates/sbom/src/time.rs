//! Dates and times as plain values: a core has no clock.

use std::fmt;
use std::str::FromStr;

/// A calendar day (proleptic Gregorian), printed `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: i32,
    month: u8,
    day: u8,
}

impl Date {
    /// A day that exists in the calendar, years 0 to 9999.
    ///
    /// # Errors
    /// [`TimeError`] if it does not.
    pub fn new(year: i32, month: u8, day: u8) -> Result<Self, TimeError> {
        let refused = || TimeError { text: format!("{year:04}-{month:02}-{day:02}") };
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u8::from(leap),
            1..=12 => 31,
            _ => return Err(refused()),
        };
        if !(0..=9999).contains(&year) || day == 0 || day > days {
            return Err(refused());
        }
        Ok(Self { year, month, day })
    }

    /// Days since 1970-01-01.
    fn days(self) -> i64 {
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = i64::from(self.year) - i64::from(month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
    }
}

impl FromStr for Date {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || TimeError { text: text.chars().take(60).collect() };
        let mut parts = text.split('-');
        let mut part = |length: usize| {
            parts
                .next()
                .filter(|p| p.len() == length && p.bytes().all(|b| b.is_ascii_digit()))
                .ok_or_else(refused)
        };
        let (year, month, day) = (part(4)?, part(2)?, part(2)?);
        if parts.next().is_some() {
            return Err(refused());
        }
        Self::new(
            year.parse().map_err(|_| refused())?,
            month.parse().map_err(|_| refused())?,
            day.parse().map_err(|_| refused())?,
        )
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// A second in UTC, printed `YYYY-MM-DDThh:mm:ssZ`, years 0 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    seconds: i64,
}

impl Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z, without leap seconds.
    ///
    /// # Errors
    /// [`TimeError`] outside the years 0 to 9999.
    pub fn from_unix(seconds: i64) -> Result<Self, TimeError> {
        if (-62_167_219_200..=253_402_300_799).contains(&seconds) {
            Ok(Self { seconds })
        } else {
            Err(TimeError { text: seconds.to_string() })
        }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix(self) -> i64 {
        self.seconds
    }

    /// The day in UTC.
    #[must_use]
    pub fn date(self) -> Date {
        let days = self.seconds.div_euclid(86_400) + 719_468;
        let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Date {
            year: i32::try_from(year).unwrap_or(0),
            month: u8::try_from(month).unwrap_or(1),
            day: u8::try_from(day).unwrap_or(1),
        }
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    /// RFC 3339; fractions of a second are dropped, an offset is applied.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || TimeError { text: text.chars().take(60).collect() };
        let (date, clock) = text.split_once(['T', 't', ' ']).ok_or_else(refused)?;
        let date: Date = date.parse()?;
        let number = |from: usize, max: i64| -> Option<i64> {
            let digits = clock.get(from..from.saturating_add(2))?;
            let all = digits.bytes().all(|b| b.is_ascii_digit());
            digits.parse().ok().filter(|n| all && *n <= max)
        };
        let (hour, minute, second) = (number(0, 23), number(3, 59), number(6, 60));
        let (Some(hour), Some(minute), Some(second)) = (hour, minute, second) else { return Err(refused()) };
        if clock.get(2..3) != Some(":") || clock.get(5..6) != Some(":") {
            return Err(refused());
        }
        let mut rest = clock.get(8..).unwrap_or_default();
        if let Some(fraction) = rest.strip_prefix('.') {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                return Err(refused());
            }
            rest = fraction.get(digits..).unwrap_or_default();
        }
        let offset = match rest {
            "Z" | "z" => 0,
            _ => {
                let sign = match rest.chars().next() {
                    Some('+') => 1,
                    Some('-') => -1,
                    _ => return Err(refused()),
                };
                let (hours, minutes) = rest.get(1..).and_then(|r| r.split_once(':')).ok_or_else(refused)?;
                let part = |p: &str, max: i64| {
                    p.parse::<i64>()
                        .ok()
                        .filter(|n| p.len() == 2 && (0..=max).contains(n))
                        .ok_or_else(refused)
                };
                sign * (part(hours, 23)? * 3600 + part(minutes, 59)? * 60)
            }
        };
        Self::from_unix(date.days() * 86_400 + hour * 3600 + minute * 60 + second.min(59) - offset)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = self.seconds.rem_euclid(86_400);
        write!(f, "{}T{:02}:{:02}:{:02}Z", self.date(), second / 3600, second / 60 % 60, second % 60)
    }
}

/// A text or number that is no date or time here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no date (YYYY-MM-DD) or time (RFC 3339) of the years 0 to 9999")]
pub struct TimeError {
    /// What was given, cut to 60 characters.
    pub text: String,
}
