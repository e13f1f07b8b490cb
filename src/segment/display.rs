//! Segments in plain English: `did feature_used at least 5 times in the last 30 days`.
//!
//! What is joined stands in parentheses inside other joins, so that every text can be read in one way only.

mod test;
mod window;
mod words;

use std::fmt::{self, Display, Formatter, Write};
use std::ops::Bound;

use words::{Counted, Duration, Events, Literal, Name, joined, length, zone};

use super::{
    Attribute, Changed, Did, Earned, EventMatch, Measure, Measured, Points, Quantity, Range, Sample, Score,
    Segment, Sequence, Step, ThenNot,
};
use crate::limits::MAX_DEPTH;
use crate::time::Unit;
use crate::value::Number;

/// Plain English, as what holds for a user.
///
/// ```
/// use whodid::segment::Segment;
/// let text = r#"{"all":[{"attribute":{"name":"plan","eq":"enterprise"}},
///                       {"not":{"did":{"event":"feature_used","in":{"last":"30d"}}}}]}"#;
/// let silent = Segment::from_json(text)?;
/// assert_eq!(silent.to_string(), "plan is \"enterprise\" and did not do feature_used in the last 30 days");
/// # Ok::<(), whodid::segment::SegmentError>(())
/// ```
impl Display for Segment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        segment(f, self, 1)
    }
}

/// Writes an expression that stands below `level − 1` others. What is deeper than allowed is left out.
fn segment(f: &mut Formatter<'_>, of: &Segment, level: usize) -> fmt::Result {
    if level > MAX_DEPTH {
        return f.write_char('…');
    }
    match of {
        Segment::All(of) => joined(f, of, " and ", "everyone", |f, of| part(f, of, level + 1)),
        Segment::Any(of) => joined(f, of, " or ", "no one", |f, of| part(f, of, level + 1)),
        Segment::Not(of) => negated(f, of, level + 1),
        Segment::Did(of) => did(f, of, "did ", level),
        Segment::Sequence(of) => sequence(f, of, "did ", level),
        Segment::Attribute(of) => attribute(f, of, level),
        Segment::Changed(of) => changed(f, of, level),
        Segment::Seen(of) => {
            f.write_str("was first seen ")?;
            window::write(f, of, level)
        }
        Segment::Score(of) => score(f, of, level),
        Segment::Segment(name) => write!(f, "is in segment {}", Name(name)),
        Segment::List(name) => write!(f, "is on list {}", Name(name)),
        Segment::Sample(of) => sample(f, of),
    }
}

/// An expression among others: in parentheses where it is a join itself.
fn part(f: &mut Formatter<'_>, of: &Segment, level: usize) -> fmt::Result {
    match of {
        Segment::All(many) | Segment::Any(many) if many.len() > 1 && level <= MAX_DEPTH => {
            enclosed(f, |f| segment(f, of, level))
        }
        _ => segment(f, of, level),
    }
}

fn enclosed(f: &mut Formatter<'_>, write: impl FnOnce(&mut Formatter<'_>) -> fmt::Result) -> fmt::Result {
    f.write_char('(')?;
    write(f)?;
    f.write_char(')')
}

fn negated(f: &mut Formatter<'_>, of: &Segment, level: usize) -> fmt::Result {
    if level > MAX_DEPTH {
        return f.write_str("not …");
    }
    match of {
        Segment::Did(of) => did(f, of, "did not do ", level),
        Segment::Sequence(of) => sequence(f, of, "did not do ", level),
        Segment::Seen(of) => {
            f.write_str("was not first seen ")?;
            window::write(f, of, level)
        }
        Segment::Segment(name) => write!(f, "is not in segment {}", Name(name)),
        Segment::List(name) => write!(f, "is not on list {}", Name(name)),
        _ => {
            f.write_str("not ")?;
            enclosed(f, |f| segment(f, of, level))
        }
    }
}

/// Which events: `purchase where (amount is more than 100)`.
fn events(f: &mut Formatter<'_>, of: &EventMatch, level: usize) -> fmt::Result {
    Events(&of.events).fmt(f)?;
    match &of.filter {
        None => Ok(()),
        Some(filter) => {
            f.write_str(" where ")?;
            enclosed(f, |f| test::filter(f, filter, level + 1))
        }
    }
}

