//! The live engine where everything meets: facts, edges and deadlines within a few milliseconds of each other, or a
//! few hours, and each of these compared with the oracle.

#![allow(clippy::expect_used)] // a test that cannot be set up fails

#[path = "live/cases.rs"]
mod cases;
#[path = "live_dense/expressions.rs"]
mod expressions;
#[path = "live/feed.rs"]
mod feed;
#[path = "live_dense/runs.rs"]
mod runs;
#[path = "live_dense/scale.rs"]
mod scale;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use whodid::oracle::{Named, Oracle, Taken};
use whodid::segment::Segment;
use whodid::testing::{Change, Evaluator, catalog, take};
use whodid::{Announce, Because, Changes, Event, Live, LiveError, MemoryStore, Movement, Saved, Timestamp};

use cases::cases;
use feed::feed;
use runs::{NAMES, Plot, Step, USERS, plots};
use scale::Scale;

/// So many ticks ahead the next change is looked for.
const AHEAD: i64 = 26;

type Members = BTreeMap<String, BTreeSet<String>>;
/// Instant, whether late, segment, user, movement.
type Told = (i64, bool, String, String, Movement);

/// What the engine must do, by the oracle.
struct Model {
    scale: Scale,
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
        for tick in self.scale.between(self.now, to) {
            let members = self.at(tick);
            differences(&self.members, &members, (tick, false), told);
            self.members = members;
        }
        self.now = self.now.max(to);
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

    /// The next instant after one at which something changes if nothing arrives.
    fn next_change(&self, now: i64, members: &Members) -> Option<i64> {
        let ahead = now + AHEAD * self.scale.tick;
        self.scale.between(now, ahead).find(|tick| self.at(*tick) != *members)
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
    share: usize,
    model: Model,
    taken: Vec<Change>,
    sequence: u64,
    /// What the model has told and the engine has not, which settles an instant over several calls.
    due: Vec<Told>,
}

impl Run {
    fn new(plot: &Plot) -> Option<Self> {
        let Plot { scale, named, before, start, seal, share, .. } = plot.clone();
        let catalog = catalog(&named);
        catalog.plan().ok()?;
        let (mut store, mut oracle) = (MemoryStore::new().seal_after(seal), Oracle::new());
        for change in &before {
            let _refused_alike = (take(&mut store, change.clone()), oracle.take(change.clone()));
        }
        let now = scale.at(start);
        let live = Live::new(catalog, store, now).expect("a valid catalog").settle_at_most(share);
        let mut model = Model { scale, oracle, named, now: now.millis(), members: Members::new() };
        model.is_different(false, &mut Vec::new());
        let run = Self { live, share, model, taken: before, sequence: 0, due: Vec::new() };
        run.is_exact();
        Some(run)
    }

    /// Whether an instant is being settled over several calls.
    fn is_under_way(&self) -> bool {
        self.live.now().millis() < self.model.now
    }

    fn is_exact(&self) {
        let now = self.live.now().millis();
        let then = self.is_under_way().then(|| self.model.at(now));
        let all = then.as_ref().unwrap_or(&self.model.members);
        let snapshot = self.live.snapshot();
        for (name, expected) in all {
            let members = self.live.members(name).expect("a segment");
            let mut ids = BTreeSet::new();
            let Ok(()) =
                whodid::EventStore::ids(&snapshot, &members, &mut |_, id| _ = ids.insert(id.to_owned()));
            assert_eq!(&ids, expected, "{name} at {}", self.live.now());
            assert_eq!(self.live.count(name), Some(expected.len() as u64));
            for id in USERS {
                assert_eq!(self.live.is_member(id, name), Some(self.is_in(expected, id)), "{id} in {name}");
            }
        }
        let next = self.model.next_change(now, all);
        let wake = self.live.next_change().map(Timestamp::millis);
        assert!(
            next.is_none() || wake.is_some_and(|wake| Some(wake) <= next),
            "wakes at {wake:?}, not {next:?}"
        );
    }

