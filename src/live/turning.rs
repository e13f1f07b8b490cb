//! Values that turn: tests relative to now, whose instants of change depend on the value.
//!
//! All values are looked at together, and which of them turn next is read ahead, some at a time: time passes freely
//! until the first does, and many do before all are looked at again. Those of new facts are put among them.

use std::collections::BTreeSet;

use super::watch::Turning;
use crate::event::Fact;
use crate::limits::SMALL;
use crate::plan::{Matcher, Properties};
use crate::store::{Among, EventQuery, EventStore, Snapshot};
use crate::time::Timestamp;

/// When a value turns next after an instant.
type NextChange<'a> = &'a dyn Fn(i64) -> Option<i64>;

/// So many turns are kept ahead at least, where there are as many.
const FEW: usize = if SMALL { 3 } else { 256 };
/// Where there are many users, one turn is kept ahead for so many of them, which takes about the room of a bitmap: each
/// reading looks at all values.
const USERS: usize = 256;

/// Where a test stands that moves with time.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    /// Turns that have been read and have not happened, by instant and user.
    ahead: BTreeSet<(i64, u32)>,
    /// All turns up to here have been read.
    read_to: i64,
    /// No turn behind `read_to` is before this instant.
    next: i64,
    /// So many are kept ahead, or as many as there are at one instant.
    most: usize,
}

impl Turns {
    /// Where it stands at `now`.
    pub(super) fn new(turning: &Turning, store: &Snapshot, now: i64) -> Self {
        let mut turns = Self { ahead: BTreeSet::new(), read_to: now, next: i64::MAX, most: FEW };
        turns.read(turning, store, (now, now));
        turns
    }

    /// When the next value turns, or earlier.
    pub(super) fn due(&self) -> i64 {
        self.ahead.first().map_or(self.next, |(at, _)| *at)
    }

    /// Takes the turns after an instant and up to another.
    pub(super) fn cross(
        &mut self,
        turning: &Turning,
        store: &Snapshot,
        (now, to): (i64, i64),
        visit: &mut dyn FnMut(i64, u32),
    ) {
        let later = self.ahead.split_off(&(to.saturating_add(1), 0));
        let crossed = std::mem::replace(&mut self.ahead, later);
        crossed.into_iter().for_each(|(at, user)| visit(at, user));
        if self.next <= to {
            // New values may have turned before they came.
            let crossed = self.read(turning, store, (self.read_to.max(now), to));
            crossed.into_iter().for_each(|(at, user)| visit(at, user));
        }
    }

    /// Reads all turns of all values after an instant and up to another, which it gives back, and the next ones after
    /// that, which it keeps.
    fn read(&mut self, turning: &Turning, store: &Snapshot, (from, to): (i64, i64)) -> Vec<(i64, u32)> {
        (self.read_to, self.next) = (Timestamp::MAX.millis(), i64::MAX);
        self.most = FEW.max(store.user_numbers() / USERS);
        let mut crossed = Vec::new();
        turning.visit(store, &mut |user, exists, next_change| {
            let mut t = from.max(exists);
            while let Some(at) = next_change(t) {
                if at <= to {
                    crossed.push((at, user));
                } else if !self.keep(at, user) {
                    break;
                }
                t = at;
            }
        });
        crossed.sort_unstable();
        crossed.dedup();
        crossed
    }

    /// Keeps a turn that is to come, unless it lies behind what has been read.
    fn keep(&mut self, at: i64, user: u32) -> bool {
        if at > self.read_to {
            self.next = self.next.min(at);
            return false;
        }
        self.ahead.insert((at, user));
        if self.ahead.len() > self.most {
            self.forget_last();
        }
        true
    }

    /// Lets those of the last instant go as if they had not been read, unless there is no other.
    fn forget_last(&mut self) {
        let (Some((first, _)), Some((last, _))) = (self.ahead.first(), self.ahead.last()) else { return };
        if first < last {
            (self.next, self.read_to) = (*last, *last - 1);
            _ = self.ahead.split_off(&(self.next, 0));
        }
    }

    /// A new value of a user, which turns when it is told, after an instant.
    pub(super) fn add(&mut self, user: u32, after: i64, next_change: impl Fn(i64) -> i64) {
        let mut at = next_change(after);
        while at < i64::MAX && self.keep(at, user) {
            at = next_change(at);
        }
    }

    /// One user turned out to be another.
    pub(super) fn merge(&mut self, from: u32, into: u32) {
        let of_from: Vec<i64> =
            self.ahead.iter().filter(|(_, user)| *user == from).map(|(at, _)| *at).collect();
        for at in of_from {
            self.ahead.remove(&(at, from));
            self.ahead.insert((at, into));
        }
    }

    /// Nodes of the tree are half full at least.
    pub(super) fn memory(&self) -> usize {
        2 * self.ahead.len() * size_of::<(i64, u32)>() + size_of::<Self>()
    }
}

