//! Time passes: what is due, in order of instant.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Live;
use super::crossing::Crossing;
use super::cursor::Cursor;
use super::settle::Manner;
use super::state::State;
use super::transition::Transition;
use super::turning::Turns;
use crate::store::TOGETHER as AT_ONCE;

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

    /// An edge may be due at another instant. Entries that are out of date are let go before they become too many.
    pub(super) fn moved(&mut self, place: u32) {
        if self.due.len() > 2 * self.all.len() {
            *self = Self::new(std::mem::take(&mut self.all));
        } else if let Some(cursor) = self.all.get(place as usize) {
            self.due.push(Reverse((cursor.due(), place)));
        }
    }

    pub(super) fn memory(&self) -> usize {
        let cursors: usize = self.all.iter().map(Cursor::memory).sum();
        cursors + self.due.capacity() * size_of::<Reverse<(i64, u32)>>()
    }
}

/// Crossings for which room is kept.
const KEPT: usize = 1 << 11;
/// Crossings that are taken together, about.
const TOGETHER: usize = 1 << 17;
/// The stretch of time that is taken at first.
const MINUTE: i64 = 60_000;

impl Live {
    /// Lets time pass, and settles all that this changes.
    pub(super) fn pass(&mut self, to: i64, out: &mut Vec<Transition>) {
        self.pass_to(to, usize::MAX, out);
    }

    /// Lets time pass, stretch by stretch. Where more than a share of facts come to exist, their instants are seen to one by
    /// one; where more than a share of crossings meet at one it only begins to settle it, and goes no further.
    pub(super) fn pass_to(&mut self, to: i64, share: usize, out: &mut Vec<Transition>) {
        if to <= self.now {
            return;
        }
        let waited = self.waiting(to);
        let mut waiting = waited.as_slice();
        let one_by_one = waiting.len() > share;
        let mut width = MINUTE;
        let mut crossings = std::mem::take(&mut self.crossings);
        loop {
            let facts_at = waiting.first().map_or(i64::MAX, |crossing| crossing.at);
            let first = self.cursors.next().map_or(facts_at, |(due, _)| due.min(facts_at));
            if first > to {
                break;
            }
            crossings.clear();
            let end = match one_by_one {
                true if first == facts_at => first,
                true => first.saturating_add(width).min(facts_at - 1).min(to),
                false => first.saturating_add(width).min(to),
            };
            let facts = waiting.iter().take_while(|crossing| crossing.at <= end).count();
            crossings.extend_from_slice(&waiting[..facts]);
            waiting = &waiting[facts..];
            self.cross_edges(end, to, &mut crossings);
            if one_by_one && first == facts_at && crossings.len() > share {
                self.pending.splice(..0, waiting.iter().copied());
                self.now = end;
                self.begin(crossings, to);
                return;
            }
            width = match crossings.len() {
                many if many > TOGETHER => (width / 2).max(1),
                few if few < TOGETHER / 4 => width.saturating_mul(2),
                _ => width,
            };
            self.settle_all(&mut crossings, out);
        }
        (self.waited, self.crossings) = (kept(waited), kept(crossings));
        self.now = to;
    }

    /// Settles crossings, and reports them in order of instant.
    fn settle_all(&mut self, crossings: &mut [Crossing], out: &mut Vec<Transition>) {
        // By instant and user: sources are in order, so that runs are merged.
        crossings.sort();
        let reported = out.len();
        self.settle_each(crossings, |live, due, manner| live.settle(due, manner, out));
        if !crossings.is_empty() {
            self.telling = (out.len() - reported) * 4 > crossings.len();
        }
    }

