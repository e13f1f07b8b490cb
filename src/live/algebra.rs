//! The algebra for one user: from a row of answers to membership.

use super::state::bit;
use crate::plan::{ExactSum, Node, NodeId, Plan, Term};
use crate::store::Snapshot;
use crate::time::Timestamp;

/// What a segment asks of a row of answers.
#[derive(Clone, Debug)]
pub(super) enum Program {
    /// All of these words, under their masks, are so.
    All(Vec<(u32, u64, u64)>),
    /// Not all of them are.
    NotAll(Vec<(u32, u64, u64)>),
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
            Self::All(words(literals))
        } else if let Some(literals) = disjunction() {
            Self::NotAll(words(literals))
        } else if measures(plan, root) {
            Self::Measured(root)
        } else {
            Self::Node(root)
        }
    }

    /// Whether a row of answers decides it, and how.
    pub(super) fn decide(&self, plan: &Plan, row: &[u64]) -> Option<bool> {
        let all = |words: &[(u32, u64, u64)]| {
            words
                .iter()
                .all(|(word, mask, wanted)| row.get(*word as usize).is_some_and(|w| w & mask == *wanted))
        };
        match self {
            Self::All(words) => Some(all(words)),
            Self::NotAll(words) => Some(!all(words)),
            Self::Node(root) => Some(Point { plan, row, measured: None }.holds(*root)),
            Self::Measured(_) => None,
        }
    }

    /// Whether a user is in, by answers that are up to date.
    pub(super) fn holds(&self, plan: &Plan, row: &[u64], of: (&Snapshot, u32, i64)) -> bool {
        match self {
            Self::Measured(root) => Point { plan, row, measured: Some(of) }.holds(*root),
            other => other.decide(plan, row).unwrap_or(false),
        }
    }
}

/// A leaf, or the complement of one, with whether it must hold.
fn literal(plan: &Plan, node: NodeId) -> Option<(usize, bool)> {
    match &plan.nodes()[node] {
        Node::Leaf(leaf) => Some((*leaf, true)),
        Node::Not(of) => match &plan.nodes()[*of] {
            Node::Leaf(leaf) => Some((*leaf, false)),
            _ => None,
        },
        _ => None,
    }
}

/// Literals as masks: which word, which bits of it, and what they must be.
fn words(mut literals: Vec<(usize, bool)>) -> Vec<(u32, u64, u64)> {
    literals.sort_unstable();
    let mut words: Vec<(u32, u64, u64)> = Vec::new();
    for (leaf, holds) in literals {
        let word = u32::try_from(leaf / 64).unwrap_or(u32::MAX);
        let (mask, wanted) = (1 << (leaf % 64), u64::from(holds) << (leaf % 64));
        match words.last_mut() {
            Some(last) if last.0 == word => *last = (word, last.1 | mask, last.2 | wanted),
            _ => words.push((word, mask, wanted)),
        }
    }
    words
}

/// Whether something below a node is measured.
fn measures(plan: &Plan, node: NodeId) -> bool {
    let node = &plan.nodes()[node];
    matches!(node, Node::Score(terms, _) if terms.iter().any(|term| matches!(term, Term::Per(..))))
        || node.children().any(|child| measures(plan, child))
}

/// One user at one instant.
struct Point<'a> {
    plan: &'a Plan,
    /// Its answers, which are up to date.
    row: &'a [u64],
    measured: Option<(&'a Snapshot, u32, i64)>,
}

impl Point<'_> {
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
                            let Some((store, user, t)) = self.measured else { continue };
                            let measure = &self.plan.measures()[measure];
                            let number = store.measured_of(measure, Timestamp::from_millis(t), user);
                            total.add_scaled(points, &number);
                        }
                    }
                }
                total.is_in(range)
            }
        }
    }
}
