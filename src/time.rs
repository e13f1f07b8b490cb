//! Instants and spans: UTC with millisecond precision, calendar steps of months and years.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, TimeZone};

/// Milliseconds in a day of 24 hours.
pub(crate) const DAY: i64 = 86_400_000;

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
/// # Ok::<(), whodid::TimeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub(crate) i64);

/// A span of time as people write it: `30d`, `1d12h`, `2mo`.
///
/// Years and months are calendar steps; a day is 24 hours. Two spans are equal when they are written with
/// the same number of years, the same number of months and the same rest.
///
/// ```
/// use whodid::{Span, days};
/// let span: Span = "1w12h".parse()?;
/// assert_eq!(span, days(7) + whodid::hours(12));
/// assert_eq!(span.to_string(), "7d12h");
/// # Ok::<(), whodid::TimeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    pub(crate) years: u32,
    pub(crate) months: u32,
    /// Weeks, days, hours, minutes, seconds and milliseconds, in milliseconds.
    pub(crate) millis: u64,
}

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

/// Days since 1970-01-01 of a proleptic Gregorian date; `day` may run over.
///
/// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
pub(crate) fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = i64::from((153 * ((month + 9) % 12) + 2) / 5 + day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month (1 to 12) and day (1 to 31) of a day since 1970-01-01.
///
/// Source: as for [`days_from_civil`], `civil_from_days`.
pub(crate) fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month.unsigned_abs() as u32, day.unsigned_abs() as u32)
}

/// How many days a month has.
pub(crate) fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Where so many months on lead.
pub(crate) enum MonthStep {
    /// The same day and time of day.
    Day(i64),
    /// The month lacks the day: the first millisecond of the next one.
    Lacking(i64),
}

impl MonthStep {
    /// The last millisecond of a month that lacks the day.
    fn millis(self) -> i64 {
        match self {
            Self::Day(at) => at,
            Self::Lacking(next) => next.saturating_sub(1),
        }
    }
}

pub(crate) fn step_months(at: i64, months: i64) -> MonthStep {
    if months == 0 {
        return MonthStep::Day(at);
    }
    let (year, month, day) = civil_from_days(at.div_euclid(DAY));
    let index = year * 12 + i64::from(month) - 1 + months;
    let (year, month) = (index.div_euclid(12), index.rem_euclid(12).unsigned_abs() as u32 + 1);
    let last = days_in_month(year, month);
    if day > last {
        MonthStep::Lacking((days_from_civil(year, month, last) + 1).saturating_mul(DAY))
    } else {
        MonthStep::Day(
            days_from_civil(year, month, day).saturating_mul(DAY).saturating_add(at.rem_euclid(DAY)),
        )
    }
}

impl<Tz: TimeZone> From<DateTime<Tz>> for Timestamp {
    fn from(at: DateTime<Tz>) -> Self {
        Self(at.timestamp_millis())
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

/// The longest span, in years of 12 months or 365 days.
const MAX_YEARS: i128 = 10_000;

impl Span {
    /// Years and months together, in months.
    pub(crate) fn all_months(self) -> i64 {
        i64::from(self.years) * 12 + i64::from(self.months)
    }

    /// Whether it is longer than 0 and at most 10 000 years (of 12 months or 365 days).
    pub(crate) fn is_valid(self) -> bool {
        let year = i128::from(365 * DAY);
        let twelfths = i128::from(self.all_months()) * year + i128::from(self.millis) * 12;
        (1..=MAX_YEARS * year * 12).contains(&twelfths)
    }

    /// Its length where spans are ordered: a month counts 30 days, a year 365.
    pub(crate) fn nominal_millis(self) -> i128 {
        let days = i128::from(self.years) * 365 + i128::from(self.months) * 30;
        days * i128::from(DAY) + i128::from(self.millis)
    }

    const fn of(years: u32, months: u32, millis: u64) -> Self {
        Self { years, months, millis }
    }
}

/// Spans add up part by part, at most to what a part can hold.
impl std::ops::Add for Span {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            years: self.years.saturating_add(other.years),
            months: self.months.saturating_add(other.months),
            millis: self.millis.saturating_add(other.millis),
        }
    }
}

/// So many milliseconds.
pub const fn millis(n: u32) -> Span {
    Span::of(0, 0, n as u64)
}

/// So many seconds.
pub const fn seconds(n: u32) -> Span {
    Span::of(0, 0, n as u64 * 1_000)
}

