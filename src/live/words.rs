//! Causes in words.

use super::edge::Edge;
use super::watch::{Turning, Watch};
use crate::plan::{Leaf, Measure};
use crate::segment::{self, Attribute, Changed, Did, EventMatch, Measured, Segment, Sequence, Step, ThenNot};

/// What a leaf asks, in the words of a segment.
pub(super) fn leaf(leaf: &Leaf) -> String {
    written(leaf).to_string()
}

/// What a measure counts.
pub(super) fn measure(measure: &Measure) -> String {
    let events =
        EventMatch { events: measure.matcher.events().to_vec(), filter: measure.matcher.filter().cloned() };
    let window = measure.scope.window().cloned();
    let measured = Measured { events, window, quantity: measure.quantity.clone() };
    let points = segment::Points { points: 1, earned: segment::Earned::Per(measured) };
    let range = segment::Range { low: std::ops::Bound::Unbounded, high: std::ops::Bound::Unbounded };
    Segment::Score(segment::Score { of: vec![points], range }).to_string()
}

/// An edge, and what passed it.
pub(super) fn edge(watch: &Watch) -> String {
    let what = watch.source.words();
    match &watch.edge {
        Edge::Enters(window) => format!("{what} came to lie {window}"),
        Edge::Leaves(window) => format!("{what} no longer lies {window}"),
        Edge::Held(span) => format!("{what} is {span} old"),
        Edge::Deadline(span) => format!("{span} have passed since {what}"),
    }
}

/// A value that turned.
pub(super) fn turning(turning: &Turning) -> String {
    match turning {
        Turning::Filter(matcher) => {
            let names: Vec<String> = matcher.events().iter().map(ToString::to_string).collect();
            format!("a property of {} is relative to now", names.join(" or "))
        }
        Turning::Property { of, .. } => format!("the property {of} is relative to now"),
        Turning::Attribute { name, .. } => format!("the attribute {name} is relative to now"),
    }
}

/// The segment that asks for the leaf alone.
fn written(leaf: &Leaf) -> Segment {
    let match_of = |matcher: &crate::plan::Matcher| EventMatch {
        events: matcher.events().to_vec(),
        filter: matcher.filter().cloned(),
    };
    match leaf {
        Leaf::Did(of) => {
            let at_once = matches!(of.measure, segment::Measure::First(_) | segment::Measure::Latest(_));
            Segment::Did(Did {
                events: match_of(&of.matcher),
                window: of.scope.window().filter(|_| !at_once).cloned(),
                measure: of.measure.clone(),
                same: of.same.clone(),
            })
        }
        Leaf::Sequence(of) => {
            let events = |matcher: u32| {
                let none = || EventMatch { events: Vec::new(), filter: None };
                of.matchers.get(matcher as usize).map_or_else(none, match_of)
            };
            let step = |link: &crate::plan::Link| Step {
                events: events(link.matcher),
                within: link.within,
                after: link.after,
                without: link.without.map(events),
            };
            Segment::Sequence(Sequence {
                steps: of.steps.iter().map(step).collect(),
                within: of.within,
                window: of.scope.window().cloned(),
                then_not: of.then_not.map(|(matcher, within)| ThenNot { events: events(matcher), within }),
                same: of.same.clone(),
            })
        }
        Leaf::Attribute(of) => Segment::Attribute(Attribute {
            name: of.name().to_owned(),
            test: of.test().clone(),
            held: of.held(),
        }),
        Leaf::Changed(of) => Segment::Changed(Changed {
            name: of.name().to_owned(),
            from: of.from().cloned(),
            to: of.to().cloned(),
            window: of.scope().window().cloned(),
        }),
        Leaf::Seen(window) => Segment::Seen(window.clone()),
        Leaf::List(list) => Segment::List(list.name().to_owned()),
        Leaf::Sample(share) => Segment::Sample(share.sample().clone()),
    }
}
