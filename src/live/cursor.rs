//! A cursor an edge: the facts that cross it next, read ahead in order of time.
//!
//! What a cursor holds does not depend on how many facts there are: it reads ahead a few at a time, and adapts
//! how long a stretch it reads.

use std::cmp::Reverse;

use super::edge::Edge;
use super::marks::unit_around;
use super::timeline::Timelines;
use super::watch::{Source, Watch};
use crate::plan::bounds::Bounds;
use crate::store::Snapshot;
use crate::time::Timestamp;

/// Facts read at a time, about.
const FEW: usize = 32;
/// The stretch that is read at first, about.
const HOUR: i64 = 3_600_000;

/// Facts that cross later, in half the room: milliseconds after an instant, and the user, the next one last.
#[derive(Clone, Debug, Default)]
struct Later {
    from: i64,
    facts: Vec<(u32, u32)>,
}

/// Where an edge stands.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    /// Facts that have been read and have not crossed, by instant and user, the next one last.
    ahead: Vec<(i64, u32)>,
    /// Those that cross after them; none where there are none ahead.
    later: Later,
    /// All facts before this instant have been read.
    read_to: i64,
    /// How long a stretch is read next.
    width: i64,
    /// Nothing crosses before this instant.
    due: i64,
}

impl Cursor {
    /// Where an edge stands at `now`, with nothing read. How much is read at first depends on its place, in an irregular
    /// manner, so that edges do not read on at the same instants.
    pub(super) fn new(edge: &Edge, now: i64, place: usize) -> Self {
        let read_to = edge.first_after(now).max(Timestamp::MIN.millis());
        let width = HOUR + i64::try_from(place).unwrap_or(0).wrapping_mul(999_983).rem_euclid(HOUR);
        Self { ahead: Vec::new(), later: Later::default(), read_to, width, due: edge.due(read_to) }
    }

    /// Reads what crosses first; facts up to `known` are in the store.
    pub(super) fn prepare(&mut self, watch: &Watch, known: i64, facts: (&Snapshot, &Timelines)) {
        if let Source::Events(events) | Source::LastOf(events, ..) = &watch.source {
            facts.0.order_by_time(events, self.read_to);
        }
        if self.read_to <= known {
            self.read(watch, known, known, facts);
        }
        let first = self.ahead.last().map_or(self.read_to, |(key, _)| *key);
        self.due = watch.edge.due(first);
    }

    /// When the next fact crosses, or earlier.
    pub(super) fn due(&self) -> i64 {
        self.due
    }

    /// Takes the facts that cross up to `end`, with the instants at which they do, and goes on to the next; facts up
    /// to `known` are in the store.
    pub(super) fn cross(
        &mut self,
        watch: &Watch,
        end: i64,
        known: i64,
        facts: (&Snapshot, &Timelines),
        visit: &mut dyn FnMut(i64, u32),
    ) {
        loop {
            while let Some((key, user)) = self.ahead.last().copied() {
                self.due = watch.edge.due(key);
                if self.due > end {
                    self.shrink();
                    return;
                }
                visit(self.due, user);
                self.ahead.pop();
            }
            if self.unpack(4 * FEW) {
                continue;
            }
            self.due = watch.edge.due(self.read_to);
            if self.due > end {
                return;
            }
            if self.read_to > known {
                // Facts to come cross no earlier than they happen.
                self.due = known.saturating_add(1);
                return;
            }
            self.read(watch, end, known, facts);
        }
    }

