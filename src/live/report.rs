//! From answers that have changed to transitions.

use std::sync::Arc;

use super::Live;
use super::crossing::Crossing;
use super::settle::{Manner, Scratch};
use super::transition::{Because, Cause, Movement, Transition};
use super::watch::Question;
use crate::store::UserId;
use crate::time::Timestamp;

impl Live {
    /// Reports the segments that hold now and did not, or the other way round.
    pub(super) fn report(
        &mut self,
        user: u32,
        (due, manner): (&[Crossing], &Manner),
        (was_there, is_there): (bool, bool),
        scratch: &mut Scratch,
        out: &mut Vec<Transition>,
    ) {
        let stays = was_there && is_there;
        let words = self.names.len().div_ceil(64);
        scratch.segments.clear();
        scratch.segments.resize(words, if stays { 0 } else { u64::MAX });
        if stays {
            for segment in scratch.changed.iter().flat_map(|question| self.routes.segments(*question)) {
                let word = scratch.segments.get_mut(*segment as usize / 64);
                word.into_iter().for_each(|word| *word |= 1 << (segment % 64));
            }
        }
        self.move_members(user, manner.at, (was_there, is_there), scratch);
        let mut id = None;
        for (segment, holds) in scratch.moved.iter().copied() {
            let concerns =
                |question: &&Question| self.routes.segments(**question).binary_search(&segment).is_ok();
            let condition = if stays { scratch.changed.iter().find(concerns).copied() } else { None };
            let cause = self.cause(condition, due, manner);
            let id = Arc::clone(id.get_or_insert_with(|| self.id_of(user)));
            let name = Arc::clone(&self.names[segment as usize]);
            out.push(self.transition(name, (user, id), holds, cause, manner));
        }
    }

    /// Changes membership in the segments that hold now and did not, or the other way round.
    fn move_members(
        &mut self,
        user: u32,
        at: i64,
        (was_there, is_there): (bool, bool),
        scratch: &mut Scratch,
    ) {
        scratch.moved.clear();
        for (place, word) in (0..).zip(&scratch.segments) {
            let mut rest = *word;
            while rest != 0 {
                let segment = place * 64 + rest.trailing_zeros();
                rest &= rest - 1;
                let Some(program) = self.programs.get(segment as usize) else { continue };
                let of = (self.store.reading(), user, at);
                let by = |row: &[u32]| program.holds(&self.plan, |leaf| self.fields.holds(leaf, row), of);
                let holds = is_there && by(&scratch.row);
                let held = match self.fields.measured.get(segment as usize).copied().flatten() {
                    _ if !was_there => false,
                    Some(field) => field.get(&scratch.before) == 1,
                    None => by(&scratch.before),
                };
                if holds != held {
                    self.state.count(segment, holds);
                    scratch.moved.push((segment, holds));
                    if let Some(field) = self.fields.measured.get(segment as usize).copied().flatten() {
                        field.put(&mut scratch.row, u8::from(holds));
                        let cell = scratch.row.get(field.cell as usize).copied().unwrap_or(0);
                        self.state.rows.set(user, field.cell, cell);
                    }
                }
            }
        }
    }

    /// What made a change: of the touches the first that concerns the question, a fact before an edge.
    fn cause(&self, condition: Option<Question>, due: &[Crossing], manner: &Manner) -> Cause {
        if let ([only], None) = (due, &manner.because) {
            let because = self.routes.touch(only.touch).because.clone();
            return Cause { condition: condition.and_then(|question| self.routes.words(question)), because };
        }
        let touches = due.iter().map(|crossing| self.routes.touch(crossing.touch));
        let concern = touches.filter(|touch| condition.is_none_or(|q| touch.questions.contains(&q)));
        let first = concern.min_by_key(|touch| match touch.because {
            Because::Event(_) | Because::Attribute(_) => 0,
            Because::Time(_) => 1,
            _ => 2,
        });
        let because = || first.map_or(Because::FirstSeen, |touch| touch.because.clone());
        Cause {
            condition: condition.and_then(|question| self.routes.words(question)),
            because: manner.because.clone().unwrap_or_else(because),
        }
    }

    /// The external id of a user, who may be going.
    pub(super) fn id_of(&self, user: u32) -> Arc<str> {
        let parting = self.parting.as_ref().filter(|(of, _)| *of == user);
        let known = || self.store.reading().id_of(user).unwrap_or_default().into();
        parting.map_or_else(known, |(_, id)| Arc::clone(id))
    }

    /// The next transition.
    pub(super) fn transition(
        &mut self,
        segment: Arc<str>,
        (user, id): (u32, Arc<str>),
        holds: bool,
        cause: Cause,
        manner: &Manner,
    ) -> Transition {
        self.sequence += 1;
        Transition {
            sequence: self.sequence,
            segment,
            id,
            user: UserId(user),
            movement: if holds { Movement::Entered } else { Movement::Left },
            at: Timestamp::from_millis(manner.at),
            late: manner.late,
            cause,
        }
    }
}
