//! Crossings: the instants in a stretch of time at which some user's answers may change.

use super::Live;
use super::routes::{EVERYTHING, TouchId};
use super::watch::{Source, Watch};
use crate::plan::bounds::Bounds;
use crate::store::Snapshot;

/// A user who may change at an instant, and in what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Crossing {
    pub(super) at: i64,
    pub(super) user: u32,
    pub(super) touch: TouchId,
}

impl Live {
    /// All crossings later than `t0` and not later than `t1`, in order.
    pub(super) fn crossings(&mut self, t0: i64, t1: i64) -> Vec<Crossing> {
        let mut out = Vec::new();
        self.arrivals(t0, t1, &mut out);
        let store = self.store.reading();
        for (place, watch) in self.watches.edges.iter().enumerate() {
            let touch = self.routes.edge(place);
            visit(store, &watch.source, watch.edge.crossed(t0, t1), &mut |key, user| {
                let at = watch.edge.due(key);
                if t0 < at && at <= t1 {
                    out.push(Crossing { at, user, touch });
                }
            });
        }
        for (place, (turning, _)) in self.watches.turning.iter().enumerate() {
            if self.turns[place] <= t1 {
                let touch = self.routes.turning(place);
                self.turns[place] = turning.crossings(store, (t0, t1), touch, &mut out);
            }
        }
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Facts that come to exist.
    fn arrivals(&mut self, t0: i64, t1: i64, out: &mut Vec<Crossing>) {
        let inside = Bounds { lo: t0 + 1, hi: t1 };
        let store = self.store.reading();
        store.seen_between(inside, &mut |at, user| out.push(Crossing { at, user, touch: EVERYTHING }));
        let mut found = Vec::new();
        for (events, _) in &self.watches.events {
            store.events_between(events, inside, &mut |at, user, name| found.push((at, user, name)));
        }
        for (at, user, name) in found {
            let touch = self.routes.event(&self.watches, self.store.reading().event_name(name));
            out.push(Crossing { at, user, touch });
        }
        for name in self.watches.attributes.keys() {
            if let Some(touch) = self.routes.attribute(name) {
                let visit = &mut |at, user| out.push(Crossing { at, user, touch });
                self.store.reading().writes_between(name, inside, visit);
            }
        }
    }

    /// An instant before which nothing changes by the passing of time.
    pub(super) fn next_crossing(&self) -> Option<i64> {
        let (store, now) = (self.store.reading(), self.now);
        let mut next = i64::MAX;
        let ahead = Bounds { lo: now + 1, hi: i64::MAX };
        store.seen_between(ahead, &mut |at, _| next = next.min(at));
        for (events, _) in &self.watches.events {
            store.events_between(events, ahead, &mut |at, _, _| next = next.min(at));
        }
        for name in self.watches.attributes.keys() {
            store.writes_between(name, ahead, &mut |at, _| next = next.min(at));
        }
        for watch in &self.watches.edges {
            next = next.min(next_due(store, watch, now));
        }
        next = self.turns.iter().copied().fold(next, i64::min);
        (next < i64::MAX).then_some(next)
    }
}

/// When the next fact crosses an edge after `now`.
fn next_due(store: &Snapshot, watch: &Watch, now: i64) -> i64 {
    let ahead = Bounds { lo: watch.edge.first_after(now), hi: i64::MAX };
    let mut next = i64::MAX;
    visit(store, &watch.source, ahead, &mut |key, _| {
        let due = watch.edge.due(key);
        if due > now {
            next = next.min(due);
        }
    });
    next
}

/// The facts of a source whose instants lie inside: instant and user.
fn visit(store: &Snapshot, source: &Source, inside: Bounds, visit: &mut dyn FnMut(i64, u32)) {
    match source {
        Source::Events(events) => store.events_between(events, inside, &mut |at, user, _| visit(at, user)),
        Source::Writes(name) => store.writes_between(name, inside, visit),
        Source::Seen => store.seen_between(inside, visit),
    }
}
