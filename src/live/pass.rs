//! Time passes: what is due, in order of instant.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Live;
use super::crossing::Crossing;
use super::cursor::Cursor;
use super::settle::Manner;
use super::transition::Transition;

/// Where the edges stand, the next one first.
#[derive(Clone, Debug, Default)]
pub(super) struct Cursors {
    pub(super) all: Vec<Cursor>,
    /// When each is due; entries that are out of date are passed over.
    due: BinaryHeap<Reverse<(i64, u32)>>,
}

impl Cursors {
    pub(super) fn new(all: Vec<Cursor>) -> Self {
        let due = (0..).zip(&all).map(|(place, cursor)| Reverse((cursor.due(), place))).collect();
        Self { all, due }
    }

    /// The next edge that is due, and when.
    fn next(&mut self) -> Option<(i64, u32)> {
        while let Some(Reverse((due, place))) = self.due.peek().copied() {
            if self.all.get(place as usize).is_some_and(|cursor| cursor.due() == due) {
                return Some((due, place));
            }
            self.due.pop();
        }
        None
    }

    /// An edge may be due at another instant.
    pub(super) fn moved(&mut self, place: u32) {
        if let Some(cursor) = self.all.get(place as usize) {
            self.due.push(Reverse((cursor.due(), place)));
        }
    }

    /// Nothing is due before this instant.
    pub(super) fn first_due(&self) -> i64 {
        self.all.iter().map(Cursor::due).min().unwrap_or(i64::MAX)
    }
}

impl Live {
    /// Lets time pass.
    pub(super) fn pass(&mut self, to: i64, out: &mut Vec<Transition>) {
        if to <= self.now {
            return;
        }
        let waiting = self.waiting(to);
        let mut waiting = waiting.as_slice();
        let mut crossings = Vec::new();
        loop {
            let first = waiting.first().map_or(i64::MAX, |crossing| crossing.at);
            let at = self.cursors.next().map_or(first, |(due, _)| due.min(first));
            if at > to {
                break;
            }
            crossings.clear();
            let of_instant = waiting.iter().take_while(|crossing| crossing.at == at).count();
            crossings.extend_from_slice(&waiting[..of_instant]);
            waiting = &waiting[of_instant..];
            self.cross_edges(at, to, &mut crossings);
            crossings.sort_unstable();
            let manner = Manner { at, late: false, fact: None, because: None };
            for of_user in crossings.chunk_by(|a, b| a.user == b.user) {
                self.settle(of_user, &manner, out);
            }
        }
        self.now = to;
    }

    /// Takes the facts that cross some edge at an instant.
    fn cross_edges(&mut self, at: i64, known: i64, crossings: &mut Vec<Crossing>) {
        let facts = (self.store.reading(), &self.timelines);
        while let Some((due, place)) = self.cursors.next().filter(|(due, _)| *due <= at) {
            debug_assert!(due <= at);
            let (Some(cursor), Some(watch)) =
                (self.cursors.all.get_mut(place as usize), self.watches.edges.get(place as usize))
            else {
                return;
            };
            let touch = self.routes.edge(place as usize);
            cursor.cross(watch, at, known, facts, &mut |user| crossings.push(Crossing { at, user, touch }));
            self.cursors.moved(place);
        }
    }

    /// The facts that wait for their instant, and the values that turn, up to an instant, in order.
    fn waiting(&mut self, to: i64) -> Vec<Crossing> {
        let mut waiting = std::mem::take(&mut self.pending);
        if self.ahead <= to {
            // Among them those that wait.
            waiting.clear();
            self.arrivals(self.now, to, &mut waiting);
            self.ahead = self.first_arrival(to);
        }
        for place in 0..self.turns.len() {
            if self.turns[place] <= to {
                let touch = self.routes.turning(place);
                let (turning, _) = &self.watches.turning[place];
                self.turns[place] =
                    turning.crossings(self.store.reading(), (self.now, to), touch, &mut waiting);
            }
        }
        waiting.sort_unstable();
        waiting
    }

    /// An instant before which nothing changes by the passing of time.
    pub(super) fn next_due(&self) -> i64 {
        let pending = self.pending.iter().map(|crossing| crossing.at).min().unwrap_or(i64::MAX);
        let turns = self.turns.iter().copied().min().unwrap_or(i64::MAX);
        self.cursors.first_due().min(pending).min(turns).min(self.ahead)
    }
}
