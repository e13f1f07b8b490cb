//! Reads segments from the JSON tree. What stands where is checked here; what it may say, in [`super::validate`].

mod did;
mod test;
mod window;

use super::{
    Attribute, Changed, Earned, EventMatch, EventPattern, Points, Sample, Score, Segment, SegmentError,
    Sequence, Step, ThenNot, validate::check_level,
};
use crate::json::{Json, Object, Path, read_scalar, span_text};
use crate::value::Number;
use crate::window::Window;

pub(super) use test::{filter, test};
pub(super) use window::window;

pub(super) type Read<T> = Result<T, SegmentError>;

/// The forms of an expression.
const FORMS: [&str; 12] = [
    "all",
    "any",
    "not",
    "did",
    "sequence",
    "attribute",
    "changed",
    "seen",
    "score",
    "segment",
    "list",
    "sample",
];

/// Reads an expression that stands below `level − 1` others.
pub(super) fn segment(json: &Json, path: &Path<'_>, level: usize) -> Read<Segment> {
    check_level(path, level)?;
    let object = Object::read(json, path, "an expression: an object with one key")?;
    object.only(&[&FORMS])?;
    let form = object.exactly_one(&FORMS, "exactly one form")?;
    object.need(form, |json, path| body(form, json, path, level))
}

/// Reads the body of a form. It only hands on, so that its frame stays small: it is there once a level.
fn body(form: &str, json: &Json, path: &Path<'_>, level: usize) -> Read<Segment> {
    match form {
        "all" => segments(json, path, level + 1).map(Segment::All),
        "any" => segments(json, path, level + 1).map(Segment::Any),
        "not" => segment(json, path, level + 1).map(|of| Segment::Not(Box::new(of))),
        "did" => did::did(json, path, level).map(Segment::Did),
        "sequence" => sequence(json, path, level).map(Segment::Sequence),
        "attribute" => attribute(json, path, level).map(Segment::Attribute),
        "changed" => changed(json, path, level).map(Segment::Changed),
        "seen" => seen(json, path, level).map(Segment::Seen),
        "score" => score(json, path, level).map(Segment::Score),
        "segment" => name(json, path).map(Segment::Segment),
        "list" => name(json, path).map(Segment::List),
        _ => sample(json, path).map(Segment::Sample),
    }
}

fn segments(json: &Json, path: &Path<'_>, level: usize) -> Read<Vec<Segment>> {
    items(json, path, "a list of expressions", |item, path| segment(item, path, level))
}

fn seen(json: &Json, path: &Path<'_>, level: usize) -> Read<Window> {
    object(json, path, &["in"])?.need("in", |json, path| window(json, path, level))
}

/// The items of a list, each read.
fn items<T>(
    json: &Json,
    path: &Path<'_>,
    what: &str,
    read: impl Fn(&Json, &Path<'_>) -> Read<T>,
) -> Read<Vec<T>> {
    let items = json.list(path, what)?;
    let mut all = Vec::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        all.push(read(item, &path.index(i))?);
    }
    Ok(all)
}

/// An object with no other keys than these.
fn object<'j, 'p>(json: &'j Json, path: &'p Path<'p>, keys: &[&str]) -> Read<Object<'j, 'p>> {
    let object = Object::read(json, path, &format!("an object with keys of {}", keys.join(", ")))?;
    object.only(&[keys])?;
    Ok(object)
}

fn name(json: &Json, path: &Path<'_>) -> Read<String> {
    Ok(json.text(path, "a name")?.to_owned())
}

fn number(json: &Json, path: &Path<'_>) -> Read<Number> {
    match json {
        Json::Int(n) => Ok(Number::Int(*n)),
        Json::Float(x) => Ok(Number::Float(*x)),
        other => Err(other.fault(path, "a number").into()),
    }
}

fn integer(json: &Json, path: &Path<'_>) -> Read<i64> {
    match json {
        Json::Int(n) => Ok(*n),
        other => Err(other.fault(path, "an integer").into()),
    }
}

/// The keys that say which events.
const EVENTS: [&str; 2] = ["event", "where"];