    /// Settles sorted crossings: those of a user and an instant together.
    pub(super) fn settle_each(
        &mut self,
        crossings: &[Crossing],
        mut settle: impl FnMut(&mut Self, &[Crossing], &Manner),
    ) {
        let mut rest = crossings;
        let mut known = 0;
        for due in crossings.chunk_by(|a, b| (a.user, a.at) == (b.user, b.at)) {
            let Some(at) = due.first().map(|crossing| crossing.at) else { continue };
            if known == 0 {
                known = rest.len().min(AT_ONCE);
                self.look_ahead(&rest[..known]);
            }
            rest = &rest[due.len()..];
            known = known.saturating_sub(due.len());
            settle(self, due, &Manner { at, late: false, fact: None, because: None });
        }
    }

    /// Looks up what is known of some users, so that the processor waits for all of it at once: of one kind for all of them, as
    /// it looks so many steps ahead and no more.
    fn look_ahead(&self, some: &[Crossing]) {
        let State { rows, beyond, marks, .. } = &self.state;
        let (mut readers, mut count) = ([0; AT_ONCE], 0);
        for crossing in some.iter().take(AT_ONCE) {
            readers[count] = crossing.user;
            count += usize::from(self.routes.touch(crossing.touch).reads_row(crossing.user, marks));
        }
        let readers = &readers[..count];
        let mut seen = readers.iter().fold(rows.peek(readers), |seen, user| seen ^ beyond.peek(*user));
        if self.telling {
            let mut users = [u32::MAX; AT_ONCE];
            users.iter_mut().zip(some).for_each(|(user, crossing)| *user = crossing.user);
            seen ^= u32::from(self.store.reading().peek_ids(users));
        }
        std::hint::black_box(seen);
    }

    /// Takes the facts that cross some edge up to an instant.
    fn cross_edges(&mut self, end: i64, known: i64, crossings: &mut Vec<Crossing>) {
        let facts = (self.store.reading(), &self.timelines);
        while let Some((_, place)) = self.cursors.next().filter(|(due, _)| *due <= end) {
            let (Some(cursor), Some(watch)) =
                (self.cursors.all.get_mut(place as usize), self.watches.edges.get(place as usize))
            else {
                return;
            };
            let touch = self.routes.edge(place as usize);
            cursor.cross(watch, end, known, facts, &mut |at, user| {
                crossings.push(Crossing { at, user, touch });
            });
            self.cursors.moved(place);
        }
    }

    /// The facts that wait for their instant, and the values that turn, up to an instant, in order.
    fn waiting(&mut self, to: i64) -> Vec<Crossing> {
        let later = self.pending.iter().position(|crossing| crossing.at > to);
        let mut waiting = std::mem::take(&mut self.waited);
        waiting.extend(self.pending.drain(..later.unwrap_or(self.pending.len())));
        self.come(to, &mut waiting);
        for (place, turns) in self.turns.iter_mut().enumerate().filter(|(_, turns)| turns.due() <= to) {
            let touch = self.routes.turning(place);
            let (turning, _) = &self.watches.turning[place];
            turns.cross(turning, self.store.reading(), (self.now, to), &mut |at, user| {
                waiting.push(Crossing { at, user, touch });
            });
        }
        // Facts mostly arrive in order, and newcomers beside them.
        waiting.sort();
        waiting
    }

    /// An instant before which nothing changes by the passing of time.
    pub(super) fn next_due(&self) -> i64 {
        let pending = self.pending.first().map_or(i64::MAX, |crossing| crossing.at);
        let turns = self.turns.iter().map(Turns::due).min().unwrap_or(i64::MAX);
        let under_way = self.spread.at().unwrap_or(i64::MAX);
        let edges = self.cursors.all.iter().zip(&self.watches.edges).map(|(cursor, watch)| {
            let last = self.timelines.last(&watch.source, self.last_event);
            if cursor.has_passed(last) { i64::MAX } else { cursor.due() }
        });
        edges.min().unwrap_or(i64::MAX).min(pending).min(turns).min(self.future.due()).min(under_way)
    }
}

/// An empty list with the room of this one, unless that was for an unusual crowd.
fn kept(mut list: Vec<Crossing>) -> Vec<Crossing> {
    list.clear();
    list.shrink_to(KEPT);
    list
}
