//! Random facts.

use proptest::prelude::*;
use proptest::sample::select;

use super::change::Change;
use super::pools::*;
use crate::event::{AttributeWrite, Event};
use crate::segment::EventPattern;
use crate::time::Timestamp;
use crate::value::{Scalar, Value};

/// Facts in order of arrival: late ones, duplicate ids, tied instants, missing properties, mixed kinds, and
/// every way of erasing them. Few users and few values, so that they meet.
pub fn facts() -> impl Strategy<Value = Vec<Change>> {
    prop::collection::vec(together(), 0..60).prop_map(|facts| facts.concat())
}

/// One fact, or two that belong together: what one user does just so long after something else, and an attribute
/// written twice at one instant.
fn together() -> impl Strategy<Value = Vec<Change>> {
    let later = (event(), event(), spans(), beside()).prop_map(|(event, next, span, by)| {
        let at = Timestamp(event.at.plus(span).millis() + by).clamp(Timestamp::MIN, Timestamp::MAX);
        let next = Event { user: event.user.clone(), at, ..next };
        vec![Change::Event(event), Change::Event(next)]
    });
    let again = (write(), prop_oneof![Just(None), values().prop_map(Some)]).prop_map(|(write, value)| {
        let again = AttributeWrite { value, ..write.clone() };
        vec![Change::Attribute(again), Change::Attribute(write)]
    });
    prop_oneof![10 => change().prop_map(|one| vec![one]), 3 => later, 1 => again]
}

/// One fact, or what is done to facts.
pub fn change() -> impl Strategy<Value = Change> {
    let users = || names(&USERS);
    let merge = (users(), users()).prop_map(|(from, into)| Change::Merge { from, into });
    let patterns = prop_oneof![
        Just(vec![EventPattern::Prefix(String::new())]),
        prop::collection::vec(patterns(), 1..3),
    ];
    prop_oneof![
        1 => bad(),
        60 => event().prop_map(Change::Event),
        24 => write().prop_map(Change::Attribute),
        4 => (users(), instants()).prop_map(|(id, seen)| Change::User { id, seen }),
        1 => merge,
        1 => users().prop_map(|user| Change::Forget { user }),
        1 => (instants(), patterns).prop_map(|(since, events)| Change::Retain { since, events }),
    ]
}

/// A fact that is refused.
fn bad() -> impl Strategy<Value = Change> {
    let bad = prop_oneof![Just(String::new()), Just("x".repeat(513))];
    (event(), write(), instants(), bad, 0..9u8).prop_map(|(event, write, at, bad, which)| match which {
        0 => Change::Event(Event { user: bad.into(), ..event }),
        1 => Change::Event(Event { name: bad.into(), ..event }),
        2 => Change::Event(Event { id: Some(bad.into()), ..event }),
        3 => Change::Event(event.with(bad, 1)),
        4 => Change::Attribute(AttributeWrite { user: bad.into(), ..write }),
        5 => Change::Attribute(AttributeWrite { name: bad.into(), ..write }),
        6 => Change::User { id: bad, seen: at },
        7 => Change::Merge { from: bad, into: event.user.into() },
        _ => Change::Merge { from: event.user.into(), into: bad },
    })
}

/// An event; one in four has an id, and ids are few.
pub fn event() -> impl Strategy<Value = Event> {
    let id = prop_oneof![3 => Just(None), 1 => (0..12u8).prop_map(|n| Some(format!("m{n}").into()))];
    let rest =
        (property("amount"), property("item"), property("coupon"), property("due"), property("products"));
    (names(&USERS), event_names(), instants(), rest, id).prop_map(|(user, name, at, rest, id)| {
        let all = [rest.0, rest.1, rest.2, rest.3, rest.4];
        let properties = PROPERTIES.iter().zip(all).filter_map(|(name, v)| Some(((*name).to_owned(), v?)));
        Event { user: user.into(), name: name.into(), at, properties: properties.collect(), id }
    })
}

/// A property, missing in half of the events; mostly of the kind its name promises.
fn property(name: &'static str) -> impl Strategy<Value = Option<Value>> {
    let promised = match name {
        "amount" => numbers().prop_map(Value::Scalar).boxed(),
        "due" => instants_in_values().prop_map(|at| Value::Scalar(Scalar::Instant(at))).boxed(),
        "products" => records().boxed(),
        "item" => {
            let few = select(vec!["a".into(), "b".into(), 1.into(), Value::from(1.0)]);
            prop_oneof![4 => few, 1 => Just(Value::from(["a", "b"]))].boxed()
        }
        _ => texts().prop_map(|s| Value::Scalar(Scalar::String(s))).boxed(),
    };
    prop_oneof![5 => Just(None), 4 => promised.prop_map(Some), 1 => values().prop_map(Some)]
}

/// A write of an attribute, or its removal; mostly of the kind its name promises.
pub fn write() -> impl Strategy<Value = AttributeWrite> {
    let plans = select(vec!["free".into(), "pro".into(), Value::from("Pro")]);
    let instant = || instants_in_values().prop_map(|at| Value::Scalar(Scalar::Instant(at)));
    let tags = prop::collection::vec(texts().prop_map(Scalar::String), 0..3).prop_map(Value::List);
    let promised = prop_oneof![
        2 => (Just("plan".to_owned()), plans),
        1 => (Just("score".to_owned()), numbers().prop_map(Value::Scalar)),
        1 => (Just("ends".to_owned()), instant()),
        1 => (Just("born".to_owned()), instant()),
        1 => (Just("tags".to_owned()), tags),
    ];
    let promised = promised.prop_map(|(name, value)| (name, Some(value)));
    let other = (names(&ATTRIBUTES), values()).prop_map(|(name, value)| (name, Some(value)));
    let removed = names(&ATTRIBUTES).prop_map(|name| (name, None));
    (names(&USERS), prop_oneof![8 => promised, 2 => other, 1 => removed], instants()).prop_map(
        |(user, (name, value), at)| AttributeWrite { user: user.into(), name: name.into(), value, at },
    )
}
