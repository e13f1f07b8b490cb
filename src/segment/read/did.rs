//! Behaviours: measures and the ranges they are held against.

use std::ops::Bound;

use super::{EVENTS, Read, events, name, number, object, test, window};
use crate::json::{Fault, Json, Object, Path};
use crate::segment::{Did, Measure, Measured, Quantity, Range};
use crate::value::Number;

/// The measures of a behaviour.
const MEASURES: [&str; 11] = [
    "times",
    "sum",
    "avg",
    "min",
    "max",
    "distinct",
    "active",
    "first",
    "latest",
    "first_value",
    "latest_value",
];

/// The measures of a number of points: without a range, and `times` by saying none.
const QUANTITIES: [&str; 3] = ["sum", "distinct", "active"];

/// The keys of a range.
pub(super) const RANGE: [&str; 6] = ["at_least", "at_most", "more_than", "less_than", "exactly", "between"];

const AT_LEAST_ONCE: Range = Range { low: Bound::Included(Number::Int(1)), high: Bound::Unbounded };

pub(super) fn did(json: &Json, path: &Path<'_>, level: usize) -> Read<Did> {
    let object = Object::read(json, path, "an object with an event")?;
    object.only(&[&EVENTS, &["in", "same"], &MEASURES])?;
    let measure = match object.at_most_one(&MEASURES, "at most one measure")? {
        Some(key) => object.need(key, |json, path| measure(key, json, path, level))?,
        None => Measure::Times(AT_LEAST_ONCE),
    };
    Ok(Did {
        events: events(&object, level)?,
        window: object.maybe("in", |json, path| window(json, path, level))?,
        measure,
        same: object.maybe("same", name)?,
    })
}

fn measure(key: &str, json: &Json, path: &Path<'_>, level: usize) -> Read<Measure> {
    Ok(match key {
        "times" => {
            let object = Object::read(json, path, "a range")?;
            object.only(&[&RANGE])?;
            Measure::Times(range(&object)?)
        }
        "active" => {
            let object = Object::read(json, path, "an object with a unit and a range")?;
            object.only(&[&["unit", "tz"], &RANGE])?;
            let (unit, tz) = super::window::active(&object)?;
            Measure::Active { unit, tz, range: range(&object)? }
        }
        "first" | "latest" => {
            let object = object(json, path, &["in"])?;
            let window = object.need("in", |json, path| super::window(json, path, level))?;
            if key == "first" { Measure::First(window) } else { Measure::Latest(window) }
        }
        "first_value" | "latest_value" => {
            let object = Object::read(json, path, "an object with a property (\"of\") and a test")?;
            let test = test(&object, &["of"], level)?;
            let of = object.need("of", name)?;
            if key == "first_value" {
                Measure::FirstValue { of, test }
            } else {
                Measure::LatestValue { of, test }
            }
        }
        _ => {
            let object = Object::read(json, path, "an object with a property (\"of\") and a range")?;
            object.only(&[&["of"], &RANGE])?;
            let (of, range) = (object.need("of", name)?, range(&object)?);
            match key {
                "sum" => Measure::Sum { of, range },
                "avg" => Measure::Avg { of, range },
                "min" => Measure::Min { of, range },
                "max" => Measure::Max { of, range },
                _ => Measure::Distinct { of, range },
            }
        }
    })
}

/// A measured number: a behaviour without its range.
pub(super) fn measured(json: &Json, path: &Path<'_>, level: usize) -> Read<Measured> {
    let object = Object::read(json, path, "an object with an event")?;
    object.only(&[&EVENTS, &["in"], &QUANTITIES])?;
    let quantity = match object.at_most_one(&QUANTITIES, "at most one measure")? {
        Some(key) => object.need(key, |json, path| quantity(key, json, path))?,
        None => Quantity::Times,
    };
    Ok(Measured {
        events: events(&object, level)?,
        window: object.maybe("in", |json, path| window(json, path, level))?,
        quantity,
    })
}

fn quantity(key: &str, json: &Json, path: &Path<'_>) -> Read<Quantity> {
    if key == "active" {
        let object = object(json, path, &["unit", "tz"])?;
        let (unit, tz) = super::window::active(&object)?;
        return Ok(Quantity::Active { unit, tz });
    }
    let of = object(json, path, &["of"])?.need("of", name)?;
    Ok(if key == "sum" { Quantity::Sum(of) } else { Quantity::Distinct(of) })
}

/// The range among the keys of an object.
pub(super) fn range(object: &Object<'_, '_>) -> Read<Range> {
    let expected = "a range: one of at_least, at_most, more_than, less_than, exactly, between, or a lower and an \
                    upper one together";
    let lower = object.at_most_one(&["at_least", "more_than"], expected)?;
    let upper = object.at_most_one(&["at_most", "less_than"], expected)?;
    let alone = object.at_most_one(&["exactly", "between"], expected)?;
    match (lower, upper, alone) {
        (None, None, None) => Err(Fault::new(object.path, object.describe(), expected).into()),
        (None, None, Some("exactly")) => {
            let n = object.need("exactly", number)?;
            Ok(Range { low: Bound::Included(n), high: Bound::Included(n) })
        }
        (None, None, Some(_)) => object.need("between", |json, path| {
            let [a, b] = json.pair(path, "a list of two numbers")?;
            let (low, high) = (number(a, &path.index(0))?, number(b, &path.index(1))?);
            Ok(Range { low: Bound::Included(low), high: Bound::Included(high) })
        }),
        (_, _, None) => {
            Ok(Range { low: bound(object, lower, "at_least")?, high: bound(object, upper, "at_most")? })
        }
        (Some(other), _, Some(alone)) | (None, Some(other), Some(alone)) => {
            Err(Fault::new(object.path, format!("both {other:?} and {alone:?}"), expected).into())
        }
    }
}

/// The bound of a key that may be there; the one named `including` has its own number inside.
fn bound(object: &Object<'_, '_>, key: Option<&'static str>, including: &str) -> Read<Bound<Number>> {
    let Some(key) = key else { return Ok(Bound::Unbounded) };
    let n = object.need(key, number)?;
    Ok(if key == including { Bound::Included(n) } else { Bound::Excluded(n) })
}
