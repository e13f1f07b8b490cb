//! # Limits, and whatever else makes an expression an error
//!
//! What is wrong with an expression by itself, [`Segment::validate`] says. Here is what only the segments and
//! lists it names can show.

use std::collections::BTreeMap;

use super::facts::check_name;
use super::{Named, OracleError};
use crate::segment::{Comparison, Earned, EventMatch, Filter, Measure, Segment, Test};
use crate::window::{Anchor, Window};

/// Checks an expression whole, with the segments it names.
pub(super) fn check(segment: &Segment, named: &Named) -> Result<(), OracleError> {
    let mut check = Check { named, path: Vec::new(), depths: BTreeMap::new() };
    match check.segment(segment)? {
        0..=64 => Ok(()),
        depth => Err(OracleError::TooDeep(depth)),
    }
}

struct Check<'a> {
    named: &'a Named,
    /// The named segments that one is inside of.
    path: Vec<String>,
    /// How deep the named segments are that were looked at.
    depths: BTreeMap<String, usize>,
}

impl Check<'_> {
    /// An expression valid by itself, and all that it names: how deep it is.
    fn segment(&mut self, segment: &Segment) -> Result<usize, OracleError> {
        segment.validate().map_err(|e| OracleError::Invalid(e.to_string()))?;
        self.depth(segment)
    }

    /// A leaf is 1, each form or filter around it one more, a reference one more than what it names.
    fn depth(&mut self, segment: &Segment) -> Result<usize, OracleError> {
        let inside = match segment {
            Segment::All(of) | Segment::Any(of) => self.deepest(of)?,
            Segment::Not(e) => self.depth(e)?,
            Segment::Did(did) => {
                let measured = match &did.measure {
                    Measure::First(window) | Measure::Latest(window) => in_window(Some(window)),
                    Measure::FirstValue { test, .. } | Measure::LatestValue { test, .. } => in_test(test),
                    _ => 0,
                };
                measured.max(in_match(&did.events)).max(in_window(did.window.as_ref()))
            }
            Segment::Sequence(sequence) => {
                let steps = sequence.steps.iter().flat_map(|s| [Some(&s.events), s.without.as_ref()]);
                let then_not = sequence.then_not.as_ref().map(|t| &t.events);
                let matches = steps.chain([then_not]).flatten().map(in_match).max().unwrap_or(0);
                matches.max(in_window(sequence.window.as_ref()))
            }
            Segment::Attribute(attribute) => in_test(&attribute.test),
            Segment::Changed(changed) => in_window(changed.window.as_ref()),
            Segment::Seen(window) => in_window(Some(window)),
            Segment::Score(score) => {
                let mut inside = 0;
                for points in &score.of {
                    inside = inside.max(match &points.earned {
                        Earned::If(e) => self.depth(e)?,
                        Earned::Per(m) => in_match(&m.events).max(in_window(m.window.as_ref())),
                    });
                }
                inside
            }
            Segment::Segment(name) => self.reference(name)?,
            Segment::List(name) => self.list(name)?,
            Segment::Sample(_) => 0,
        };
        Ok(1 + inside)
    }

    fn deepest(&mut self, of: &[Segment]) -> Result<usize, OracleError> {
        let mut deepest = 0;
        for e in of {
            deepest = deepest.max(self.depth(e)?);
        }
        Ok(deepest)
    }

    fn list(&self, name: &str) -> Result<usize, OracleError> {
        let Some(ids) = self.named.lists.get(name) else {
            return Err(OracleError::UnknownList(name.to_owned()));
        };
        let wrong = ids.iter().find_map(|id| check_name("id", id).err());
        wrong.map_or(Ok(0), |error| Err(OracleError::Invalid(format!("the list {name:?}: {error}"))))
    }

    fn reference(&mut self, name: &str) -> Result<usize, OracleError> {
        if let Some(depth) = self.depths.get(name) {
            return Ok(*depth);
        }
        if self.path.iter().any(|above| above == name) {
            return Err(OracleError::Cycle(name.to_owned()));
        }
        if self.path.len() >= 64 {
            return Err(OracleError::TooDeep(self.path.len() + 1));
        }
        let named = self.named;
        let Some(segment) = named.segments.get(name) else {
            return Err(OracleError::UnknownSegment(name.to_owned()));
        };
        self.path.push(name.to_owned());
        let depth = self.segment(segment)?;
        self.path.pop();
        self.depths.insert(name.to_owned(), depth);
        Ok(depth)
    }
}

/// How deep the filter is that stands in a match; 0 without one.
fn in_match(wanted: &EventMatch) -> usize {
    wanted.filter.as_ref().map_or(0, in_filter)
}

fn in_filter(filter: &Filter) -> usize {
    1 + match filter {
        Filter::Property { test, .. } => in_test(test),
        Filter::All(of) | Filter::Any(of) => of.iter().map(in_filter).max().unwrap_or(0),
        Filter::Not(f) => in_filter(f),
    }
}

fn in_test(test: &Test) -> usize {
    match &test.comparison {
        Comparison::AnyElement(filter) => in_filter(filter),
        _ => 0,
    }
}

fn in_window(window: Option<&Window>) -> usize {
    match window {
        Some(Window::Around { of: Anchor::First(wanted) | Anchor::Latest(wanted), .. }) => in_match(wanted),
        _ => 0,
    }
}
