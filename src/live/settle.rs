//! What crossings and facts do to answers, and answers to membership.

use std::sync::Arc;

use super::Live;
use super::crossing::Crossing;
use super::routes::Direction;
use super::state::{LeafBits, bit, set_bit};
use super::transition::{Because, Cause, Movement, Transition};
use super::watch::Question;
use crate::plan::{ExactSum, Node, NodeId, Plan, Term};
use crate::store::{Snapshot, UserId};
use crate::time::Timestamp;

/// How changes at an instant are reported.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    pub(super) at: i64,
    pub(super) late: bool,
    /// Instead of what the touches say.
    pub(super) because: Option<Because>,
}

/// Lists that are needed for a moment, kept for their allocations.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    asked: Vec<Question>,
    changed: Vec<Question>,
    /// Segments that may change, each with the question that may change it.
    segments: Vec<(u32, Option<Question>)>,
}

impl Live {
    /// Brings the answers of a user to an instant, and tells which segments it entered and left.
    pub(super) fn settle(&mut self, due: &[Crossing], manner: &Manner, out: &mut Vec<Transition>) {
        let Some(user) = due.first().map(|crossing| crossing.user) else { return };
        let mut scratch = std::mem::take(&mut self.scratch);
        let Scratch { asked, changed, segments } = &mut scratch;
        (asked.clear(), changed.clear(), segments.clear());

        let first_seen = self.store.reading().first_seen(user);
        let is_there = first_seen.is_some_and(|at| at <= manner.at);
        let was_there = self.state.universe.contains(user);
        if is_there {
            self.state.leaves.reach(user as usize + 1);
            for crossing in due {
                self.concerns(user, crossing, manner.late, asked, changed);
            }
            if !was_there {
                self.state.universe.insert(user);
                asked.extend_from_slice(self.asks.newcomer());
            }
            if due.len() > 1 || !was_there {
                asked.sort_unstable();
                asked.dedup();
            }
            let of_user = (self.store.reading(), user, manner.at);
            self.asks.ask(self.plan.leaves(), asked, of_user, &mut self.state.leaves, changed);
        } else {
            self.state.universe.remove(user);
            self.state.leaves.clear(user);
        }
        if is_there == was_there {
            for question in changed.iter().copied() {
                let of_question = self.routes.segments(question).iter();
                segments.extend(of_question.map(|segment| (*segment, Some(question))));
            }
            if changed.len() > 1 {
                segments.sort_unstable();
                segments.dedup_by_key(|(segment, _)| *segment);
            }
        } else {
            segments.extend((0..).take(self.names.len()).map(|segment| (segment, None)));
        }
        let mut id = None;
        for (segment, condition) in segments.iter().copied() {
            let holds = is_there && self.is_in(segment, user, manner.at);
            if self.state.of_user.get(user, segment) != holds {
                let cause = self.cause(condition, due, manner);
                self.report(segment, user, holds, cause, manner, &mut id, out);
            }
        }
        self.scratch = scratch;
    }

    /// The leaves that a crossing may change for a user; and the measures, which are asked when needed.
    fn concerns(
        &mut self,
        user: u32,
        crossing: &Crossing,
        late: bool,
        asked: &mut Vec<Question>,
        changed: &mut Vec<Question>,
    ) {
        let touch = self.routes.touch(crossing.touch);
        let arrives = !late && matches!(touch.because, Because::Event(_));
        let row = self.state.leaves.row_mut(user);
        for question in &touch.questions {
            if *question as usize >= self.plan.leaves().len() {
                changed.push(*question);
                continue;
            }
            if arrives && self.asks.begins(*question) {
                if !bit(row, *question) {
                    set_bit(row, *question);
                    changed.push(*question);
                }
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

    /// Changes membership, and tells it.
    #[allow(clippy::too_many_arguments)] // what a transition is made of
    fn report(
        &mut self,
        segment: u32,
        user: u32,
        holds: bool,
        cause: Cause,
        manner: &Manner,
        id: &mut Option<Arc<str>>,
        out: &mut Vec<Transition>,
    ) {
        self.state.set_member(user, segment, holds);
        let id = Arc::clone(id.get_or_insert_with(|| self.id_of(user)));
        let name = Arc::clone(&self.names[segment as usize]);
        let transition = self.transition(name, (user, id), holds, cause, manner);
        out.push(transition);
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

    /// Whether a user is in a segment, by answers that are up to date.
    fn is_in(&self, segment: u32, user: u32, t: i64) -> bool {
        let row = self.state.leaves.row(user);
        let point = PointInTime { plan: &self.plan, row, store: self.store.reading(), user, t };
        self.roots.get(segment as usize).is_some_and(|root| point.holds(*root))
    }
}

/// The algebra for one user at one instant.
struct PointInTime<'l> {
    plan: &'l Plan,
    row: &'l [u64],
    store: &'l Snapshot,
    user: u32,
    t: i64,
}

impl PointInTime<'_> {
    fn holds(&self, node: NodeId) -> bool {
        match &self.plan.nodes()[node] {
            Node::Everyone => true,
            Node::NoOne => false,
            Node::Leaf(leaf) => bit(self.row, u32::try_from(*leaf).unwrap_or(u32::MAX)),
            Node::Not(of) => !self.holds(*of),
            Node::All(of) => of.iter().all(|of| self.holds(*of)),
            Node::Any(of) => of.iter().any(|of| self.holds(*of)),
            Node::Score(terms, range) => {
                let mut total = ExactSum::ZERO;
                for term in terms {
                    match *term {
                        Term::If(points, of) if self.holds(of) => total.add_counted(points, 1),
                        Term::If(..) => {}
                        Term::Per(points, measure) => {
                            let (measure, t) =
                                (&self.plan.measures()[measure], Timestamp::from_millis(self.t));
                            total.add_scaled(points, &self.store.measured_of(measure, t, self.user));
                        }
                    }
                }
                total.is_in(range)
            }
        }
    }
}

impl LeafBits {
    /// Unsets all bits of a user.
    fn clear(&mut self, user: u32) {
        self.row_mut(user).fill(0);
    }
}
