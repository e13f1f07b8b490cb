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

/// Crossings that are read ahead, about.
const SOME: usize = 1 << 12;
/// The stretch that is read at first.
const HOUR: i64 = 3_600_000;

/// What the store held when the engine began, or was asked anew, and is still to come: read ahead, some at a time, for each
/// reading looks at all of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Future {
    /// The next one last.
    ahead: Vec<Crossing>,
    /// All up to here has been read.
    pub(super) read_to: i64,
    /// None that has not been read is before this instant.
    next: i64,
    /// How long a stretch is read next.
    width: i64,
}

impl Future {
    fn new(now: i64, next: i64) -> Self {
        Self { ahead: Vec::new(), read_to: now, next, width: HOUR }
    }

    /// When the next fact comes to exist, or earlier.
    pub(super) fn due(&self) -> i64 {
        self.ahead.last().map_or(self.next, |crossing| crossing.at.min(self.next))
    }

    /// One user turned out to be another.
    pub(super) fn merge(&mut self, from: u32, into: u32) {
        let of_from = self.ahead.iter_mut().filter(|crossing| crossing.user == from);
        of_from.for_each(|crossing| crossing.user = into);
    }

    pub(super) fn memory(&self) -> usize {
        self.ahead.capacity() * size_of::<Crossing>()
    }
}

impl Live {
    /// Takes what comes to exist up to an instant to what waits for it.
    pub(super) fn come(&mut self, to: i64, waiting: &mut Vec<Crossing>) {
        if self.future.next <= to {
            let Future { mut ahead, read_to, next, width } = std::mem::take(&mut self.future);
            let (from, end) = (read_to.max(self.now), to.max(next.saturating_add(width)));
            // Of what has arrived since, what waits in this stretch is found again.
            let is_outside = |crossing: &Crossing| crossing.at <= from || crossing.at > end;
            waiting.retain(is_outside);
            self.pending.retain(is_outside);
            self.arrivals(from, end, &mut ahead);
            ahead.sort_unstable_by(|a, b| b.cmp(a));
            let width = match ahead.len() {
                few if few < SOME / 4 => width.saturating_mul(2),
                many if many > SOME => (width / 2).max(1),
                _ => width,
            };
            self.future = Future { ahead, read_to: end, next: self.first_arrival(end), width };
        }
        let ahead = &mut self.future.ahead;
        waiting.extend(std::iter::from_fn(|| ahead.pop_if(|crossing| crossing.at <= to)));
    }

    /// Facts that come to exist later than `t0` and not later than `t1`, in no order.
    fn arrivals(&mut self, t0: i64, t1: i64, out: &mut Vec<Crossing>) {
        let inside = Bounds { lo: t0 + 1, hi: t1 };
        let store = self.store.reading();
        store.seen_between(inside, &mut |at, user| out.push(Crossing { at, user, touch: NEWCOMER }));
        let mut found = Vec::new();
        // Each once, however many watch it.
        let all: Vec<_> = self.watches.events.iter().flat_map(|(events, _)| events).cloned().collect();
        store.events_between(&all, inside, &mut |at, user, name| found.push((at, user, name)));
        for (at, user, name) in found {
            let name = self.store.reading().event_name(name);
            let of_plan = (&self.watches, &self.counts);
            let touch = self.routes.event(of_plan, name);
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
        let next = match std::mem::take(&mut self.pending).is_empty() {
            false => self.now.saturating_add(1),
            true => self.first_arrival(self.now),
        };
        self.future = Future::new(self.now, next);
    }

    /// The earliest instant after `t` of a fact that concerns someone; `i64::MAX` where there is none.
    fn first_arrival(&self, t: i64) -> i64 {
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
