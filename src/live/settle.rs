//! What crossings and facts do to answers, and answers to membership.

use std::sync::Arc;

use roaring::RoaringBitmap;

use super::Live;
use super::routes::TouchId;
use super::state::bit;
use super::transition::{Because, Cause, Movement, Transition};
use super::watch::Question;
use crate::plan::{ExactSum, Leaf, Node, NodeId, Plan, Term};
use crate::store::{Among, EventStore, UserId};
use crate::time::Timestamp;

/// One user at one instant, and what may have changed.
#[derive(Clone, Debug)]
pub(super) struct Due {
    pub(super) user: u32,
    pub(super) touches: Vec<TouchId>,
}

/// How changes at an instant are reported.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    pub(super) at: i64,
    pub(super) late: bool,
    /// Instead of what the touches say.
    pub(super) because: Option<Because>,
}

impl Live {
    /// Brings the answers of some users to an instant, and tells who entered and left.
    pub(super) fn settle(&mut self, dues: &[Due], manner: &Manner, out: &mut Vec<Transition>) {
        let users: RoaringBitmap = dues.iter().map(|due| due.user).collect();
        let mut questions: Vec<Question> = dues
            .iter()
            .flat_map(|due| &due.touches)
            .flat_map(|touch| &self.routes.touch(*touch).questions)
            .copied()
            .collect();
        questions.sort_unstable();
        questions.dedup();
        let leaves = u32::try_from(self.plan.leaves().len()).unwrap_or(u32::MAX);
        questions.retain(|question| *question < leaves);
        let asked: Vec<&Leaf> = questions.iter().map(|leaf| &self.plan.leaves()[*leaf as usize]).collect();
        let among = match dues {
            [only] => Among::User(UserId(only.user)),
            _ => Among::Users(&users),
        };
        let Ok(answers) = self.store.reading().resolve(&asked, Timestamp::from_millis(manner.at), among);
        for due in dues {
            self.settle_user(due, &questions, &answers, manner, out);
        }
    }

    fn settle_user(
        &mut self,
        due: &Due,
        questions: &[Question],
        answers: &[RoaringBitmap],
        manner: &Manner,
        out: &mut Vec<Transition>,
    ) {
        let user = due.user;
        let first_seen = self.store.reading().first_seen(user);
        let is_there = first_seen.is_some_and(|at| at <= manner.at);
        let was_there = self.state.universe.contains(user);
        if is_there != was_there {
            if is_there {
                self.state.universe.insert(user)
            } else {
                self.state.universe.remove(user)
            };
        }
        let mut changed: Vec<Question> = Vec::new();
        for (leaf, answer) in questions.iter().zip(answers) {
            if self.state.leaves.set(user, *leaf, is_there && answer.contains(user)) {
                changed.push(*leaf);
            }
        }
        let leaves = u32::try_from(self.plan.leaves().len()).unwrap_or(u32::MAX);
        let touched = due.touches.iter().flat_map(|touch| &self.routes.touch(*touch).questions);
        let measures: Vec<Question> = touched.copied().filter(|question| *question >= leaves).collect();
        changed.extend(measures);
        let mut segments: Vec<u32> = if is_there == was_there {
            changed.iter().flat_map(|question| self.routes.segments(*question)).copied().collect()
        } else {
            (0..).take(self.state.members.len()).collect()
        };
        segments.sort_unstable();
        segments.dedup();
        let mut point = PointInTime { live: self, user, at: manner.at, is_there, numbers: None };
        let holds: Vec<bool> = segments.iter().map(|segment| point.is_in(*segment)).collect();
        for (segment, holds) in segments.into_iter().zip(holds) {
            if self.state.members[segment as usize].contains(user) != holds {
                let condition = changed.iter().find(|q| self.routes.segments(**q).contains(&segment));
                let cause = self.cause(condition.copied(), due, manner);
                self.report(segment, user, holds, cause, manner, out);
            }
        }
    }

