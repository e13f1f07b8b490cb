//! ## `did`

use std::collections::BTreeSet;

use chrono::Timelike;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;

use super::Asked;
use super::expressions::in_range;
use super::facts::Person;
use super::values::{self, Plain};
use super::windows;
use crate::event::Event;
use crate::segment::{Did, EventMatch, EventPattern, Measure, Measured, Quantity, Range};
use crate::time::Unit;
use crate::value::Value;
use chrono_tz::Tz;

impl Asked<'_> {
    /// The user's events with (one of) the names, passing the filter, in order of time.
    pub(super) fn matching<'a>(&self, wanted: &EventMatch, user: &Person<'a>) -> Vec<&'a Event> {
        let events = user.events.iter().copied();
        events.filter(|e| self.is_match(wanted, e)).collect()
    }

    pub(super) fn is_match(&self, wanted: &EventMatch, event: &Event) -> bool {
        wanted.events.iter().any(|pattern| names(pattern, &event.name))
            && wanted.filter.as_ref().is_none_or(|f| self.filter(f, &|name| property(event, name).cloned()))
    }

    /// Whether a behaviour holds.
    pub(super) fn did(&self, did: &Did, user: &Person<'_>) -> bool {
        let mut events = self.matching(&did.events, user);
        match &did.measure {
            // Ever, whatever the window: it says where that one event must lie.
            Measure::First(window) => self.is_inside(events.first(), window, user),
            Measure::Latest(window) => self.is_inside(events.last(), window, user),
            measure => {
                let Some(window) = self.instants(did.window.as_ref(), user) else { return false };
                events.retain(|e| window.holds(e.at.millis()));
                match &did.same {
                    None => self.measures(measure, &events),
                    Some(name) => groups(&events, name).iter().any(|group| self.measures(measure, group)),
                }
            }
        }
    }

    fn is_inside(&self, event: Option<&&Event>, window: &crate::window::Window, user: &Person<'_>) -> bool {
        let window = self.instants(Some(window), user);
        event.zip(window).is_some_and(|(e, w)| w.holds(e.at.millis()))
    }

    /// Whether what is measured over these events is what it must be.
    fn measures(&self, measure: &Measure, events: &[&Event]) -> bool {
        match measure {
            Measure::Times(range) => in_range(&times(events), range),
            Measure::Sum { of, range } => in_range(&sum(events, of), range),
            Measure::Avg { of, range } => {
                let count = BigRational::from_integer(BigInt::from(numbers(events, of).len()));
                !count.is_zero() && in_range(&(sum(events, of) / count), range)
            }
            Measure::Min { of, range } => holds(numbers(events, of).into_iter().min(), range),
            Measure::Max { of, range } => holds(numbers(events, of).into_iter().max(), range),
            Measure::Distinct { of, range } => in_range(&distinct(events, of), range),
            Measure::Active { unit, tz, range } => in_range(&self.active(events, *unit, *tz), range),
            Measure::FirstValue { of, test } => {
                events.first().is_some_and(|e| self.passes(test, property(e, of)))
            }
            Measure::LatestValue { of, test } => {
                events.last().is_some_and(|e| self.passes(test, property(e, of)))
            }
            Measure::First(_) | Measure::Latest(_) => false,
        }
    }

    /// A measured number: 0 where nothing matches or the user has no anchor.
    pub(super) fn measured(&self, measured: &Measured, user: &Person<'_>) -> BigRational {
        let mut events = self.matching(&measured.events, user);
        match self.instants(measured.window.as_ref(), user) {
            None => events.clear(),
            Some(window) => events.retain(|e| window.holds(e.at.millis())),
        }
        match &measured.quantity {
            Quantity::Times => times(&events),
            Quantity::Sum(of) => sum(&events, of),
            Quantity::Distinct(of) => distinct(&events, of),
            Quantity::Active { unit, tz } => self.active(&events, *unit, *tz),
        }
    }

    /// Number of distinct calendar units holding at least one of the events.
    fn active(&self, events: &[&Event], unit: Unit, tz: Tz) -> BigRational {
        let units: BTreeSet<String> = events.iter().map(|e| self.unit_of(e.at.millis(), unit, tz)).collect();
        BigRational::from_integer(BigInt::from(units.len()))
    }

    /// The calendar unit an instant lies in, spelled out.
    fn unit_of(&self, at: i64, unit: Unit, tz: Tz) -> String {
        use chrono::Datelike;
        let day = windows::day_of(at, tz);
        match unit {
            // Two events share an hour when local hour and UTC offset are the same.
            Unit::Hour => {
                let (local, offset) = windows::local(at, tz);
                format!("{} {} {offset}", local.date(), local.hour())
            }
            Unit::Day => day.to_string(),
            Unit::Week => windows::monday(day).to_string(),
            Unit::Month => format!("{} {}", day.year(), day.month()),
            Unit::Quarter => format!("{} {}", day.year(), day.month0() / 3),
            Unit::Year => day.year().to_string(),
        }
    }
}

/// Whether a name is meant: exact, or by what it starts with.
pub(super) fn names(pattern: &EventPattern, name: &str) -> bool {
    match pattern {
        EventPattern::Name(exact) => name == exact,
        EventPattern::Prefix(prefix) => name.starts_with(prefix.as_str()),
    }
}

/// A property of an event.
pub(super) fn property<'a>(event: &'a Event, name: &str) -> Option<&'a Value> {
    event.properties.iter().find(|(have, _)| have == name).map(|(_, value)| value)
}

/// The one scalar that a property of an event is; a list is none.
pub(super) fn one_scalar(event: &Event, name: &str) -> Option<Plain> {
    match property(event, name) {
        Some(Value::Scalar(scalar)) => Some(Plain::of(scalar)),
        _ => None,
    }
}

/// The events taken apart by the value of a property; one without it, or with a list, is left out.
fn groups<'a>(events: &[&'a Event], name: &str) -> Vec<Vec<&'a Event>> {
    let keys: BTreeSet<Plain> = events.iter().filter_map(|e| one_scalar(e, name)).collect();
    let group =
        |key: &Plain| events.iter().copied().filter(|e| one_scalar(e, name).as_ref() == Some(key)).collect();
    keys.iter().map(group).collect()
}

fn holds(number: Option<BigRational>, range: &Range) -> bool {
    number.is_some_and(|n| in_range(&n, range))
}

/// The numbers in a property; others, lists too, are skipped.
fn numbers(events: &[&Event], of: &str) -> Vec<BigRational> {
    let number = |e: &&Event| match one_scalar(e, of) {
        Some(Plain::Number(n)) => Some(n),
        _ => None,
    };
    events.iter().filter_map(number).collect()
}

fn times(events: &[&Event]) -> BigRational {
    BigRational::from_integer(BigInt::from(events.len()))
}

fn sum(events: &[&Event], of: &str) -> BigRational {
    numbers(events, of).into_iter().fold(BigRational::zero(), |total, n| total + n)
}

/// Number of distinct values; a missing one counts as none, a list contributes its elements.
fn distinct(events: &[&Event], of: &str) -> BigRational {
    let values = events.iter().filter_map(|e| property(e, of));
    let elements: BTreeSet<_> = values.flat_map(values::elements).collect();
    BigRational::from_integer(BigInt::from(elements.len()))
}
