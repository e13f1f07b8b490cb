//! The live engine where everything meets: facts, edges and deadlines within a few milliseconds of each other, and
//! each of these milliseconds compared with the oracle.

#![allow(clippy::expect_used)] // a test that cannot be set up fails

#[path = "live_dense/expressions.rs"]
mod expressions;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::select;
use whodid::oracle::{Named, Oracle, Taken};
use whodid::segment::{EventPattern, Segment};
use whodid::testing::{Change, Evaluator, catalog, take};
use whodid::{
    Announce, AttributeWrite, Changes, Event, Fact, Live, LiveError, MemoryStore, Movement, Saved, Scalar,
    Timestamp, Value,
};

/// Bases: seven milliseconds before something that calendars trip over.
const BASES: [i64; 6] = [
    1_774_738_800_000, // midnight in Berlin before the day whose clocks are set ahead
    1_774_746_000_000, // those clocks are set ahead
    1_792_890_000_000, // clocks are set back
    1_772_323_200_000, // the first of March, a month before which there is no such day as three days earlier
    1_767_225_600_000, // a new year
    1_541_300_400_000, // a day in São Paulo without a midnight
];
const EARLIER: i64 = 7;
/// Milliseconds after the base that facts lie in, and that time passes to.
const FACTS: i64 = 18;
const END: i64 = 26;
const NAMES: [&str; 4] = ["s0", "s1", "s2", "s3"];

#[allow(clippy::large_enum_variant)] // a run has few of them
#[derive(Clone, Debug)]
enum Step {
    Take(Change),
    TakeAll(Vec<Fact>),
    Advance(i64),
    Insert(usize, Segment, Announce),
    Remove(usize),
    InsertList(BTreeSet<String>),
    /// The process begins anew; meanwhile the store has taken these in.
    Restart(Vec<Change>),
}

type Members = BTreeMap<String, BTreeSet<String>>;
/// Instant, whether late, segment, user, movement.
type Told = (i64, bool, String, String, Movement);

/// What the engine must do, by the oracle.
struct Model {
    oracle: Oracle,
    named: Named,
    now: i64,
    members: Members,
}

impl Model {
    fn at(&self, t: i64) -> Members {
        let at = Timestamp::from_millis(t);
        let of = |(name, segment): (&String, &Segment)| {
            (name.clone(), self.oracle.members(segment, &self.named, at).expect("a valid segment"))
        };
        self.named.segments.iter().map(of).collect()
    }

    fn advance(&mut self, to: i64, told: &mut Vec<Told>) {
        while self.now < to {
            self.now += 1;
            let members = self.at(self.now);
            differences(&self.members, &members, (self.now, false), told);
            self.members = members;
        }
    }

    fn take(&mut self, change: Change, told: &mut Vec<Told>) -> bool {
        let at = change.at().map(Timestamp::millis);
        let taken = Evaluator::take(&mut self.oracle, change);
        if taken == Ok(Taken::New) {
            match at {
                Some(at) if at > self.now => self.advance(at - 1, told),
                _ => self.is_different(true, told),
            }
        }
        taken.is_ok()
    }

    /// Membership at this very instant is another.
    fn is_different(&mut self, announced: bool, told: &mut Vec<Told>) {
        let members = self.at(self.now);
        if announced {
            differences(&self.members, &members, (self.now, true), told);
        }
        self.members = members;
    }

    /// The next instant at which something changes if nothing arrives.
    fn next_change(&self) -> Option<i64> {
        (self.now + 1..self.now + END).find(|t| self.at(*t) != self.members)
    }
}

fn differences(before: &Members, after: &Members, (at, late): (i64, bool), told: &mut Vec<Told>) {
    let none = BTreeSet::new();
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let [then, now] = [before, after].map(|members| members.get(name).unwrap_or(&none));
        told.extend(now.difference(then).map(|id| (at, late, name.clone(), id.clone(), Movement::Entered)));
        told.extend(then.difference(now).map(|id| (at, late, name.clone(), id.clone(), Movement::Left)));
    }
}

struct Run {
    live: Live,
    model: Model,
    taken: Vec<Change>,
    sequence: u64,
}