    /// Reads the next stretch, at least to where facts have not crossed at `end`.
    fn read(&mut self, watch: &Watch, end: i64, known: i64, (store, timelines): (&Snapshot, &Timelines)) {
        let crossed = watch.edge.first_after(end);
        let hi = match &watch.source {
            // Whole units: windows of these are longer, so that all of it has happened.
            Source::LastOf(_, unit, tz) => unit_around(*unit, *tz, self.read_to).1.saturating_sub(1),
            _ => self.read_to.saturating_add(self.width).max(crossed.saturating_sub(1)),
        };
        let hi = hi.min(known);
        let inside = Bounds { lo: self.read_to, hi };
        let ahead = &mut self.ahead;
        match &watch.source {
            Source::Events(events) | Source::LastOf(events, ..) => {
                store.events_between(events, inside, &mut |at, user, _| ahead.push((at, user)));
            }
            other => timelines.between(other, inside, &mut |at, user| ahead.push((at, user))),
        }
        self.read_to = hi.saturating_add(1);
        if let Source::LastOf(..) = watch.source {
            ahead.sort_unstable_by_key(|(at, user)| (*user, Reverse(*at)));
            ahead.dedup_by_key(|(_, user)| *user);
            self.ahead.sort_unstable_by(|a, b| b.cmp(a));
            self.pack();
            return;
        }
        self.ahead.sort_unstable_by(|a, b| b.cmp(a));
        match self.ahead.partition_point(|(at, _)| *at >= crossed) {
            0..FEW => self.width = self.width.saturating_mul(2),
            many if many > 8 * FEW => self.keep_few(many, inside.lo),
            many if many > 4 * FEW => self.width = (self.width / 2).max(1),
            _ => {}
        }
    }

    /// Of so many that cross last lets most go, as if they had not been read.
    fn keep_few(&mut self, many: usize, from: i64) {
        let Some((last, _)) = self.ahead.get(many.saturating_sub(4 * FEW)) else { return };
        self.read_to = last.saturating_add(1);
        self.width = self.read_to.saturating_sub(from).max(1);
        let gone = self.ahead.partition_point(|(at, _)| *at >= self.read_to);
        self.ahead.drain(..gone);
    }

    /// Lets most of many take less room, where their instants are near enough to one another.
    fn pack(&mut self) {
        let (Some((last, _)), Some((first, _))) = (self.ahead.first(), self.ahead.last().copied()) else {
            return;
        };
        if self.ahead.len() <= 8 * FEW
            || !self.later.facts.is_empty()
            || last.abs_diff(first) > u64::from(u32::MAX)
        {
            return;
        }
        let many = self.ahead.len() - 4 * FEW;
        let after = |at: i64| u32::try_from(at.abs_diff(first)).unwrap_or(u32::MAX);
        let facts = self.ahead.drain(..many).map(|(at, user)| (after(at), user)).collect();
        self.later = Later { from: first, facts };
        self.shrink();
    }

    /// Brings so many that cross later forward; tells whether there were any.
    fn unpack(&mut self, many: usize) -> bool {
        let Later { from, facts } = &mut self.later;
        let rest = facts.len().saturating_sub(many);
        let next = facts.drain(rest..).map(|(after, user)| (from.saturating_add(i64::from(after)), user));
        self.ahead.splice(..0, next);
        if facts.len() * 2 < facts.capacity() {
            facts.shrink_to_fit();
        }
        !self.ahead.is_empty()
    }

    /// Gives back room that long stretches took.
    fn shrink(&mut self) {
        if self.ahead.len() <= 8 * FEW && self.ahead.capacity() > 32 * FEW {
            self.ahead.shrink_to(8 * FEW);
        }
    }

    /// A fact that arrived late: where it has been passed by, it is put in.
    pub(super) fn late(&mut self, watch: &Watch, key: i64, user: u32, now: i64) {
        let due = watch.edge.due(key);
        if key >= self.read_to || due <= now {
            return;
        }
        self.unpack(usize::MAX);
        if let Source::LastOf(_, unit, tz) = &watch.source {
            let (start, end) = unit_around(*unit, *tz, key);
            let same = |have: &(i64, u32)| have.1 == user && (start..end).contains(&have.0);
            if let Some(place) = self.ahead.iter().position(same) {
                if self.ahead.get(place).is_some_and(|(at, _)| *at >= key) {
                    self.pack();
                    return;
                }
                self.ahead.remove(place);
            }
        }
        let place = self.ahead.partition_point(|have| *have > (key, user));
        self.ahead.insert(place, (key, user));
        self.pack();
        self.due = self.due.min(due);
    }

