//! From what was written to what it means: a segment as nodes over leaves in normal form.
//!
//! A leaf that is the complement of another is written as that complement ("did not", "is not", "at most 3
//! times"), so that both ask for the same leaf. Segments that others name are compiled once.

use std::ops::Bound;
use std::sync::Arc;

use foldhash::HashMap;

use super::algebra::Algebra;
use super::chain::Chain;
use super::history::{AttributeTest, Change};
use super::leaf::{Leaf, List, Share};
use super::measure::{Behaviour, Measure};
use super::{NodeId, Plan, Term};
use crate::segment::{self, Attribute, Comparison, Did, Earned, Range, Score, Segment};
use crate::value::Number;
use crate::window::Window;

/// What segments refer to by name.
pub(crate) trait Named {
    /// The segment of that name, and the name as it is kept.
    fn segment(&self, name: &str) -> Option<(&str, &Segment)>;
    /// The external ids on the list of that name.
    fn list(&self, name: &str) -> Option<Arc<[String]>>;
}

/// No names at all.
pub(crate) struct Nameless;

impl Named for Nameless {
    fn segment(&self, _name: &str) -> Option<(&str, &Segment)> {
        None
    }

    fn list(&self, _name: &str) -> Option<Arc<[String]>> {
        None
    }
}

/// Compiles segments that are valid, with all that they name.
pub(crate) struct Compiler<'n> {
    named: &'n dyn Named,
    algebra: Algebra,
    known: HashMap<&'n str, NodeId>,
}

type Compiled = Result<NodeId, regex::Error>;

impl<'n> Compiler<'n> {
    pub(crate) fn new(named: &'n dyn Named) -> Self {
        Self { named, algebra: Algebra::default(), known: HashMap::default() }
    }

    pub(crate) fn finish(self, segments: Vec<(String, NodeId)>) -> Plan {
        self.algebra.finish(segments)
    }

    /// A segment that a name stands for, compiled the first time it is asked for.
    pub(crate) fn named(&mut self, name: &str) -> Compiled {
        if let Some(known) = self.known.get(name) {
            return Ok(*known);
        }
        // Unknown names are refused before.
        let Some((name, segment)) = self.named.segment(name) else { return Ok(self.algebra.no_one()) };
        let node = self.segment(segment)?;
        self.algebra.keep_whole(node);
        self.known.insert(name, node);
        Ok(node)
    }

    pub(crate) fn segment(&mut self, segment: &Segment) -> Compiled {
        match segment {
            Segment::All(of) => {
                let of = self.segments(of)?;
                Ok(self.algebra.all(of))
            }
            Segment::Any(of) => {
                let of = self.segments(of)?;
                Ok(self.algebra.any(of))
            }
            Segment::Not(of) => {
                let of = self.segment(of)?;
                Ok(self.algebra.not(of))
            }
            Segment::Did(did) => self.did(did),
            Segment::Sequence(sequence) => Ok(self.algebra.leaf(Leaf::Sequence(Chain::new(sequence)?))),
            Segment::Attribute(attribute) => self.attribute(attribute),
            Segment::Changed(changed) => Ok(self.algebra.leaf(Leaf::Changed(Change::new(changed)?))),
            Segment::Seen(window) => Ok(self.algebra.leaf(Leaf::Seen(window.clone()))),
            Segment::Score(score) => self.score(score),
            Segment::Segment(name) => self.named(name),
            Segment::List(name) => {
                let ids = self.named.list(name).unwrap_or_default();
                Ok(match ids.is_empty() {
                    true => self.algebra.no_one(),
                    false => self.algebra.leaf(Leaf::List(List { name: name.clone(), ids })),
                })
            }
            Segment::Sample(sample) if sample.from == sample.to => Ok(self.algebra.no_one()),
            Segment::Sample(sample) if sample.from == Number::Int(0) && sample.to == Number::Int(100) => {
                Ok(self.algebra.everyone())
            }
            Segment::Sample(sample) => Ok(self.algebra.leaf(Leaf::Sample(Share::new(sample)))),
        }
    }

    fn segments(&mut self, of: &[Segment]) -> Result<Vec<NodeId>, regex::Error> {
        of.iter().map(|segment| self.segment(segment)).collect()
    }

