//! Tests and filters in plain English.

use std::fmt::{self, Display, Formatter, Write};

use super::words::{Literal, Name, joined, length, zone};
use super::{enclosed, window};
use crate::limits::MAX_DEPTH;
use crate::segment::{Comparison, Filter, Test};
use crate::value::Scalar;

/// Plain English, as what holds for properties: `amount is more than 100`.
impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        filter(f, self, 1)
    }
}

/// Plain English, behind the name of what is tested: `is more than 100`.
impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write(f, self, 1)
    }
}

/// Writes a filter that stands below `level − 1` others. What is deeper than allowed is left out.
pub(super) fn filter(f: &mut Formatter<'_>, of: &Filter, level: usize) -> fmt::Result {
    if level > MAX_DEPTH {
        return f.write_char('…');
    }
    match of {
        Filter::Property { name, test } => {
            write!(f, "{} ", Name(name))?;
            write(f, test, level)
        }
        Filter::All(of) => joined(f, of, " and ", "anything", |f, of| part(f, of, level + 1)),
        Filter::Any(of) => joined(f, of, " or ", "nothing", |f, of| part(f, of, level + 1)),
        Filter::Not(of) => {
            f.write_str("not ")?;
            enclosed(f, |f| filter(f, of, level + 1))
        }
    }
}

/// A filter among others: in parentheses where it is a join itself.
fn part(f: &mut Formatter<'_>, of: &Filter, level: usize) -> fmt::Result {
    match of {
        Filter::All(many) | Filter::Any(many) if many.len() > 1 && level <= MAX_DEPTH => {
            enclosed(f, |f| filter(f, of, level))
        }
        _ => filter(f, of, level),
    }
}

/// Writes a test of an expression or filter at that level.
pub(super) fn write(f: &mut Formatter<'_>, test: &Test, level: usize) -> fmt::Result {
    comparison(f, &test.comparison, level)?;
    f.write_str(if test.ignore_case { " ignoring case" } else { "" })
}

fn comparison(f: &mut Formatter<'_>, comparison: &Comparison, level: usize) -> fmt::Result {
    let than = |f: &mut Formatter<'_>, number: &str, instant: &str, than: &Scalar| {
        let word = if matches!(than, Scalar::Instant(_)) { instant } else { number };
        write!(f, "is {word} {}", Literal(than))
    };
    let list = |f: &mut Formatter<'_>, of: &[Scalar]| {
        enclosed(f, |f| joined(f, of, ", ", "", |f, one| Literal(one).fmt(f)))
    };
    match comparison {
        Comparison::Eq(of) => write!(f, "is {}", Literal(of)),
        Comparison::Ne(of) => write!(f, "is not {}", Literal(of)),
        Comparison::In(of) => {
            f.write_str("is one of ")?;
            list(f, of)
        }
        Comparison::NotIn(of) => {
            f.write_str("is none of ")?;
            list(f, of)
        }
        Comparison::Gt(of) => than(f, "more than", "after", of),
        Comparison::Gte(of) => than(f, "at least", "at or after", of),
        Comparison::Lt(of) => than(f, "less than", "before", of),
        Comparison::Lte(of) => than(f, "at most", "at or before", of),
        Comparison::Between(low, high) => write!(f, "is between {} and {}", Literal(low), Literal(high)),
        Comparison::Contains(text) => write!(f, "contains {text:?}"),
        Comparison::NotContains(text) => write!(f, "does not contain {text:?}"),
        Comparison::StartsWith(text) => write!(f, "starts with {text:?}"),
        Comparison::EndsWith(text) => write!(f, "ends with {text:?}"),
        Comparison::Matches(pattern) => write!(f, "matches {pattern:?}"),
        Comparison::NotMatches(pattern) => write!(f, "does not match {pattern:?}"),
        Comparison::Exists(true) => f.write_str("exists"),
        Comparison::Exists(false) => f.write_str("is missing"),
        Comparison::Within(of) => {
            f.write_str("is ")?;
            window::write(f, of, level)
        }
        Comparison::Anniversary { next, tz } => {
            write!(f, "has an anniversary today or in the next {}", length(*next))?;
            zone(f, *tz)
        }
        Comparison::AnyElement(of) => {
            f.write_str("has an element where ")?;
            enclosed(f, |f| filter(f, of, level + 1))
        }
    }
}
