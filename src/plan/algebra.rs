//! Builds the nodes of a plan: each distinct one once, and none that is redundant.

use std::collections::hash_map::Entry;

use foldhash::{HashMap, HashSet};

use super::{Leaf, Measure, Node, NodeId, Plan, Term};
use crate::segment::Range;

/// A plan in the making. Its constructors normalise, so that no later stage meets a redundant form.
#[derive(Debug, Default)]
pub(crate) struct Algebra {
    leaves: Distinct<Leaf>,
    measures: Distinct<Measure>,
    nodes: Distinct<Node>,
    /// Nodes that are not flattened into others, because a name stands for them: they are answered once.
    whole: HashSet<NodeId>,
}

/// A list of distinct values that knows the place of each.
#[derive(Debug)]
struct Distinct<T> {
    values: Vec<T>,
    places: HashMap<T, usize>,
}

impl<T> Default for Distinct<T> {
    fn default() -> Self {
        Self { values: Vec::new(), places: HashMap::default() }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Distinct<T> {
    fn place(&mut self, value: T) -> usize {
        match self.places.entry(value) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                self.values.push(new.key().clone());
                *new.insert(self.values.len() - 1)
            }
        }
    }
}

impl Algebra {
    pub(crate) fn everyone(&mut self) -> NodeId {
        self.nodes.place(Node::Everyone)
    }

    pub(crate) fn no_one(&mut self) -> NodeId {
        self.nodes.place(Node::NoOne)
    }

    /// Everyone or no one.
    pub(crate) fn constant(&mut self, holds: bool) -> NodeId {
        if holds { self.everyone() } else { self.no_one() }
    }

    pub(crate) fn leaf(&mut self, leaf: Leaf) -> NodeId {
        let leaf = self.leaves.place(leaf);
        self.nodes.place(Node::Leaf(leaf))
    }

    /// The index of a measure.
    pub(crate) fn measure(&mut self, measure: Measure) -> usize {
        self.measures.place(measure)
    }

    /// Keeps a node in one piece, for a name stands for it.
    pub(crate) fn keep_whole(&mut self, node: NodeId) {
        self.whole.insert(node);
    }

    fn node(&self, id: NodeId) -> &Node {
        &self.nodes.values[id]
    }

    pub(crate) fn not(&mut self, of: NodeId) -> NodeId {
        match *self.node(of) {
            Node::Everyone => self.no_one(),
            Node::NoOne => self.everyone(),
            Node::Not(inner) => inner,
            _ => self.nodes.place(Node::Not(of)),
        }
    }

    pub(crate) fn all(&mut self, of: impl IntoIterator<Item = NodeId>) -> NodeId {
        self.join(of, true)
    }

    pub(crate) fn any(&mut self, of: impl IntoIterator<Item = NodeId>) -> NodeId {
        self.join(of, false)
    }

    /// The conjunction, or the disjunction.
    ///
    /// The two are each other's mirror: what is said below of `All` holds of `Any` with the roles exchanged.
    fn join(&mut self, of: impl IntoIterator<Item = NodeId>, all: bool) -> NodeId {
        let mut parts = Vec::new();
        of.into_iter().for_each(|id| self.flatten(id, all, &mut parts));
        parts.sort_unstable();
        parts.dedup();
        parts.retain(|id| *self.node(*id) != if all { Node::Everyone } else { Node::NoOne });
        // Something and its complement together are no one.
        let contradicts = |id: &NodeId| match *self.node(*id) {
            Node::Not(inner) => parts.binary_search(&inner).is_ok(),
            Node::Everyone | Node::NoOne => true,
            _ => false,
        };
        if parts.iter().any(contradicts) {
            return self.constant(!all);
        }
        let negated: Vec<NodeId> = parts
            .iter()
            .filter_map(|id| if let Node::Not(inner) = *self.node(*id) { Some(inner) } else { None })
            .collect();
        match *parts {
            [] => self.constant(all),
            [only] => only,
            // Neither a nor b: not (a or b), one complement instead of two.
            _ if negated.len() == parts.len() => {
                let inner = self.join(negated, !all);
                self.not(inner)
            }
            _ => self.nodes.place(if all { Node::All(parts) } else { Node::Any(parts) }),
        }
    }