impl Run {
    fn new(named: Named, before: &[Change], now: i64, seal: usize) -> Option<Self> {
        let catalog = catalog(&named);
        catalog.plan().ok()?;
        let (mut store, mut oracle) = (MemoryStore::new().seal_after(seal), Oracle::new());
        for change in before {
            let _refused_alike = (take(&mut store, change.clone()), oracle.take(change.clone()));
        }
        let live = Live::new(catalog, store, Timestamp::from_millis(now)).expect("a valid catalog");
        let mut model = Model { oracle, named, now, members: Members::new() };
        model.is_different(false, &mut Vec::new());
        let run = Self { live, model, taken: before.to_vec(), sequence: 0 };
        run.is_exact();
        Some(run)
    }

    fn is_exact(&self) {
        assert_eq!(self.live.now().millis(), self.model.now);
        let snapshot = self.live.snapshot();
        for (name, expected) in &self.model.members {
            let members = self.live.members(name).expect("a segment");
            let mut ids = BTreeSet::new();
            let Ok(()) =
                whodid::EventStore::ids(&snapshot, &members, &mut |_, id| _ = ids.insert(id.to_owned()));
            assert_eq!(&ids, expected, "{name} at {}", self.live.now());
            assert_eq!(self.live.count(name), Some(expected.len() as u64));
        }
        let next = self.model.next_change();
        let wake = self.live.next_change().map(Timestamp::millis);
        assert!(
            next.is_none() || wake.is_some_and(|wake| Some(wake) <= next),
            "wakes at {wake:?}, not {next:?}"
        );
    }

    fn step(&mut self, step: Step) {
        let mut told = Vec::new();
        match step {
            Step::Take(change) => self.take(change, &mut told),
            Step::TakeAll(facts) => {
                let changes = self.live.take_all(facts.clone()).expect("valid facts");
                for fact in facts {
                    self.taken.push(fact.clone().into());
                    assert!(self.model.take(fact.into(), &mut told));
                }
                self.compare(&changes, told);
            }
            Step::Advance(to) => {
                let changes = self.live.advance(Timestamp::from_millis(to)).expect("an instant");
                self.model.advance(to, &mut told);
                self.compare(&changes, told);
            }
            Step::Insert(place, segment, announce) => {
                let mut named = self.model.named.clone();
                named.segments.insert(NAMES[place].to_owned(), segment.clone());
                let changes = self.live.insert(NAMES[place], segment, announce);
                self.edited(named, changes, announce);
            }
            Step::Remove(place) => {
                let mut named = self.model.named.clone();
                named.segments.remove(NAMES[place]);
                let changes = self.live.remove(NAMES[place], Announce::Transitions);
                self.edited(named, changes, Announce::Transitions);
            }
            Step::InsertList(ids) => {
                let mut named = self.model.named.clone();
                named.lists.insert("vip".to_owned(), ids.clone());
                let changes = self.live.insert_list("vip", ids, Announce::Transitions);
                self.edited(named, changes, Announce::Transitions);
            }
            Step::Restart(meanwhile) => self.restart(meanwhile),
        }
        self.is_exact();
    }

    fn take(&mut self, change: Change, told: &mut Vec<Told>) {
        self.taken.push(change.clone());
        let changes = feed(&mut self.live, change.clone());
        assert_eq!(self.model.take(change, told), changes.is_ok(), "{changes:?}");
        self.compare(&changes.unwrap_or_default(), std::mem::take(told));
    }

    fn edited(&mut self, named: Named, changes: Result<Changes, LiveError>, announce: Announce) {
        let is_valid = catalog(&named).plan().is_ok();
        assert_eq!(is_valid, changes.is_ok());
        let Ok(changes) = changes else { return };
        self.model.named = named;
        let mut told = Vec::new();
        self.model.is_different(announce == Announce::Transitions, &mut told);
        self.compare(&changes, told);
    }

