//! What a segment means: leaves, the algebra over them, and the arithmetic of time and values.
//!
//! A [`Plan`] is made from a segment, or from a whole catalog, and does not depend on the instant of evaluation.
//! [`Leaf`] and [`Measure`] are what it asks of a store; the law of each is written here once, over the
//! [`UserFacts`] of one user, for all stores.

mod algebra;
pub(crate) mod anniversary;
pub(crate) mod bounds;
pub(crate) mod calendar;
mod chain;
mod display;
pub(crate) mod exact;
mod facts;
pub(crate) mod filter;
mod history;
mod leaf;
mod matcher;
mod measure;
mod moving;
mod normalize;
pub(crate) mod presence;
mod references;
pub(crate) mod sample;
pub(crate) mod test;
mod text;
pub(crate) mod value_ref;
mod wide;
mod written;
mod zone;

pub use chain::Chain;
pub(crate) use chain::Link;
pub use exact::ExactSum;
pub use facts::{Hit, StoredWrite, UserFacts};
pub use filter::Properties;
pub use history::{AttributeTest, Change};
pub use leaf::{Leaf, List, Share};
pub use matcher::{Matcher, Point, Scope};
pub use measure::{Behaviour, Measure};
pub use references::PlanError;
pub use value_ref::{ScalarRef, ValueRef};

pub(crate) use history::value_at;
pub(crate) use leaf::LeafAt;
pub(crate) use measure::{End, MeasureAt};
pub(crate) use normalize::Named;

use normalize::{Compiler, Nameless};
use references::References;

use crate::json::Path;
use crate::segment::{Range, Segment, SegmentError};

/// The place of a node in a plan.
pub(crate) type NodeId = usize;

/// What is asked for one segment, or for a whole catalog: distinct leaves and measures, and the set algebra over
/// them.
///
/// It does not depend on the instant of evaluation: made once, it can be asked at any number of them. Printed, it
/// says what will be asked.
///
/// ```
/// use whodid::{days, did, plan::Plan};
/// let fading = did("login").last(days(90)) & !did("login").last(days(30));
/// let plan = Plan::of(&fading)?;
/// assert_eq!(plan.leaves().len(), 2);
/// # Ok::<(), whodid::PlanError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Plan {
    leaves: Vec<Leaf>,
    measures: Vec<Measure>,
    /// Each after those that it names.
    nodes: Vec<Node>,
    /// The name and the node of each segment asked for.
    segments: Vec<(String, NodeId)>,
}

/// One operation of the algebra. Distinct nodes of a plan are distinct questions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    Everyone,
    NoOne,
    /// The index of a leaf.
    Leaf(usize),
    /// Never of a node that is itself `Not`, `Everyone` or `NoOne`.
    Not(NodeId),
    /// At least two, sorted, distinct, not all of them `Not`.
    All(Vec<NodeId>),
    /// At least two, sorted, distinct, not all of them `Not`.
    Any(Vec<NodeId>),
    Score(Vec<Term>, Range),
}

/// What adds points in a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Term {
    /// Points for those for whom a node holds.
    If(i64, NodeId),
    /// Points times a measure, by its index.
    Per(i64, usize),
}

impl Plan {
    /// The plan of one segment that names no other and no list; [`Catalog::plan_of`](crate::Catalog::plan_of)
    /// is for those that do.
    ///
    /// # Errors
    /// The segment is not valid, or names something.
    pub fn of(segment: &Segment) -> Result<Self, PlanError> {
        Self::of_one(segment, &Nameless)
    }

    /// The plan of one segment, which may name others.
    pub(crate) fn of_one(segment: &Segment, named: &dyn Named) -> Result<Self, PlanError> {
        let mut references = References::new(named);
        references.check(segment)?;
        let mut compiler = Compiler::new(named);
        let node = compiler.segment(segment).map_err(bad_pattern)?;
        Ok(compiler.finish(vec![(String::new(), node)]))
    }

    /// The plan of all of these named segments.
    pub(crate) fn of_all<'n>(
        names: impl Iterator<Item = &'n str> + Clone,
        named: &'n dyn Named,
    ) -> Result<Self, PlanError> {
        let mut references = References::new(named);
        for name in names.clone() {
            references.check_name(name)?;
        }
        let mut compiler = Compiler::new(named);
        let mut segments = Vec::new();
        for name in names {
            segments.push((name.to_owned(), compiler.named(name).map_err(bad_pattern)?));
        }
        Ok(compiler.finish(segments))
    }

    /// The distinct leaves that will be asked, in the order in which they are printed.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// The distinct measures that will be asked.
    pub fn measures(&self) -> &[Measure] {
        &self.measures
    }

    /// The names of the segments that are asked for, in their order; that of a segment without one is empty.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = &str> {
        self.segments.iter().map(|(name, _)| name.as_str())
    }

    /// The operations, each after those that it names.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node of each segment that is asked for.
    pub(crate) fn roots(&self) -> impl ExactSizeIterator<Item = NodeId> {
        self.segments.iter().map(|(_, node)| *node)
    }
}

/// Of a pattern that validation lets pass and compiling does not, which both ask the same library about.
fn bad_pattern(error: regex::Error) -> PlanError {
    SegmentError::Regex { path: Path::ROOT.to_string(), pattern: String::new(), message: error.to_string() }
        .into()
}

#[cfg(test)]
mod tests;