    /// Whether a set of users as they are known now has one that is called so.
    fn is_in(&self, members: &BTreeSet<String>, id: &str) -> bool {
        let snapshot = self.live.snapshot();
        let Ok(user) = whodid::EventStore::user(&snapshot, id);
        let user = user.map(whodid::UserId::number).into_iter().collect();
        let mut is_in = false;
        let Ok(()) = whodid::EventStore::ids(&snapshot, &user, &mut |_, id| is_in = members.contains(id));
        is_in
    }

    fn step(&mut self, step: Step) {
        let mut told = Vec::new();
        match step {
            Step::Take(change) => self.take(change, &mut told),
            Step::Burst(events) => {
                let Scale { base, tick, .. } = self.model.scale;
                let now = (self.model.now - base).div_euclid(tick);
                let at = |ticks| self.model.scale.at(now + ticks);
                let event = |(user, name, ticks, x): (String, &str, i64, Option<i64>)| {
                    let event = Event::new(user, name, at(ticks));
                    x.map_or(event.clone(), |x| event.with("x", at(x)))
                };
                for event in events.into_iter().map(event).collect::<Vec<_>>() {
                    self.take(Change::Event(event), &mut told);
                    self.is_exact();
                }
            }
            Step::TakeAll(facts) => {
                let changes = self.live.take_all(facts.clone()).expect("valid facts");
                for fact in facts {
                    self.taken.push(fact.clone().into());
                    assert!(self.model.take(fact.into(), &mut told));
                }
                assert!(!self.is_under_way());
                self.compare(&changes, told);
            }
            Step::Advance(to) => {
                let changes = self.live.advance(to).expect("an instant");
                self.model.advance(to.millis(), &mut told);
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
        let (then, complete) = (self.live.now().millis(), self.model.now);
        let changes = feed(&mut self.live, change.clone());
        let is_late = change.at().is_some_and(|at| at.millis() <= complete);
        if is_late && self.live.now().millis() == then && then < complete {
            // It concerns nobody of the instant that is under way, and is told before it.
            self.due.clear();
            self.model.now = then;
            self.model.is_different(false, told);
            assert_eq!(self.model.take(change, told), changes.is_ok(), "{changes:?}");
            self.model.advance(complete, told);
            return self.compare(&changes.unwrap_or_default(), std::mem::take(told));
        }
        assert_eq!(self.model.take(change, told), changes.is_ok(), "{changes:?}");
        self.compare(&changes.unwrap_or_default(), std::mem::take(told));
    }

    fn edited(&mut self, named: Named, changes: Result<Changes, LiveError>, announce: Announce) {
        let is_valid = catalog(&named).plan().is_ok();
        assert_eq!(is_valid, changes.is_ok());
        let Ok(changes) = changes else { return };
        assert!(!self.is_under_way());
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
        // What was not told when it was saved is yet to come.
        self.model.now = self.live.now().millis();
        self.due.clear();
        self.model.is_different(false, &mut Vec::new());
        for change in &meanwhile {
            let _refused_alike = self.model.oracle.take(change.clone());
        }
        self.taken.extend(meanwhile);
        for change in &self.taken {
            let _refused_alike = take(&mut store, change.clone());
        }
        let (live, changes) = Live::restore(&saved, store).expect("what was saved");
        self.live = live.settle_at_most(self.share);
        let mut told = Vec::new();
        self.model.is_different(true, &mut told);
        self.compare(&changes, told);
    }

    /// What was told is what must be, in order of instant, and numbered without gaps.
    fn compare(&mut self, changes: &Changes, expected: Vec<Told>) {
        self.due.extend(expected);
        let now = self.live.now().millis();
        let mut expected: Vec<Told> = self.due.extract_if(.., |(at, ..)| *at <= now).collect();
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

/// Runs a plot to its end.
fn is_exact_throughout(plot: Plot) {
    let Some(mut run) = Run::new(&plot) else { return };
    for step in plot.steps {
        run.step(step);
    }
    run.step(Step::Advance(plot.scale.at(plot.scale.end)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(120), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_millisecond_is_as_the_oracle_has_it(plot in plots(scale::milliseconds(), 30)) {
        is_exact_throughout(plot);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(40), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_hour_is_as_the_oracle_has_it(plot in plots(scale::hours(), 50)) {
        is_exact_throughout(plot);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(40), failure_persistence: None, ..ProptestConfig::default() })]

    /// In one step, or tick by tick, with facts held by the store from the beginning, or after a restart: the same
    /// transitions under the same numbers, for the same reasons.
    #[test]
    fn however_time_passes_the_same_is_told(
        plot in prop_oneof![plots(scale::milliseconds(), 2), plots(scale::hours(), 2)],
    ) {
        let engine = || {
            let mut store = MemoryStore::new().seal_after(plot.seal);
            plot.before.iter().for_each(|change| drop(take(&mut store, change.clone())));
            Live::new(catalog(&plot.named), store, plot.scale.at(plot.start)).ok()
        };
        let (Some(mut at_once), Some(mut by_ticks)) = (engine(), engine()) else { return Ok(()) };
        let (start, end) = (plot.scale.at(plot.start), plot.scale.at(plot.scale.end));
        let told = at_once.advance(end).expect("an instant").into_vec();
        let mut ticked = Vec::new();
        for (n, tick) in plot.scale.between(start.millis(), end.millis()).enumerate() {
            ticked.extend(by_ticks.advance(Timestamp::from_millis(tick)).expect("an instant"));
            if n % 7 == 3 {
                let mut store = MemoryStore::new();
                plot.before.iter().for_each(|change| drop(take(&mut store, change.clone())));
                by_ticks = Live::restore(&by_ticks.save(), store).expect("what was saved").0;
            }
        }
        prop_assert_eq!(told, ticked);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(60), failure_persistence: None, ..ProptestConfig::default() })]

    /// Whether facts arrive in order of time, or the store holds them for later: the same transitions under the same
    /// numbers, for the same reasons. But for who comes as a whole at the very instant at which a value turns of a
    /// fact that is held for later.
    #[test]
    fn what_arrives_is_told_like_what_was_held(
        plot in prop_oneof![plots(scale::milliseconds(), 40), plots(scale::hours(), 40)],
    ) {
        let start = plot.scale.at(plot.start);
        let is_fact = |change: &&Change| match change {
            Change::Event(_) | Change::Attribute(_) | Change::User { .. } => change.at() > Some(start),
            _ => false,
        };
        let taken = plot.steps.iter().filter_map(|step| if let Step::Take(change) = step { Some(change) } else { None });
        let mut facts: Vec<Change> = taken.filter(is_fact).cloned().collect();
        facts.sort_by_key(Change::at);
        let engine = |held: &[Change]| {
            let mut store = MemoryStore::new().seal_after(plot.seal);
            plot.before.iter().chain(held).for_each(|change| drop(take(&mut store, change.clone())));
            Live::new(catalog(&plot.named), store, start).ok().map(|live| live.settle_at_most(plot.share))
        };
        let (Some(mut fed), Some(mut holding)) = (engine(&[]), engine(&facts)) else { return Ok(()) };
        let end = plot.scale.at(plot.scale.end);
        let held = holding.advance(end).expect("an instant").into_vec();
        let mut told = Vec::new();
        for fact in facts {
            told.extend(feed(&mut fed, fact).into_iter().flatten());
        }
        told.extend(fed.advance(end).expect("an instant"));
        for (told, held) in told.iter_mut().zip(&held) {
            if told.cause.because == Because::FirstSeen && matches!(held.cause.because, Because::Time(_)) {
                told.cause = held.cause.clone();
            }
        }
        prop_assert_eq!(told, held);
    }
}