    /// The parts of a node that `All` can take in itself: those of an inner `All`, and, as complements to be
    /// taken away one by one, those of a negated `Any`.
    fn flatten(&mut self, id: NodeId, all: bool, parts: &mut Vec<NodeId>) {
        if self.whole.contains(&id) {
            return parts.push(id);
        }
        match (self.node(id), all) {
            (Node::All(inner), true) | (Node::Any(inner), false) => parts.extend_from_slice(inner),
            (&Node::Not(negated), _) if !self.whole.contains(&negated) => match (self.node(negated), all) {
                (Node::Any(inner), true) | (Node::All(inner), false) => {
                    for id in inner.clone() {
                        let complement = self.not(id);
                        parts.push(complement);
                    }
                }
                _ => parts.push(id),
            },
            _ => parts.push(id),
        }
    }

    /// The users whose points add up to a number in the range.
    pub(crate) fn score(&mut self, terms: Vec<Term>, range: Range) -> NodeId {
        let counts = |term: &Term| match *term {
            Term::If(points, id) => points != 0 && *self.node(id) != Node::NoOne,
            Term::Per(points, _) => points != 0,
        };
        let terms: Vec<Term> = terms.into_iter().filter(counts).collect();
        if terms.is_empty() {
            return self.constant(super::measure::count_is_in(0, &range));
        }
        self.nodes.place(Node::Score(terms, range))
    }

    /// The plan that asks for these nodes, with nothing in it that they do not need.
    pub(crate) fn finish(self, segments: Vec<(String, NodeId)>) -> Plan {
        let nodes = self.nodes.values;
        let mut needed = vec![false; nodes.len()];
        segments.iter().for_each(|(_, id)| needed[*id] = true);
        for (id, node) in nodes.iter().enumerate().rev() {
            if needed[id] {
                node.children().for_each(|child| needed[child] = true);
            }
        }
        let mut leaves = Renumber::new(self.leaves.values);
        let mut measures = Renumber::new(self.measures.values);
        let mut places = vec![0; needed.len()];
        let mut kept = Vec::new();
        for (id, mut node) in nodes.into_iter().enumerate().filter(|(id, _)| needed[*id]) {
            match &mut node {
                Node::Everyone | Node::NoOne => {}
                Node::Leaf(leaf) => *leaf = leaves.place(*leaf),
                Node::Not(of) => *of = places[*of],
                Node::All(of) | Node::Any(of) => of.iter_mut().for_each(|of| *of = places[*of]),
                Node::Score(terms, _) => terms.iter_mut().for_each(|term| match term {
                    Term::If(_, of) => *of = places[*of],
                    Term::Per(_, measure) => *measure = measures.place(*measure),
                }),
            }
            places[id] = kept.len();
            kept.push(node);
        }
        let segments = segments.into_iter().map(|(name, id)| (name, places[id])).collect();
        Plan { leaves: leaves.kept, measures: measures.kept, nodes: kept, segments }
    }
}

/// Keeps of a list what is used, in the order of use.
struct Renumber<T> {
    all: Vec<Option<T>>,
    places: Vec<usize>,
    kept: Vec<T>,
}

impl<T> Renumber<T> {
    fn new(all: Vec<T>) -> Self {
        Self { places: vec![0; all.len()], all: all.into_iter().map(Some).collect(), kept: Vec::new() }
    }

    fn place(&mut self, old: usize) -> usize {
        if let Some(value) = self.all[old].take() {
            self.places[old] = self.kept.len();
            self.kept.push(value);
        }
        self.places[old]
    }
}

impl Node {
    /// The nodes that it names.
    pub(crate) fn children(&self) -> impl Iterator<Item = NodeId> {
        let (one, many, terms): (Option<NodeId>, &[NodeId], &[Term]) = match self {
            Self::Everyone | Self::NoOne | Self::Leaf(_) => (None, &[], &[]),
            Self::Not(of) => (Some(*of), &[], &[]),
            Self::All(of) | Self::Any(of) => (None, of, &[]),
            Self::Score(terms, _) => (None, &[], terms),
        };
        let conditions = terms.iter().filter_map(|term| match *term {
            Term::If(_, id) => Some(id),
            Term::Per(..) => None,
        });
        one.into_iter().chain(many.iter().copied()).chain(conditions)
    }
}
