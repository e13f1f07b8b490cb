//! Values that turn: tests relative to now, whose instants of change depend on the value.
//!
//! All values are looked at together, and which of them turn next is read ahead, a few at a time: time passes freely
//! until the first does, and many do before all are looked at again. New facts bring that forward.

use super::watch::Turning;
use crate::plan::{Matcher, Properties, ValueRef};
use crate::store::{Among, EventQuery, EventStore, Snapshot};
use crate::time::Timestamp;

/// When a value turns next after an instant.
type NextChange<'a> = &'a dyn Fn(i64) -> Option<i64>;

/// So many turns are read ahead, about.
const FEW: usize = 64;
/// The stretch that is read at first.
const HOUR: i64 = 3_600_000;

/// Where a test stands that moves with time.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    /// Turns that have been read and have not happened, by instant and user, the next one last.
    ahead: Vec<(i64, u32)>,
    /// All turns up to here have been read.
    read_to: i64,
    /// No turn behind `read_to` is before this instant.
    next: i64,
    /// How long a stretch is read next.
    width: i64,
}

impl Turns {
    /// Where it stands at `now`, with only the next turn known.
    pub(super) fn new(turning: &Turning, store: &Snapshot, now: i64) -> Self {
        let next = turning.turns(store, (now, now), &mut |_, _| ());
        Self { ahead: Vec::new(), read_to: now, next, width: HOUR }
    }

    /// When the next value turns, or earlier.
    pub(super) fn due(&self) -> i64 {
        self.ahead.last().map_or(self.next, |(at, _)| *at)
    }

    /// Takes the turns after an instant and up to another.
    pub(super) fn cross(
        &mut self,
        turning: &Turning,
        store: &Snapshot,
        (now, to): (i64, i64),
        visit: &mut dyn FnMut(i64, u32),
    ) {
        self.take(to, visit);
        if self.next <= to {
            let end = to.max(self.next.saturating_add(self.width));
            let ahead = &mut self.ahead;
            // New values may have turned before they came.
            let from = self.read_to.max(now);
            self.next = turning.turns(store, (from, end), &mut |at, user| ahead.push((at, user)));
            self.read_to = end;
            self.ahead.sort_unstable_by(|a, b| b.cmp(a));
            self.ahead.dedup();
            self.take(to, visit);
            self.width = match self.ahead.len() {
                0..FEW => self.width.saturating_mul(2),
                many if many > 4 * FEW => (self.width / 2).max(1),
                _ => self.width,
            };
        }
    }

    fn take(&mut self, to: i64, visit: &mut dyn FnMut(i64, u32)) {
        while let Some((at, user)) = self.ahead.pop_if(|(at, _)| *at <= to) {
            visit(at, user);
        }
    }

    /// A new value turns at an instant, and perhaps later again: what has been read from there on is read again.
    pub(super) fn bring_forward(&mut self, at: i64) {
        self.next = self.next.min(at);
        if at <= self.read_to {
            let kept = self.ahead.partition_point(|(ahead, _)| *ahead >= at);
            self.ahead.drain(..kept);
            self.read_to = at.saturating_sub(1);
        }
    }

    /// One user turned out to be another.
    pub(super) fn merge(&mut self, from: u32, into: u32) {
        self.ahead.iter_mut().filter(|(_, user)| *user == from).for_each(|(_, user)| *user = into);
    }

    pub(super) fn memory(&self) -> usize {
        self.ahead.capacity() * size_of::<(i64, u32)>() + size_of::<Self>()
    }
}

impl Turning {
    /// The instants in `(t0, t1]` at which some user's answer may turn; and the next one after them.
    fn turns(&self, store: &Snapshot, (t0, t1): (i64, i64), turn: &mut dyn FnMut(i64, u32)) -> i64 {
        let mut next = i64::MAX;
        self.visit(store, &mut |user, next_change| {
            let mut t = t0;
            while let Some(then) = next_change(t) {
                if then > t1 {
                    next = next.min(then);
                    break;
                }
                turn(then, user);
                t = then;
            }
        });
        next
    }

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

    /// When an event of a name turns next after an instant, or never.
    pub(super) fn of_event(&self, name: &str, properties: &(impl Properties + ?Sized), t: i64) -> i64 {
        let next = match self {
            Self::Filter(matcher) if matcher.names(name) => {
                matcher.compiled().and_then(|filter| filter.next_change(properties, t))
            }
            Self::Property { matcher, of, test } if matcher.names(name) => {
                test.next_change(properties.get(of), t)
            }
            _ => None,
        };
        next.unwrap_or(i64::MAX)
    }

    /// When a value of an attribute turns next after an instant, or never.
    pub(super) fn of_write(&self, attribute: &str, value: Option<ValueRef<'_>>, t: i64) -> i64 {
        let next = match self {
            Self::Attribute { name, test } if name == attribute => test.next_change(value, t),
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
