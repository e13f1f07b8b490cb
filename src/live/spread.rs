//! The settling of an instant, spread over calls.
//!
//! Thousands of users may have facts of one instant, and a single fact of a later one tells that it is complete. Were all of
//! them settled then, the caller of that one fact would wait for all. Instead each call settles some; what
//! that changes is withheld until the last is, and told at once. Until then readers see what was before that instant.

use std::sync::Arc;

use foldhash::HashMap;

use super::Live;
use super::crossing::Crossing;
use super::routes::{SEEN, TouchId};
use super::transition::{Movement, Transition};
use crate::event::Fact;

/// Users that a call settles of an instant, where the caller has not said.
pub(super) const SHARE: usize = 4;

/// An instant whose users are being settled.
#[derive(Clone, Debug, Default)]
pub(super) struct Spread {
    /// Those of the instant, by user; none: nothing is under way.
    crossings: Vec<Crossing>,
    /// How many of them are settled.
    settled: usize,
    /// All instants up to here are complete.
    complete: i64,
    /// The users that are settled, in order, as they were.
    before: Vec<Before>,
    /// Their cells that were not 0.
    cells: Vec<(u32, u32)>,
    /// Withheld, and numbered when they are told.
    transitions: Vec<Transition>,
    /// By how much they have made segments larger.
    more: HashMap<Arc<str>, i64>,
}

/// A user before the instant.
#[derive(Clone, Copy, Debug)]
struct Before {
    user: u32,
    was_there: bool,
    /// Where its cells end.
    end: usize,
}

impl Spread {
    pub(super) fn is_under_way(&self) -> bool {
        !self.crossings.is_empty()
    }

    /// The instant, while it is under way.
    pub(super) fn at(&self) -> Option<i64> {
        self.crossings.first().map(|crossing| crossing.at)
    }

    /// Notes how a user was.
    fn note(&mut self, user: u32, was_there: bool, row: &[u32]) {
        let not_zero = (0..).zip(row).filter(|(_, value)| **value != 0);
        self.cells.extend(not_zero.map(|(cell, value)| (cell, *value)));
        self.before.push(Before { user, was_there, end: self.cells.len() });
    }

    /// Whether a user was there, and its row of so many cells; `None` where it is not settled, or nothing is under way.
    pub(super) fn before(&self, user: u32, cells: usize) -> Option<(bool, Vec<u32>)> {
        let place = self.before.binary_search_by_key(&user, |before| before.user).ok()?;
        let Before { was_there, end, .. } = *self.before.get(place)?;
        let start = place.checked_sub(1).map_or(0, |place| self.before[place].end);
        let mut row = vec![0; cells];
        for (cell, value) in &self.cells[start..end] {
            row[*cell as usize] = *value;
        }
        Some((was_there, row))
    }

    /// What has changed and is not told yet.
    pub(super) fn withheld(&self) -> &[Transition] {
        &self.transitions
    }

    /// By how much withheld transitions have made a segment larger.
    pub(super) fn more(&self, segment: &str) -> i64 {
        self.more.get(segment).copied().unwrap_or(0)
    }

    /// Counts what has been withheld since there were so many transitions.
    fn count_from(&mut self, known: usize) {
        for transition in &self.transitions[known..] {
            let more = if transition.movement == Movement::Entered { 1 } else { -1 };
            *self.more.entry(Arc::clone(&transition.segment)).or_default() += more;
        }
    }

    fn clear(&mut self) {
        self.settled = 0;
        self.more.clear();
        self.before.clear();
        self.cells.clear();
    }

    pub(super) fn memory(&self) -> usize {
        self.crossings.capacity() * size_of::<Crossing>()
            + self.before.capacity() * size_of::<Before>()
            + self.cells.capacity() * 8
            + self.transitions.capacity() * size_of::<Transition>()
            + self.more.capacity() * size_of::<(Arc<str>, i64)>()
    }
}

impl Live {
    /// Up to here everything is settled and told.
    pub(super) fn told_to(&self) -> i64 {
        self.spread.at().map_or(self.now, |at| at - 1)
    }

    /// All instants up to here are complete.
    pub(super) fn complete(&self) -> i64 {
        if self.spread.is_under_way() { self.spread.complete } else { self.now }
    }

    /// Whether a late fact and the instant that is under way do not concern each other: so far as is told it has happened
    /// by then, its user is not among those of the instant, and none of its edges lies in what is not told.
    pub(super) fn is_apart(&self, fact: &Fact, touch: Option<TouchId>, at: i64) -> bool {
        if !self.spread.is_under_way() {
            return true;
        }
        let (told_to, complete) = (self.told_to(), self.complete());
        let of_user =
            |user| self.spread.crossings.binary_search_by_key(&user, |crossing| crossing.user).is_ok();
        if at > told_to || self.store.reading().number_of(fact.user_id()).is_some_and(of_user) {
            return false;
        }
        let is_untold = |instant| told_to < instant && instant <= complete;
        let edges = touch.into_iter().chain([SEEN]).flat_map(|touch| &self.routes.touch(touch).edges);
        let mut edges = edges.filter_map(|place| self.watches.edges.get(*place as usize));
        if edges.any(|watch| is_untold(watch.edge.due(at))) {
            return false;
        }
        !self.watches.turning.iter().any(|(turning, _)| is_untold(turning.of_fact(fact, told_to)))
    }

    /// Begins to settle an instant.
    pub(super) fn begin(&mut self, mut crossings: Vec<Crossing>, complete: i64) {
        crossings.sort_unstable_by_key(|crossing| (crossing.user, crossing.touch));
        self.spread.crossings = crossings;
        self.spread.complete = complete;
    }

    /// Settles all that is left of an instant, tells what it changed, and lets time pass up to where all is complete.
    pub(super) fn finish(&mut self, out: &mut Vec<Transition>) {
        self.settle_some(usize::MAX, out);
    }

    /// Settles some users of the instant that is under way, and finishes it after the last.
    pub(super) fn settle_some(&mut self, users: usize, out: &mut Vec<Transition>) {
        if !self.spread.is_under_way() {
            return;
        }
        let mut spread = std::mem::take(&mut self.spread);
        let crossings = std::mem::take(&mut spread.crossings);
        let rest = &crossings[spread.settled..];
        let some: usize = rest.chunk_by(|a, b| a.user == b.user).take(users).map(<[Crossing]>::len).sum();
        let (mut row, sequence, known) = (Vec::new(), self.sequence, spread.transitions.len());
        self.settle_each(&rest[..some], |live, due, manner| {
            if let Some(Crossing { user, .. }) = due.first().filter(|_| some < rest.len()) {
                live.state.rows.load(*user, &mut row);
                spread.note(*user, live.state.universe.contains(*user), &row);
            }
            live.settle(due, manner, &mut spread.transitions);
        });
        spread.settled += some;
        self.sequence = sequence;
        if spread.settled < crossings.len() {
            spread.count_from(known);
            spread.crossings = crossings;
            self.spread = spread;
            return;
        }
        self.telling = spread.transitions.len() * 4 > crossings.len();
        let told = spread.transitions.len();
        for transition in &mut spread.transitions {
            self.sequence += 1;
            transition.sequence = self.sequence;
        }
        match out.is_empty() {
            true => std::mem::swap(out, &mut spread.transitions),
            false => out.append(&mut spread.transitions),
        }
        // The next instant may make as many.
        spread.transitions.reserve(told);
        let complete = spread.complete;
        spread.clear();
        self.spread = spread;
        self.pass(complete, out);
    }
}
