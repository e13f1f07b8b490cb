//! ## Tests on a value

use num_rational::BigRational;
use num_traits::Zero;
use regex::RegexBuilder;

use super::Asked;
use super::windows::{self, local, nth_day, number};
use crate::segment::{Comparison, Filter, Test};
use crate::time::Span;
use crate::value::{Number, Scalar, Value};
use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;

/// A scalar as it compares: numbers by value, values of different kinds never equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Plain {
    Bool(bool),
    Number(BigRational),
    Text(String),
    Instant(i64),
}

impl Plain {
    pub(super) fn of(scalar: &Scalar) -> Self {
        match scalar {
            Scalar::Bool(b) => Self::Bool(*b),
            Scalar::Int(n) => Self::Number(rational(Number::Int(*n))),
            Scalar::Float(x) => Self::Number(rational(Number::Float(*x))),
            Scalar::String(s) => Self::Text(s.clone()),
            Scalar::Instant(at) => Self::Instant(at.millis()),
        }
    }

    /// Lower-cased, character by character.
    fn folded(self) -> Self {
        match self {
            Self::Text(text) => Self::Text(lower(&text)),
            other => other,
        }
    }

    /// Whether both are numbers, or strings, or instants: only then are they ordered.
    fn is_ordered_with(&self, other: &Self) -> bool {
        matches!(
            (self, other),
            (Self::Number(_), Self::Number(_))
                | (Self::Text(_), Self::Text(_))
                | (Self::Instant(_), Self::Instant(_))
        )
    }
}

/// A number, exactly.
pub(super) fn rational(number: Number) -> BigRational {
    match number {
        Number::Int(n) => BigRational::from_integer(n.into()),
        Number::Float(x) => BigRational::from_float(x).unwrap_or_else(BigRational::zero),
    }
}

/// An element of a value: a scalar alone, or the named scalars of a record, sorted by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Element {
    Scalar(Plain),
    Record(Vec<(String, Plain)>),
}

/// What a value contributes where its elements are counted.
pub(super) fn elements(value: &Value) -> Vec<Element> {
    match value {
        Value::Scalar(one) => vec![Element::Scalar(Plain::of(one))],
        Value::List(many) => many.iter().map(|s| Element::Scalar(Plain::of(s))).collect(),
        Value::Records(records) => {
            let fields = |(name, s): &(String, Scalar)| (name.clone(), Plain::of(s));
            records.iter().map(|r| Element::Record(r.fields().iter().map(fields).collect())).collect()
        }
    }
}

/// Whether two values are equal: lists and records element by element; a list equals no scalar.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    let is_list = |v: &Value| !matches!(v, Value::Scalar(_));
    is_list(a) == is_list(b) && elements(a) == elements(b)
}

/// What a filter looks a property, or a field of a record, up in.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<Value>;

