//! From answers that have changed to transitions.

use std::sync::Arc;

use super::crossing::Crossing;
use super::settle::{Manner, Scratch};
use super::shared::Subject;
use super::transition::{Because, Cause, Movement, Transition};
use super::{Live, Question};
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
        scratch.moved.clear();
        if scratch.changed.len() > 1 {
            // What comes first depends on the plan, and on nothing that has happened.
            scratch.changed.sort_unstable();
            scratch.changed.dedup();
        }
        if was_there && is_there {
            self.compare_changed(user, manner.at, scratch);
        } else {
            for segment in (0..).take(self.programs.len()) {
                self.compare_whole(user, (segment, None), manner.at, (was_there, is_there), scratch);
            }
        }
        let mut id = None;
        let mut last: Option<(Option<Question>, Arc<Cause>)> = None;
        for (segment, holds, condition) in scratch.moved.iter().copied() {
            self.state.count(segment, holds);
            self.bitmaps.follow(segment, user, holds);
            let concerns = |question: &Question| self.routes.concerns(*question, segment);
            let condition = condition.or_else(|| scratch.changed.iter().copied().find(concerns));
            // What one condition changes mostly lies together.
            let known = last.take().filter(|(of, _)| *of == condition);
            let (_, cause) = known.unwrap_or_else(|| (condition, self.cause(condition, due, manner)));
            last = Some((condition, Arc::clone(&cause)));
            let id = Arc::clone(id.get_or_insert_with(|| self.id_of(user)));
            let name = Arc::clone(&self.names[segment as usize]);
            out.push(self.transition(name, (user, id), holds, cause, manner));
        }
    }

    /// Finds the segments that a user enters or leaves because of what has changed.
    fn compare_changed(&mut self, user: u32, at: i64, scratch: &mut Scratch) {
        let Scratch { before, row, changed, seen, moved, whole, .. } = scratch;
        let several = changed.len() > 1;
        if several {
            seen.clear();
            seen.resize(self.programs.len().div_ceil(64), 0);
        }
        whole.clear();
        for question in changed.iter().copied() {
            let holds = self.fields.holds(question, row);
            for dependent in self.routes.dependents(question) {
                let all = |side: &[u32]| self.programs[dependent.segment as usize].grants(side);
                let turned = dependent.turned(holds, (before, row), all);
                // Whichever change leads to it, the answer is the same.
                let is_new = |seen: &mut [u64]| !several || first_time(seen, dependent.segment);
                if let Some(holds) = turned.filter(|_| is_new(seen)) {
                    moved.push((dependent.segment, holds, Some(question)));
                } else if dependent.is_whole() && is_new(seen) {
                    whole.push((dependent.segment, Some(question)));
                }
            }
        }
        let in_order = !several && whole.is_empty();
        let whole = std::mem::take(whole);
        for segment in &whole {
            self.compare_whole(user, *segment, at, (true, true), scratch);
        }
        scratch.whole = whole;
        if !in_order {
            scratch.moved.sort_unstable_by_key(|(segment, ..)| *segment);
        }
    }

    /// Finds whether a user enters a segment or leaves it.
    fn compare_whole(
        &mut self,
        user: u32,
        (segment, condition): (u32, Option<Question>),
        at: i64,
        (was_there, is_there): (bool, bool),
        scratch: &mut Scratch,
    ) {
        let Some(program) = self.programs.get(segment as usize) else { return };
        let field = self.fields.of_segment(segment);
        let of_user = Subject { store: self.store.reading(), user, t: at };
        let mut measured = |measure: usize| self.asks.measure(&self.plan, measure, of_user);
        let mut by = |row: &[u32]| program.holds(&self.plan, &self.fields, row, &mut measured);
        let holds = is_there && by(&scratch.row);
        let held =
            was_there && field.map_or_else(|| by(&scratch.before), |field| field.get(&scratch.before) == 1);
        if holds != held {
            scratch.moved.push((segment, holds, condition));
        }
        if let Some(field) = field.filter(|field| field.put(&mut scratch.row, u8::from(holds))) {
            self.state.rows.store_cell(user, field.cell, &scratch.row);
        }
    }

    /// What made a change: of the touches the first that concerns the question, a fact before an edge. Where no answer
    /// changed, the user is new.
    fn cause(&mut self, condition: Option<Question>, due: &[Crossing], manner: &Manner) -> Arc<Cause> {
        if let ([only], None) = (due, &manner.because) {
            return self.routes.cause(only.touch, condition);
        }
        let touches = due.iter().map(|crossing| self.routes.touch(crossing.touch));
        let concern = touches.filter(|touch| condition.is_some_and(|q| touch.questions.contains(&q)));
        // In the order of their names, which depends on nothing that has happened.
        let first = concern.min_by_key(|touch| match &touch.because {
            Because::Event(name) => (0, &**name),
            Because::Attribute(name) => (1, &**name),
            Because::Time(words) => (2, &**words),
            _ => (3, ""),
        });
        let because = || first.map_or(Because::FirstSeen, |touch| touch.because.clone());
        Arc::new(Cause {
            condition: condition.and_then(|question| self.routes.words(question)),
            because: manner.because.clone().unwrap_or_else(because),
        })
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
        cause: Arc<Cause>,
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

/// Marks a segment; tells whether it was not.
fn first_time(seen: &mut [u64], segment: u32) -> bool {
    let Some(word) = seen.get_mut(segment as usize / 64) else { return true };
    let is_first = *word >> (segment % 64) & 1 == 0;
    *word |= 1 << (segment % 64);
    is_first
}