fn did(f: &mut Formatter<'_>, did: &Did, verb: &str, level: usize) -> fmt::Result {
    let Did { events: of, window, measure, same } = did;
    f.write_str(verb)?;
    events(f, of, level)?;
    measured_as(f, measure, level)?;
    if let Some(same) = same {
        write!(f, " with the same {}", Name(same))?;
    }
    if let Some(window) = window {
        f.write_char(' ')?;
        window::write(f, window, level)?;
    }
    match measure {
        Measure::FirstValue { of, test: passes } => value(f, "first", of, passes, level),
        Measure::LatestValue { of, test: passes } => value(f, "latest", of, passes, level),
        _ => Ok(()),
    }
}

/// What stands behind the window: ` (latest plan is "pro")`.
fn value(f: &mut Formatter<'_>, which: &str, of: &str, passes: &super::Test, level: usize) -> fmt::Result {
    write!(f, " ({which} {} ", Name(of))?;
    test::write(f, passes, level)?;
    f.write_char(')')
}

/// A measure and its range, behind the events: ` at least 5 times`. At least once goes without saying.
fn measured_as(f: &mut Formatter<'_>, measure: &Measure, level: usize) -> fmt::Result {
    let statistic = |f: &mut Formatter<'_>, name: &str, of: &str, range: &Range| {
        write!(f, " with {name} {} of {range}", Name(of))
    };
    match measure {
        Measure::Times(range) if *range == Range::at_least(1) => Ok(()),
        Measure::Times(range) => {
            f.write_char(' ')?;
            times(f, range)
        }
        Measure::Sum { of, range } => statistic(f, "a total", of, range),
        Measure::Avg { of, range } => statistic(f, "an average", of, range),
        Measure::Min { of, range } => statistic(f, "a smallest", of, range),
        Measure::Max { of, range } => statistic(f, "a largest", of, range),
        Measure::Distinct { of, range } => {
            write!(f, " with {} of {}", Counted(range, "distinct value", "distinct values"), Name(of))
        }
        Measure::Active { unit, tz, range } => {
            let (on, one, many) = match unit {
                Unit::Hour => ("in", "hour", "hours"),
                Unit::Week => ("in", "week", "weeks"),
                Unit::Month => ("in", "month", "months"),
                other => ("on", other.name(), "days"),
            };
            write!(f, " {on} {}", Counted(range, one, many))?;
            zone(f, *tz)
        }
        Measure::First(window) => {
            f.write_str(" for the first time ")?;
            window::write(f, window, level)
        }
        Measure::Latest(window) => {
            f.write_str(" most recently ")?;
            window::write(f, window, level)
        }
        Measure::FirstValue { .. } | Measure::LatestValue { .. } => Ok(()),
    }
}

/// A number of times; one time is `once`.
fn times(f: &mut Formatter<'_>, range: &Range) -> fmt::Result {
    let one = Number::Int(1);
    match (range.low, range.high) {
        (Bound::Included(low), Bound::Included(high)) if low == one && high == one => {
            f.write_str("exactly once")
        }
        (Bound::Excluded(n), Bound::Unbounded) if n == one => f.write_str("more than once"),
        (Bound::Unbounded, Bound::Included(n)) if n == one => f.write_str("at most once"),
        (Bound::Unbounded, Bound::Excluded(n)) if n == one => f.write_str("less than once"),
        _ => write!(f, "{}", Counted(range, "time", "times")),
    }
}

/// Plain English, without a unit: `at least 5`, `between 2 and 4`.
impl Display for Range {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.low, self.high) {
            (Bound::Unbounded, Bound::Unbounded) => f.write_str("any number"),
            (Bound::Included(low), Bound::Included(high)) if low == high => {
                write!(f, "exactly {}", Literal::of(low))
            }
            (Bound::Included(low), Bound::Included(high)) => {
                write!(f, "between {} and {}", Literal::of(low), Literal::of(high))
            }
            (low, high) => {
                match low {
                    Bound::Included(n) => write!(f, "at least {}", Literal::of(n))?,
                    Bound::Excluded(n) => write!(f, "more than {}", Literal::of(n))?,
                    Bound::Unbounded => {}
                }
                if low != Bound::Unbounded && high != Bound::Unbounded {
                    f.write_str(" and ")?;
                }
                match high {
                    Bound::Included(n) => write!(f, "at most {}", Literal::of(n)),
                    Bound::Excluded(n) => write!(f, "less than {}", Literal::of(n)),
                    Bound::Unbounded => Ok(()),
                }
            }
        }
    }
}

