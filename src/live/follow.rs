//! Tallies follow what comes into windows and what leaves them.

use super::Live;
use super::beyond::Beyond;
use super::counts::{Group, MOST};
use super::crossing::Crossing;
use super::fields::Field;
use super::routes::Direction;
use super::rows::Rows;
use super::settle::{Manner, Scratch};
use super::state::State;

impl Live {
    /// Lets the tallies of a user follow: first what is added, then what is taken away.
    pub(super) fn follow(&mut self, user: u32, due: &[Crossing], manner: &Manner, scratch: &mut Scratch) {
        for crossing in due {
            if self.routes.touch(crossing.touch).direction == Direction::More {
                self.add(user, crossing, manner, scratch);
            }
        }
        if !scratch.late.is_empty() {
            self.add_late(user, manner, scratch);
        }
        for crossing in due {
            self.take_away(user, crossing, scratch);
        }
        if !scratch.again.is_empty() {
            self.count_again(user, manner.at, scratch);
        }
    }

    /// One event more.
    fn add(&mut self, user: u32, crossing: &Crossing, manner: &Manner, scratch: &mut Scratch) {
        let State { rows, beyond, marks, .. } = &mut self.state;
        let (groups, fields) = (self.counts.groups(), &self.fields.tallies);
        let touch = self.routes.touch(crossing.touch);
        // A late one may be outside already.
        let at = manner.fact.unwrap_or(manner.at);
        let window = |group: u32| manner.fact.map(|_| groups[group as usize].bounds(manner.at));
        let is_inside = |group: &u32| window(*group).is_none_or(|window| window.contains(at));
        let mut adding = std::mem::take(&mut scratch.adding);
        adding.extend(touch.unmarked().iter().copied().filter(is_inside));
        for (place, sharing) in touch.marked() {
            let known = marks.get_mut(place as usize).and_then(|marks| marks.mark(user, at));
            // Most who act have acted in the unit before: then nothing of the row has to be read.
            if manner.fact.is_none() && matches!(known, Some((_, false))) {
                continue;
            }
            for group in sharing.iter().copied().filter(is_inside) {
                match known {
                    // Of a unit that the window cuts, what has happened may be outside.
                    Some((start, first)) if window(group).is_none_or(|window| window.lo <= start) => {
                        adding.extend(first.then_some(group));
                    }
                    _ => scratch.late.push(group),
                }
            }
        }
        let mut tallies = Tallies { user, rows, beyond, groups, fields };
        for together in by_cell(&adding, fields) {
            tallies.change(together, scratch, |count| count.saturating_add(1));
        }
        adding.clear();
        scratch.adding = adding;
    }

    /// A late event that the store says is alone in its unit is one more unit.
    fn add_late(&mut self, user: u32, manner: &Manner, scratch: &mut Scratch) {
        let mut known = None;
        let late = std::mem::take(&mut scratch.late);
        for place in late.iter().copied() {
            let inside = self.counts.of_unit(place, manner.fact.unwrap_or(manner.at), manner.at);
            let alone = match known {
                Some((other, same, alone)) if same == inside && self.counts.are_alike(other, place) => alone,
                _ => self.counts.is_alone(place, (self.store.reading(), user), inside),
            };
            known = Some((place, inside, alone));
            if alone {
                self.tallies(user).change(&[place], scratch, |count| count.saturating_add(1));
            }
        }
        scratch.late = late;
    }

    /// One event less, or nobody knows how many.
    fn take_away(&mut self, user: u32, crossing: &Crossing, scratch: &mut Scratch) {
        let touch = self.routes.touch(crossing.touch);
        match touch.direction {
            Direction::More => {}
            Direction::Any => scratch.again.extend_from_slice(&touch.counted),
            Direction::Less => {
                let State { rows, beyond, .. } = &mut self.state;
                let (groups, fields) = (self.counts.groups(), &self.fields.tallies);
                let mut tallies = Tallies { user, rows, beyond, groups, fields };
                for together in by_cell(&touch.counted, fields) {
                    tallies.change(together, scratch, |count| count.saturating_sub(1));
                }
            }
        }
    }

    fn count_again(&mut self, user: u32, at: i64, scratch: &mut Scratch) {
        let mut again = std::mem::take(&mut scratch.again);
        again.sort_unstable();
        again.dedup();
        for place in again.iter().copied() {
            let count = self.counts.again(place, (self.store.reading(), user, at));
            self.tallies(user).change(&[place], scratch, |_| count);
        }
        scratch.again = again;
    }

    fn tallies(&mut self, user: u32) -> Tallies<'_> {
        let State { rows, beyond, .. } = &mut self.state;
        Tallies { user, rows, beyond, groups: self.counts.groups(), fields: &self.fields.tallies }
    }
}

/// The tallies of a user.
struct Tallies<'a> {
    user: u32,
    rows: &'a mut Rows,
    beyond: &'a mut Beyond,
    groups: &'a [Group],
    fields: &'a [Field],
}

impl Tallies<'_> {
    /// Changes tallies that lie in one cell, and notes what that turns.
    fn change(&mut self, together: &[u32], scratch: &mut Scratch, to: impl Fn(u32) -> u32) {
        let Self { user, rows, beyond, groups, fields } = self;
        let field = |place: u32| fields[place as usize];
        let Some(cell) = together.first().map(|place| field(*place).cell) else { return };
        let wanted = together.iter().fold(0, |bits, place| bits | field(*place).of_cell());
        let flipped = rows.change(*user, cell, wanted, |mut says| {
            for place in together.iter().copied() {
                let tally = field(place).of(says);
                let above = if tally == MOST { beyond.get(*user, place) } else { 0 };
                let changed = to(u32::from(tally).saturating_add(above));
                let (shown, more) = split(changed);
                if more != above {
                    beyond.set(*user, place, more);
                }
                if shown != tally {
                    says = field(place).with(says, shown);
                    scratch.turned.extend(groups[place as usize].turned(tally, shown));
                }
            }
            says
        });
        if flipped != 0 {
            scratch.flipped.push((cell, flipped));
        }
    }
}

/// What a row tells of a count, and what lies beyond.
pub(super) fn split(count: u32) -> (u8, u32) {
    let shown = u8::try_from(count).unwrap_or(MOST).min(MOST);
    (shown, count - u32::from(shown))
}

/// Groups, those of a cell together.
fn by_cell<'t>(groups: &'t [u32], fields: &'t [Field]) -> impl Iterator<Item = &'t [u32]> {
    groups.chunk_by(|a, b| fields[*a as usize].cell == fields[*b as usize].cell)
}
