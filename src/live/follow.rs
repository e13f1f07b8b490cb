//! Tallies follow what comes into windows and what leaves them.

use super::Live;
use super::counts::Group;
use super::crossing::Crossing;
use super::fields::Field;
use super::marks::Marks;
use super::routes::{Direction, Touch};
use super::rows::Rows;
use super::settle::{Manner, Scratch};

/// Whether a fact adds one to a group.
enum Adds {
    Yes,
    No,
    /// The store has to be asked.
    Perhaps,
}

/// What marks have told of a fact: where its unit starts, and whether it is the first in it.
type Told = Option<(i64, bool)>;

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
        let touch = self.routes.touch(crossing.touch);
        let (groups, fields, marks) = (self.counts.groups(), &self.fields.tallies, &mut self.state.marks);
        let mut told = None;
        for together in by_cell(touch, fields) {
            change(
                &mut self.state.rows,
                (user, fields, together),
                scratch,
                |place, tally, scratch| {
                    let group = &groups[place as usize];
                    match adds(group, marks, &mut told, user, manner) {
                        Adds::Yes => return group.more(tally),
                        Adds::No => {}
                        Adds::Perhaps => scratch.late.push(place),
                    }
                    tally
                },
                groups,
            );
        }
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
                let (groups, fields) = (self.counts.groups(), &self.fields.tallies);
                let more = |place: u32, tally, _: &mut Scratch| groups[place as usize].more(tally);
                change(&mut self.state.rows, (user, fields, &[place]), scratch, more, groups);
            }
        }
        scratch.late = late;
    }

    /// One event less, or nobody knows how many.
    fn take_away(&mut self, user: u32, crossing: &Crossing, scratch: &mut Scratch) {
        let touch = self.routes.touch(crossing.touch);
        let (groups, fields) = (self.counts.groups(), &self.fields.tallies);
        match touch.direction {
            Direction::More => {}
            Direction::Any => scratch.again.extend_from_slice(&touch.counted),
            Direction::Less => {
                for together in by_cell(touch, fields) {
                    change(
                        &mut self.state.rows,
                        (user, fields, together),
                        scratch,
                        |place, tally, scratch| {
                            groups[place as usize].less(tally).unwrap_or_else(|| {
                                scratch.again.push(place);
                                tally
                            })
                        },
                        groups,
                    );
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
            let (groups, fields) = (self.counts.groups(), &self.fields.tallies);
            change(&mut self.state.rows, (user, fields, &[place]), scratch, |_, _, _| count, groups);
        }
        scratch.again = again;
    }
}

/// The groups of a touch, those of a cell together.
fn by_cell<'t>(touch: &'t Touch, fields: &'t [Field]) -> impl Iterator<Item = &'t [u32]> {
    touch.counted.chunk_by(|a, b| fields[*a as usize].cell == fields[*b as usize].cell)
}

/// Changes tallies of a user that lie in one cell, and notes what that turns.
fn change(
    rows: &mut Rows,
    (user, fields, together): (u32, &[Field], &[u32]),
    scratch: &mut Scratch,
    mut to: impl FnMut(u32, u8, &mut Scratch) -> u8,
    groups: &[Group],
) {
    let Some(cell) = together.first().map(|place| fields[*place as usize].cell) else { return };
    let before = rows.get(user, cell);
    let mut after = before;
    for place in together.iter().copied() {
        let field = fields[place as usize];
        let tally = field.of(after);
        let changed = to(place, tally, scratch);
        if changed != tally {
            after = field.with(after, changed);
            scratch.turned.extend(groups[place as usize].turned(tally, changed));
        }
    }
    if after != before {
        scratch.replaced.push((cell, before));
        rows.set(user, cell, after);
    }
}

/// Whether a fact adds one to a group; `told`: what the marks of the group before have told.
fn adds(
    group: &Group,
    marks: &mut [Marks],
    told: &mut Option<(u32, Told)>,
    user: u32,
    manner: &Manner,
) -> Adds {
    // A late one may be outside already.
    let at = manner.fact.unwrap_or(manner.at);
    let window = manner.fact.map(|_| group.bounds(manner.at));
    let is_inside = window.is_none_or(|window| window.contains(at));
    let Some(place) = group.marks else {
        return if is_inside { Adds::Yes } else { Adds::No };
    };
    let known = told.filter(|(of, _)| *of == place).map(|(_, known)| known);
    let known = known.unwrap_or_else(|| marks.get_mut(place as usize)?.mark(user, at));
    *told = Some((place, known));
    match (known, window) {
        _ if !is_inside => Adds::No,
        // Of a unit that the window cuts, what has happened may be outside.
        (Some((start, first)), window) if window.is_none_or(|window| window.lo <= start) => {
            if first {
                Adds::Yes
            } else {
                Adds::No
            }
        }
        _ => Adds::Perhaps,
    }
}
