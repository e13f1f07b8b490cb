//! Random facts.

use proptest::prelude::*;
use proptest::sample::select;

use super::change::Change;
use super::pools::*;
use crate::event::{AttributeWrite, Event};
use crate::segment::EventPattern;
use crate::value::{Scalar, Value};

/// Facts in order of arrival: late ones, duplicate ids, tied instants, missing properties, mixed kinds, and
/// every way of erasing them. Few users and few values, so that they meet.
pub fn facts() -> impl Strategy<Value = Vec<Change>> {
    prop::collection::vec(change(), 0..80)
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
        60 => event().prop_map(Change::Event),
        24 => write().prop_map(Change::Attribute),
        4 => (users(), instants()).prop_map(|(id, seen)| Change::User { id, seen }),
        1 => merge,
        1 => users().prop_map(|user| Change::Forget { user }),
        1 => (instants(), patterns).prop_map(|(since, events)| Change::Retain { since, events }),
    ]
}

/// An event; one in four has an id, and ids are few.
pub fn event() -> impl Strategy<Value = Event> {
    let id = prop_oneof![3 => Just(None), 1 => (0..12u8).prop_map(|n| Some(format!("m{n}")))];
    let rest =
        (property("amount"), property("item"), property("coupon"), property("due"), property("products"));
    (names(&USERS), event_names(), instants(), rest, id).prop_map(|(user, name, at, rest, id)| {
        let all = [rest.0, rest.1, rest.2, rest.3, rest.4];
        let properties = PROPERTIES.iter().zip(all).filter_map(|(name, v)| Some(((*name).to_owned(), v?)));
        Event { user, name, at, properties: properties.collect(), id }
    })
}

/// A property, missing in half of the events; mostly of the kind its name promises.
fn property(name: &'static str) -> impl Strategy<Value = Option<Value>> {
    let promised = match name {
        "amount" => numbers().prop_map(Value::Scalar).boxed(),
        "due" => instants().prop_map(|at| Value::Scalar(Scalar::Instant(at))).boxed(),
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
    let instant = || instants().prop_map(|at| Value::Scalar(Scalar::Instant(at)));
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
    (names(&USERS), prop_oneof![8 => promised, 2 => other, 1 => removed], instants())
        .prop_map(|(user, (name, value), at)| AttributeWrite { user, name, value, at })
}
