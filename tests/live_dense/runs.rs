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
    /// Events one by one: user, name, and so many ticks from the last one; and so many the instant in `x`.
    Burst(Vec<(String, &'static str, i64, Option<i64>)>),
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
    /// So many users a call settles of an instant.
    pub share: usize,
}

pub const USERS: [&str; 8] = ["u0", "u1", "u2", "anon", "u3", "u4", "u5", "u6"];

fn user() -> impl Strategy<Value = String> + Clone {
    prop_oneof![3 => select(&USERS[..4]), 1 => select(&USERS[..])].prop_map(str::to_owned)
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

/// Some events of one instant, one later, and late ones while the engine settles that instant.
fn burst() -> impl Strategy<Value = Step> {
    let some = |ticks, count| {
        let x = prop::option::of(-8..9_i64);
        prop::collection::vec((user(), select(vec!["a", "a", "b"]), ticks, x), count)
    };
    (some(1..2_i64, 2..7), some(2..3, 1..2), some(-7..2, 1..5), some(2..3, 0..3))
        .prop_map(|(crowd, next, late, more)| Step::Burst([crowd, next, late, more].concat()))
}

fn step(scale: Scale) -> BoxedStrategy<Step> {
    let announce = select(vec![Announce::Transitions, Announce::Transitions, Announce::Silently]);
    let segment = expressions::segment(scale, &NAMES)
        .prop_filter_map("not a segment", |text| Segment::from_json(&text).ok());
    let ids = prop::collection::btree_set(user(), 0..3);
    prop_oneof![
        24 => change(scale).prop_map(Step::Take),
        2 => burst(),
        2 => prop::collection::vec(fact(scale), 0..5).prop_map(Step::TakeAll),
        3 => (0..scale.end).prop_map(move |tick| Step::Advance(scale.at(tick))),
        2 => (0..NAMES.len(), segment, announce).prop_map(|(at, segment, announce)| Step::Insert(at, segment, announce)),
        1 => (0..NAMES.len()).prop_map(Step::Remove),
        1 => ids.prop_map(Step::InsertList),
        3 => prop::collection::vec(change(scale), 0..3).prop_map(Step::Restart),
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

/// Those that have an instant in order of time, but for facts that are delayed, the others where they are.
fn ordered(mut steps: Vec<Step>, delays: &[i64]) -> Vec<Step> {
    let at = |step: &Step, delay: i64| match step {
        Step::Take(change) => Some(change.at()?.millis() + delay),
        Step::Advance(to) => Some(to.millis()),
        _ => None,
    };
    let places: Vec<usize> = (0..steps.len()).filter(|i| at(&steps[*i], 0).is_some()).collect();
    let timed = places.iter().zip(delays.iter().cycle()).map(|(i, delay)| (steps[*i].clone(), *delay));
    let mut timed: Vec<(Step, i64)> = timed.collect();
    timed.sort_by_key(|(step, delay)| at(step, *delay));
    places.into_iter().zip(timed).for_each(|(i, (step, _))| steps[i] = step);
    steps
}

/// Runs on one of some scales, so long at most.
pub fn plots(scales: Vec<Scale>, length: usize) -> impl Strategy<Value = Plot> {
    (select(scales), select(vec![1, 3, 6])).prop_flat_map(move |(scale, closer)| {
        // Fewer instants, so that several facts share one.
        let scale = Scale { facts: scale.facts / closer, ..scale };
        let delay = prop_oneof![4 => Just(0), 1 => (0..4_i64).prop_map(move |ticks| ticks * scale.tick)];
        let delays = select(vec![1, 30]).prop_flat_map(move |n| prop::collection::vec(delay.clone(), n));
        let steps = (prop::collection::vec(step(scale), 1..length), prop::option::weighted(0.7, delays));
        let steps = steps.prop_map(|(steps, delays)| match delays {
            Some(delays) => ordered(steps, &delays),
            None => steps,
        });
        let before = prop::collection::vec(change(scale), 0..14);
        let (seal, share) = (select(vec![2, 5, 1_000]), select(vec![1, 1, 2, 4]));
        (named(scale), before, -1..scale.facts / 2, steps, (seal, share)).prop_map(
            move |(named, before, start, steps, (seal, share))| Plot {
                scale,
                named,
                before,
                start,
                steps,
                seal,
                share,
            },
        )
    })
}
