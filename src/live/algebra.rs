//! The algebra for some users at once: from answers to membership, a bit a user.

use foldhash::{HashMap, HashSet};

use super::Question;
use super::dependent::Dependent;
use super::fields::{Answer, Fields};
use crate::plan::{ExactSum, Node, NodeId, Plan, Term};

/// A leaf that must hold, or must not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Literal {
    leaf: Question,
    wanted: bool,
    /// Holds where the leaf is as it is wanted.
    granted: Answer,
}

impl Literal {
    /// A leaf, or the complement of one.
    fn of(plan: &Plan, node: NodeId, fields: &Fields) -> Option<Self> {
        let (node, wanted) = match &plan.nodes()[node] {
            Node::Not(of) => (&plan.nodes()[*of], false),
            other => (other, true),
        };
        let Node::Leaf(leaf) = node else { return None };
        let answer = fields.answers.get(*leaf).copied()?;
        let granted = if wanted { answer } else { answer.opposite() };
        Some(Self { leaf: u32::try_from(*leaf).ok()?, wanted, granted })
    }

    fn opposite(self) -> Self {
        Self { wanted: !self.wanted, granted: self.granted.opposite(), ..self }
    }
}

/// What a segment asks of answers.
#[derive(Clone, Debug)]
pub(super) enum Program {
    /// All of these are so.
    All(Vec<Literal>),
    /// Not all of them are.
    NotAll(Vec<Literal>),
    /// Anything else over answers alone.
    Node(Root),
    /// Something is measured: answers do not decide it.
    Measured(Root),
}

/// A node, and whether others lie below several ones under it: those are answered once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Root {
    node: NodeId,
    shares: bool,
}

impl Root {
    fn of(plan: &Plan, node: NodeId) -> Self {
        let (mut rest, mut seen, mut shares) = (vec![node], HashSet::default(), false);
        while let Some(node) = rest.pop() {
            for child in plan.nodes()[node].children() {
                let is_new = seen.insert(child);
                let is_leaf = plan.nodes()[child].children().next().is_none();
                shares |= !is_new && !is_leaf;
                rest.extend(is_new.then_some(child));
            }
        }
        Self { node, shares }
    }
}

impl Program {
    pub(super) fn of(plan: &Plan, root: NodeId, is_measured: bool, fields: &Fields) -> Self {
        let node = &plan.nodes()[root];
        let conjunction = match node {
            Node::Everyone => Some(Vec::new()),
            Node::All(of) => of.iter().map(|node| Literal::of(plan, *node, fields)).collect(),
            _ => Literal::of(plan, root, fields).map(|literal| vec![literal]),
        };
        let disjunction = || match node {
            Node::Any(of) => {
                of.iter().map(|node| Some(Literal::of(plan, *node, fields)?.opposite())).collect()
            }
            _ => None,
        };
        if let Some(literals) = conjunction {
            Self::All(literals)
        } else if let Some(literals) = disjunction() {
            Self::NotAll(literals)
        } else if is_measured {
            Self::Measured(Root::of(plan, root))
        } else {
            Self::Node(Root::of(plan, root))
        }
    }

    fn literals(&self) -> &[Literal] {
        match self {
            Self::All(literals) | Self::NotAll(literals) => literals,
            _ => &[],
        }
    }

    /// A segment of this program, as it depends on a leaf.
    pub(super) fn dependent(&self, segment: u32, leaf: Question) -> Dependent {
        let literals = self.literals();
        let Some(place) = literals.iter().position(|literal| literal.leaf == leaf) else {
            return Dependent::whole(segment);
        };
        let (before, behind) = (&literals[..place], &literals[place + 1..]);
        let others = before.iter().chain(behind).map(|literal| literal.granted);
        Dependent::of_literal(segment, literals[place].wanted, matches!(self, Self::NotAll(_)), others)
    }

    /// Whether a user is in, by its answers; what is measured is asked for, by its place in the plan.
    pub(super) fn holds(
        &self,
        plan: &Plan,
        fields: &Fields,
        row: &[u32],
        measured: &mut dyn FnMut(usize) -> ExactSum,
    ) -> bool {
        match self {
            Self::All(literals) => all(literals, row),
            Self::NotAll(literals) => !all(literals, row),
            Self::Node(root) | Self::Measured(root) => {
                let words = |leaf| u64::from(fields.holds(leaf, row));
                Users::of(*root, plan, &words, 1, Some(measured)).who(root.node) & 1 == 1
            }
        }
    }

