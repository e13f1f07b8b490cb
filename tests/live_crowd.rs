//! The live engine over more users than a word has bits, and more segments than a cell: membership as if evaluated
//! anew, and as the transitions have made it; and campaigns over it as if settled anew.

#![allow(clippy::expect_used)] // a test that cannot be set up fails

#[path = "live/cases.rs"]
mod cases;
#[path = "live_dense/expressions.rs"]
mod expressions;
#[path = "live_dense/scale.rs"]
#[allow(dead_code)] // what only the test beside this one asks
mod scale;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::select;
use whodid::live::rules::{LiveExclusion, Rule, Signal};
use whodid::segment::Segment;
use whodid::{
    Announce, AttributeWrite, Catalog, Changes, Evaluate, Event, EventStore, Fact, Ingest, Live, MemoryStore,
    Movement, exclusive,
};

use cases::cases;
use scale::Scale;

const USERS: u32 = 150;
const SEGMENTS: usize = 90;
/// Some of the segments, the highest first.
const CAMPAIGNS: [&str; 5] = ["s03", "s00", "s02", "s04", "s01"];
const PER_USER: u32 = 2;

#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // a run has few of them
enum Step {
    Take(Vec<Fact>),
    Advance(i64),
    Insert(usize, Segment),
    Remove(usize),
    Merge(u32, u32),
    Forget(u32),
    Restart,
}

fn fact(scale: Scale) -> BoxedStrategy<Fact> {
    // Few users do much, most little.
    let user = prop_oneof![2 => 0..4_u32, 3 => 0..USERS].prop_map(|user| format!("u{user:03}"));
    (user, select(vec!["a", "a", "b", "c", "p"]), 0..scale.facts, 0..4_i64)
        .prop_map(move |(user, name, tick, x)| match name {
            "p" => AttributeWrite::set(user, "p", x, scale.at(tick)).into(),
            _ => Event::new(user, name, scale.at(tick)).with("x", x).into(),
        })
        .boxed()
}

fn segment(scale: Scale) -> impl Strategy<Value = Segment> {
    let text = expressions::segment(scale, &[]);
    text.prop_filter_map("not a segment", |text| Segment::from_json(&text).ok())
        .prop_filter("lists are not of interest here", |segment| !segment.to_json().contains("vip"))
}

fn step(scale: Scale) -> BoxedStrategy<Step> {
    prop_oneof![
        10 => prop::collection::vec(fact(scale), 1..40).prop_map(Step::Take),
        3 => (0..scale.end).prop_map(Step::Advance),
        2 => (0..SEGMENTS, segment(scale)).prop_map(|(place, segment)| Step::Insert(place, segment)),
        1 => (0..SEGMENTS).prop_map(Step::Remove),
        1 => (0..USERS, 0..USERS).prop_map(|(from, into)| Step::Merge(from, into)),
        1 => (0..USERS).prop_map(Step::Forget),
        1 => Just(Step::Restart),
    ]
    .boxed()
}

/// An engine, and who is where by its transitions.
struct Crowd {
    live: Live,
    members: BTreeMap<String, BTreeSet<String>>,
    campaigns: LiveExclusion,
    /// By what the rule hands on.
    kept: BTreeMap<String, BTreeSet<String>>,
    taken: Vec<Step>,
}

impl Crowd {
    fn new(segments: Vec<Segment>, scale: Scale) -> Self {
        let mut catalog = Catalog::new();
        for (place, segment) in segments.into_iter().enumerate() {
            catalog.insert(format!("s{place:02}"), segment).expect("a valid segment");
        }
        let live = Live::new(catalog, MemoryStore::new().seal_after(64), scale.at(0)).expect("an engine");
        let campaigns = LiveExclusion::new(CAMPAIGNS, PER_USER).expect("campaigns");
        let crowd =
            Self { live, members: BTreeMap::new(), campaigns, kept: BTreeMap::new(), taken: Vec::new() };
        crowd.is_exact();
        crowd
    }

