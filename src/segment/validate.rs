//! What a segment may say: the law's limits and rules, each in one place, for segments read and built.
//!
//! Paths are those of the JSON form.

mod measure;
mod test;
mod window;

use std::sync::Arc;

use regex::Regex;

use super::{
    Attribute, Changed, Earned, EventMatch, EventPattern, Points, Sample, Score, Segment, SegmentError,
    Sequence, Step, ThenNot,
};
use crate::json::Path;
use crate::limits;
use crate::time::Span;
use crate::value::Number;

pub(super) use window::Place;

type Checked = Result<(), SegmentError>;

/// What a catalog has to know of a valid segment.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// How deep it is, without what it names.
    pub(crate) depth: usize,
    /// How many expressions and filters it has.
    pub(crate) nodes: usize,
    /// The segments it names, once for each place.
    pub(crate) segments: Vec<Reference>,
    /// The lists it names, once for each place.
    pub(crate) lists: Vec<Reference>,
    /// Its regular expressions, for whom plans it next: none of them is compiled again while these are held.
    pub(crate) patterns: Option<Vec<Arc<Regex>>>,
}

/// A place in a segment that names something.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) name: String,
    /// 1 at the top of the segment. What is named adds its own depth to it.
    pub(crate) level: usize,
    pub(crate) path: String,
}

/// Validates a segment that stands at a path.
pub(crate) fn outline(segment: &Segment, path: &Path<'_>) -> Result<Outline, SegmentError> {
    outlined(segment, path, Outline::default())
}

/// The same, and holds the regular expressions.
pub(crate) fn outline_to_plan(segment: &Segment, path: &Path<'_>) -> Result<Outline, SegmentError> {
    outlined(segment, path, Outline { patterns: Some(Vec::new()), ..Outline::default() })
}

fn outlined(segment: &Segment, path: &Path<'_>, mut outline: Outline) -> Result<Outline, SegmentError> {
    outline.segment(segment, path, 1)?;
    Ok(outline)
}

/// Refuses what stands below more than the allowed number of expressions and filters.
pub(super) fn check_level(path: &Path<'_>, level: usize) -> Checked {
    if level <= limits::MAX_DEPTH {
        return Ok(());
    }
    Err(SegmentError::TooDeep { path: path.to_string(), limit: limits::MAX_DEPTH })
}

impl Outline {
    /// Counts an expression or a filter.
    fn node(&mut self, path: &Path<'_>, level: usize) -> Checked {
        check_level(path, level)?;
        self.depth = self.depth.max(level);
        self.nodes += 1;
        if self.nodes <= limits::MAX_NODES {
            return Ok(());
        }
        Err(SegmentError::TooLarge { path: path.to_string(), limit: limits::MAX_NODES })
    }

    fn segment(&mut self, segment: &Segment, path: &Path<'_>, level: usize) -> Checked {
        self.node(path, level)?;
        match segment {
            Segment::All(of) => self.segments(of, &path.key("all"), level + 1),
            Segment::Any(of) => self.segments(of, &path.key("any"), level + 1),
            Segment::Not(of) => self.segment(of, &path.key("not"), level + 1),
            Segment::Did(did) => self.did(did, &path.key("did"), level),
            Segment::Sequence(sequence) => self.sequence(sequence, &path.key("sequence"), level),
            Segment::Attribute(attribute) => self.attribute(attribute, &path.key("attribute"), level),
            Segment::Changed(changed) => self.changed(changed, &path.key("changed"), level),
            Segment::Seen(seen) => self.window(seen, Place::Seen, &path.key("seen").key("in"), level),
            Segment::Score(score) => self.score(score, &path.key("score"), level),
            Segment::Segment(named) => {
                let path = path.key("segment");
                name(named, &path)?;
                self.segments.push(Reference { name: named.clone(), level, path: path.to_string() });
                Ok(())
            }
            Segment::List(named) => {
                let path = path.key("list");
                name(named, &path)?;
                self.lists.push(Reference { name: named.clone(), level, path: path.to_string() });
                Ok(())
            }
            Segment::Sample(of) => sample(of, &path.key("sample")),
        }
    }

    fn segments(&mut self, of: &[Segment], path: &Path<'_>, level: usize) -> Checked {
        of.iter().enumerate().try_for_each(|(i, one)| self.segment(one, &path.index(i), level))
    }

    /// Which events, of an object with the keys `event` and `where`.
    fn events(&mut self, events: &EventMatch, path: &Path<'_>, level: usize) -> Checked {
        let event = path.key("event");
        match events.events.as_slice() {
            [] => return Err(SegmentError::invalid(&event, "no event", "at least one")),
            [one] => pattern(one, &event)?,
            many => many.iter().enumerate().try_for_each(|(i, one)| pattern(one, &event.index(i)))?,
        }
        match &events.filter {
            Some(filter) => self.filter(filter, &path.key("where"), level + 1),
            None => Ok(()),
        }
    }

