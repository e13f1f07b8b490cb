//! What crossings and facts do to the answers of a user.

use super::crossing::Crossing;
use super::routes::{Direction, Touch};
use super::shared::Subject;
use super::transition::{Because, Transition};
use super::{Live, Question};

/// How changes at an instant are reported.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    pub(super) at: i64,
    pub(super) late: bool,
    /// The instant of the late fact.
    pub(super) fact: Option<i64>,
    /// Instead of what the touches say.
    pub(super) because: Option<Because>,
}

impl Manner {
    /// Later than it happened.
    pub(super) fn late(at: i64) -> Self {
        Self { at, late: true, fact: None, because: None }
    }
}

/// Lists that are needed for a moment, kept for their allocations.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    /// What is known of the user, before and now.
    pub(super) before: Vec<u32>,
    pub(super) row: Vec<u32>,
    /// The bits of cells that tallies have turned around.
    pub(super) flipped: Vec<(u32, u32)>,
    /// Leaves that tallies have turned, perhaps more than once.
    pub(super) turned: Vec<Question>,
    /// Groups to which a fact adds one, while it is looked at.
    pub(super) adding: Vec<u32>,
    /// Groups of units to which a late fact may add one.
    pub(super) late: Vec<u32>,
    /// Groups that have to be counted again.
    pub(super) again: Vec<u32>,
    asked: Vec<Question>,
    /// Leaves whose answers are others now; and measures that may be.
    pub(super) changed: Vec<Question>,
    /// Bit by bit: segments that have been looked at.
    pub(super) seen: Vec<u64>,
    /// Segments that are compared as a whole, and which condition may have made it.
    pub(super) whole: Vec<(u32, Option<Question>)>,
    /// Segments whose members change, whether the user is in now, and which condition made it.
    pub(super) moved: Vec<(u32, bool, Option<Question>)>,
}

impl Scratch {
    pub(super) fn forget(&mut self) {
        self.flipped.clear();
        self.turned.clear();
        self.late.clear();
        self.again.clear();
        self.asked.clear();
        self.changed.clear();
    }
}

impl Live {
    /// Brings the answers of a user to an instant, and tells which segments it entered and left.
    pub(super) fn settle(&mut self, due: &[Crossing], manner: &Manner, out: &mut Vec<Transition>) {
        let Some(user) = due.first().map(|crossing| crossing.user) else { return };
        let was_there = self.state.universe.contains(user);
        // Whoever goes goes as a whole, which is said to be because of something.
        let seen = || self.store.reading().first_seen(user).is_some_and(|at| at <= manner.at);
        let is_there = (was_there && manner.because.is_none()) || seen();
        let mut scratch = self.scratch.take().unwrap_or_default();
        scratch.forget();
        if is_there {
            self.follow(user, due, manner, &mut scratch);
        }
        let asks = is_there
            && (!was_there || due.iter().any(|crossing| !self.routes.touch(crossing.touch).asked.is_empty()));
        if was_there != is_there || asks || !scratch.turned.is_empty() {
            self.answer(user, due, manner, (was_there, is_there, asks), &mut scratch);
            if was_there != is_there || !scratch.changed.is_empty() {
                self.report(user, (due, manner), (was_there, is_there), &mut scratch, out);
            }
        }
        self.scratch = Some(scratch);
    }

    /// Makes the answers before and now, and finds those that differ.
    fn answer(
        &mut self,
        user: u32,
        due: &[Crossing],
        manner: &Manner,
        (was_there, is_there, asks): (bool, bool, bool),
        scratch: &mut Scratch,
    ) {
        self.state.rows.load(user, &mut scratch.row);
        scratch.before.clone_from(&scratch.row);
        for (cell, bits) in &scratch.flipped {
            scratch.before.get_mut(*cell as usize).into_iter().for_each(|cell| *cell ^= *bits);
        }
        let differs = |leaf: &Question| {
            self.fields.holds(*leaf, &scratch.before) != self.fields.holds(*leaf, &scratch.row)
        };
        scratch.changed.extend(scratch.turned.iter().copied().filter(differs));
        if !is_there {
            scratch.row.fill(0);
            self.state.rows.store(user, &scratch.row);
            let groups = (0..).take(self.counts.groups().len());
            groups.for_each(|group| self.state.beyond.set(user, group, 0));
        } else if asks {
            self.ask(user, due, manner, was_there, scratch);
        }
        if was_there != is_there {
            self.state.universe.set(user, is_there);
        }
    }

    /// Asks the store about what no tally decides.
    fn ask(&mut self, user: u32, due: &[Crossing], manner: &Manner, was_there: bool, scratch: &mut Scratch) {
        for crossing in due {
            self.concerns(self.routes.touch(crossing.touch), scratch);
        }
        let asked = &mut scratch.asked;
        if !was_there {
            asked.extend_from_slice(self.asks.newcomer());
        }
        if due.len() > 1 || !was_there {
            asked.sort_unstable();
            asked.dedup();
        }
        let of_user = Subject { store: self.store.reading(), user, t: manner.at };
        let (rows, answers) = (&mut self.state.rows, &self.fields.answers);
        let Scratch { row, changed, .. } = scratch;
        self.asks.ask(self.plan.leaves(), asked, of_user, &mut |leaf, holds| {
            let Some(field) = answers.get(leaf as usize).map(|answer| answer.field()) else { return };
            if field.put(row, u8::from(holds)) {
                changed.push(leaf);
                rows.store_cell(user, field.cell, row);
            }
        });
    }

    /// The leaves that a crossing may change for a user; and the measures, which are asked when needed.
    fn concerns(&self, touch: &Touch, scratch: &mut Scratch) {
        for question in &touch.asked {
            if *question as usize >= self.plan.leaves().len() {
                scratch.changed.push(*question);
                continue;
            }
            // Another event cannot end what only grows, nor can one less begin it.
            let holds = self.fields.holds(*question, &scratch.row);
            let decided = match touch.direction {
                Direction::More => holds,
                Direction::Less => !holds,
                Direction::Any => false,
            };
            if !(decided && self.asks.grows(*question)) {
                scratch.asked.push(*question);
            }
        }
    }
}
