//! Instants and spans: UTC with millisecond precision, calendar steps of months and years.

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
///
/// Facts and evaluations accept the years 1 to 9999 ([`Timestamp::MIN`] to [`Timestamp::MAX`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub(crate) i64);

/// A span of time as people write it: `30d`, `1d12h`, `2mo`.
///
/// Years and months are calendar steps; a day is 24 hours. Two spans are equal when they are written with
/// the same number of years, the same number of months and the same rest.
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