    fn sequence(&mut self, sequence: &Sequence, path: &Path<'_>, level: usize) -> Checked {
        let Sequence { steps, within, window, then_not, same } = sequence;
        if steps.is_empty() {
            return Err(SegmentError::invalid(&path.key("steps"), "no steps", "at least one"));
        }
        for (i, step) in steps.iter().enumerate() {
            self.step(step, i == 0, &path.key("steps").index(i), level)?;
        }
        maybe_span(*within, &path.key("within"))?;
        if let Some(window) = window {
            self.window(window, Place::Facts, &path.key("in"), level)?;
        }
        if let Some(ThenNot { events, within }) = then_not {
            let path = path.key("then_not");
            self.events(events, &path, level)?;
            span(*within, &path.key("within"))?;
        }
        maybe_name(same.as_deref(), &path.key("same"))
    }

    fn step(&mut self, step: &Step, first: bool, path: &Path<'_>, level: usize) -> Checked {
        let Step { events, within, after, without } = step;
        let timed =
            [("within", within.is_some()), ("after", after.is_some()), ("without", without.is_some())];
        if let (true, Some((key, _))) = (first, timed.iter().find(|(_, given)| *given)) {
            let given = format!("{key:?} in the first step");
            let expected = "only event and where, as nothing comes before it";
            return Err(SegmentError::invalid(&path.key(key), given, expected));
        }
        self.events(events, path, level)?;
        maybe_span(*within, &path.key("within"))?;
        maybe_span(*after, &path.key("after"))?;
        match without {
            Some(without) => self.events(without, &path.key("without"), level),
            None => Ok(()),
        }
    }

    fn attribute(&mut self, attribute: &Attribute, path: &Path<'_>, level: usize) -> Checked {
        name(&attribute.name, &path.key("name"))?;
        self.test(&attribute.test, path, level)?;
        maybe_span(attribute.held, &path.key("for"))
    }

    fn changed(&mut self, changed: &Changed, path: &Path<'_>, level: usize) -> Checked {
        name(&changed.name, &path.key("name"))?;
        for (key, value) in [("from", &changed.from), ("to", &changed.to)] {
            value.as_ref().map_or(Ok(()), |value| test::scalar(value, &path.key(key)))?;
        }
        match &changed.window {
            Some(window) => self.window(window, Place::Facts, &path.key("in"), level),
            None => Ok(()),
        }
    }

    fn score(&mut self, score: &Score, path: &Path<'_>, level: usize) -> Checked {
        let of = path.key("of");
        for (i, Points { earned, .. }) in score.of.iter().enumerate() {
            let item = of.index(i);
            match earned {
                Earned::If(segment) => self.segment(segment, &item.key("if"), level + 1)?,
                Earned::Per(measured) => self.measured(measured, &item.key("per"), level)?,
            }
        }
        measure::range(&score.range, false, path)
    }
}

fn sample(sample: &Sample, path: &Path<'_>) -> Checked {
    bytes(&sample.salt, "a salt", limits::MAX_NAME, &path.key("salt"))?;
    let (from, to) = (sample.from, sample.to);
    let in_order = Number::Int(0) <= from && from <= to && to <= Number::Int(100);
    if in_order {
        return Ok(());
    }
    let given = format!("from {} to {}", number(from), number(to));
    Err(SegmentError::invalid(path, given, "percentages, 0 ≤ from ≤ to ≤ 100"))
}

/// A number as an error shows it.
fn number(n: Number) -> String {
    match n {
        Number::Int(n) => n.to_string(),
        Number::Float(x) => format!("{x:?}"),
    }
}

fn bytes(text: &str, what: &'static str, limit: usize, path: &Path<'_>) -> Checked {
    if text.len() <= limit {
        return Ok(());
    }
    Err(SegmentError::TooLong { path: path.to_string(), what, bytes: text.len(), limit })
}

fn name(name: &str, path: &Path<'_>) -> Checked {
    if name.is_empty() {
        return Err(SegmentError::invalid(path, "an empty name", "a name"));
    }
    bytes(name, "a name", limits::MAX_NAME, path)
}

fn maybe_name(of: Option<&str>, path: &Path<'_>) -> Checked {
    of.map_or(Ok(()), |of| name(of, path))
}

pub(super) fn pattern(pattern: &EventPattern, path: &Path<'_>) -> Checked {
    match pattern {
        EventPattern::Name(exact) => name(exact, path),
        // it would be read as a name with a literal star
        EventPattern::Prefix(prefix) if prefix.ends_with('\\') => {
            let given = "a prefix that ends in a backslash";
            Err(SegmentError::invalid(path, given, "one that can be written before a star"))
        }
        EventPattern::Prefix(prefix) => bytes(prefix, "a name", limits::MAX_NAME, path),
    }
}

fn span(span: Span, path: &Path<'_>) -> Checked {
    if span.is_valid() {
        return Ok(());
    }
    Err(SegmentError::invalid(path, format!("the span {span}"), "one longer than 0 and at most 10 000 years"))
}

fn maybe_span(of: Option<Span>, path: &Path<'_>) -> Checked {
    of.map_or(Ok(()), |of| span(of, path))
}