/// Which events, from the keys `event` and `where` of an object that may have others.
fn events(object: &Object<'_, '_>, level: usize) -> Read<EventMatch> {
    Ok(EventMatch {
        events: object.need("event", patterns)?,
        filter: object.maybe("where", |json, path| filter(json, path, level + 1))?,
    })
}

/// Which events, as an object of its own.
fn event_match(json: &Json, path: &Path<'_>, level: usize) -> Read<EventMatch> {
    events(&object(json, path, &EVENTS)?, level)
}

fn patterns(json: &Json, path: &Path<'_>) -> Read<Vec<EventPattern>> {
    match json {
        Json::Array(_) => items(json, path, "a list of names", pattern),
        one => Ok(vec![EventPattern::from(one.text(path, "the name of an event, or a list of them")?)]),
    }
}

pub(super) fn pattern(json: &Json, path: &Path<'_>) -> Read<EventPattern> {
    Ok(EventPattern::from(json.text(path, "the name of an event")?))
}

fn sequence(json: &Json, path: &Path<'_>, level: usize) -> Read<Sequence> {
    let object = object(json, path, &["steps", "within", "in", "then_not", "same"])?;
    Ok(Sequence {
        steps: object.need("steps", |json, path| {
            items(json, path, "a list of steps", |item, path| step(item, path, level))
        })?,
        within: object.maybe("within", span_text)?,
        window: object.maybe("in", |json, path| window(json, path, level))?,
        then_not: object.maybe("then_not", |json, path| then_not(json, path, level))?,
        same: object.maybe("same", name)?,
    })
}

fn step(json: &Json, path: &Path<'_>, level: usize) -> Read<Step> {
    let object = object(json, path, &["event", "where", "within", "after", "without"])?;
    Ok(Step {
        events: events(&object, level)?,
        within: object.maybe("within", span_text)?,
        after: object.maybe("after", span_text)?,
        without: object.maybe("without", |json, path| event_match(json, path, level))?,
    })
}

fn then_not(json: &Json, path: &Path<'_>, level: usize) -> Read<ThenNot> {
    let object = object(json, path, &["event", "where", "within"])?;
    Ok(ThenNot { events: events(&object, level)?, within: object.need("within", span_text)? })
}

fn attribute(json: &Json, path: &Path<'_>, level: usize) -> Read<Attribute> {
    let object = Object::read(json, path, "an object with a name and a test")?;
    Ok(Attribute {
        test: test(&object, &["name", "for"], level)?,
        name: object.need("name", name)?,
        held: object.maybe("for", span_text)?,
    })
}

fn changed(json: &Json, path: &Path<'_>, level: usize) -> Read<Changed> {
    let object = object(json, path, &["name", "from", "to", "in"])?;
    Ok(Changed {
        name: object.need("name", name)?,
        from: object.maybe("from", read_scalar)?,
        to: object.maybe("to", read_scalar)?,
        window: object.maybe("in", |json, path| window(json, path, level))?,
    })
}

fn score(json: &Json, path: &Path<'_>, level: usize) -> Read<Score> {
    let object = Object::read(json, path, "an object with a list of points and a range")?;
    object.only(&[&["of"], &did::RANGE])?;
    Ok(Score {
        of: object.need("of", |json, path| {
            items(json, path, "a list of points", |item, path| points(item, path, level))
        })?,
        range: did::range(&object)?,
    })
}

fn points(json: &Json, path: &Path<'_>, level: usize) -> Read<Points> {
    let object = object(json, path, &["points", "if", "per"])?;
    let points = object.need("points", integer)?;
    let earned = match object.exactly_one(&["if", "per"], "exactly one that earns the points")? {
        "if" => Earned::If(object.need("if", |json, path| segment(json, path, level + 1))?),
        _ => Earned::Per(object.need("per", |json, path| did::measured(json, path, level))?),
    };
    Ok(Points { points, earned })
}

fn sample(json: &Json, path: &Path<'_>) -> Read<Sample> {
    let object = object(json, path, &["salt", "from", "to"])?;
    Ok(Sample {
        salt: object.need("salt", |json, path| Read::Ok(json.text(path, "a text")?.to_owned()))?,
        from: object.need("from", number)?,
        to: object.need("to", number)?,
    })
}
