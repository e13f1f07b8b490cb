//! Spans: calendar steps of years and months, and milliseconds.

use std::fmt;
use std::str::FromStr;

use super::{DAY, TimeError};

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
