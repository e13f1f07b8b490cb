//! Instants and spans: UTC with millisecond precision, calendar steps of months and years.

mod civil;
mod span;

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeZone, Utc};

pub(crate) use civil::{DAY, MonthStep, civil_from_days, days_from_civil, days_in_month, step_months};
pub use span::{Span, days, hours, millis, minutes, months, seconds, weeks, years};

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
///
/// Facts and evaluations accept the years 1 to 9999 ([`Timestamp::MIN`] to [`Timestamp::MAX`]); other
/// instants can be written down but are refused there. In text it is RFC 3339; finer input is floored to the
/// millisecond.
///
/// ```
/// use whodid::Timestamp;
/// let at: Timestamp = "2026-06-15T14:00:00.1239+02:00".parse()?;
/// assert_eq!(at.to_string(), "2026-06-15T12:00:00.123Z");
///
/// // From the clocks of std and of chrono, and back to chrono.
/// assert_eq!(Timestamp::from(std::time::UNIX_EPOCH), Timestamp::from_millis(0));
/// let there: chrono::DateTime<chrono::Utc> = at.try_into()?;
/// assert_eq!(Timestamp::from(there), at);
/// # Ok::<(), whodid::TimeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub(crate) i64);

/// A calendar unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// An hour (only in `active`).
    Hour,
    /// A local day.
    Day,
    /// A week, from Monday.
    Week,
    /// A month.
    Month,
    /// A quarter (only in `calendar`).
    Quarter,
    /// A year (only in `calendar`).
    Year,
}

impl Unit {
    /// Its name in JSON and in English: `day`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }
}

/// Why a text is no instant or no span.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// The text is not RFC 3339 with an offset.
    #[error("{0:?} is no instant: expected RFC 3339 with an offset, such as 2026-06-15T12:00:00Z")]
    NotRfc3339(String),
    /// The instant lies outside the years 1 to 9999.
    #[error("{0:?} lies outside the years 1 to 9999")]
    OutOfRange(String),
    /// The text is no span.
    #[error(
        "{0:?} is no span: expected numbers with units of ms s m h d w mo y, each at most once, such as 30d or 1d12h"
    )]
    NotASpan(String),
    /// The span is zero or longer than 10 000 years.
    #[error("the span {0:?} is not longer than 0 and at most 10 000 years")]
    SpanOutOfRange(String),
}

impl Timestamp {
    /// The first instant of the year 1.
    pub const MIN: Self = Self(-62_135_596_800_000);
    /// The last millisecond of the year 9999.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// The instant so many milliseconds after (negative: before) 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whether it lies in the years 1 to 9999.
    pub fn in_range(self) -> bool {
        (Self::MIN..=Self::MAX).contains(&self)
    }

    /// The instant a span later: years and months as calendar steps first, then the rest.
    ///
    /// Where the month arrived at lacks the day, its last millisecond is meant.
    #[must_use]
    pub fn plus(self, span: Span) -> Self {
        Self(step_months(self.0, span.all_months()).millis().saturating_add_unsigned(span.millis))
    }

    /// How long it is until a later instant; nothing where that is not later.
    ///
    /// ```
    /// use std::time::Duration;
    /// use whodid::{Timestamp, seconds};
    ///
    /// let now: Timestamp = "2026-06-15T12:00:00Z".parse()?;
    /// assert_eq!(now.until(now.plus(seconds(90))), Duration::from_secs(90));
    /// assert_eq!(now.until(now.minus(seconds(1))), Duration::ZERO);
    /// # Ok::<(), whodid::TimeError>(())
    /// ```
    pub fn until(self, later: Self) -> Duration {
        Duration::from_millis(u64::try_from(later.0.saturating_sub(self.0)).unwrap_or(0))
    }

    /// The instant a span earlier: years and months as calendar steps first, then the rest.
    ///
    /// Where the month arrived at lacks the day, its last millisecond is meant.
    #[must_use]
    pub fn minus(self, span: Span) -> Self {
        Self(step_months(self.0, -span.all_months()).millis().saturating_sub_unsigned(span.millis))
    }
}

impl<Tz: TimeZone> From<DateTime<Tz>> for Timestamp {
    fn from(at: DateTime<Tz>) -> Self {
        Self(at.timestamp_millis())
    }
}

/// Floored to the millisecond.
impl From<SystemTime> for Timestamp {
    fn from(at: SystemTime) -> Self {
        let since = match at.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => i128::try_from(since.as_nanos()).unwrap_or(i128::MAX),
            Err(before) => i128::try_from(before.duration().as_nanos()).map_or(i128::MIN, |nanos| -nanos),
        };
        let millis = since.div_euclid(1_000_000);
        Self(i64::try_from(millis).unwrap_or(if millis < 0 { i64::MIN } else { i64::MAX }))
    }
}

/// Of the years 1 to 9999, and of others as far as `chrono` goes: beyond, it is [`TimeError::OutOfRange`].
impl TryFrom<Timestamp> for DateTime<Utc> {
    type Error = TimeError;

    fn try_from(at: Timestamp) -> Result<Self, TimeError> {
        Self::from_timestamp_millis(at.0).ok_or_else(|| TimeError::OutOfRange(at.0.to_string()))
    }
}

