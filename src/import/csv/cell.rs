//! What the cells of a column hold, and reading them so.

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Timelike};
use chrono_tz::Tz;

use super::super::declared::number;
use super::super::instant;
use crate::time::Timestamp;
use crate::value::Scalar;

/// What the cells of a column hold. An empty cell is a missing value, whatever the column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cell {
    /// Texts, as they stand.
    String,
    /// Whole numbers that fit an `i64`.
    Int,
    /// Finite numbers, as `f64`.
    Float,
    /// Finite numbers, as `i64` where they are written as whole numbers that fit, else as `f64`.
    Number,
    /// `true` and `false`, `yes` and `no`, `1` and `0`, in any case.
    Bool,
    /// Instants.
    Instant(InstantFormat),
}

/// How a column writes instants.
///
/// ```
/// use whodid::import::InstantFormat;
/// // What a text becomes is a pattern of chrono's `strftime`: `%Y-%m-%d %H:%M:%S`, `%d.%m.%Y`, …
/// assert_eq!(InstantFormat::from("%Y%m%d"), InstantFormat::Pattern("%Y%m%d".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InstantFormat {
    /// RFC 3339, also with a blank for the `T`; or a date alone, which is its midnight in UTC.
    Rfc3339,
    /// Seconds since 1970-01-01T00:00:00Z, perhaps with a fraction.
    UnixSeconds,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    UnixMillis,
    /// A pattern of chrono's `strftime`. Without an offset in it the text is on the wall clock of the import's
    /// zone (of two such instants the earlier; where there is none, as if the clock had not been put forward);
    /// without a time of day it is midnight.
    Pattern(String),
}

impl From<&str> for InstantFormat {
    fn from(pattern: &str) -> Self {
        Self::Pattern(pattern.to_owned())
    }
}

/// A [`Cell`] made ready: patterns are taken apart, and known to be good.
#[derive(Clone, Debug)]
pub(super) enum Reader {
    String,
    Int,
    Float,
    Number,
    Bool,
    Instant(InstantReader),
}

#[derive(Clone, Debug)]
pub(super) enum InstantReader {
    Rfc3339,
    Unix { shift: i32 },
    Pattern(Vec<Item<'static>>, Tz),
}

impl Reader {
    /// The error is what is wrong with a pattern.
    pub(super) fn new(cell: &Cell, zone: Tz) -> Result<Self, String> {
        Ok(match cell {
            Cell::String => Self::String,
            Cell::Int => Self::Int,
            Cell::Float => Self::Float,
            Cell::Number => Self::Number,
            Cell::Bool => Self::Bool,
            Cell::Instant(format) => Self::Instant(InstantReader::new(format, zone)?),
        })
    }

    /// The value of a cell that is not empty; `None` where it holds something else.
    pub(super) fn read(&self, text: &str) -> Option<Scalar> {
        let trimmed = text.trim_ascii();
        match self {
            Self::String => Some(Scalar::String(text.to_owned())),
            Self::Int => trimmed.parse().ok().map(Scalar::Int),
            Self::Float => trimmed.parse().ok().filter(|x: &f64| x.is_finite()).map(Scalar::Float),
            Self::Number => number(trimmed),
            Self::Bool => match trimmed.to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => Some(Scalar::Bool(true)),
                "false" | "no" | "0" => Some(Scalar::Bool(false)),
                _ => None,
            },
            Self::Instant(reader) => reader.read(trimmed).map(Scalar::Instant),
        }
    }

    /// What it expects, for errors.
    pub(super) fn expected(&self) -> &'static str {
        match self {
            Self::String => "a text",
            Self::Int => "a whole number",
            Self::Float | Self::Number => "a number",
            Self::Bool => "true or false",
            Self::Instant(_) => "an instant as declared",
        }
    }
}

impl InstantReader {
    pub(super) fn new(format: &InstantFormat, zone: Tz) -> Result<Self, String> {
        Ok(match format {
            InstantFormat::Rfc3339 => Self::Rfc3339,
            InstantFormat::UnixSeconds => Self::Unix { shift: 3 },
            InstantFormat::UnixMillis => Self::Unix { shift: 0 },
            InstantFormat::Pattern(pattern) => {
                let items = StrftimeItems::new(pattern).parse_to_owned();
                Self::Pattern(items.map_err(|_| format!("{pattern:?} is no pattern of an instant"))?, zone)
            }
        })
    }

    /// An instant of the years 1 to 9999.
    pub(super) fn read(&self, text: &str) -> Option<Timestamp> {
        match self {
            Self::Rfc3339 => instant::from_text(text),
            Self::Unix { shift } => {
                let plain = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
                let is_number = plain && !text.starts_with('+') && text.parse::<f64>().is_ok();
                instant::in_range(is_number.then(|| instant::floor_shifted(text, *shift)).flatten()?)
            }
            Self::Pattern(items, zone) => {
                let mut parsed = Parsed::new();
                parse(&mut parsed, text, items.iter()).ok()?;
                instant::in_range(millis(&parsed, *zone)?)
            }
        }
    }
}

fn millis(parsed: &Parsed, zone: Tz) -> Option<i64> {
    let offset = parsed.offset().or(parsed.timestamp().map(|_| 0));
    if let Some(offset) = offset {
        let local = parsed.to_naive_datetime_with_offset(offset).ok()?;
        return Some(utc_millis(local)? - i64::from(offset) * 1_000);
    }
    let time = match parsed.to_naive_time() {
        Ok(time) => time,
        // A date alone is its midnight; a time of day in pieces is nothing.
        Err(_) if parsed.hour_mod_12().is_none() && parsed.minute().is_none() => NaiveTime::MIN,
        Err(_) => return None,
    };
    let local = parsed.to_naive_date().ok()?.and_time(time);
    let offset = match zone.offset_from_local_datetime(&local).earliest() {
        Some(offset) => offset,
        // The clock was put forward over it: the offset of the day before still counts.
        None => {
            zone.offset_from_local_datetime(&(local.checked_sub_signed(TimeDelta::days(1))?)).earliest()?
        }
    };
    Some(utc_millis(local)? - i64::from(offset.fix().local_minus_utc()) * 1_000)
}

