//! Who has had an event in the calendar unit that is running: whoever has adds no unit by another.

use super::state::Users;
use crate::plan::calendar::Zone;
use crate::time::Unit;
use chrono_tz::Tz;

/// The users of the latest unit in which something happened.
#[derive(Clone, Debug)]
pub(super) struct Marks {
    start: i64,
    /// The first instant after the unit.
    end: i64,
    users: Users,
}

impl Default for Marks {
    fn default() -> Self {
        Self { start: i64::MIN, end: i64::MIN, users: Users::default() }
    }
}

impl Marks {
    /// Takes in that a user has an event at an instant; tells whether it is the first of its unit, as far as is
    /// known. Of units before the latest nothing is known.
    pub(super) fn mark(&mut self, user: u32, at: i64, (unit, tz): (Unit, Tz)) -> bool {
        if at >= self.end {
            (self.start, self.end) = unit_around(unit, tz, at);
            self.users.clear();
        }
        if at < self.start {
            return false;
        }
        let first = !self.users.contains(user);
        self.users.set(user, true);
        first
    }

    /// One user turned out to be another.
    pub(super) fn merge(&mut self, from: u32, into: u32) {
        if self.users.contains(from) {
            self.users.set(into, true);
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.users.memory()
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
        let mut marks = Marks::default();
        let mut mark = |user, at| marks.mark(user, at, (Unit::Day, Tz::UTC));
        assert_eq!([mark(1, 5 * DAY), mark(1, 5 * DAY + 7), mark(2, 6 * DAY - 1)], [true, false, true]);
        // Another day; what came late for the one before tells nothing.
        assert_eq!([mark(1, 6 * DAY), mark(3, 5 * DAY), mark(3, 6 * DAY + 1)], [true, false, true]);
    }
}
