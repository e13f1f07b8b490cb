//! Writes segments as the JSON tree. A valid segment reads back equal.
//!
//! What is not valid need not: below the limit of depth stands null, which no reader takes, so that no stack
//! is too small.

use std::ops::Bound;

use chrono_tz::Tz;

use super::{
    Attribute, Changed, Comparison, Did, Earned, EventMatch, Filter, Measure, Measured, Points, Quantity,
    Range, Sample, Score, Segment, Sequence, Step, Test, ThenNot,
};
use crate::json::{Json, shown, write_scalar};
use crate::limits;
use crate::time::{Span, Unit};
use crate::value::{Number, Scalar};
use crate::window::{Anchor, Reach, Window};

/// The members of an object, in the order written.
#[derive(Default)]
struct Members(Vec<(String, Json)>);

impl Members {
    fn with(mut self, key: &str, value: Json) -> Self {
        self.0.push((key.to_owned(), value));
        self
    }

    fn maybe<T>(self, key: &str, value: Option<T>, write: impl FnOnce(T) -> Json) -> Self {
        match value {
            Some(value) => self.with(key, write(value)),
            None => self,
        }
    }

    fn json(self) -> Json {
        Json::Object(self.0)
    }
}

fn one(key: &str, value: Json) -> Json {
    Members::default().with(key, value).json()
}

fn text(text: &str) -> Json {
    Json::String(text.to_owned())
}

fn number(n: Number) -> Json {
    match n {
        Number::Int(n) => Json::Int(n),
        Number::Float(x) => Json::Float(x),
    }
}

fn span(span: Span) -> Json {
    Json::String(span.to_string())
}

pub(super) fn segment(of: &Segment, level: usize) -> Json {
    if level > limits::MAX_DEPTH {
        return Json::Null;
    }
    let segments = |of: &[Segment]| Json::Array(of.iter().map(|one| segment(one, level + 1)).collect());
    match of {
        Segment::All(of) => one("all", segments(of)),
        Segment::Any(of) => one("any", segments(of)),
        Segment::Not(of) => one("not", segment(of, level + 1)),
        Segment::Did(of) => one("did", did(of, level)),
        Segment::Sequence(of) => one("sequence", sequence(of, level)),
        Segment::Attribute(of) => one("attribute", attribute(of, level)),
        Segment::Changed(of) => one("changed", changed(of, level)),
        Segment::Seen(of) => one("seen", one("in", window(of, level))),
        Segment::Score(of) => one("score", score(of, level)),
        Segment::Segment(name) => one("segment", text(name)),
        Segment::List(name) => one("list", text(name)),
        Segment::Sample(of) => one("sample", sample(of)),
    }
}

fn events(members: Members, of: &EventMatch, level: usize) -> Members {
    let event = match of.events.as_slice() {
        [one] => Json::String(one.to_string()),
        many => Json::Array(many.iter().map(|one| Json::String(one.to_string())).collect()),
    };
    members.with("event", event).maybe("where", of.filter.as_ref(), |of| filter(of, level + 1))
}

fn event_match(of: &EventMatch, level: usize) -> Json {
    events(Members::default(), of, level).json()
}

fn did(did: &Did, level: usize) -> Json {
    // A measure, too, is written where it is not the default.
    let measured = (did.measure != Measure::Times(Range::at_least(1))).then_some(&did.measure);
    let members = events(Members::default(), &did.events, level)
        .maybe("in", did.window.as_ref(), |of| window(of, level))
        .maybe(measure_key(&did.measure), measured, |of| measure(of, level));
    members.maybe("same", did.same.as_deref(), text).json()
}

/// The key of a measure.
pub(super) fn measure_key(measure: &Measure) -> &'static str {
    match measure {
        Measure::Times(_) => "times",
        Measure::Sum { .. } => "sum",
        Measure::Avg { .. } => "avg",
        Measure::Min { .. } => "min",
        Measure::Max { .. } => "max",
        Measure::Distinct { .. } => "distinct",
        Measure::Active { .. } => "active",
        Measure::First(_) => "first",
        Measure::Latest(_) => "latest",
        Measure::FirstValue { .. } => "first_value",
        Measure::LatestValue { .. } => "latest_value",
    }
}

fn measure(measure: &Measure, level: usize) -> Json {
    let of = |of: &str| Members::default().with("of", text(of));
    match measure {
        Measure::Times(within) => range(Members::default(), within).json(),
        Measure::Sum { of: property, range: within }
        | Measure::Avg { of: property, range: within }
        | Measure::Min { of: property, range: within }
        | Measure::Max { of: property, range: within }
        | Measure::Distinct { of: property, range: within } => range(of(property), within).json(),
        Measure::Active { unit, tz, range: within } => range(active(*unit, *tz), within).json(),
        Measure::First(within) | Measure::Latest(within) => one("in", window(within, level)),
        Measure::FirstValue { of: property, test: passes }
        | Measure::LatestValue { of: property, test: passes } => test(of(property), passes, level).json(),
    }
}