    /// Whether all of its literals are as they are wanted, where it is made of them alone.
    pub(super) fn grants(&self, row: &[u32]) -> bool {
        all(self.literals(), row)
    }

    /// Which of 64 users are in, by their answers, of which only those of the users asked about matter; `None` where
    /// something is measured.
    pub(super) fn who(&self, plan: &Plan, answers: impl Fn(Question, u64) -> u64) -> Option<u64> {
        let all = |literals: &[Literal]| {
            let mut who = u64::MAX;
            for literal in literals {
                if who == 0 {
                    break;
                }
                let answers = answers(literal.leaf, who);
                who &= if literal.wanted { answers } else { !answers };
            }
            who
        };
        match self {
            Self::All(literals) => Some(all(literals)),
            Self::NotAll(literals) => Some(!all(literals)),
            Self::Node(root) => {
                let answers = |leaf| answers(leaf, u64::MAX);
                Some(Users::of(*root, plan, &answers, 64, None).who(root.node))
            }
            Self::Measured(_) => None,
        }
    }
}

fn all(literals: &[Literal], row: &[u32]) -> bool {
    literals.iter().all(|literal| literal.granted.holds(row))
}

/// Some users at one instant.
struct Users<'a> {
    plan: &'a Plan,
    answers: &'a dyn Fn(Question) -> u64,
    count: u32,
    /// Where it is one user whose measures are asked for.
    measured: Option<&'a mut dyn FnMut(usize) -> ExactSum>,
    /// What is known of nodes so far, where some lie below several others.
    known: Option<HashMap<NodeId, u64>>,
}

impl<'a> Users<'a> {
    fn of(
        root: Root,
        plan: &'a Plan,
        answers: &'a dyn Fn(Question) -> u64,
        count: u32,
        measured: Option<&'a mut dyn FnMut(usize) -> ExactSum>,
    ) -> Self {
        Self { plan, answers, count, measured, known: root.shares.then(HashMap::default) }
    }

    fn who(&mut self, node: NodeId) -> u64 {
        if let Some(who) = self.known.as_ref().and_then(|known| known.get(&node)) {
            return *who;
        }
        let who = self.answer(node);
        self.known.iter_mut().for_each(|known| _ = known.insert(node, who));
        who
    }

    fn answer(&mut self, node: NodeId) -> u64 {
        let plan = self.plan;
        match &plan.nodes()[node] {
            Node::Everyone => u64::MAX,
            Node::NoOne => 0,
            Node::Leaf(leaf) => (self.answers)(u32::try_from(*leaf).unwrap_or(u32::MAX)),
            Node::Not(of) => !self.who(*of),
            Node::All(of) => of.iter().fold(u64::MAX, |all, of| all & self.who(*of)),
            Node::Any(of) => of.iter().fold(0, |any, of| any | self.who(*of)),
            Node::Score(terms, range) => {
                let earned: Vec<u64> = terms.iter().map(|term| self.earned(term)).collect();
                let users = 0..self.count;
                let is_in = |user| self.score(terms, &earned, user).is_in(range);
                users.map(is_in).zip(0..).fold(0, |who, (is_in, user)| who | u64::from(is_in) << user)
            }
        }
    }

    /// Who has the points of a term.
    fn earned(&mut self, term: &Term) -> u64 {
        if let Term::If(_, of) = term { self.who(*of) } else { 0 }
    }

    fn score(&mut self, terms: &[Term], earned: &[u64], user: u32) -> ExactSum {
        let mut total = ExactSum::ZERO;
        for (term, who) in terms.iter().zip(earned) {
            match *term {
                Term::If(points, _) if who >> user & 1 == 1 => total.add_counted(points, 1),
                Term::If(..) => {}
                Term::Per(points, measure) => {
                    let measured = self.measured.as_mut().map(|measured| measured(measure));
                    measured.into_iter().for_each(|number| total.add_scaled(points, &number));
                }
            }
        }
        total
    }
}
