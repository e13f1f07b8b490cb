//! Folds a plan over sets of users, whatever represents them.

use crate::plan::{Node, NodeId, Plan, Term};
use crate::segment::Range;

/// Sets of users as something represents them, with what leaves answer.
pub(crate) trait Sets {
    type Set: Clone;
    type Error;

    /// The universe.
    fn everyone(&mut self) -> Result<Self::Set, Self::Error>;

    fn no_one(&mut self) -> Result<Self::Set, Self::Error>;

    /// Those for whom a leaf holds, by its index in the plan. Asked once for each.
    fn leaf(&mut self, leaf: usize) -> Result<Self::Set, Self::Error>;

    fn not(&mut self, of: &Self::Set) -> Result<Self::Set, Self::Error>;

    /// Those in each of the first, of which there is one at least, and in none of the second.
    fn all(&mut self, of: &[&Self::Set], without: &[&Self::Set]) -> Result<Self::Set, Self::Error>;

    /// Those in some of the first, of which there is one at least, or missing in some of the second.
    fn any(&mut self, of: &[&Self::Set], or_not: &[&Self::Set]) -> Result<Self::Set, Self::Error>;

    /// Those whose points add up to a number in the range.
    fn score(&mut self, terms: &[Points<'_, Self::Set>], range: &Range) -> Result<Self::Set, Self::Error>;
}

/// What adds points in a score.
#[derive(Debug)]
pub(crate) enum Points<'a, S> {
    /// So many for each of the set.
    If(i64, &'a S),
    /// So many times a measure, by its index in the plan.
    Per(i64, usize),
}

/// The set of each segment of a plan, in its order.
pub(crate) fn fold<S: Sets>(plan: &Plan, sets: &mut S) -> Result<Vec<S::Set>, S::Error> {
    let nodes = plan.nodes();
    // A set is let go after its last use. A complement that is only ever taken away is never made.
    let mut last_use = vec![None; nodes.len()];
    for (id, node) in nodes.iter().enumerate() {
        operands(nodes, node).for_each(|operand| last_use[operand] = Some(id));
    }
    plan.roots().for_each(|root| last_use[root] = Some(nodes.len()));

    let mut done: Vec<Option<S::Set>> = Vec::with_capacity(nodes.len());
    for (id, node) in nodes.iter().enumerate() {
        let set = match last_use[id] {
            Some(_) => Some(operate(nodes, node, &done, sets)?),
            None => None,
        };
        done.push(set);
        for operand in operands(nodes, node).filter(|operand| last_use[*operand] == Some(id)) {
            done[operand] = None;
        }
    }
    plan.roots().map(|root| known(&done, root).map_or_else(|| sets.no_one(), |set| Ok(set.clone()))).collect()
}

/// The nodes whose sets an operation takes: of a complement inside `All` and `Any` what it is of.
fn operands(nodes: &[Node], node: &Node) -> impl Iterator<Item = NodeId> {
    let joins = matches!(node, Node::All(_) | Node::Any(_));
    node.children().map(move |child| match &nodes[child] {
        Node::Not(of) if joins => *of,
        _ => child,
    })
}

fn known<S>(done: &[Option<S>], id: NodeId) -> Option<&S> {
    done.get(id).and_then(Option::as_ref)
}

/// One operation on sets that are made.
fn operate<S: Sets>(
    nodes: &[Node],
    node: &Node,
    done: &[Option<S::Set>],
    sets: &mut S,
) -> Result<S::Set, S::Error> {
    let split = |of: &[NodeId]| {
        let (mut plain, mut negated) = (Vec::new(), Vec::new());
        for id in of {
            match &nodes[*id] {
                Node::Not(inner) => negated.extend(known(done, *inner)),
                _ => plain.extend(known(done, *id)),
            }
        }
        (plain, negated)
    };
    match node {
        Node::Everyone => sets.everyone(),
        Node::NoOne => sets.no_one(),
        Node::Leaf(leaf) => sets.leaf(*leaf),
        Node::Not(of) => match known(done, *of) {
            Some(of) => sets.not(of),
            None => sets.everyone(),
        },
        Node::All(of) => {
            let (of, without) = split(of);
            sets.all(&of, &without)
        }
        Node::Any(of) => {
            let (of, or_not) = split(of);
            sets.any(&of, &or_not)
        }
        Node::Score(terms, range) => {
            let points = |term: &Term| match *term {
                Term::If(points, id) => known(done, id).map(|set| Points::If(points, set)),
                Term::Per(points, measure) => Some(Points::Per(points, measure)),
            };
            sets.score(&terms.iter().filter_map(points).collect::<Vec<_>>(), range)
        }
    }
}
