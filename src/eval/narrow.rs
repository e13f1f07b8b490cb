//! Candidates first: whom a leaf that is not answered yet can still matter to.

use roaring::RoaringBitmap;

use crate::plan::{Node, NodeId, Plan};

/// The users for whom some unanswered leaf can decide about membership in a segment of the plan; `None` where
/// that is everyone anyway.
///
/// Going down from the segments: below `All` only those matter who are in all parts that are known, below
/// `Any` those who are in none of them.
pub(super) fn narrow(
    plan: &Plan,
    universe: &RoaringBitmap,
    leaves: &[Option<RoaringBitmap>],
) -> Option<RoaringBitmap> {
    let nodes = plan.nodes();
    let mut within: Vec<Option<RoaringBitmap>> = vec![None; nodes.len()];
    for root in plan.roots() {
        within[root] = Some(universe.clone());
    }
    let mut candidates = RoaringBitmap::new();
    for (id, node) in nodes.iter().enumerate().rev() {
        let Some(mut matter) = within[id].take() else { continue };
        let mut unknown: Vec<NodeId> = Vec::new();
        match node {
            Node::Everyone | Node::NoOne => {}
            Node::Leaf(leaf) => {
                if leaves.get(*leaf).is_none_or(Option::is_none) {
                    candidates |= matter;
                }
                continue;
            }
            Node::All(of) | Node::Any(of) => {
                let all = matches!(node, Node::All(_));
                for id in of {
                    match known(nodes, leaves, *id) {
                        // In `All` those out of it are decided, in `Any` those in it.
                        Some((set, negated)) if negated == all => matter -= set,
                        Some((set, _)) => matter &= set,
                        None => unknown.push(*id),
                    }
                }
            }
            Node::Not(_) | Node::Score(..) => unknown.extend(node.children()),
        }
        for id in unknown {
            *within[id].get_or_insert_default() |= &matter;
        }
    }
    (candidates != *universe).then_some(candidates)
}

/// The set of an answered leaf, and whether the node is its complement.
fn known<'l>(
    nodes: &[Node],
    leaves: &'l [Option<RoaringBitmap>],
    id: NodeId,
) -> Option<(&'l RoaringBitmap, bool)> {
    let (leaf, negated) = match &nodes[id] {
        Node::Leaf(leaf) => (leaf, false),
        Node::Not(of) => match &nodes[*of] {
            Node::Leaf(leaf) => (leaf, true),
            _ => return None,
        },
        _ => return None,
    };
    Some((leaves.get(*leaf)?.as_ref()?, negated))
}
