//! The algebra for some users at once: from answers to membership, a bit a user.

use super::watch::Question;
use crate::plan::{ExactSum, Node, NodeId, Plan, Term};
use crate::store::Snapshot;
use crate::time::Timestamp;

/// What a segment asks of answers.
#[derive(Clone, Debug)]
pub(super) enum Program {
    /// All of these leaves hold, or do not.
    All(Vec<(Question, bool)>),
    /// Not all of them do.
    NotAll(Vec<(Question, bool)>),
    /// Anything else over answers alone.
    Node(NodeId),
    /// Something is measured: answers do not decide it.
    Measured(NodeId),
}

impl Program {
    pub(super) fn of(plan: &Plan, root: NodeId) -> Self {
        let node = &plan.nodes()[root];
        let conjunction = match node {
            Node::Everyone => Some(Vec::new()),
            Node::All(of) => of.iter().map(|node| literal(plan, *node)).collect(),
            _ => literal(plan, root).map(|literal| vec![literal]),
        };
        let disjunction = || match node {
            Node::Any(of) => {
                of.iter().map(|node| literal(plan, *node).map(|(leaf, holds)| (leaf, !holds))).collect()
            }
            _ => None,
        };
        if let Some(literals) = conjunction {
            Self::All(literals)
        } else if let Some(literals) = disjunction() {
            Self::NotAll(literals)
        } else if measures(plan, root) {
            Self::Measured(root)
        } else {
            Self::Node(root)
        }
    }

    pub(super) fn is_measured(&self) -> bool {
        matches!(self, Self::Measured(_))
    }

    /// Whether a user is in, by its answers; what is measured is measured in the store.
    pub(super) fn holds(
        &self,
        plan: &Plan,
        answer: impl Fn(Question) -> bool,
        of: (&Snapshot, u32, i64),
    ) -> bool {
        let all =
            |literals: &[(Question, bool)]| literals.iter().all(|(leaf, holds)| answer(*leaf) == *holds);
        match self {
            Self::All(literals) => all(literals),
            Self::NotAll(literals) => !all(literals),
            Self::Node(root) | Self::Measured(root) => {
                let words = |leaf| u64::from(answer(leaf));
                Users { plan, answers: &words, count: 1, measured: Some(of) }.who(*root) & 1 == 1
            }
        }
    }

    /// Which of 64 users are in, by their answers; `None` where something is measured.
    pub(super) fn who(&self, plan: &Plan, answers: impl Fn(Question) -> u64) -> Option<u64> {
        let all = |literals: &[(Question, bool)]| {
            let mut who = u64::MAX;
            for (leaf, holds) in literals {
                if who == 0 {
                    break;
                }
                let answers = answers(*leaf);
                who &= if *holds { answers } else { !answers };
            }
            who
        };
        match self {
            Self::All(literals) => Some(all(literals)),
            Self::NotAll(literals) => Some(!all(literals)),
            Self::Node(root) => Some(Users { plan, answers: &answers, count: 64, measured: None }.who(*root)),
            Self::Measured(_) => None,
        }
    }
}

/// A leaf, or the complement of one, with whether it must hold.
fn literal(plan: &Plan, node: NodeId) -> Option<(Question, bool)> {
    let leaf_of = |node: &Node| match node {
        Node::Leaf(leaf) => u32::try_from(*leaf).ok(),
        _ => None,
    };
    match &plan.nodes()[node] {
        Node::Not(of) => Some((leaf_of(&plan.nodes()[*of])?, false)),
        other => Some((leaf_of(other)?, true)),
    }
}

/// Whether something below a node is measured.
fn measures(plan: &Plan, node: NodeId) -> bool {
    let node = &plan.nodes()[node];
    matches!(node, Node::Score(terms, _) if terms.iter().any(|term| matches!(term, Term::Per(..))))
        || node.children().any(|child| measures(plan, child))
}

/// Some users at one instant.
struct Users<'a> {
    plan: &'a Plan,
    answers: &'a dyn Fn(Question) -> u64,
    count: u32,
    /// Where it is one user whose measures are asked for.
    measured: Option<(&'a Snapshot, u32, i64)>,
}

impl Users<'_> {
    fn who(&self, node: NodeId) -> u64 {
        match &self.plan.nodes()[node] {
            Node::Everyone => u64::MAX,
            Node::NoOne => 0,
            Node::Leaf(leaf) => (self.answers)(u32::try_from(*leaf).unwrap_or(u32::MAX)),
            Node::Not(of) => !self.who(*of),
            Node::All(of) => of.iter().fold(u64::MAX, |who, of| who & self.who(*of)),
            Node::Any(of) => of.iter().fold(0, |who, of| who | self.who(*of)),
            Node::Score(terms, range) => {
                let earned: Vec<u64> = terms.iter().map(|term| self.earned(term)).collect();
                let is_in = |user: u32| {
                    let mut total = ExactSum::ZERO;
                    for (term, who) in terms.iter().zip(&earned) {
                        match *term {
                            Term::If(points, _) if who >> user & 1 == 1 => total.add_counted(points, 1),
                            Term::If(..) => {}
                            Term::Per(points, measure) => {
                                let Some((store, user, t)) = self.measured else { continue };
                                let measure = &self.plan.measures()[measure];
                                let number = store.measured_of(measure, Timestamp::from_millis(t), user);
                                total.add_scaled(points, &number);
                            }
                        }
                    }
                    total.is_in(range)
                };
                (0..self.count).fold(0, |who, user| who | u64::from(is_in(user)) << user)
            }
        }
    }

    /// Who earns the points of a term, where a condition decides.
    fn earned(&self, term: &Term) -> u64 {
        match term {
            Term::If(_, of) => self.who(*of),
            Term::Per(..) => 0,
        }
    }
}