fn active(unit: Unit, tz: Tz) -> Members {
    zone(Members::default().with("unit", text(unit.name())), tz)
}

/// A zone is written where it is not the default.
fn zone(members: Members, tz: Tz) -> Members {
    if tz == Tz::UTC { members } else { members.with("tz", text(tz.name())) }
}

fn measured(measured: &Measured, level: usize) -> Json {
    let members =
        events(Members::default(), &measured.events, level)
            .maybe("in", measured.window.as_ref(), |of| window(of, level));
    match &measured.quantity {
        Quantity::Times => members,
        Quantity::Sum(of) => members.with("sum", one("of", text(of))),
        Quantity::Distinct(of) => members.with("distinct", one("of", text(of))),
        Quantity::Active { unit, tz } => members.with("active", active(*unit, *tz).json()),
    }
    .json()
}

fn range(members: Members, range: &Range) -> Members {
    match (range.low, range.high) {
        (Bound::Included(low), Bound::Included(high)) if low == high => members.with("exactly", number(low)),
        (Bound::Included(low), Bound::Included(high)) => {
            members.with("between", Json::Array(vec![number(low), number(high)]))
        }
        (low, high) => {
            let members = match low {
                Bound::Included(n) => members.with("at_least", number(n)),
                Bound::Excluded(n) => members.with("more_than", number(n)),
                Bound::Unbounded => members,
            };
            match high {
                Bound::Included(n) => members.with("at_most", number(n)),
                Bound::Excluded(n) => members.with("less_than", number(n)),
                Bound::Unbounded => members,
            }
        }
    }
}

/// A range as an error shows it.
pub(super) fn range_text(of: &Range) -> String {
    range(Members::default(), of).json().to_string()
}

/// Scalars as an error shows them.
pub(super) fn scalars_text(of: &[&Scalar]) -> String {
    let of: Vec<String> = of
        .iter()
        .map(|one| match one {
            Scalar::String(text) => shown(text),
            other => write_scalar(other).to_string(),
        })
        .collect();
    format!("[{}]", of.join(","))
}

fn sequence(sequence: &Sequence, level: usize) -> Json {
    let Sequence { steps, within, window: inside, then_not, same } = sequence;
    Members::default()
        .with("steps", Json::Array(steps.iter().map(|one| step(one, level)).collect()))
        .maybe("within", *within, span)
        .maybe("in", inside.as_ref(), |of| window(of, level))
        .maybe("then_not", then_not.as_ref(), |ThenNot { events: of, within }| {
            events(Members::default(), of, level).with("within", span(*within)).json()
        })
        .maybe("same", same.as_deref(), text)
        .json()
}

fn step(step: &Step, level: usize) -> Json {
    events(Members::default(), &step.events, level)
        .maybe("within", step.within, span)
        .maybe("after", step.after, span)
        .maybe("without", step.without.as_ref(), |of| event_match(of, level))
        .json()
}

fn attribute(attribute: &Attribute, level: usize) -> Json {
    let members = Members::default().with("name", text(&attribute.name));
    test(members, &attribute.test, level).maybe("for", attribute.held, span).json()
}

fn changed(changed: &Changed, level: usize) -> Json {
    Members::default()
        .with("name", text(&changed.name))
        .maybe("from", changed.from.as_ref(), write_scalar)
        .maybe("to", changed.to.as_ref(), write_scalar)
        .maybe("in", changed.window.as_ref(), |of| window(of, level))
        .json()
}

fn score(score: &Score, level: usize) -> Json {
    let points = |Points { points, earned }: &Points| {
        let members = Members::default().with("points", Json::Int(*points));
        match earned {
            Earned::If(of) => members.with("if", segment(of, level + 1)),
            Earned::Per(of) => members.with("per", measured(of, level)),
        }
        .json()
    };
    let of = Json::Array(score.of.iter().map(points).collect());
    range(Members::default().with("of", of), &score.range).json()
}

fn sample(sample: &Sample) -> Json {
    Members::default()
        .with("salt", text(&sample.salt))
        .with("from", number(sample.from))
        .with("to", number(sample.to))
        .json()
}

