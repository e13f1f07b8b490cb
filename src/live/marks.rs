//! Who has had an event in the latest calendar units: whoever has adds no unit by another.

use std::collections::VecDeque;

use super::sparse::Sparse;
use crate::plan::calendar::Zone;
use crate::time::Unit;
use chrono_tz::Tz;

/// Units that are remembered: a day, and the days for which most late events come.
const UNITS: usize = 4;

/// The users of each of the latest units. All events from the first of these units on are taken in.
#[derive(Clone, Debug)]
pub(super) struct Marks {
    unit: Unit,
    tz: Tz,
    /// Oldest first.
    marked: VecDeque<Marked>,
}

/// The users of a unit.
#[derive(Clone, Debug)]
struct Marked {
    start: i64,
    /// The first instant after the unit.
    end: i64,
    users: Sparse,
}

impl Marks {
    /// Nobody yet, of the units up to the one that is running.
    pub(super) fn new((unit, tz): (Unit, Tz), now: i64) -> Self {
        let mut marked = VecDeque::from([Marked::around(unit, tz, now)]);
        while let Some(first) = marked.front().filter(|_| marked.len() < UNITS) {
            let before = Marked::around(unit, tz, first.start.saturating_sub(1));
            marked.push_front(before);
        }
        Self { unit, tz, marked }
    }

    /// The first instant of which something is known.
    pub(super) fn start(&self) -> i64 {
        self.marked.front().map_or(i64::MAX, |first| first.start)
    }

    /// Takes in that a user has an event at an instant; tells where its unit starts, and whether it is the first in
    /// it. `None`: the unit is too long ago.
    pub(super) fn mark(&mut self, user: u32, at: i64) -> Option<(i64, bool)> {
        if at < self.start() {
            return None;
        }
        // From the latest on: mostly it is the unit that is running.
        let after = self.marked.iter().rev().take_while(|unit| at < unit.end).count();
        let place = self.marked.len() - after;
        if self.marked.get(place).is_none_or(|unit| at < unit.start) {
            // Nothing has happened in it so far.
            self.marked.insert(place, Marked::around(self.unit, self.tz, at));
        }
        let unit = self.marked.get_mut(place)?;
        let told = (unit.start, unit.users.insert(user));
        if self.marked.len() > UNITS {
            self.marked.pop_front();
        }
        Some(told)
    }

    /// Whether a user has had an event in the latest unit.
    pub(super) fn has_latest(&self, user: u32) -> bool {
        self.marked.back().is_some_and(|unit| unit.users.contains(user))
    }

    /// One user turned out to be another.
    pub(super) fn merge(&mut self, from: u32, into: u32) {
        self.marked
            .iter_mut()
            .filter(|unit| unit.users.contains(from))
            .for_each(|unit| _ = unit.users.insert(into));
    }

    pub(super) fn memory(&self) -> usize {
        self.marked.iter().map(|unit| unit.users.memory() + size_of::<Marked>()).sum()
    }
}

impl Marked {
    fn around(unit: Unit, tz: Tz, at: i64) -> Self {
        let (start, end) = unit_around(unit, tz, at);
        Self { start, end, users: Sparse::default() }
    }
}

/// The first instant of the unit that an instant belongs to, and the first after it.
pub(super) fn unit_around(unit: Unit, tz: Tz, at: i64) -> (i64, i64) {
    let zone = Zone::of(tz);
    let index = zone.unit_of(unit, at);
    (zone.unit_start(unit, index), zone.unit_start(unit, index.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    #[test]
    fn the_first_of_a_unit_is_told_once() {
        let mut marks = Marks::new((Unit::Day, Tz::UTC), 5 * DAY + 3);
        let mut mark = |user, at| marks.mark(user, at).map(|(start, first)| (start / DAY, first));
        assert_eq!([mark(1, 5 * DAY), mark(1, 5 * DAY + 7)], [Some((5, true)), Some((5, false))]);
        // Late ones of days that are remembered, and of one that is not.
        assert_eq!(
            [mark(1, 4 * DAY), mark(1, 4 * DAY + 1), mark(1, 2 * DAY - 1)],
            [Some((4, true)), Some((4, false)), None]
        );
        // A day without events is one when an event comes late.
        assert_eq!(
            [mark(2, 8 * DAY), mark(2, 6 * DAY), mark(2, 6 * DAY + 1)],
            [Some((8, true)), Some((6, true)), Some((6, false))]
        );
        assert_eq!([mark(1, 4 * DAY + 2), mark(1, 3 * DAY)], [Some((4, false)), None]);
    }
}