    /// What made a change: of the touches the first that concerns the question, a fact before an edge.
    fn cause(&self, condition: Option<Question>, due: &Due, manner: &Manner) -> Cause {
        let touches = || due.touches.iter().map(|touch| self.routes.touch(*touch));
        let concerns = |because: &Because| -> Option<Because> {
            let mut of_kind = touches()
                .filter(|touch| std::mem::discriminant(&touch.because) == std::mem::discriminant(because));
            of_kind
                .find(|touch| condition.is_none_or(|question| touch.questions.contains(&question)))
                .map(|touch| touch.because.clone())
        };
        let kinds = [
            Because::Event(Arc::from("")),
            Because::Attribute(Arc::from("")),
            Because::Time(Arc::from("")),
            Because::FirstSeen,
        ];
        let of_touches = || kinds.iter().find_map(concerns).unwrap_or(Because::FirstSeen);
        Cause {
            condition: condition.and_then(|question| self.routes.words(question)),
            because: manner.because.clone().unwrap_or_else(of_touches),
        }
    }

    /// Changes membership, and tells it.
    fn report(
        &mut self,
        segment: u32,
        user: u32,
        holds: bool,
        cause: Cause,
        manner: &Manner,
        out: &mut Vec<Transition>,
    ) {
        let members = &mut self.state.members[segment as usize];
        if holds {
            members.insert(user)
        } else {
            members.remove(user)
        };
        let name = Arc::clone(&self.names[segment as usize]);
        let transition = self.transition(&name, user, holds, cause, manner);
        out.push(transition);
    }

    /// The next transition.
    pub(super) fn transition(
        &mut self,
        segment: &Arc<str>,
        user: u32,
        holds: bool,
        cause: Cause,
        manner: &Manner,
    ) -> Transition {
        self.sequence += 1;
        let id = self.parting.as_ref().filter(|(of, _)| *of == user).map(|(_, id)| Arc::clone(id));
        Transition {
            sequence: self.sequence,
            segment: Arc::clone(segment),
            id: id.unwrap_or_else(|| self.store.reading().id_of(user).unwrap_or_default().into()),
            user: UserId(user),
            movement: if holds { Movement::Entered } else { Movement::Left },
            at: Timestamp::from_millis(manner.at),
            late: manner.late,
            cause,
        }
    }
}

/// The algebra for one user at one instant, over answers that are up to date.
struct PointInTime<'l> {
    live: &'l Live,
    user: u32,
    at: i64,
    is_there: bool,
    /// Of each measure; asked when first needed.
    numbers: Option<Vec<ExactSum>>,
}

impl PointInTime<'_> {
    fn is_in(&mut self, segment: u32) -> bool {
        let root = self.live.roots[segment as usize];
        self.is_there && self.holds(&self.live.plan, root)
    }

    fn holds(&mut self, plan: &Plan, node: NodeId) -> bool {
        match &plan.nodes()[node] {
            Node::Everyone => true,
            Node::NoOne => false,
            Node::Leaf(leaf) => {
                bit(self.live.state.leaves.row(self.user), u32::try_from(*leaf).unwrap_or(u32::MAX))
            }
            Node::Not(of) => !self.holds(plan, *of),
            Node::All(of) => of.iter().all(|of| self.holds(plan, *of)),
            Node::Any(of) => of.iter().any(|of| self.holds(plan, *of)),
            Node::Score(terms, range) => {
                let mut total = ExactSum::ZERO;
                for term in terms {
                    match *term {
                        Term::If(points, of) if self.holds(plan, of) => total.add_counted(points, 1),
                        Term::If(..) => {}
                        Term::Per(points, measure) => total.add_scaled(points, self.number(plan, measure)),
                    }
                }
                total.is_in(range)
            }
        }
    }

    fn number(&mut self, plan: &Plan, measure: usize) -> &ExactSum {
        let (store, user, at) = (self.live.store.reading(), self.user, self.at);
        &self.numbers.get_or_insert_with(|| {
            let measures: Vec<_> = plan.measures().iter().collect();
            let mut numbers = vec![ExactSum::ZERO; measures.len()];
            let at = Timestamp::from_millis(at);
            let Ok(()) = store.numbers(&measures, at, Among::User(UserId(user)), &mut |of, found| {
                if of.number() == user {
                    numbers = found.to_vec();
                }
            });
            numbers
        })[measure]
    }
}