impl Turning {
    /// Visits every value, since when there is its fact, and what tells when it turns next after an instant.
    fn visit(&self, store: &Snapshot, visit: &mut dyn FnMut(u32, i64, NextChange<'_>)) {
        match self {
            Self::Filter(matcher) => {
                let Some(filter) = matcher.compiled() else { return };
                events(store, matcher, &mut |user, at, properties| {
                    visit(user, at, &|t| filter.next_change(properties, t));
                });
            }
            Self::Property { matcher, of, test } => events(store, matcher, &mut |user, at, properties| {
                visit(user, at, &|t| test.next_change(properties.get(of), t));
            }),
            Self::Attribute { name, test } => {
                let Ok(()) = store.writes(name, Among::Everyone, &mut |user, writes| {
                    for write in writes {
                        let at = write.at.millis();
                        visit(user.number(), at, &|t| test.next_change(write.value, t));
                    }
                });
            }
        }
    }

    /// When a value of a fact turns next after an instant, or never.
    pub(super) fn of_fact(&self, fact: &Fact, t: i64) -> i64 {
        let next = match (self, fact) {
            (Self::Filter(matcher), Fact::Event(event)) if matcher.names(&event.name) => {
                matcher.compiled().and_then(|filter| filter.next_change(event.properties.as_slice(), t))
            }
            (Self::Property { matcher, of, test }, Fact::Event(event)) if matcher.names(&event.name) => {
                test.next_change(Properties::get(event.properties.as_slice(), of), t)
            }
            (Self::Attribute { name, test }, Fact::Attribute(write)) if *name == *write.name => {
                test.next_change(write.value.as_ref().map(Into::into), t)
            }
            _ => None,
        };
        next.unwrap_or(i64::MAX)
    }
}

/// All events that a matcher is about, whether they pass its filter or not.
fn events(store: &Snapshot, matcher: &Matcher, visit: &mut dyn FnMut(u32, i64, &dyn Properties)) {
    let properties: Vec<&str> = matcher.properties().collect();
    let query = EventQuery { properties: &properties, ..EventQuery::new(matcher.events()) };
    let Ok(()) = EventStore::events(store, &query, &mut |user, events| {
        events.iter().for_each(|event| visit(user.number(), event.at.millis(), event.properties));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::AttributeWrite;
    use crate::plan::Plan;
    use crate::segment::Segment;
    use crate::store::{Ingest, MemoryStore};
    use proptest::prelude::*;

    const HOUR: i64 = 3_600_000;

    /// What moves with time in the test of an attribute.
    fn turning(test: &str) -> Turning {
        let segment = Segment::from_json(&format!(r#"{{"attribute":{{"name":"a",{test}}}}}"#)).unwrap();
        let plan = Plan::of(&segment).unwrap();
        super::super::watch::Watches::of(&plan).turning.pop().unwrap().0
    }

    #[derive(Clone, Debug)]
    enum Step {
        /// A user, and hours from now.
        Write(u8, i64),
        Pass(i64),
        Merge(u8, u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..9_u8, -900..900_i64).prop_map(|(user, hours)| Step::Write(user, hours)),
            3 => prop_oneof![0..5_i64, 0..200_i64, Just(9_000)].prop_map(Step::Pass),
            1 => (0..9_u8, 0..9_u8).prop_map(|(from, into)| Step::Merge(from, into)),
        ]
    }

    /// Facts, what is known of when they turn, and when each does.
    struct Run {
        turning: Turning,
        turns: Turns,
        store: MemoryStore,
        values: Vec<(Fact, u32)>,
        now: i64,
    }

    impl Run {
        fn write(&mut self, id: &str, value: i64) {
            // Each at an instant of its own: of two at one the latter is all there is.
            let at = Timestamp::from_millis(self.now - 1_000_000 + self.values.len() as i64);
            let write = AttributeWrite::set(id, "a", Timestamp::from_millis(value), at);
            self.store.write(write.clone()).unwrap();
            let (user, fact) = (self.store.last_touched().0, Fact::from(write));
            self.turns.add(user, self.now, |t| self.turning.of_fact(&fact, t));
            self.values.push((fact, user));
        }

        fn merge(&mut self, from: &str, into: &str) {
            let number = |store: &MemoryStore, id| store.reading().number_of(id);
            let (Some(gone), Some(_)) = (number(&self.store, from), number(&self.store, into)) else {
                return;
            };
            if self.store.merge(from, into).is_ok() {
                let into = number(&self.store, into).unwrap();
                self.turns.merge(gone, into);
                self.values.iter_mut().filter(|(_, user)| *user == gone).for_each(|(_, user)| *user = into);
            }
        }

        /// All turns on the way are told, and none that is not.
        fn pass(&mut self, to: i64) {
            let mut expected = BTreeSet::new();
            for (fact, user) in &self.values {
                let mut at = self.turning.of_fact(fact, self.now);
                while at <= to {
                    expected.insert((at, *user));
                    at = self.turning.of_fact(fact, at);
                }
            }
            assert!(expected.first().is_none_or(|(at, _)| self.turns.due() <= *at));
            let (mut told, store) = (BTreeSet::new(), self.store.reading());
            self.turns
                .cross(&self.turning, store, (self.now, to), &mut |at, user| _ = told.insert((at, user)));
            assert_eq!(told, expected);
            self.now = to;
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

        #[test]
        fn every_turn_is_told_however_few_are_kept_ahead(
            test in prop::sample::select(vec![r#""anniversary":{"next":"7d"}"#, r#""within":{"next":"3d"}"#]),
            steps in prop::collection::vec(step(), 1..50),
        ) {
            let (turning, store) = (turning(test), MemoryStore::new());
            let now = 1_781_524_800_000;
            let turns = Turns::new(&turning, store.reading(), now);
            let mut run = Run { turning, turns, store, values: Vec::new(), now };
            for step in steps {
                match step {
                    Step::Write(user, hours) => run.write(&format!("u{user}"), run.now + hours * HOUR),
                    Step::Pass(hours) => run.pass(run.now + hours * HOUR),
                    Step::Merge(from, into) => run.merge(&format!("u{from}"), &format!("u{into}")),
                }
                let instants: BTreeSet<i64> = run.turns.ahead.iter().map(|(at, _)| *at).collect();
                prop_assert!(run.turns.ahead.len() <= 3 + 9 || instants.len() == 1);
            }
            run.pass(run.now + 9_000 * HOUR);
        }
    }
}
