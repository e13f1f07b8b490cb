//! What can change an answer: which facts, and which edges of time.

use foldhash::HashMap;

use super::Question;
use super::counts::{self, Key};
use super::edge::Edge;
use crate::plan::test::CompiledTest;
use crate::plan::{Leaf, Matcher, Measure, Plan, Point, Scope};
use crate::segment::EventPattern;
use crate::time::Unit;
use chrono_tz::Tz;

/// The facts that an edge passes over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// Events of these names.
    Events(Vec<EventPattern>),
    /// Of the events of these names, the last of each user in each calendar unit.
    LastOf(Vec<EventPattern>, Unit, Tz),
    /// The writes of an attribute.
    Writes(String),
    /// When users were first seen.
    Seen,
}

/// An edge over some facts, and whom it concerns.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    pub(super) source: Source,
    pub(super) edge: Edge,
    pub(super) questions: Vec<Question>,
}

/// A value whose test moves with time: when it turns depends on the value, not on the instant of the fact.
#[derive(Clone, Debug)]
pub(super) enum Turning {
    /// Properties that the filter looks at.
    Filter(Matcher),
    /// The property measured, of events that match.
    Property { matcher: Matcher, of: String, test: CompiledTest },
    /// The values of an attribute.
    Attribute { name: String, test: CompiledTest },
}

/// Everything that can change the answers of a plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Watches {
    /// Whom events of some names concern when they arrive.
    pub(super) events: Vec<(Vec<EventPattern>, Vec<Question>)>,
    /// Whom writes of an attribute concern when they arrive.
    pub(super) attributes: HashMap<String, Vec<Question>>,
    /// Whom the instant concerns at which the user was first seen.
    pub(super) seen: Vec<Question>,
    pub(super) edges: Vec<Watch>,
    pub(super) turning: Vec<(Turning, Question)>,
}

/// Collects watches, those that are alike once.
#[derive(Default)]
struct Collector {
    events: HashMap<Vec<EventPattern>, Vec<Question>>,
    edges: HashMap<(Source, Edge), usize>,
    watches: Watches,
}

impl Watches {
    pub(super) fn of(plan: &Plan) -> Self {
        let mut collector = Collector::default();
        for (question, leaf) in (0..).zip(plan.leaves()) {
            collector.leaf(leaf, question);
        }
        let first = u32::try_from(plan.leaves().len()).unwrap_or(u32::MAX);
        for (question, measure) in (first..).zip(plan.measures()) {
            collector.measure(measure, question);
        }
        collector.watches.events = collector.events.into_iter().collect();
        collector.watches.events.sort_unstable();
        collector.watches
    }
}

impl Collector {
    fn leaf(&mut self, leaf: &Leaf, question: Question) {
        for matcher in leaf.matchers() {
            self.matcher(matcher, question);
        }
        match leaf {
            Leaf::Did(behaviour) => {
                let events = match counts::key_of(leaf) {
                    Some(Key { events, unit: Some((unit, tz)), .. }) => Source::LastOf(events, unit, tz),
                    _ => events_of(&behaviour.matcher),
                };
                self.scope(&behaviour.scope, &events, question);
                if let Some((of, test)) = behaviour.tested().filter(|(_, test)| test.depends_on_time()) {
                    let (matcher, of, test) = (behaviour.matcher.clone(), of.to_owned(), test.clone());
                    self.turning(Turning::Property { matcher, of, test }, question);
                }
            }
            Leaf::Sequence(chain) => {
                for step in &chain.steps {
                    if let Some(matcher) = chain.matchers.get(step.matcher as usize) {
                        self.scope(&chain.scope, &events_of(matcher), question);
                    }
                }
                let last = chain.steps.last().and_then(|step| chain.matchers.get(step.matcher as usize));
                if let (Some((_, span)), Some(last)) = (chain.then_not, last) {
                    self.edge(events_of(last), Edge::Deadline(span), question);
                }
            }
            Leaf::Attribute(test) => {
                self.attribute(&test.name, question);
                if let Some(span) = test.held {
                    self.edge(Source::Writes(test.name.clone()), Edge::Held(span), question);
                }
                if test.compiled().depends_on_time() {
                    let (name, test) = (test.name.clone(), test.compiled().clone());
                    self.turning(Turning::Attribute { name, test }, question);
                }
            }
            Leaf::Changed(change) => {
                self.attribute(&change.name, question);
                self.scope(&change.scope, &Source::Writes(change.name.clone()), question);
            }
            Leaf::Seen(window) => {
                self.seen(question);
                for edge in Edge::of_window(Some(window)) {
                    self.edge(Source::Seen, edge, question);
                }
            }
            // Decided when the user arrives, or is merged.
            Leaf::List(_) | Leaf::Sample(_) => {}
        }
    }

    fn measure(&mut self, measure: &Measure, question: Question) {
        self.matcher(&measure.matcher, question);
        self.scope(&measure.scope, &events_of(&measure.matcher), question);
    }

    /// A window over some facts.
    fn scope(&mut self, scope: &Scope, over: &Source, question: Question) {
        for edge in Edge::of_window(scope.window()) {
            self.edge(over.clone(), edge, question);
        }
        match scope.anchor() {
            None => {}
            Some(Point::Seen) => self.seen(question),
            Some(Point::Attribute(name)) => self.attribute(name, question),
            Some(Point::First(matcher) | Point::Latest(matcher)) => self.matcher(matcher, question),
        }
    }

    fn matcher(&mut self, matcher: &Matcher, question: Question) {
        add(self.events.entry(matcher.events().to_vec()).or_default(), question);
        if matcher.depends_on_time() {
            self.turning(Turning::Filter(matcher.clone()), question);
        }
    }

    fn attribute(&mut self, name: &str, question: Question) {
        add(self.watches.attributes.entry(name.to_owned()).or_default(), question);
    }

    fn seen(&mut self, question: Question) {
        add(&mut self.watches.seen, question);
    }

    fn edge(&mut self, source: Source, edge: Edge, question: Question) {
        let edges = &mut self.watches.edges;
        let place = *self.edges.entry((source, edge)).or_insert_with_key(|(source, edge)| {
            edges.push(Watch { source: source.clone(), edge: edge.clone(), questions: Vec::new() });
            edges.len() - 1
        });
        if let Some(watch) = edges.get_mut(place) {
            add(&mut watch.questions, question);
        }
    }

    fn turning(&mut self, turning: Turning, question: Question) {
        self.watches.turning.push((turning, question));
    }
}

fn events_of(matcher: &Matcher) -> Source {
    Source::Events(matcher.events().to_vec())
}

/// Adds a question that is not older than those that are there.
fn add(questions: &mut Vec<Question>, question: Question) {
    if questions.last() != Some(&question) {
        questions.push(question);
    }
}
