//! Behaviours, measured numbers and ranges.

use std::ops::Bound;

use super::{Checked, Outline, Place, maybe_name, name, number};
use crate::json::Path;
use crate::segment::{Did, Measure, Measured, Quantity, Range, SegmentError, write};
use crate::time::Unit;
use crate::value::Number;

impl Outline {
    pub(super) fn did(&mut self, did: &Did, path: &Path<'_>, level: usize) -> Checked {
        let Did { events, window, measure, same } = did;
        self.events(events, path, level)?;
        let (key, takes_window, takes_same) = match measure {
            Measure::First(_) => ("first", false, false),
            Measure::Latest(_) => ("latest", false, false),
            Measure::FirstValue { .. } => ("first_value", true, false),
            Measure::LatestValue { .. } => ("latest_value", true, false),
            other => (write::measure_key(other), true, true),
        };
        for (beside, given, takes) in
            [("in", window.is_some(), takes_window), ("same", same.is_some(), takes_same)]
        {
            if given && !takes {
                let given = format!("{beside:?} beside {key:?}");
                return Err(SegmentError::invalid(&path.key(beside), given, "no such key there"));
            }
        }
        if let Some(window) = window {
            self.window(window, Place::Facts, &path.key("in"), level)?;
        }
        self.measure(measure, &path.key(key), level)?;
        maybe_name(same.as_deref(), &path.key("same"))
    }

    fn measure(&mut self, measure: &Measure, path: &Path<'_>, level: usize) -> Checked {
        match measure {
            Measure::Times(of) => range(of, true, path),
            Measure::Sum { of, range: within }
            | Measure::Avg { of, range: within }
            | Measure::Min { of, range: within }
            | Measure::Max { of, range: within } => {
                name(of, &path.key("of"))?;
                range(within, false, path)
            }
            Measure::Distinct { of, range: within } => {
                name(of, &path.key("of"))?;
                range(within, true, path)
            }
            Measure::Active { unit, tz: _, range: within } => {
                active_unit(*unit, &path.key("unit"))?;
                range(within, true, path)
            }
            Measure::First(window) | Measure::Latest(window) => {
                self.window(window, Place::Facts, &path.key("in"), level)
            }
            Measure::FirstValue { of, test } | Measure::LatestValue { of, test } => {
                name(of, &path.key("of"))?;
                self.test(test, path, level)
            }
        }
    }

    pub(super) fn measured(&mut self, measured: &Measured, path: &Path<'_>, level: usize) -> Checked {
        let Measured { events, window, quantity } = measured;
        self.events(events, path, level)?;
        if let Some(window) = window {
            self.window(window, Place::Facts, &path.key("in"), level)?;
        }
        match quantity {
            Quantity::Times => Ok(()),
            Quantity::Sum(of) => name(of, &path.key("sum").key("of")),
            Quantity::Distinct(of) => name(of, &path.key("distinct").key("of")),
            Quantity::Active { unit, tz: _ } => active_unit(*unit, &path.key("active").key("unit")),
        }
    }
}

fn active_unit(unit: Unit, path: &Path<'_>) -> Checked {
    match unit {
        Unit::Hour | Unit::Day | Unit::Week | Unit::Month => Ok(()),
        Unit::Quarter | Unit::Year => {
            Err(SegmentError::invalid(path, unit.name(), "hour, day, week or month"))
        }
    }
}

/// A range some number meets; of counts, whose bounds are whole and not negative.
pub(super) fn range(range: &Range, of_counts: bool, path: &Path<'_>) -> Checked {
    let invalid = |expected: &str| Err(SegmentError::invalid(path, write::range_text(range), expected));
    for bound in [range.low, range.high] {
        match bound {
            Bound::Unbounded => {}
            Bound::Included(n) | Bound::Excluded(n) => match n {
                _ if !n.is_finite() => {
                    return Err(SegmentError::invalid(path, number(n), "finite numbers"));
                }
                Number::Int(0..) => {}
                _ if of_counts => return invalid("non-negative integers, as a count is one"),
                _ => {}
            },
        }
    }
    match (range.low, range.high) {
        (Bound::Unbounded, Bound::Unbounded) => invalid("a lower bound, an upper one, or both"),
        (Bound::Included(low), Bound::Included(high)) if low <= high => Ok(()),
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => Ok(()),
        (Bound::Included(low) | Bound::Excluded(low), Bound::Included(high) | Bound::Excluded(high))
            if low < high =>
        {
            Ok(())
        }
        _ => invalid("a range that some number can meet"),
    }
}