/// So many minutes.
pub const fn minutes(n: u32) -> Span {
    Span::of(0, 0, n as u64 * 60_000)
}

/// So many hours.
pub const fn hours(n: u32) -> Span {
    Span::of(0, 0, n as u64 * 3_600_000)
}

/// So many days of 24 hours.
pub const fn days(n: u32) -> Span {
    Span::of(0, 0, n as u64 * DAY as u64)
}

/// So many weeks of 7 days of 24 hours.
pub const fn weeks(n: u32) -> Span {
    Span::of(0, 0, n as u64 * 7 * DAY as u64)
}

/// So many calendar months.
pub const fn months(n: u32) -> Span {
    Span::of(0, n, 0)
}

/// So many calendar years.
pub const fn years(n: u32) -> Span {
    Span::of(n, 0, 0)
}

/// The fixed units, longest first, in milliseconds.
const FIXED_UNITS: [(&str, u64); 6] =
    [("w", 7 * DAY as u64), ("d", DAY as u64), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl FromStr for Span {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let span = read_span(text).ok_or_else(|| TimeError::NotASpan(text.to_owned()))?;
        match span {
            Some(span) if span.is_valid() => Ok(span),
            _ => Err(TimeError::SpanOutOfRange(text.to_owned())),
        }
    }
}

impl Span {
    /// The span in a text, however short or long.
    pub(crate) fn of_any_length(text: &str) -> Option<Self> {
        read_span(text).flatten()
    }
}

/// The span in a text; `None` where it is malformed, `Some(None)` where a number is beyond all bounds.
fn read_span(text: &str) -> Option<Option<Span>> {
    let (mut rest, mut seen, mut span, mut overflow) = (text, Vec::new(), Span::of(0, 0, 0), false);
    while !rest.is_empty() {
        let number_len = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(number_len);
        let unit_len = tail.bytes().take_while(u8::is_ascii_lowercase).count();
        let (unit, tail) = tail.split_at(unit_len);
        let fixed = FIXED_UNITS.iter().find(|(name, _)| *name == unit).map(|(_, millis)| *millis);
        if number.is_empty() || seen.contains(&unit) || !(fixed.is_some() || unit == "mo" || unit == "y") {
            return None;
        }
        seen.push(unit);
        rest = tail;
        let number: Option<u64> = number.parse().ok();
        let small = number.and_then(|n| u32::try_from(n).ok());
        let added = match (unit, fixed) {
            ("y", _) => small.map(years),
            ("mo", _) => small.map(months),
            (_, fixed) => {
                number.zip(fixed).and_then(|(n, each)| n.checked_mul(each)).map(|ms| Span::of(0, 0, ms))
            }
        };
        match added {
            Some(added) => span = span + added,
            None => overflow = true,
        }
    }
    if seen.is_empty() { None } else { Some((!overflow).then_some(span)) }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.years > 0 {
            write!(f, "{}y", self.years)?;
        }
        if self.months > 0 {
            write!(f, "{}mo", self.months)?;
        }
        let mut rest = self.millis;
        for (name, each) in &FIXED_UNITS[1..] {
            if rest >= *each {
                write!(f, "{}{name}", rest / each)?;
                rest %= each;
            }
        }
        if *self == Self::of(0, 0, 0) { f.write_str("0ms") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn civil_dates_agree_with_chrono() {
        let epoch = chrono::NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        for days in (-800_000..2_900_000).step_by(97) {
            let date = epoch + chrono::TimeDelta::days(days);
            let (year, month, day) = civil_from_days(days);
            let want = chrono::NaiveDate::from_ymd_opt(i32::try_from(year).unwrap(), month, day);
            assert_eq!(Some(date), want);
            assert_eq!(days_from_civil(year, month, day), days);
        }
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

    #[test]
    fn spans_in_text() {
        for (text, want) in
            [("30d", days(30)), ("1d12h", hours(36)), ("2mo", months(2)), ("1y6mo", years(1) + months(6))]
        {
            let span: Span = text.parse().unwrap();
            assert_eq!(span, want, "{text}");
            assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
        }
        for text in [
            "",
            "d",
            "1",
            "1q",
            "1d1d",
            "-1d",
            "1.5d",
            "0d",
            "10001y",
            "٣d",
            "99999999999999999999d",
            "1D",
            "1 d",
        ] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
        assert!("10000y".parse::<Span>().is_ok());
        assert!("10000y1ms".parse::<Span>().is_err());
    }
}
