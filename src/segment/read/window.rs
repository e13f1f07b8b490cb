//! Windows of time and what they are made of.

use chrono_tz::Tz;

use super::{Read, event_match, integer, name, object};
use crate::json::{Fault, Json, Object, Path, instant_text, span_text};
use crate::time::{Span, Unit};
use crate::window::{Anchor, Reach, Window};

/// The forms of a window; `from` and `to` together are one.
const FORMS: [&str; 10] =
    ["last", "before", "ago", "from", "to", "calendar", "around", "next", "ahead", "beyond"];

const UNITS: [Unit; 6] = [Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Quarter, Unit::Year];

/// Reads a window of an expression at that level.
pub(in crate::segment) fn window(json: &Json, path: &Path<'_>, level: usize) -> Read<Window> {
    let object = Object::read(json, path, "a window: an object with one of its forms")?;
    object.only(&[&FORMS])?;
    if object.get("from").is_some() && object.get("to").is_some() && object.members.len() == 2 {
        return fixed(&object);
    }
    let form = object.exactly_one(&FORMS, "exactly one form of a window")?;
    match form {
        "from" | "to" => fixed(&object),
        "calendar" => object.need(form, calendar),
        "around" => object.need(form, |json, path| around(json, path, level)),
        "ago" | "ahead" => {
            let (from, to) = object.need(form, spans)?;
            Ok(if form == "ago" { Window::Ago { from, to } } else { Window::Ahead { from, to } })
        }
        _ => {
            let span = object.need(form, span_text)?;
            Ok(match form {
                "last" => Window::Last(span),
                "before" => Window::Before(span),
                "next" => Window::Next(span),
                _ => Window::Beyond(span),
            })
        }
    }
}

fn fixed(object: &Object<'_, '_>) -> Read<Window> {
    Ok(Window::Fixed { from: object.maybe("from", instant_text)?, to: object.maybe("to", instant_text)? })
}

fn spans(json: &Json, path: &Path<'_>) -> Read<(Span, Span)> {
    let [a, b] = json.pair(path, "a list of two spans")?;
    Ok((span_text(a, &path.index(0))?, span_text(b, &path.index(1))?))
}

fn calendar(json: &Json, path: &Path<'_>) -> Read<Window> {
    let object = object(json, path, &["unit", "back", "tz"])?;
    let unit = object.need("unit", |json, path| unit(json, path, "day, week, month, quarter or year"))?;
    let (from, to) = object.need("back", |json, path| {
        let [a, b] = json.pair(path, "a list of two integers")?;
        Read::Ok((integer(a, &path.index(0))?, integer(b, &path.index(1))?))
    })?;
    Ok(Window::Calendar { unit, from, to, tz: tz(&object)? })
}

/// A calendar unit; `expected` tells which may stand there, which is the law's to say.
fn unit(json: &Json, path: &Path<'_>, expected: &'static str) -> Read<Unit> {
    let text = json.text(path, expected)?;
    let unit = UNITS.into_iter().find(|unit| unit.name() == text);
    unit.ok_or_else(|| json.fault(path, expected).into())
}

/// The unit and the zone in which a user is active.
pub(super) fn active(object: &Object<'_, '_>) -> Read<(Unit, Tz)> {
    let unit = object.need("unit", |json, path| unit(json, path, "hour, day, week or month"))?;
    Ok((unit, tz(object)?))
}

/// The zone of an object that may name one; UTC where it does not.
pub(super) fn tz(object: &Object<'_, '_>) -> Read<Tz> {
    let tz = object.maybe("tz", |json, path| {
        let expected = "an IANA time zone in its exact case, such as \"Europe/Berlin\"";
        let tz = json.text(path, expected)?.parse::<Tz>();
        Read::Ok(tz.map_err(|_| json.fault(path, expected))?)
    })?;
    Ok(tz.unwrap_or(Tz::UTC))
}

fn around(json: &Json, path: &Path<'_>, level: usize) -> Read<Window> {
    let object = object(json, path, &["of", "before", "after"])?;
    Ok(Window::Around {
        of: object.need("of", |json, path| anchor(json, path, level))?,
        before: object.maybe("before", reach)?,
        after: object.maybe("after", reach)?,
    })
}

fn reach(json: &Json, path: &Path<'_>) -> Result<Reach, Fault> {
    match json {
        Json::String(text) if text == "ever" => Ok(Reach::Ever),
        other => span_text(other, path).map(Reach::Span),
    }
}

fn anchor(json: &Json, path: &Path<'_>, level: usize) -> Read<Anchor> {
    let expected = "an anchor: \"seen\", or an object with one of attribute, first, latest";
    match json {
        Json::String(text) if text == "seen" => return Ok(Anchor::Seen),
        Json::Object(_) => {}
        other => return Err(other.fault(path, expected).into()),
    }
    const FORMS: [&str; 3] = ["attribute", "first", "latest"];
    let object = object(json, path, &FORMS)?;
    let form = object.exactly_one(&FORMS, "exactly one anchor")?;
    object.need(form, |json, path| {
        Ok(match form {
            "attribute" => Anchor::Attribute(name(json, path)?),
            "first" => Anchor::First(Box::new(event_match(json, path, level)?)),
            _ => Anchor::Latest(Box::new(event_match(json, path, level)?)),
        })
    })
}