    fn step(&mut self, step: Step, scale: Scale) {
        let id = |user: u32| format!("u{user:03}");
        let changes = match &step {
            Step::Take(facts) => self.live.take_all(facts.clone()),
            Step::Advance(tick) => self.live.advance(scale.at(*tick)),
            Step::Insert(place, segment) => {
                self.live.insert(format!("s{place:02}"), segment.clone(), Announce::Transitions)
            }
            Step::Remove(place) => self.live.remove(&format!("s{place:02}"), Announce::Transitions),
            Step::Merge(from, into) if from == into => Ok(Changes::default()),
            // One of another's names is no user of its own any more.
            Step::Merge(from, into) => {
                self.live.merge(&id(*from), &id(*into)).or_else(|_| Ok(Changes::default()))
            }
            Step::Forget(user) => self.live.forget(&id(*user)),
            Step::Restart => self.restart(),
        };
        let mut signals = Vec::new();
        for change in changes.expect("a valid step") {
            moves(&mut self.members, &change.segment, &change.id, change.movement);
            signals.extend(self.campaigns.take(Signal::from(&change)));
        }
        signals.extend(self.campaigns.pass(self.live.now()));
        for signal in signals {
            moves(&mut self.kept, &signal.segment, &signal.id, signal.movement);
        }
        self.taken.push(step);
        self.is_exact();
    }

    fn restart(&mut self) -> Result<Changes, whodid::LiveError> {
        let mut store = MemoryStore::new();
        let id = |user: u32| format!("u{user:03}");
        for step in &self.taken {
            match step {
                Step::Take(facts) => drop(store.take_all(facts.clone()).expect("valid facts")),
                Step::Merge(from, into) => drop(store.merge(&id(*from), &id(*into))),
                Step::Forget(user) => store.forget(&id(*user)).expect("a store"),
                _ => {}
            }
        }
        let (live, changes) = Live::restore(&self.live.save(), store)?;
        assert_eq!(changes.len(), 0);
        self.live = live;
        Ok(changes)
    }

    fn is_exact(&self) {
        let snapshot = self.live.snapshot();
        let answers = snapshot.evaluate(self.live.catalog(), self.live.now()).expect("a valid catalog");
        for (name, expected) in answers.iter() {
            let members = self.live.members(name).expect("a segment");
            assert_eq!(&members, expected.bitmap(), "{name} at {}", self.live.now());
            assert_eq!(self.live.count(name), Some(members.len()));
        }
    }

    /// All that was told adds up to who is where.
    fn adds_up(&self) {
        let snapshot = self.live.snapshot();
        for (name, _) in self.live.catalog().segments() {
            let mut ids = BTreeSet::new();
            let members = self.live.members(name).expect("a segment");
            let Ok(()) = snapshot.ids(&members, &mut |_, id| _ = ids.insert(id.to_owned()));
            assert_eq!(self.members.get(name).cloned().unwrap_or_default(), ids, "{name} by its transitions");
            assert!(ids.iter().all(|id| self.live.is_member(id, name) == Some(true)));
        }
        let members = CAMPAIGNS.map(|name| (name, self.live.members(name).unwrap_or_default()));
        let settled =
            exclusive(members.iter().map(|(name, members)| (*name, members)), PER_USER).expect("campaigns");
        for name in CAMPAIGNS {
            let mut ids = BTreeSet::new();
            let members = settled.members(name).expect("a campaign");
            let Ok(()) = snapshot.ids(members, &mut |_, id| _ = ids.insert(id.to_owned()));
            assert_eq!(self.kept.get(name).cloned().unwrap_or_default(), ids, "{name} as a campaign");
            assert!(ids.iter().all(|id| self.campaigns.kept(id).any(|kept| kept == name)));
        }
    }
}

/// A user enters, or leaves, and was not there, or was.
fn moves(members: &mut BTreeMap<String, BTreeSet<String>>, segment: &str, id: &str, movement: Movement) {
    let of_segment = members.entry(segment.to_owned()).or_default();
    let changes = match movement {
        Movement::Entered => of_segment.insert(id.to_owned()),
        Movement::Left => of_segment.remove(id),
    };
    assert!(changes, "{id} {movement} {segment} changes nothing");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(16), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn members_are_what_transitions_make_of_them(
        (scale, segments, steps) in select(scale::hours()).prop_flat_map(|scale| {
            let segments = prop::collection::vec(segment(scale), 1..SEGMENTS);
            (Just(scale), segments, prop::collection::vec(step(scale), 1..30))
        }),
    ) {
        let mut crowd = Crowd::new(segments, scale);
        for step in steps {
            crowd.step(step, scale);
        }
        crowd.step(Step::Advance(scale.end), scale);
        crowd.adds_up();
    }
}