    fn score(&mut self, score: &Score) -> Compiled {
        let mut terms = Vec::with_capacity(score.of.len());
        for points in &score.of {
            terms.push(match &points.earned {
                Earned::If(segment) => Term::If(points.points, self.segment(segment)?),
                Earned::Per(measured) => {
                    Term::Per(points.points, self.algebra.measure(Measure::new(measured)?))
                }
            });
        }
        Ok(self.algebra.score(terms, score.range))
    }

    fn did(&mut self, did: &Did) -> Compiled {
        use segment::Measure as M;
        let mut did = did.clone();
        // The latest lies in a window that lasts until T when any does; likewise the first in one from ever.
        match &did.measure {
            M::Latest(window @ (Window::Last(_) | Window::Fixed { to: None, .. }))
            | M::First(window @ (Window::Before(_) | Window::Fixed { from: None, .. })) => {
                did.window = Some(window.clone());
                did.measure = M::Times(at_least(1));
            }
            _ => {}
        }
        let (M::Times(range) | M::Distinct { range, .. } | M::Active { range, .. }) = &mut did.measure else {
            return Ok(self.algebra.leaf(Leaf::Did(Behaviour::new(&did)?)));
        };
        let Some((low, high)) = counts(range) else { return Ok(self.algebra.no_one()) };
        // With `same` or around an anchor not even 0 holds for all: the rest of them has no group, or no anchor.
        let of_all = did.same.is_none() && !matches!(did.window, Some(Window::Around { .. }));
        match (low, high) {
            (0, None) if of_all => return Ok(self.algebra.everyone()),
            (0, Some(high)) if of_all && high < MAX_COUNT => {
                *range = at_least(high + 1);
                let more = self.algebra.leaf(Leaf::Did(Behaviour::new(&did)?));
                return Ok(self.algebra.not(more));
            }
            (low, None) => *range = at_least(low),
            (low, Some(high)) => {
                *range = Range { high: Bound::Included(Number::Int(high)), ..at_least(low) };
            }
        }
        Ok(self.algebra.leaf(Leaf::Did(Behaviour::new(&did)?)))
    }

    fn attribute(&mut self, attribute: &Attribute) -> Compiled {
        let mut attribute = attribute.clone();
        // "Has not been x throughout" is no complement of "has been x throughout".
        let negated = attribute.held.is_none() && make_positive(&mut attribute.test.comparison);
        match &attribute.test.comparison {
            Comparison::In(none) if none.is_empty() => return Ok(self.algebra.constant(negated)),
            Comparison::In(one) if one.len() == 1 => {
                if let Some(only) = one.first() {
                    attribute.test.comparison = Comparison::Eq(only.clone());
                }
            }
            _ => {}
        }
        let leaf = self.algebra.leaf(Leaf::Attribute(AttributeTest::new(&attribute)?));
        Ok(if negated { self.algebra.not(leaf) } else { leaf })
    }
}

/// The largest count that ranges tell apart.
const MAX_COUNT: i64 = i64::MAX;

fn at_least(n: i64) -> Range {
    Range { low: Bound::Included(Number::Int(n)), high: Bound::Unbounded }
}

/// The smallest and the largest count in a range; `None` where there is none in it.
fn counts(range: &Range) -> Option<(i64, Option<i64>)> {
    let whole = |n: Number| n.as_i64().unwrap_or(if n > Number::Int(0) { i64::MAX } else { -1 });
    let low = match range.low {
        Bound::Included(n) => whole(n),
        Bound::Excluded(n) => whole(n).checked_add(1)?,
        Bound::Unbounded => 0,
    };
    let high = match range.high {
        Bound::Included(n) => Some(whole(n)),
        Bound::Excluded(n) => Some(whole(n).saturating_sub(1)),
        Bound::Unbounded => None,
    };
    let low = low.max(0);
    high.is_none_or(|high| low <= high).then_some((low, high))
}

/// Replaces a comparison that is the complement of another by that one; tells whether it did.
fn make_positive(comparison: &mut Comparison) -> bool {
    use Comparison as C;
    let positive = match comparison {
        C::Ne(one) => C::Eq(one.clone()),
        C::NotIn(many) => C::In(std::mem::take(many)),
        C::NotContains(text) => C::Contains(std::mem::take(text)),
        C::NotMatches(pattern) => C::Matches(std::mem::take(pattern)),
        C::Exists(false) => C::Exists(true),
        _ => return false,
    };
    *comparison = positive;
    true
}