pub(super) fn filter(of: &Filter, level: usize) -> Json {
    if level > limits::MAX_DEPTH {
        return Json::Null;
    }
    let filters = |of: &[Filter]| Json::Array(of.iter().map(|one| filter(one, level + 1)).collect());
    match of {
        Filter::Property { name, test: passes } => {
            test(Members::default().with("property", text(name)), passes, level).json()
        }
        Filter::All(of) => one("all", filters(of)),
        Filter::Any(of) => one("any", filters(of)),
        Filter::Not(of) => one("not", filter(of, level + 1)),
    }
}

/// A test on its own.
pub(super) fn lone_test(of: &Test) -> Json {
    test(Members::default(), of, 1).json()
}

fn test(members: Members, test: &Test, level: usize) -> Members {
    let members = members.with(comparison_key(&test.comparison), operand(&test.comparison, level));
    if test.ignore_case { members.with("ignore_case", Json::Bool(true)) } else { members }
}

/// The key of a comparison.
pub(super) fn comparison_key(comparison: &Comparison) -> &'static str {
    match comparison {
        Comparison::Eq(_) => "eq",
        Comparison::Ne(_) => "ne",
        Comparison::In(_) => "in",
        Comparison::NotIn(_) => "not_in",
        Comparison::Gt(_) => "gt",
        Comparison::Gte(_) => "gte",
        Comparison::Lt(_) => "lt",
        Comparison::Lte(_) => "lte",
        Comparison::Between(..) => "between",
        Comparison::Contains(_) => "contains",
        Comparison::NotContains(_) => "not_contains",
        Comparison::StartsWith(_) => "starts_with",
        Comparison::EndsWith(_) => "ends_with",
        Comparison::Matches(_) => "matches",
        Comparison::NotMatches(_) => "not_matches",
        Comparison::Exists(_) => "exists",
        Comparison::Within(_) => "within",
        Comparison::Anniversary { .. } => "anniversary",
        Comparison::AnyElement(_) => "any_element",
    }
}

fn operand(comparison: &Comparison, level: usize) -> Json {
    match comparison {
        Comparison::Eq(of)
        | Comparison::Ne(of)
        | Comparison::Gt(of)
        | Comparison::Gte(of)
        | Comparison::Lt(of)
        | Comparison::Lte(of) => write_scalar(of),
        Comparison::In(of) | Comparison::NotIn(of) => Json::Array(of.iter().map(write_scalar).collect()),
        Comparison::Between(low, high) => Json::Array(vec![write_scalar(low), write_scalar(high)]),
        Comparison::Contains(of)
        | Comparison::NotContains(of)
        | Comparison::StartsWith(of)
        | Comparison::EndsWith(of)
        | Comparison::Matches(of)
        | Comparison::NotMatches(of) => text(of),
        Comparison::Exists(there) => Json::Bool(*there),
        Comparison::Within(of) => window(of, level),
        Comparison::Anniversary { next, tz } => {
            zone(Members::default().with("next", span(*next)), *tz).json()
        }
        Comparison::AnyElement(of) => filter(of, level + 1),
    }
}

pub(super) fn window(window: &Window, level: usize) -> Json {
    let spans = |from: &Span, to: &Span| Json::Array(vec![span(*from), span(*to)]);
    match window {
        Window::Last(of) => one("last", span(*of)),
        Window::Before(of) => one("before", span(*of)),
        Window::Ago { from, to } => one("ago", spans(from, to)),
        Window::Fixed { from, to } => Members::default()
            .maybe("from", *from, |at| Json::String(at.to_string()))
            .maybe("to", *to, |at| Json::String(at.to_string()))
            .json(),
        Window::Calendar { unit, from, to, tz } => {
            let back = Json::Array(vec![Json::Int(*from), Json::Int(*to)]);
            let members = Members::default().with("unit", text(unit.name())).with("back", back);
            one("calendar", zone(members, *tz).json())
        }
        Window::Around { of, before, after } => {
            let reach = |reach: Reach| match reach {
                Reach::Ever => text("ever"),
                Reach::Span(of) => span(of),
            };
            let members = Members::default().with("of", anchor(of, level));
            one("around", members.maybe("before", *before, reach).maybe("after", *after, reach).json())
        }
        Window::Next(of) => one("next", span(*of)),
        Window::Ahead { from, to } => one("ahead", spans(from, to)),
        Window::Beyond(of) => one("beyond", span(*of)),
    }
}

fn anchor(anchor: &Anchor, level: usize) -> Json {
    match anchor {
        Anchor::Seen => text("seen"),
        Anchor::Attribute(name) => one("attribute", text(name)),
        Anchor::First(of) => one("first", event_match(of, level)),
        Anchor::Latest(of) => one("latest", event_match(of, level)),
    }
}
