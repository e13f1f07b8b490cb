//! Random windows, all of them valid where they stand.

use proptest::prelude::*;
use proptest::sample::select;

use super::pools::*;
use super::value_tests::matches;
use crate::time::{Span, Unit};
use crate::window::{Anchor, Reach, Window};

const UNITS: [Unit; 5] = [Unit::Day, Unit::Week, Unit::Month, Unit::Quarter, Unit::Year];

/// A window over facts, `around` included.
pub fn windows() -> BoxedStrategy<Window> {
    prop_oneof![6 => windows_of_seen(), 2 => around()].boxed()
}

/// A window over facts that needs no instant of the user: what `seen` takes.
pub fn windows_of_seen() -> BoxedStrategy<Window> {
    prop_oneof![5 => backward(), 2 => calendar(0)].boxed()
}

/// A window in a test on an instant: those that look ahead, too.
pub fn windows_in_tests() -> BoxedStrategy<Window> {
    let ahead = two_spans().prop_map(|(long, short)| Window::Ahead { from: short, to: long });
    prop_oneof![
        3 => backward(),
        2 => calendar(-3),
        2 => spans().prop_map(Window::Next),
        1 => ahead,
        1 => spans().prop_map(Window::Beyond),
    ]
    .boxed()
}

fn backward() -> impl Strategy<Value = Window> {
    prop_oneof![
        4 => spans().prop_map(Window::Last),
        2 => spans().prop_map(Window::Before),
        2 => two_spans().prop_map(|(from, to)| Window::Ago { from, to }),
        2 => fixed(),
    ]
}

/// Two spans, the first longer where a month counts 30 days and a year 365.
fn two_spans() -> impl Strategy<Value = (Span, Span)> {
    (spans(), spans()).prop_filter_map("two spans of one length", |(a, b)| {
        match a.nominal_millis().cmp(&b.nominal_millis()) {
            std::cmp::Ordering::Greater => Some((a, b)),
            std::cmp::Ordering::Less => Some((b, a)),
            std::cmp::Ordering::Equal => None,
        }
    })
}

fn fixed() -> impl Strategy<Value = Window> {
    let both = (instants(), instants()).prop_filter_map("an empty window", |(a, b)| {
        (a != b).then(|| Window::Fixed { from: Some(a.min(b)), to: Some(a.max(b)) })
    });
    prop_oneof![
        instants().prop_map(|from| Window::Fixed { from: Some(from), to: None }),
        instants().prop_map(|to| Window::Fixed { from: None, to: Some(to) }),
        both,
    ]
}

/// Whole calendar units, the latest at least so far back.
fn calendar(latest: i64) -> impl Strategy<Value = Window> {
    let back = (latest..4, prop_oneof![12 => 0..4i64, 1 => Just(3000), 1 => Just(i64::MAX / 2)]);
    (select(&UNITS[..]), back, zones()).prop_map(|(unit, (to, more), tz)| Window::Calendar {
        unit,
        from: to.saturating_add(more),
        to,
        tz,
    })
}

fn around() -> impl Strategy<Value = Window> {
    let reach = || {
        prop_oneof![
            2 => Just(None),
            4 => spans().prop_map(|s| Some(Reach::Span(s))),
            1 => Just(Some(Reach::Ever)),
        ]
    };
    (anchors(), reach(), reach()).prop_map(|(of, before, after)| {
        let after = if before.is_none() && after.is_none() { Some(Reach::Ever) } else { after };
        Window::Around { of, before, after }
    })
}

fn anchors() -> impl Strategy<Value = Anchor> {
    prop_oneof![
        2 => Just(Anchor::Seen),
        2 => names(&ATTRIBUTES).prop_map(Anchor::Attribute),
        1 => matches().prop_map(|m| Anchor::First(m.into())),
        1 => matches().prop_map(|m| Anchor::Latest(m.into())),
    ]
}
