//! The small words: names, values, numbers with a unit, lengths of time.

use std::fmt::{self, Display, Formatter, Write};
use std::ops::Bound;

use chrono_tz::Tz;

use crate::segment::{EventPattern, Range};
use crate::time::{Span, Timestamp};
use crate::value::{Number, Scalar};

/// Parts with a word between them; another word where there are none.
pub(super) fn joined<T>(
    f: &mut Formatter<'_>,
    of: &[T],
    between: &str,
    none: &str,
    mut write: impl FnMut(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    if of.is_empty() {
        return f.write_str(none);
    }
    of.iter().enumerate().try_for_each(|(i, one)| {
        f.write_str(if i == 0 { "" } else { between })?;
        write(f, one)
    })
}

/// A name: as it is where it is one word, else quoted.
pub(super) struct Name<'a>(pub(super) &'a str);

fn is_word(name: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/' | '$');
    name.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') && name.chars().all(inside)
}

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if is_word(self.0) { f.write_str(self.0) } else { write!(f, "{:?}", self.0) }
    }
}

/// Events of one of some names.
pub(super) struct Events<'a>(pub(super) &'a [EventPattern]);

impl Display for Events<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            [one] => event(f, one),
            many => {
                f.write_str("any of (")?;
                joined(f, many, ", ", "", event)?;
                f.write_char(')')
            }
        }
    }
}

fn event(f: &mut Formatter<'_>, of: &EventPattern) -> fmt::Result {
    match of {
        EventPattern::Name(name) => Name(name).fmt(f),
        EventPattern::Prefix(start) if start.is_empty() => f.write_str("any event"),
        EventPattern::Prefix(start) if is_word(start) => write!(f, "{start}*"),
        EventPattern::Prefix(start) => write!(f, "{start:?}*"),
    }
}

/// A scalar.
pub(super) struct Literal<'a>(pub(super) &'a Scalar);

impl Literal<'_> {
    /// A number.
    pub(super) fn of(n: Number) -> impl Display {
        fmt::from_fn(move |f| match n {
            Number::Int(n) => write!(f, "{n}"),
            Number::Float(x) => write!(f, "{x:?}"),
        })
    }
}

impl Display for Literal<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Scalar::Bool(b) => write!(f, "{b}"),
            Scalar::Int(n) => write!(f, "{n}"),
            Scalar::Float(x) => write!(f, "{x:?}"),
            Scalar::String(text) => write!(f, "{text:?}"),
            Scalar::Instant(at) => Instant(*at).fmt(f),
        }
    }
}

/// An instant; midnight goes without saying.
pub(super) struct Instant(pub(super) Timestamp);

impl Display for Instant {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        f.write_str(text.strip_suffix("T00:00:00Z").unwrap_or(&text))
    }
}

/// A range of numbers of something: `at least 5 days`.
pub(super) struct Counted<'a>(pub(super) &'a Range, pub(super) &'a str, pub(super) &'a str);

impl Display for Counted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(range, one, many) = *self;
        let number = |bound| match bound {
            Bound::Included(n) | Bound::Excluded(n) => Some(n),
            Bound::Unbounded => None,
        };
        let said = [number(range.low), number(range.high)];
        let is_one = said.into_iter().flatten().all(|n| n == Number::Int(1));
        write!(f, "{range} {}", if is_one { one } else { many })
    }
}

const UNITS: [(u64, &str); 5] =
    [(86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second"), (1, "millisecond")];

/// The units of a span, each with its number.
fn units(span: Span) -> impl Iterator<Item = (u64, &'static str)> {
    let mut rest = span.millis;
    let fixed = UNITS.into_iter().map(move |(each, name)| {
        let n = rest / each;
        rest %= each;
        (n, name)
    });
    let months = [(u64::from(span.years), "year"), (u64::from(span.months), "month")];
    months.into_iter().chain(fixed).filter(|(n, _)| *n > 0)
}

/// A length of time: `1 day 12 hours`.
pub(super) struct Duration(pub(super) Span);

impl Display for Duration {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for (n, name) in units(self.0) {
            write!(f, "{between}{n} {name}{}", if n == 1 { "" } else { "s" })?;
            between = " ";
        }
        f.write_str(if between.is_empty() { "no time" } else { "" })
    }
}

/// A length of time behind `the last`: one day of it is `day`.
pub(super) fn length(span: Span) -> impl Display {
    fmt::from_fn(move |f| {
        let mut units = units(span);
        match (units.next(), units.next()) {
            (Some((1, name)), None) => f.write_str(name),
            _ => Duration(span).fmt(f),
        }
    })
}

/// The zone behind what it bears on; UTC goes without saying.
pub(super) fn zone(f: &mut Formatter<'_>, tz: Tz) -> fmt::Result {
    if tz == Tz::UTC { Ok(()) } else { write!(f, " ({})", tz.name()) }
}