/// `Timestamp(2026-06-15T12:00:00Z)`.
impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0.div_euclid(DAY));
        let millis = self.0.rem_euclid(DAY);
        let (hour, minute, second) = (millis / 3_600_000, millis / 60_000 % 60, millis / 1_000 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match millis % 1_000 {
            0 => f.write_str("Z"),
            fraction => write!(f, ".{fraction:03}Z"),
        }
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let at = rfc3339(text.as_bytes()).ok_or_else(|| TimeError::NotRfc3339(text.to_owned()))?;
        if at.in_range() { Ok(at) } else { Err(TimeError::OutOfRange(text.to_owned())) }
    }
}

/// A fixed number of ASCII digits at `from`.
fn digits(text: &[u8], from: usize, len: usize) -> Option<u32> {
    text.get(from..from + len)?
        .iter()
        .try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))
}

/// Strict RFC 3339, without the range of years; `None` where the text is anything else.
fn rfc3339(text: &[u8]) -> Option<Timestamp> {
    let at = |i: usize, any: &[u8]| text.get(i).is_some_and(|b| any.contains(b)).then_some(());
    let (year, month, day) = (digits(text, 0, 4)?, digits(text, 5, 2)?, digits(text, 8, 2)?);
    at(4, b"-").and(at(7, b"-")).and(at(10, b"Tt")).and(at(13, b":")).and(at(16, b":"))?;
    let (hour, minute, second) = (digits(text, 11, 2)?, digits(text, 14, 2)?, digits(text, 17, 2)?);
    let (mut end, mut millis) = (19, 0);
    if text.get(end) == Some(&b'.') {
        let fraction = text.get(20..)?.iter().take_while(|b| b.is_ascii_digit()).count();
        end = 20 + fraction;
        millis = match fraction {
            0 => return None,
            1 => digits(text, 20, 1)? * 100,
            2 => digits(text, 20, 2)? * 10,
            _ => digits(text, 20, 3)?,
        };
    }
    let offset = match (text.get(end)?, &text[end + 1..]) {
        (b'Z' | b'z', []) => 0,
        (sign @ (b'+' | b'-'), [_, _, b':', _, _]) => {
            let (hours, minutes) = (digits(text, end + 1, 2)?, digits(text, end + 4, 2)?);
            let offset = i64::from((hours < 24 && minutes < 60).then_some(hours * 60 + minutes)?);
            if *sign == b'+' { offset } else { -offset }
        }
        _ => return None,
    };
    let valid = (1..=12).contains(&month)
        && (1..=days_in_month(year.into(), month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    let time = (i64::from(hour) * 60 + i64::from(minute) - offset) * 60_000;
    let time = time + i64::from(second) * 1_000 + i64::from(millis);
    valid.then(|| Timestamp(days_from_civil(year.into(), month, day) * DAY + time))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn months_clamp_to_the_last_millisecond() {
        for day in [29, 30, 31] {
            let t = at(&format!("2026-03-{day}T06:00:00Z"));
            assert_eq!(t.minus(months(1)).to_string(), "2026-02-28T23:59:59.999Z");
        }
        assert_eq!(at("2026-03-28T06:00:00Z").minus(months(1)).to_string(), "2026-02-28T06:00:00Z");
        assert_eq!(at("2024-02-29T06:00:00Z").plus(years(1)).to_string(), "2025-02-28T23:59:59.999Z");
    }

    #[test]
    fn instants_of_other_clocks() {
        let epoch = SystemTime::UNIX_EPOCH;
        assert_eq!(Timestamp::from(epoch + Duration::from_nanos(1_999_999)).millis(), 1);
        assert_eq!(Timestamp::from(epoch - Duration::from_nanos(1)).millis(), -1);
        assert_eq!(Timestamp::from(epoch - Duration::from_millis(2)).millis(), -2);
        for at in [Timestamp::MIN, Timestamp::MAX] {
            assert_eq!(DateTime::<Utc>::try_from(at).map(Timestamp::from), Ok(at));
        }
        for millis in [i64::MIN, i64::MAX] {
            let out = TimeError::OutOfRange(millis.to_string());
            assert_eq!(DateTime::<Utc>::try_from(Timestamp::from_millis(millis)), Err(out));
        }
    }

    #[test]
    fn instants_in_text() {
        assert_eq!(at("0001-01-01T00:00:00Z"), Timestamp::MIN);
        assert_eq!(at("9999-12-31T23:59:59.9999Z"), Timestamp::MAX);
        assert_eq!(at("1969-12-31T23:59:59.9999z").millis(), -1);
        let bad = [
            "2026-06-14",
            "2026-02-30T00:00:00Z",
            "2026-06-14 00:00:00Z",
            "2026-06-14T24:00:00Z",
            "2026-06-14T00:00:60Z",
            "2026-06-14T00:00:00",
            "2026-06-14T00:00:00.Z",
            "2026-06-14T00:00:00+0100",
            "2026-06-14T00:00:00+24:00",
            "0000-12-31T23:59:59Z",
            "9999-12-31T23:59:59-00:01",
            "",
            "x",
            "2026-06-14T00:00:00Zé",
        ];
        for text in bad {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }
}