fn sequence(f: &mut Formatter<'_>, sequence: &Sequence, verb: &str, level: usize) -> fmt::Result {
    let Sequence { steps, within, window, then_not, same } = sequence;
    f.write_str(verb)?;
    enclosed(f, |f| {
        for (i, one) in steps.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { ", then " })?;
            step(f, one, level)?;
        }
        let Some(ThenNot { events: of, within }) = then_not else { return Ok(()) };
        f.write_str(", then no ")?;
        events(f, of, level)?;
        write!(f, " for {}", Duration(*within))
    })?;
    if let Some(within) = within {
        write!(f, " all within {}", Duration(*within))?;
    }
    if let Some(same) = same {
        write!(f, " with the same {}", Name(same))?;
    }
    match window {
        None => Ok(()),
        Some(window) => {
            f.write_char(' ')?;
            window::write(f, window, level)
        }
    }
}

fn step(f: &mut Formatter<'_>, step: &Step, level: usize) -> fmt::Result {
    let Step { events: of, within, after, without } = step;
    events(f, of, level)?;
    if let Some(after) = after {
        write!(f, " at least {} later", Duration(*after))?;
    }
    if let Some(within) = within {
        write!(f, " within {}", Duration(*within))?;
    }
    match without {
        None => Ok(()),
        Some(without) => {
            f.write_str(" without ")?;
            events(f, without, level)?;
            f.write_str(" in between")
        }
    }
}

fn attribute(f: &mut Formatter<'_>, attribute: &Attribute, level: usize) -> fmt::Result {
    let Attribute { name, test: passes, held } = attribute;
    write!(f, "{} ", Name(name))?;
    test::write(f, passes, level)?;
    match held {
        None => Ok(()),
        Some(held) => write!(f, " throughout the last {}", length(*held)),
    }
}

fn changed(f: &mut Formatter<'_>, changed: &Changed, level: usize) -> fmt::Result {
    let Changed { name, from, to, window } = changed;
    write!(f, "{} changed", Name(name))?;
    for (word, value) in [("from", from), ("to", to)] {
        if let Some(value) = value {
            write!(f, " {word} {}", Literal(value))?;
        }
    }
    match window {
        None => Ok(()),
        Some(window) => {
            f.write_char(' ')?;
            window::write(f, window, level)
        }
    }
}

fn score(f: &mut Formatter<'_>, score: &Score, level: usize) -> fmt::Result {
    let Score { of, range } = score;
    let counts = of.iter().all(|of| of.points == 1 && matches!(of.earned, Earned::If(_)));
    if counts && !of.is_empty() {
        write!(f, "meets {range} of ")?;
    } else {
        write!(f, "scores {range} of ")?;
    }
    enclosed(f, |f| {
        for (i, Points { points, earned }) in of.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { "; " })?;
            match earned {
                Earned::If(segment) if counts => self::segment(f, segment, level + 1)?,
                Earned::If(segment) => {
                    write!(f, "{points} if ")?;
                    self::segment(f, segment, level + 1)?;
                }
                Earned::Per(measured) => {
                    write!(f, "{points} times the ")?;
                    per(f, measured, level)?;
                }
            }
        }
        Ok(())
    })
}

/// A measured number: `total amount of purchase in the last 90 days`.
impl Display for Measured {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        per(f, self, 1)
    }
}

fn per(f: &mut Formatter<'_>, measured: &Measured, level: usize) -> fmt::Result {
    let Measured { events: of, window, quantity } = measured;
    match quantity {
        Quantity::Times => f.write_str("number of ")?,
        Quantity::Sum(property) => write!(f, "total {} of ", Name(property))?,
        Quantity::Distinct(property) => write!(f, "distinct values of {} of ", Name(property))?,
        Quantity::Active { unit, tz } => {
            write!(f, "{}s", unit.name())?;
            zone(f, *tz)?;
            f.write_str(" with ")?;
        }
    }
    events(f, of, level)?;
    match window {
        None => Ok(()),
        Some(window) => {
            f.write_char(' ')?;
            window::write(f, window, level)
        }
    }
}

fn sample(f: &mut Formatter<'_>, sample: &Sample) -> fmt::Result {
    let Sample { salt, from, to } = sample;
    write!(f, "falls between {}% and {}% of split {salt:?}", Literal::of(*from), Literal::of(*to))
}
