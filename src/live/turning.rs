//! Values that turn: tests relative to now, whose instants of change depend on the value.
//!
//! When any of them turns next is remembered, so that time passes freely until then; new facts bring the
//! instant forward.

use super::crossing::Crossing;
use super::routes::TouchId;
use super::watch::Turning;
use crate::plan::{Matcher, Properties, ValueRef};
use crate::store::{Among, EventQuery, EventStore, Snapshot};
use crate::time::Timestamp;

/// When a value turns next after an instant.
type NextChange<'a> = &'a dyn Fn(i64) -> Option<i64>;

impl Turning {
    /// The instants in `(t0, t1]` at which some user's answer may turn; and the next one after them.
    pub(super) fn crossings(
        &self,
        store: &Snapshot,
        (t0, t1): (i64, i64),
        touch: TouchId,
        out: &mut Vec<Crossing>,
    ) -> i64 {
        let mut next = i64::MAX;
        self.visit(store, &mut |user, next_change| {
            let mut t = t0;
            while let Some(then) = next_change(t) {
                if then > t1 {
                    next = next.min(then);
                    break;
                }
                out.push(Crossing { at: then, user, touch });
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
