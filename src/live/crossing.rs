//! Facts that the store held before the engine, and whose instants are still to come.

use super::Live;
use super::routes::{NEWCOMER, TouchId};
use crate::plan::bounds::Bounds;

/// A user who may change at an instant, and in what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Crossing {
    pub(super) at: i64,
    pub(super) user: u32,
    pub(super) touch: TouchId,
}

impl Live {
    /// Facts that come to exist later than `t0` and not later than `t1`, in no order.
    pub(super) fn arrivals(&mut self, t0: i64, t1: i64, out: &mut Vec<Crossing>) {
        let inside = Bounds { lo: t0 + 1, hi: t1 };
        let store = self.store.reading();
        store.seen_between(inside, &mut |at, user| out.push(Crossing { at, user, touch: NEWCOMER }));
        let mut found = Vec::new();
        // Each once, however many watch it.
        let all: Vec<_> = self.watches.events.iter().flat_map(|(events, _)| events).cloned().collect();
        store.events_between(&all, inside, &mut |at, user, name| found.push((at, user, name)));
        for (at, user, name) in found {
            let name = self.store.reading().event_name(name);
            let touch = self.routes.event(&self.watches, &self.counts, name);
            out.push(Crossing { at, user, touch });
        }
        for name in self.watches.attributes.keys() {
            if let Some(touch) = self.routes.attribute(name) {
                let visit = &mut |at, user| out.push(Crossing { at, user, touch });
                self.store.reading().writes_between(name, inside, visit);
            }
        }
    }

    /// Waits anew for all facts that are still to come: what waits is found again in the store, as it is there now, by
    /// what it concerns now.
    pub(super) fn wait_again(&mut self) {
        self.ahead = match std::mem::take(&mut self.pending).is_empty() {
            false => self.now.saturating_add(1),
            true => self.first_arrival(self.now),
        };
    }

    /// The earliest instant after `t` of a fact that concerns someone; `i64::MAX` where there is none.
    pub(super) fn first_arrival(&self, t: i64) -> i64 {
        let (store, inside) = (self.store.reading(), Bounds { lo: t + 1, hi: i64::MAX });
        let mut first = i64::MAX;
        store.seen_between(inside, &mut |at, _| first = first.min(at));
        if store.last_event().is_some_and(|last| last > t) {
            for (events, _) in &self.watches.events {
                store.events_between(events, inside, &mut |at, _, _| first = first.min(at));
            }
        }
        for name in self.watches.attributes.keys() {
            store.writes_between(name, inside, &mut |at, _| first = first.min(at));
        }
        first
    }
}
