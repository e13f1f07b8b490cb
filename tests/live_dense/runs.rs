//! Random runs: facts, what is done to facts, and to the catalog and the process, mostly in order of time.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::select;
use whodid::oracle::Named;
use whodid::segment::{EventPattern, Segment};
use whodid::testing::Change;
use whodid::{Announce, AttributeWrite, Event, Fact, Scalar, Timestamp, Value};

use super::expressions;
use super::scale::Scale;

pub const NAMES: [&str; 4] = ["s0", "s1", "s2", "s3"];

#[allow(clippy::large_enum_variant)] // a run has few of them
#[derive(Clone, Debug)]
pub enum Step {
    Take(Change),
    TakeAll(Vec<Fact>),
    Advance(Timestamp),
    Insert(usize, Segment, Announce),
    Remove(usize),
    InsertList(BTreeSet<String>),
    /// The process begins anew; meanwhile the store has taken these in.
    Restart(Vec<Change>),
}

/// All of a run.
#[derive(Clone, Debug)]
pub struct Plot {
    pub scale: Scale,
    pub named: Named,
    /// What the store holds when the engine starts.
    pub before: Vec<Change>,
    /// The tick at which it does.
    pub start: i64,
    pub steps: Vec<Step>,
    /// So many events the store seals together.
    pub seal: usize,
}

const USERS: [&str; 4] = ["u0", "u1", "u2", "anon"];

fn user() -> impl Strategy<Value = String> + Clone {
    select(&USERS[..]).prop_map(str::to_owned)
}

/// Instants from the base on, and some a day or a month before.
fn instant(scale: Scale) -> BoxedStrategy<Timestamp> {
    let by = prop_oneof![8 => Just(0), 1 => Just(86_400_000), 1 => Just(28 * 86_400_000_i64), 1 => Just(31 * 86_400_000)];
    (0..scale.facts, by)
        .prop_map(move |(tick, by)| Timestamp::from_millis(scale.at(tick).millis() - by))
        .boxed()
}

fn value(scale: Scale) -> BoxedStrategy<Value> {
    let plain = select(vec![Scalar::from(1), 2.into(), 1.0.into(), "s".into()]);
    let ahead = prop_oneof![4 => Just(0), 1 => Just(86_400_000), 1 => Just(31 * 86_400_000_i64)];
    let instant = (instant(scale), ahead)
        .prop_map(|(at, by)| Scalar::Instant(Timestamp::from_millis(at.millis() + by)));
    let one = prop_oneof![3 => plain, 4 => instant];
    let list = prop::collection::vec(one.clone(), 0..3).prop_map(Value::List);
    prop_oneof![8 => one.prop_map(Value::Scalar), 1 => list].boxed()
}

fn event(scale: Scale) -> BoxedStrategy<Event> {
    let id = prop_oneof![5 => Just(None), 1 => (0..4_u8).prop_map(Some)];
    let x = prop::option::of(value(scale));
    (user(), select(vec!["a", "a", "b", "c"]), instant(scale), x, id)
        .prop_map(|(user, name, at, x, id)| {
            let event = Event::new(user, name, at);
            let event = x.map_or(event.clone(), |x| event.with("x", x));
            id.map_or(event.clone(), |id| event.id(format!("m{id}")))
        })
        .boxed()
}

fn write(scale: Scale) -> BoxedStrategy<AttributeWrite> {
    (user(), prop::option::weighted(0.9, value(scale)), instant(scale))
        .prop_map(|(user, value, at)| match value {
            Some(value) => AttributeWrite::set(user, "p", value, at),
            None => AttributeWrite::removed(user, "p", at),
        })
        .boxed()
}

fn fact(scale: Scale) -> BoxedStrategy<Fact> {
    let registered = (user(), instant(scale)).prop_map(|(user, at)| Fact::user(user, at));
    prop_oneof![6 => event(scale).prop_map(Fact::from), 3 => write(scale).prop_map(Fact::from), 1 => registered]
        .boxed()
}

fn change(scale: Scale) -> BoxedStrategy<Change> {
    let events = prop_oneof![Just("*"), Just("a")];
    // Also beyond what has happened, so that what waits is dropped.
    let retain = (instant(scale), -2..4_i64, events).prop_map(|(at, by, events)| Change::Retain {
        since: Timestamp::from_millis(at.millis() + by),
        events: vec![EventPattern::from(events)],
    });
    prop_oneof![
        20 => fact(scale).prop_map(Change::from),
        2 => (user(), user()).prop_map(|(from, into)| Change::Merge { from, into }),
        1 => user().prop_map(|user| Change::Forget { user }),
        2 => retain,
    ]
    .boxed()
}

fn step(scale: Scale) -> BoxedStrategy<Step> {
    let announce = select(vec![Announce::Transitions, Announce::Transitions, Announce::Silently]);
    let segment = expressions::segment(scale, &NAMES)
        .prop_filter_map("not a segment", |text| Segment::from_json(&text).ok());
    let ids = prop::collection::btree_set(user(), 0..3);
    prop_oneof![
        24 => change(scale).prop_map(Step::Take),
        2 => prop::collection::vec(fact(scale), 0..5).prop_map(Step::TakeAll),
        3 => (0..scale.end).prop_map(move |tick| Step::Advance(scale.at(tick))),
        2 => (0..NAMES.len(), segment, announce).prop_map(|(at, segment, announce)| Step::Insert(at, segment, announce)),
        1 => (0..NAMES.len()).prop_map(Step::Remove),
        1 => ids.prop_map(Step::InsertList),
        1 => prop::collection::vec(change(scale), 0..3).prop_map(Step::Restart),
    ]
    .boxed()
}

fn named(scale: Scale) -> BoxedStrategy<Named> {
    let texts: Vec<_> = (0..NAMES.len()).map(|i| expressions::segment(scale, &NAMES[..i])).collect();
    let ids = prop::collection::btree_set(user(), 0..3);
    (texts, ids)
        .prop_map(|(texts, ids)| {
            let segments = NAMES
                .iter()
                .zip(texts)
                .filter_map(|(name, text)| Some(((*name).to_owned(), Segment::from_json(&text).ok()?)));
            Named { segments: segments.collect(), lists: BTreeMap::from([("vip".to_owned(), ids)]) }
        })
        .boxed()
}

/// Those that have an instant in order of time, the others where they are.
fn ordered(mut steps: Vec<Step>) -> Vec<Step> {
    let at = |step: &Step| match step {
        Step::Take(change) => change.at(),
        Step::Advance(to) => Some(*to),
        _ => None,
    };
    let places: Vec<usize> = (0..steps.len()).filter(|i| at(&steps[*i]).is_some()).collect();
    let mut timed: Vec<Step> = places.iter().map(|i| steps[*i].clone()).collect();
    timed.sort_by_key(at);
    places.into_iter().zip(timed).for_each(|(i, step)| steps[i] = step);
    steps
}

/// Runs on one of some scales, so long at most.
pub fn plots(scales: Vec<Scale>, length: usize) -> impl Strategy<Value = Plot> {
    select(scales).prop_flat_map(move |scale| {
        let steps = (prop::collection::vec(step(scale), 1..length), any::<bool>());
        let steps = steps.prop_map(|(steps, is_ordered)| if is_ordered { ordered(steps) } else { steps });
        let before = prop::collection::vec(change(scale), 0..14);
        let seal = select(vec![2, 5, 1_000]);
        (named(scale), before, -1..scale.facts / 2, steps, seal).prop_map(
            move |(named, before, start, steps, seal)| Plot { scale, named, before, start, steps, seal },
        )
    })
}
