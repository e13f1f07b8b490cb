//! Prints a plan: what will be asked, and the algebra over it.

use std::fmt::{self, Display, Formatter};

use super::{Node, NodeId, Plan, Term};

/// The distinct leaves, numbered, the distinct measures, lettered by `m`, and each segment as algebra over them.
///
/// What several segments share, or one has twice, is written once, as a step with a name of its own.
impl Display for Plan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (number, leaf) in (1..).zip(&self.leaves) {
            writeln!(f, "[{number}] {}", leaf.to_segment())?;
        }
        for (number, measure) in (1..).zip(&self.measures) {
            writeln!(f, "[m{number}] {}", measure.to_measured())?;
        }
        let steps = self.steps();
        for (number, id) in (1..).zip(&steps) {
            write!(f, "step {number} = ")?;
            Printer { plan: self, steps: &steps }.operation(f, *id)?;
            writeln!(f)?;
        }
        for (i, (name, id)) in self.segments.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            match name.as_str() {
                "" => write!(f, "members = ")?,
                name => write!(f, "{name} = ")?,
            }
            Printer { plan: self, steps: &steps }.node(f, *id, Place::Alone)?;
        }
        Ok(())
    }
}

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Alone,
    /// Among others, where a list needs brackets.
    Inside,
}

struct Printer<'p> {
    plan: &'p Plan,
    /// The nodes that are printed as steps of their own.
    steps: &'p [NodeId],
}

impl Plan {
    /// The joins and scores that more than one node or segment uses.
    fn steps(&self) -> Vec<NodeId> {
        let mut uses = vec![0_u32; self.nodes.len()];
        let used = self.nodes.iter().flat_map(Node::children).chain(self.roots());
        used.for_each(|id| uses[id] += 1);
        let is_joined =
            |id: &NodeId| matches!(self.nodes[*id], Node::All(_) | Node::Any(_) | Node::Score(..));
        (0..self.nodes.len()).filter(|id| uses[*id] > 1 && is_joined(id)).collect()
    }
}

impl Printer<'_> {
    fn node(&self, f: &mut Formatter<'_>, id: NodeId, place: Place) -> fmt::Result {
        if let Some(step) = self.steps.iter().position(|step| *step == id) {
            return write!(f, "step {}", step + 1);
        }
        match &self.plan.nodes[id] {
            Node::All(_) | Node::Any(_) | Node::Score(..) if place == Place::Inside => {
                f.write_str("(")?;
                self.operation(f, id)?;
                f.write_str(")")
            }
            _ => self.operation(f, id),
        }
    }

    fn operation(&self, f: &mut Formatter<'_>, id: NodeId) -> fmt::Result {
        match &self.plan.nodes[id] {
            Node::Everyone => f.write_str("everyone"),
            Node::NoOne => f.write_str("no one"),
            Node::Leaf(leaf) => write!(f, "[{}]", leaf + 1),
            Node::Not(of) => {
                f.write_str("not ")?;
                self.node(f, *of, Place::Inside)
            }
            Node::All(of) => self.list(f, of, " and "),
            Node::Any(of) => self.list(f, of, " or "),
            Node::Score(terms, range) => {
                for (i, term) in terms.iter().enumerate() {
                    let (Term::If(points, _) | Term::Per(points, _)) = *term;
                    match (i, points) {
                        (0, _) => write!(f, "{points} × ")?,
                        (_, 0..) => write!(f, " + {points} × ")?,
                        _ => write!(f, " − {} × ", points.unsigned_abs())?,
                    }
                    match term {
                        Term::If(_, id) => self.node(f, *id, Place::Inside)?,
                        Term::Per(_, measure) => write!(f, "[m{}]", measure + 1)?,
                    }
                }
                write!(f, " is {range}")
            }
        }
    }

    fn list(&self, f: &mut Formatter<'_>, of: &[NodeId], between: &str) -> fmt::Result {
        for (i, id) in of.iter().enumerate() {
            if i > 0 {
                f.write_str(between)?;
            }
            self.node(f, *id, Place::Inside)?;
        }
        Ok(())
    }
}