    /// One user turned out to be another.
    pub(super) fn merge(&mut self, source: &Source, from: u32, into: u32) {
        self.unpack(usize::MAX);
        self.ahead.iter_mut().filter(|(_, user)| *user == from).for_each(|(_, user)| *user = into);
        if let Source::LastOf(_, unit, tz) = source {
            // Of two in one unit the later stays, which comes first.
            let mut known = Vec::new();
            self.ahead.retain(|(at, user)| {
                if *user != into {
                    return true;
                }
                let (start, _) = unit_around(*unit, *tz, *at);
                let is_first = !known.contains(&start);
                known.push(start);
                is_first
            });
        }
        self.pack();
    }

    pub(super) fn memory(&self) -> usize {
        self.ahead.capacity() * size_of::<(i64, u32)>() + self.later.facts.capacity() * 8 + size_of::<Self>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;
    use crate::time::{Unit, days};
    use crate::window::Window;
    use chrono_tz::Tz;

    const DAY: i64 = 86_400_000;

    /// Many users, some of whom come late, cross in order, each once; far apart they do not take less room.
    #[test]
    fn many_that_are_read_at_once_cross_in_order() {
        let source = Source::LastOf(Vec::new(), Unit::Day, Tz::UTC);
        let watch = Watch { source, edge: Edge::Leaves(Window::Last(days(7))), questions: Vec::new() };
        for apart in [1, DAY] {
            let mut cursor = Cursor::new(&watch.edge, 0, 0);
            let mut model: Vec<(i64, u32)> =
                (0..1_000).map(|user| (i64::from(user * 7 % 1_000) * 1_000 * apart, user)).collect();
            cursor.ahead = model.clone();
            cursor.ahead.sort_unstable_by(|a, b| b.cmp(a));
            cursor.read_to = 1_000_000 * apart;
            cursor.pack();
            assert_eq!(cursor.later.facts.is_empty(), apart == DAY);
            let known = cursor.read_to - 1;
            let (store, timelines) = (MemoryStore::new().snapshot(), Timelines::default());
            let mut crossed = Vec::new();
            for step in 0..100 {
                let end = 7 * DAY + step * 10_000 * apart + 5;
                cursor.cross(&watch, end, known, (&store, &timelines), &mut |at, user| {
                    crossed.push((at, user))
                });
                // Somebody new, late; not so often that all is brought forward for that alone.
                if step % 40 != 1 {
                    continue;
                }
                let user = 2_000 + u32::try_from(step).unwrap_or(0);
                let at = (step * 10_000 + 300_003).min(999_999) * apart;
                cursor.late(&watch, at, user, end);
                model.push((at, user));
            }
            cursor.cross(&watch, i64::MAX / 2, known, (&store, &timelines), &mut |at, user| {
                crossed.push((at, user));
            });
            model.sort_unstable();
            let model: Vec<_> = model.into_iter().map(|(at, user)| (watch.edge.due(at), user)).collect();
            assert_eq!(crossed, model);
        }
    }

    #[test]
    fn users_that_are_held_back_are_merged() {
        let source = Source::LastOf(Vec::new(), Unit::Day, Tz::UTC);
        let mut cursor = Cursor::new(&Edge::Leaves(Window::Last(days(7))), 0, 0);
        cursor.ahead = (0..1_000).rev().map(|user| (i64::from(user), user)).collect();
        cursor.pack();
        cursor.merge(&source, 3, 900);
        cursor.unpack(usize::MAX);
        let users: Vec<u32> = cursor.ahead.iter().rev().map(|(_, user)| *user).collect();
        assert_eq!(users, (0..1_000).filter(|user| *user != 3).collect::<Vec<_>>());
    }
}
