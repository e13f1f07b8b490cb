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

    /// The instants of events that can matter for a window: what must not follow is looked for up to `T`.
    pub(crate) fn looks_at(&self, window: Bounds, t: i64) -> Bounds {
        if self.then_not.is_some() { Bounds { hi: t, ..window } } else { window }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::segment::Segment;
    use crate::time::millis;

    fn chain(json: &str) -> Chain {
        match Segment::from_json(&format!(r#"{{"sequence":{json}}}"#)) {
            Ok(Segment::Sequence(sequence)) => Chain::new(&sequence).unwrap(),
            other => panic!("{json}: {other:?}"),
        }
    }

    fn hit(at: i64, matcher: u32) -> Hit<'static> {
        Hit { at, matcher, value: None, group: None }
    }

    /// Whether it holds of events a, b, c at some instants; `a` is matcher 0, in the order in which steps name them.
    fn holds(json: &str, events: &[(i64, u32)]) -> bool {
        let hits: Vec<_> = events.iter().map(|(at, matcher)| hit(*at, *matcher)).collect();
        chain(json).holds(&hits, Bounds { lo: 0, hi: 1_000 }, 1_000)
    }

    #[test]
    fn an_event_that_several_parts_look_for_is_one_matcher() {
        let returning = chain(
            r#"{"steps":[{"event":"a"},{"event":"b","without":{"event":"a"}},{"event":"a"}],
                "then_not":{"event":"b","within":"1d"}}"#,
        );
        assert_eq!(returning.matchers.len(), 2);
        assert_eq!(returning.steps.iter().map(|step| step.matcher).collect::<Vec<_>>(), [0, 1, 0]);
    }

    #[test]
    fn the_total_span_is_held_by_the_latest_beginning() {
        let within = r#"{"steps":[{"event":"a"},{"event":"b"},{"event":"c"}],"within":"10ms"}"#;
        assert!(holds(within, &[(0, 0), (5, 0), (8, 1), (15, 2)]), "from the second a");
        assert!(!holds(within, &[(0, 0), (5, 1), (6, 0), (15, 2)]), "the second a has no b after it");
        assert!(holds(within, &[(0, 0), (2, 1), (10, 2)]), "the edge is inside");
    }

    #[test]
    fn steps_at_one_instant_do_not_follow() {
        let ab = r#"{"steps":[{"event":"a"},{"event":"b"}]}"#;
        assert!(!holds(ab, &[(5, 0), (5, 1)]));
        assert!(holds(ab, &[(5, 1), (5, 0), (6, 1)]));
        let aaa = r#"{"steps":[{"event":"a"},{"event":"a"},{"event":"a"}]}"#;
        assert!(!holds(aaa, &[(1, 0), (1, 0), (2, 0)]));
        assert!(holds(aaa, &[(1, 0), (2, 0), (3, 0)]));
    }

    #[test]
    fn thousands_of_hits_are_quick() {
        let steps =
            vec![r#"{"event":"a","within":"900ms","after":"3ms","without":{"event":"b"}}"#; 19].join(",");
        let json = format!(r#"{{"steps":[{{"event":"a"}},{steps}],"within":"56ms"}}"#);
        let hits: Vec<_> = (0..50_000).map(|at| hit(at, 0)).collect();
        // 19 gaps of at least 3 are 57.
        assert!(!chain(&json).holds(&hits, Bounds::ALL, i64::MAX));
        let json = json.replace("56ms", "57ms");
        assert!(chain(&json).holds(&hits, Bounds::ALL, i64::MAX));
    }

    /// The law word by word: tries every chain.
    fn some_chain(chain: &Chain, hits: &[Hit<'_>], bounds: Bounds, t: i64) -> bool {
        fn extend(chain: &Chain, hits: &[Hit<'_>], bounds: Bounds, t: i64, so_far: &mut Vec<i64>) -> bool {
            let Some(step) = chain.steps.get(so_far.len()) else {
                let (first, last) = (so_far[0], so_far[so_far.len() - 1]);
                return chain.within.is_none_or(|span| last <= plus(first, span))
                    && chain.then_not.is_none_or(|(matcher, span)| {
                        let deadline = plus(last, span);
                        let missed =
                            |hit: &Hit<'_>| hit.matcher == matcher && last < hit.at && hit.at <= deadline;
                        deadline <= t && !hits.iter().any(missed)
                    });
            };
            let previous = so_far.last().copied();
            hits.iter()
                .filter(|hit| hit.matcher == step.matcher && bounds.contains(hit.at) && hit.at <= t)
                .any(|hit| {
                    let follows = previous.is_none_or(|previous| {
                        let between = |other: &Hit<'_>| previous < other.at && other.at < hit.at;
                        let barred =
                            |without| hits.iter().any(|other| other.matcher == without && between(other));
                        previous < hit.at
                            && step.within.is_none_or(|span| hit.at <= plus(previous, span))
                            && step.after.is_none_or(|span| plus(previous, span) <= hit.at)
                            && !step.without.is_some_and(barred)
                    });
                    so_far.push(hit.at);
                    let holds = follows && extend(chain, hits, bounds, t, so_far);
                    so_far.pop();
                    holds
                })
        }
        extend(chain, hits, bounds, t, &mut Vec::new())
    }

    fn links() -> impl Strategy<Value = Link> {
        let span = || prop::option::weighted(0.4, (1_u32..8).prop_map(millis));
        let matcher = 0_u32..3;
        (matcher.clone(), span(), span(), prop::option::weighted(0.3, matcher))
            .prop_map(|(matcher, within, after, without)| Link { matcher, within, after, without })
    }

    proptest! {
        #[test]
        fn a_chain_is_found_exactly_where_there_is_one(
            mut steps in prop::collection::vec(links(), 1..5),
            within in prop::option::weighted(0.5, (1_u32..20).prop_map(millis)),
            then_not in prop::option::weighted(0.4, (0_u32..3, (1_u32..10).prop_map(millis))),
            mut events in prop::collection::vec((0_i64..30, 0_u32..3), 0..14),
            (lo, t) in (0_i64..10, 10_i64..32),
        ) {
            steps[0] = Link { within: None, after: None, without: None, ..steps[0] };
            let template = chain(r#"{"steps":[{"event":"a"},{"event":"b"},{"event":"c"}]}"#);
            let chain = Chain { steps, within, then_not, ..template };
            events.sort_unstable();
            let hits: Vec<_> = events.into_iter().map(|(at, matcher)| hit(at, matcher)).collect();
            let bounds = Bounds { lo, hi: t };
            prop_assert_eq!(chain.holds(&hits, bounds, t), some_chain(&chain, &hits, bounds, t));
        }
    }
}
