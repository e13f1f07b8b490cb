//! What crossings and facts do to answers, and answers to membership.

use std::sync::Arc;

use super::Live;
use super::crossing::Crossing;
use super::routes::{Direction, Touch};
use super::state::{bit, put};
use super::tallies;
use super::transition::{Because, Cause, Movement, Transition};
use super::watch::Question;
use crate::store::UserId;
use crate::time::Timestamp;

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
    /// The answers before.
    before: Vec<u64>,
    asked: Vec<Question>,
    changed: Vec<Question>,
    /// Leaves that tallies turn, and whether they hold now.
    turned: Vec<(Question, bool)>,
    /// Groups of units to which a late fact may add one.
    late: Vec<u32>,
    /// Groups that have to be counted again.
    again: Vec<u32>,
    /// Bit by bit: segments that may change.
    segments: Vec<u64>,
    /// Those that do, and whether the user is in them now.
    moved: Vec<(u32, bool)>,
}

impl Scratch {
    fn forget(&mut self) {
        self.before.clear();
        self.turned.clear();
        for list in [&mut self.asked, &mut self.changed, &mut self.again, &mut self.late] {
            list.clear();
        }
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
        if !is_there && !was_there {
            return;
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        if self.answer(user, due, manner, (was_there, is_there), &mut scratch) {
            self.compare_segments(user, (due, manner), was_there && is_there, &mut scratch, out);
        }
        self.scratch = scratch;
    }

    /// Brings the answers of a user to an instant; tells whether some may have changed.
    fn answer(
        &mut self,
        user: u32,
        due: &[Crossing],
        manner: &Manner,
        (was_there, is_there): (bool, bool),
        scratch: &mut Scratch,
    ) -> bool {
        scratch.forget();
        self.state.reach(user);
        if is_there {
            self.keep_tallies(user, due, manner, scratch);
            let asks =
                !was_there || due.iter().any(|crossing| !self.routes.touch(crossing.touch).asked.is_empty());
            if !asks && scratch.turned.is_empty() {
                return false;
            }
            scratch.before.extend_from_slice(self.state.leaves.row(user));
            let row = self.state.leaves.row_mut(user);
            let turned = scratch.turned.iter().filter(|(leaf, holds)| put(row, *leaf, *holds));
            scratch.changed.extend(turned.map(|(leaf, _)| *leaf));
            if asks {
                self.ask(user, due, manner, was_there, scratch);
            }
        } else {
            self.state.clear(user);
        }
        if was_there != is_there {
            self.state.universe.set(user, is_there);
        }
        was_there != is_there || !scratch.changed.is_empty()
    }

    /// Lets the tallies follow: first what is added, then what is taken away.
    fn keep_tallies(&mut self, user: u32, due: &[Crossing], manner: &Manner, scratch: &mut Scratch) {
        let groups = self.counts.groups();
        let touches = || due.iter().map(|crossing| self.routes.touch(crossing.touch));
        let tallies = self.state.tallies.row_mut(user);
        for touch in touches().filter(|touch| touch.direction == Direction::More) {
            // A late one may be outside already.
            let at = manner.fact.unwrap_or(manner.at);
            let mut told = None;
            for place in touch.counted.iter().copied() {
                let group = &groups[place as usize];
                let counts = match (group.marks, manner.fact) {
                    (None, None) => true,
                    (None, Some(at)) => group.bounds(manner.at).contains(at),
                    (Some(marks), fact) => {
                        let known = told.filter(|(of, _)| *of == marks).map(|(_, first)| first);
                        let marks_of = self.state.marks.get_mut(marks as usize);
                        let first = known.unwrap_or_else(|| marks_of.and_then(|of| of.mark(user, at)));
                        told = Some((marks, first));
                        let inside = fact.map(|_| group.bounds(manner.at));
                        match (first, inside) {
                            (Some((_, first)), None) => first,
                            (_, Some(inside)) if !inside.contains(at) => false,
                            (Some((start, first)), Some(inside)) if inside.lo <= start => first,
                            _ => {
                                scratch.late.push(place);
                                false
                            }
                        }
                    }
                };
                if let Some((before, after)) = counts.then(|| group.moved(tallies, place, true)).flatten() {
                    scratch.turned.extend(group.turned(before, after));
                }
            }
        }
        let mut known = None;
        for place in scratch.late.iter().copied() {
            let inside = self.counts.of_unit(place, manner.fact.unwrap_or(manner.at), manner.at);
            let alone = match known {
                Some((other, same, alone)) if same == inside && self.counts.are_alike(other, place) => alone,
                _ => self.counts.is_alone(place, (self.store.reading(), user), inside),
            };
            known = Some((place, inside, alone));
            let group = &self.counts.groups()[place as usize];
            if let Some((before, after)) = alone.then(|| group.moved(tallies, place, true)).flatten() {
                scratch.turned.extend(group.turned(before, after));
            }
        }
        let groups = self.counts.groups();
        for touch in touches().filter(|touch| touch.direction != Direction::More) {
            for place in touch.counted.iter().copied() {
                let (group, less) = (&groups[place as usize], touch.direction == Direction::Less);
                match less.then(|| group.moved(tallies, place, false)).flatten() {
                    Some((before, after)) => scratch.turned.extend(group.turned(before, after)),
                    None => scratch.again.push(place),
                }
            }
        }
        if !scratch.again.is_empty() {
            self.count_again(user, manner.at, scratch);
        }
    }

    fn count_again(&mut self, user: u32, at: i64, scratch: &mut Scratch) {
        scratch.again.sort_unstable();
        scratch.again.dedup();
        for place in scratch.again.iter().copied() {
            let after = self.counts.again(place, (self.store.reading(), user, at));
            let row = self.state.tallies.row_mut(user);
            let before = tallies::get(row, place);
            tallies::set(row, place, after);
            scratch.turned.extend(self.counts.groups()[place as usize].turned(before, after));
        }
    }

    /// Asks the store about what no tally decides.
    fn ask(&mut self, user: u32, due: &[Crossing], manner: &Manner, was_there: bool, scratch: &mut Scratch) {
        for crossing in due {
            self.concerns(user, self.routes.touch(crossing.touch), &mut scratch.asked, &mut scratch.changed);
        }
        let asked = &mut scratch.asked;
        if !was_there {
            asked.extend_from_slice(self.asks.newcomer());
        }
        if due.len() > 1 || !was_there {
            asked.sort_unstable();
            asked.dedup();
        }
        let of_user = (self.store.reading(), user, manner.at);
        self.asks.ask(self.plan.leaves(), asked, of_user, &mut self.state.leaves, &mut scratch.changed);
    }

    /// The leaves that a crossing may change for a user; and the measures, which are asked when needed.
    fn concerns(&self, user: u32, touch: &Touch, asked: &mut Vec<Question>, changed: &mut Vec<Question>) {
        let row = self.state.leaves.row(user);
        for question in &touch.asked {
            if *question as usize >= self.plan.leaves().len() {
                changed.push(*question);
                continue;
            }
            // Another event cannot end what only grows, nor can one less begin it.
            let decided = match touch.direction {
                Direction::More => bit(row, *question),
                Direction::Less => !bit(row, *question),
                Direction::Any => false,
            };
            if !(decided && self.asks.grows(*question)) {
                asked.push(*question);
            }
        }
    }

    /// Reports the segments that hold now and did not, or the other way round; `stays`: the user was there before,
    /// and is.
    fn compare_segments(
        &mut self,
        user: u32,
        (due, manner): (&[Crossing], &Manner),
        stays: bool,
        scratch: &mut Scratch,
        out: &mut Vec<Transition>,
    ) {
        scratch.segments.clear();
        scratch.segments.resize(self.names.len().div_ceil(64), 0);
        if stays {
            let segments = scratch.changed.iter().flat_map(|question| self.routes.segments(*question));
            segments.for_each(|segment| _ = put(&mut scratch.segments, *segment, true));
        } else {
            (0..).take(self.names.len()).for_each(|segment| _ = put(&mut scratch.segments, segment, true));
        }
        self.move_members(user, manner.at, stays, scratch);
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

    /// Changes membership in the segments that hold now and did not, or the other way round: all of it before
    /// anything is told, so that the processor waits for many at once.
    fn move_members(&mut self, user: u32, at: i64, stays: bool, scratch: &mut Scratch) {
        scratch.moved.clear();
        let is_there = self.state.universe.contains(user);
        let row = self.state.leaves.row(user);
        for (place, word) in (0..).zip(&scratch.segments) {
            let mut rest = *word;
            while rest != 0 {
                let segment = place * 64 + rest.trailing_zeros();
                rest &= rest - 1;
                let Some(program) = self.programs.get(segment as usize) else { continue };
                let holds = is_there && program.holds(&self.plan, row, (self.store.reading(), user, at));
                let held = if stays { program.decide(&self.plan, &scratch.before) } else { None };
                if holds != held.unwrap_or_else(|| self.state.members.contains(segment, user)) {
                    self.state.members.set(segment, user, holds);
                    scratch.moved.push((segment, holds));
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