impl Asked<'_> {
    /// Whether the properties pass a filter.
    pub(super) fn filter(&self, filter: &Filter, lookup: Lookup<'_>) -> bool {
        match filter {
            Filter::Property { name, test } => self.passes(test, lookup(name).as_ref()),
            Filter::All(of) => of.iter().all(|f| self.filter(f, lookup)),
            Filter::Any(of) => of.iter().any(|f| self.filter(f, lookup)),
            Filter::Not(f) => !self.filter(f, lookup),
        }
    }

    /// Whether a value, perhaps missing, passes a test.
    pub(super) fn passes(&self, test: &Test, value: Option<&Value>) -> bool {
        let positive = |comparison| self.passes_positive(&comparison, test.ignore_case, value);
        match &test.comparison {
            // The exact complements of their positive forms.
            Comparison::Ne(s) => !positive(Comparison::Eq(s.clone())),
            Comparison::NotIn(many) => !positive(Comparison::In(many.clone())),
            Comparison::NotContains(s) => !positive(Comparison::Contains(s.clone())),
            Comparison::NotMatches(s) => !positive(Comparison::Matches(s.clone())),
            Comparison::Exists(wanted) => value.is_some() == *wanted,
            Comparison::AnyElement(filter) => match value {
                Some(Value::Records(records)) => records.iter().any(|record| {
                    self.filter(filter, &|name| record.get(name).map(|s| Value::Scalar(s.clone())))
                }),
                _ => false,
            },
            other => positive(other.clone()),
        }
    }

    /// A missing value fails, a list passes when one of its elements does.
    fn passes_positive(&self, wanted: &Comparison, ignore_case: bool, value: Option<&Value>) -> bool {
        match value {
            None | Some(Value::Records(_)) => false,
            Some(Value::Scalar(one)) => self.scalar_passes(wanted, ignore_case, one),
            Some(Value::List(many)) => many.iter().any(|s| self.scalar_passes(wanted, ignore_case, s)),
        }
    }

    fn scalar_passes(&self, wanted: &Comparison, ignore_case: bool, scalar: &Scalar) -> bool {
        let plain = |s: &Scalar| if ignore_case { Plain::of(s).folded() } else { Plain::of(s) };
        let text = |s: &str| if ignore_case { lower(s) } else { s.to_owned() };
        let value = plain(scalar);
        let ordered = |operand: &Scalar| {
            let operand = plain(operand);
            value.is_ordered_with(&operand).then(|| value.cmp(&operand))
        };
        let in_text = |found: &dyn Fn(&str) -> bool| matches!(&value, Plain::Text(s) if found(s));
        match wanted {
            Comparison::Eq(operand) => value == plain(operand),
            Comparison::In(operands) => operands.iter().any(|operand| value == plain(operand)),
            Comparison::Gt(operand) => ordered(operand).is_some_and(|o| o.is_gt()),
            Comparison::Gte(operand) => ordered(operand).is_some_and(|o| o.is_ge()),
            Comparison::Lt(operand) => ordered(operand).is_some_and(|o| o.is_lt()),
            Comparison::Lte(operand) => ordered(operand).is_some_and(|o| o.is_le()),
            Comparison::Between(low, high) => {
                ordered(low).is_some_and(|o| o.is_ge()) && ordered(high).is_some_and(|o| o.is_le())
            }
            Comparison::Contains(part) => in_text(&|s| s.contains(&text(part))),
            Comparison::StartsWith(start) => in_text(&|s| s.starts_with(&text(start))),
            Comparison::EndsWith(end) => in_text(&|s| s.ends_with(&text(end))),
            Comparison::Matches(pattern) => match scalar {
                Scalar::String(s) => self.is_regex_match(pattern, ignore_case, s),
                _ => false,
            },
            Comparison::Within(window) => {
                matches!(value, Plain::Instant(at) if self.uncut(window).holds(at))
            }
            Comparison::Anniversary { next, tz } => {
                matches!(value, Plain::Instant(at) if self.is_anniversary(at, *next, *tz))
            }
            Comparison::Ne(_)
            | Comparison::NotIn(_)
            | Comparison::NotContains(_)
            | Comparison::NotMatches(_)
            | Comparison::Exists(_)
            | Comparison::AnyElement(_) => false,
        }
    }

    fn is_regex_match(&self, pattern: &str, ignore_case: bool, text: &str) -> bool {
        let mut compiled = self.memory.patterns.borrow_mut();
        let regex = compiled
            .entry((pattern.to_owned(), ignore_case))
            .or_insert_with(|| RegexBuilder::new(pattern).case_insensitive(ignore_case).build().ok());
        regex.as_ref().is_some_and(|r| r.is_match(text))
    }

    /// Whether month and day of an instant, as on the wall clock, fall on one of the local days from that of
    /// `T` to that of `T` plus the span.
    fn is_anniversary(&self, at: i64, next: Span, tz: Tz) -> bool {
        let born = local(at, tz).0.date();
        let today = number(windows::day_of(self.at, tz));
        let last = number(windows::day_of(windows::plus(self.at, next), tz));
        // No more than ten years: they hold every date there is.
        (today..=last.min(today + 3660)).map(nth_day).any(|day| celebrated(born, day.year()) == Some(day))
    }
}

/// When a day of the year falls in a year: 29 February counts as 28 February in common years.
fn celebrated(born: NaiveDate, year: i32) -> Option<NaiveDate> {
    let same = NaiveDate::from_ymd_opt(year, born.month(), born.day());
    same.or_else(|| NaiveDate::from_ymd_opt(year, 2, 28))
}

/// Every character lower-cased by itself.
fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}
