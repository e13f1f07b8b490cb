//! Sequences: whether some chain of events exists.
//!
//! Not greedy: for each step it keeps, for each instant at which a chain can end, the latest instant at which
//! such a chain can have begun, which is all that the rest of the chain and the total span ask. An event can
//! follow those ends that lie in a stretch of time whose two edges only move forward, so one pass with a
//! sliding maximum decides a step: linear in the hits for each step.

use std::collections::VecDeque;

use foldhash::HashMap;

use super::bounds::{Bounds, plus};
use super::facts::Hit;
use super::matcher::{Matcher, Matchers, Scope};
use super::value_ref::ScalarRef;
use crate::segment::Sequence;
use crate::time::Span;

/// A sequence, ready to be asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Chain {
    /// The distinct matchers of all parts.
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) steps: Vec<Link>,
    /// Longest span from the first step to the last.
    pub(crate) within: Option<Span>,
    pub(crate) scope: Scope,
    /// What must not follow, and by when.
    pub(crate) then_not: Option<(u32, Span)>,
    pub(crate) same: Option<String>,
}

/// One step and how it follows the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Link {
    pub(crate) matcher: u32,
    pub(crate) within: Option<Span>,
    pub(crate) after: Option<Span>,
    /// What must not come strictly between.
    pub(crate) without: Option<u32>,
}

/// An instant at which a chain can end, and the latest at which such a chain can have begun.
#[derive(Clone, Copy)]
struct End {
    at: i64,
    begun: i64,
}

impl Chain {
    pub(crate) fn new(sequence: &Sequence) -> Result<Self, regex::Error> {
        let mut matchers = Matchers::default();
        let mut steps = Vec::with_capacity(sequence.steps.len());
        for step in &sequence.steps {
            steps.push(Link {
                matcher: matchers.add(&step.events)?,
                within: step.within,
                after: step.after,
                without: step.without.as_ref().map(|events| matchers.add(events)).transpose()?,
            });
        }
        let then_not = match &sequence.then_not {
            Some(not) => Some((matchers.add(&not.events)?, not.within)),
            None => None,
        };
        Ok(Self {
            matchers: matchers.into_vec(),
            steps,
            within: sequence.within,
            scope: Scope::new(sequence.window.as_ref())?,
            then_not,
            same: sequence.same.clone(),
        })
    }

    /// Whether a chain exists among the hits: its steps inside the bounds, all of it up to `t`.
    pub(crate) fn holds(&self, hits: &[Hit<'_>], bounds: Bounds, t: i64) -> bool {
        if self.same.is_none() {
            return self.exists(hits.iter(), bounds, t);
        }
        let mut groups: HashMap<ScalarRef<'_>, Vec<&Hit<'_>>> = HashMap::default();
        for hit in hits {
            if let Some(group) = hit.group {
                groups.entry(group).or_default().push(hit);
            }
        }
        groups.into_values().any(|hits| self.exists(hits.into_iter(), bounds, t))
    }

    fn exists<'h>(&self, hits: impl Iterator<Item = &'h Hit<'h>>, bounds: Bounds, t: i64) -> bool {
        let mut instants = vec![Vec::new(); self.matchers.len()];
        for hit in hits.take_while(|hit| hit.at <= t) {
            if let Some(of_matcher) = instants.get_mut(hit.matcher as usize) {
                of_matcher.push(hit.at);
            }
        }
        instants.iter_mut().for_each(Vec::dedup);
        let instants = |matcher: u32| instants.get(matcher as usize).map_or(&[][..], Vec::as_slice);

        let mut steps = self.steps.iter();
        let Some(first) = steps.next() else { return false };
        let within = |matcher| instants(matcher).iter().copied().filter(move |at| bounds.contains(*at));
        let mut ends: Vec<End> = within(first.matcher).map(|at| End { at, begun: at }).collect();
        for step in steps {
            if ends.is_empty() {
                return false;
            }
            ends = step.follow(&ends, within(step.matcher), step.without.map_or(&[], instants));
        }
        let in_time = |end: &&End| self.within.is_none_or(|span| end.at <= plus(end.begun, span));
        ends.iter().filter(in_time).any(|end| {
            self.then_not.is_none_or(|(matcher, span)| {
                let deadline = plus(end.at, span);
                let next = instants(matcher).partition_point(|at| *at <= end.at);
                deadline <= t && instants(matcher).get(next).is_none_or(|at| *at > deadline)
            })
        })
    }
}

impl Link {
    /// The ends of chains with this step after them; all sorted by instant, which are distinct.
    fn follow(&self, ends: &[End], step: impl Iterator<Item = i64>, without: &[i64]) -> Vec<End> {
        let mut next = Vec::new();
        // The ends that this step can follow, those that a later and better one outdoes left out.
        let mut open: VecDeque<End> = VecDeque::new();
        let mut coming = ends.iter().peekable();
        let mut barriers = without.iter().copied().peekable();
        let mut barrier = i64::MIN;
        for at in step {
            let ripe = |end: &&End| end.at < at && self.after.is_none_or(|span| plus(end.at, span) <= at);
            while let Some(end) = coming.next_if(|end| ripe(end)) {
                while open.pop_back_if(|have| have.begun <= end.begun).is_some() {}
                open.push_back(*end);
            }
            while let Some(passed) = barriers.next_if(|barrier| *barrier < at) {
                barrier = passed;
            }
            let gone =
                |end: &mut End| end.at < barrier || self.within.is_some_and(|span| plus(end.at, span) < at);
            while open.pop_front_if(gone).is_some() {}
            if let Some(best) = open.front() {
                next.push(End { at, begun: best.begun });
            }
        }
        next
    }
}
