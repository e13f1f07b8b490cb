//! Values that turn: tests relative to now, whose instants of change depend on the value.
//!
//! All values are looked at together, and which of them turn next is read ahead, some at a time: time passes freely
//! until the first does, and many do before all are looked at again. Those of new facts are put among them.

use std::collections::BTreeSet;

use super::watch::Turning;
use crate::event::Fact;
use crate::plan::{Matcher, Properties};
use crate::store::{Among, EventQuery, EventStore, Snapshot};
use crate::time::Timestamp;

/// When a value turns next after an instant.
type NextChange<'a> = &'a dyn Fn(i64) -> Option<i64>;

/// So many turns are kept ahead at least, where there are as many.
const FEW: usize = 256;
/// Values for each turn that is kept ahead beyond these: where there are many, each reading looks at all of them.
const VALUES: usize = 128;

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
        while let Some((at, user)) = self.ahead.pop_first() {
            if at > to {
                self.ahead.insert((at, user));
                break;
            }
            visit(at, user);
        }
        if self.next <= to {
            // New values may have turned before they came.
            let crossed = self.read(turning, store, (self.read_to.max(now), to));
            crossed.into_iter().for_each(|(at, user)| visit(at, user));
        }
    }

    /// Reads all turns of all values after an instant and up to another, which it gives back, and the next ones after
    /// that, which it keeps.
    fn read(&mut self, turning: &Turning, store: &Snapshot, (from, to): (i64, i64)) -> Vec<(i64, u32)> {
        (self.read_to, self.next, self.most) = (Timestamp::MAX.millis(), i64::MAX, FEW);
        let (mut crossed, mut values) = (Vec::new(), 0);
        turning.visit(store, &mut |user, next_change| {
            values += 1;
            self.most = self.most.max(values / VALUES);
            let mut t = from;
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
    /// Visits every value, with what tells when it turns next after an instant.
    fn visit(&self, store: &Snapshot, visit: &mut dyn FnMut(u32, NextChange<'_>)) {
        match self {
            Self::Filter(matcher) => {
                let Some(filter) = matcher.compiled() else { return };
                events(store, matcher, &mut |user, properties| {
                    visit(user, &|t| filter.next_change(properties, t));
                });
            }
            Self::Property { matcher, of, test } => events(store, matcher, &mut |user, properties| {
                visit(user, &|t| test.next_change(properties.get(of), t));
            }),
            Self::Attribute { name, test } => {
                let Ok(()) = store.writes(name, Among::Everyone, &mut |user, writes| {
                    for write in writes {
                        visit(user.number(), &|t| test.next_change(write.value, t));
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
fn events(store: &Snapshot, matcher: &Matcher, visit: &mut dyn FnMut(u32, &dyn Properties)) {
    let properties: Vec<&str> = matcher.properties().collect();
    let query = EventQuery {
        events: matcher.events(),
        from: Timestamp::MIN,
        to: Timestamp::MAX,
        properties: &properties,
        among: Among::Everyone,
    };
    let Ok(()) = EventStore::events(store, &query, &mut |user, events| {
        events.iter().for_each(|event| visit(user.number(), event.properties));
    });
}