    fn restart(&mut self, meanwhile: Vec<Change>) {
        let text = serde_json::to_string(&self.live.save()).expect("JSON");
        let saved: Saved = serde_json::from_str(&text).expect("JSON");
        let mut store = MemoryStore::new().seal_after(3);
        // Users have other numbers from now on.
        let _taken = take(&mut store, Change::Merge { from: "none".to_owned(), into: "nobody".to_owned() });
        for change in &meanwhile {
            let _refused_alike = self.model.oracle.take(change.clone());
        }
        self.taken.extend(meanwhile);
        for change in &self.taken {
            let _refused_alike = take(&mut store, change.clone());
        }
        let (live, changes) = Live::restore(&saved, store).expect("what was saved");
        self.live = live;
        let mut told = Vec::new();
        self.model.is_different(true, &mut told);
        self.compare(&changes, told);
    }

    /// What was told is what must be, in order of instant, and numbered without gaps.
    fn compare(&mut self, changes: &Changes, mut expected: Vec<Told>) {
        let first = self.sequence + 1;
        self.sequence += changes.len() as u64;
        assert!(changes.iter().map(|change| change.sequence).eq(first..=self.sequence));
        assert_eq!(self.live.sequence(), self.sequence);
        assert!(changes.is_sorted_by_key(|change| change.at));
        let told = |c: &whodid::Transition| {
            (c.at.millis(), c.late, c.segment.to_string(), c.id.to_string(), c.movement)
        };
        let mut told: Vec<Told> = changes.iter().map(told).collect();
        told.sort();
        expected.sort();
        assert_eq!(told, expected);
    }
}

fn feed(live: &mut Live, change: Change) -> Result<Changes, LiveError> {
    match change {
        Change::Event(event) => live.record(event),
        Change::Attribute(write) => live.write(write),
        Change::User { id, seen } => live.register(&id, seen),
        Change::Merge { from, into } => live.merge(&from, &into),
        Change::Forget { user } => live.forget(&user),
        Change::Retain { since, events } => live.retain(since, &events),
        other => unreachable!("{other:?}"),
    }
}

const USERS: [&str; 4] = ["u0", "u1", "u2", "anon"];

fn user() -> impl Strategy<Value = String> + Clone {
    select(&USERS[..]).prop_map(str::to_owned)
}

/// Instants from the base on, and some a day or a month before.
fn instant(base: i64) -> BoxedStrategy<Timestamp> {
    let by = prop_oneof![8 => Just(0), 1 => Just(86_400_000), 1 => Just(28 * 86_400_000_i64), 1 => Just(31 * 86_400_000)];
    (0..FACTS, by).prop_map(move |(at, by)| Timestamp::from_millis(base + at - by)).boxed()
}

fn value(base: i64) -> BoxedStrategy<Value> {
    let plain = select(vec![Scalar::from(1), 2.into(), 1.0.into(), "s".into()]);
    let ahead = prop_oneof![4 => Just(0), 1 => Just(86_400_000), 1 => Just(31 * 86_400_000_i64)];
    let instant =
        (instant(base), ahead).prop_map(|(at, by)| Scalar::Instant(Timestamp::from_millis(at.millis() + by)));
    let one = prop_oneof![3 => plain, 4 => instant];
    let list = prop::collection::vec(one.clone(), 0..3).prop_map(Value::List);
    prop_oneof![8 => one.prop_map(Value::Scalar), 1 => list].boxed()
}

fn event(base: i64) -> BoxedStrategy<Event> {
    let id = prop_oneof![5 => Just(None), 1 => (0..4_u8).prop_map(Some)];
    let x = prop::option::of(value(base));
    (user(), select(vec!["a", "a", "b", "c"]), instant(base), x, id)
        .prop_map(|(user, name, at, x, id)| {
            let event = Event::new(user, name, at);
            let event = x.map_or(event.clone(), |x| event.with("x", x));
            id.map_or(event.clone(), |id| event.id(format!("m{id}")))
        })
        .boxed()
}

fn write(base: i64) -> BoxedStrategy<AttributeWrite> {
    (user(), prop::option::weighted(0.9, value(base)), instant(base))
        .prop_map(|(user, value, at)| match value {
            Some(value) => AttributeWrite::set(user, "p", value, at),
            None => AttributeWrite::removed(user, "p", at),
        })
        .boxed()
}