/// Its milliseconds since 1970 if it is in UTC. There is no second 60.
fn utc_millis(local: NaiveDateTime) -> Option<i64> {
    (local.nanosecond() < 1_000_000_000).then(|| local.and_utc().timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: impl Into<InstantFormat>, zone: Tz, text: &str) -> Option<String> {
        InstantReader::new(&format.into(), zone).unwrap().read(text).map(|at| at.to_string())
    }

    #[test]
    fn instants_by_pattern() {
        let berlin = chrono_tz::Europe::Berlin;
        for (format, zone, text, want) in [
            ("%Y%m%d", Tz::UTC, "19970101", Some("1997-01-01T00:00:00Z")),
            ("%Y%m%d", Tz::UTC, "19970230", None),
            ("%Y%m%d", Tz::UTC, "1997010", None),
            ("%Y%m%d", Tz::UTC, "19970101x", None),
            ("%Y-%m-%d", berlin, "1997-07-01", Some("1997-06-30T22:00:00Z")),
            ("%d.%m.%Y %H:%M", berlin, "01.07.1997 12:30", Some("1997-07-01T10:30:00Z")),
            ("%Y-%m-%d %H:%M:%S%.f", Tz::UTC, "1969-12-31 23:59:59.9999", Some("1969-12-31T23:59:59.999Z")),
            ("%Y-%m-%d %I:%M %p", Tz::UTC, "1997-07-01 01:30 PM", Some("1997-07-01T13:30:00Z")),
            ("%Y-%m-%d %H:%M:%S", Tz::UTC, "1997-07-01 23:59:60", None),
            ("%Y-%m-%d %H:%M:%S %z", berlin, "1997-07-01 12:00:00 +0530", Some("1997-07-01T06:30:00Z")),
            ("%s", berlin, "867760200", Some("1997-07-01T12:30:00Z")),
            ("%H:%M", Tz::UTC, "12:30", None),
            // The hour that comes twice: the first. The hour that never comes: as if it were winter still.
            ("%Y-%m-%d %H:%M", berlin, "2024-10-27 02:30", Some("2024-10-27T00:30:00Z")),
            ("%Y-%m-%d %H:%M", berlin, "2024-03-31 02:30", Some("2024-03-31T01:30:00Z")),
            ("%Y-%m-%d", Tz::UTC, "0000-12-31", None),
        ] {
            assert_eq!(read(format, zone, text).as_deref(), want, "{text} as {format}");
        }
        assert!(InstantReader::new(&"%Q".into(), Tz::UTC).is_err());
    }

    #[test]
    fn instants_in_unix_time() {
        use InstantFormat::{Rfc3339, UnixMillis, UnixSeconds};
        for (format, text, want) in [
            (UnixSeconds, "867760200", Some("1997-07-01T12:30:00Z")),
            (UnixSeconds, "867760200.9999", Some("1997-07-01T12:30:00.999Z")),
            (UnixSeconds, "100000000000", Some("5138-11-16T09:46:40Z")),
            (UnixMillis, "867760200001", Some("1997-07-01T12:30:00.001Z")),
            (UnixMillis, "1", Some("1970-01-01T00:00:00.001Z")),
            (UnixMillis, "-1", Some("1969-12-31T23:59:59.999Z")),
            (UnixSeconds, "+1", None),
            (UnixSeconds, "inf", None),
            (UnixSeconds, "1_000", None),
            (UnixSeconds, "1e20", None),
            (UnixSeconds, "-", None),
            (Rfc3339, "1997-07-01 12:30:00Z", Some("1997-07-01T12:30:00Z")),
            (Rfc3339, "1997-07-01", Some("1997-07-01T00:00:00Z")),
            (Rfc3339, "867760200", None),
        ] {
            assert_eq!(read(format, Tz::UTC, text).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn cells() {
        let read = |cell: Cell, text: &str| Reader::new(&cell, Tz::UTC).unwrap().read(text);
        assert_eq!(read(Cell::String, " a "), Some(" a ".into()));
        assert_eq!(read(Cell::Int, " 12 "), Some(12.into()));
        assert_eq!(read(Cell::Int, "12.0"), None);
        assert_eq!(read(Cell::Int, "9223372036854775808"), None);
        assert!(matches!(read(Cell::Float, "12"), Some(Scalar::Float(_))));
        assert_eq!(read(Cell::Float, "NaN"), None);
        assert_eq!(read(Cell::Float, "1e999"), None);
        assert!(matches!(read(Cell::Number, "12"), Some(Scalar::Int(12))));
        assert!(matches!(read(Cell::Number, "12.50"), Some(Scalar::Float(_))));
        assert_eq!(read(Cell::Number, "12 EUR"), None);
        assert_eq!(read(Cell::Bool, "Yes"), Some(true.into()));
        assert_eq!(read(Cell::Bool, "0"), Some(false.into()));
        assert_eq!(read(Cell::Bool, "maybe"), None);
        let day = Cell::Instant("%Y%m%d".into());
        assert_eq!(read(day, "19970101"), Some("1997-01-01T00:00:00Z".parse::<Timestamp>().unwrap().into()));
    }
}