fn fact(base: i64) -> BoxedStrategy<Fact> {
    let registered = (user(), instant(base)).prop_map(|(user, at)| Fact::user(user, at));
    prop_oneof![6 => event(base).prop_map(Fact::from), 3 => write(base).prop_map(Fact::from), 1 => registered]
        .boxed()
}

fn change(base: i64) -> BoxedStrategy<Change> {
    let events = prop_oneof![Just("*"), Just("a")];
    // Also beyond what has happened, so that what waits is dropped.
    let retain = (instant(base), -2..4_i64, events).prop_map(|(at, by, events)| Change::Retain {
        since: Timestamp::from_millis(at.millis() + by),
        events: vec![EventPattern::from(events)],
    });
    prop_oneof![
        20 => fact(base).prop_map(Change::from),
        2 => (user(), user()).prop_map(|(from, into)| Change::Merge { from, into }),
        1 => user().prop_map(|user| Change::Forget { user }),
        2 => retain,
    ]
    .boxed()
}

fn step(base: i64) -> BoxedStrategy<Step> {
    let announce = select(vec![Announce::Transitions, Announce::Transitions, Announce::Silently]);
    let segment = expressions::segment(base, &NAMES)
        .prop_filter_map("not a segment", |text| Segment::from_json(&text).ok());
    let ids = prop::collection::btree_set(user(), 0..3);
    prop_oneof![
        24 => change(base).prop_map(Step::Take),
        2 => prop::collection::vec(fact(base), 0..5).prop_map(Step::TakeAll),
        3 => (0..END).prop_map(move |to| Step::Advance(base + to)),
        2 => (0..NAMES.len(), segment, announce).prop_map(|(at, segment, announce)| Step::Insert(at, segment, announce)),
        1 => (0..NAMES.len()).prop_map(Step::Remove),
        1 => ids.prop_map(Step::InsertList),
        1 => prop::collection::vec(change(base), 0..3).prop_map(Step::Restart),
    ]
    .boxed()
}

fn named(base: i64) -> BoxedStrategy<Named> {
    let texts: Vec<_> = (0..NAMES.len()).map(|i| expressions::segment(base, &NAMES[..i])).collect();
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

/// Facts before the engine, when it starts, and what happens then: mostly in order of time.
fn runs() -> impl Strategy<Value = (i64, Named, Vec<Change>, i64, Vec<Step>, usize)> {
    select(&BASES[..]).prop_flat_map(|base| {
        let base = base - EARLIER;
        let steps =
            (prop::collection::vec(step(base), 1..30), any::<bool>()).prop_map(|(mut steps, ordered)| {
                if ordered {
                    let at = |step: &Step| match step {
                        Step::Take(change) => change.at().map(Timestamp::millis),
                        Step::Advance(to) => Some(*to),
                        _ => None,
                    };
                    // Those without an instant stay near where they are.
                    let mut places: Vec<usize> =
                        (0..steps.len()).filter(|i| at(&steps[*i]).is_some()).collect();
                    let mut timed: Vec<Step> = places.iter().map(|i| steps[*i].clone()).collect();
                    timed.sort_by_key(at);
                    places.drain(..).zip(timed).for_each(|(i, step)| steps[i] = step);
                }
                steps
            });
        let before = prop::collection::vec(change(base), 0..14);
        (Just(base), named(base), before, -1..FACTS / 2, steps, select(vec![2, 5, 1_000]))
    })
}

/// So many runs of every day; `WHODID_RANDOM=40000` makes more of them.
fn cases(usual: u32) -> u32 {
    std::env::var("WHODID_RANDOM").map_or(usual, |n| n.parse().expect("WHODID_RANDOM: a number"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(64), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_millisecond_is_as_the_oracle_has_it((base, named, before, start, steps, seal) in runs()) {
        let Some(mut run) = Run::new(named, &before, base + start, seal) else { return Ok(()) };
        for step in steps {
            run.step(step);
        }
        run.step(Step::Advance(base + END));
    }
}
