//! From a fact or an edge to the questions it concerns, and from those to segments.

use std::sync::Arc;

use foldhash::HashMap;

use super::Question;
use super::algebra::Program;
use super::counts::Counts;
use super::dependent::Dependent;
use super::edge::Edge;
use super::marks::Marks;
use super::transition::{Because, Cause};
use super::watch::{Source, Watch, Watches};
use super::words;
use crate::plan::{Node, NodeId, Plan, Term};
use crate::store::Snapshot;

/// The place of a [`Touch`].
pub(super) type TouchId = u32;

/// Everything about a user.
pub(super) const EVERYTHING: TouchId = 0;
/// What depends on the instant at which the user was first seen.
pub(super) const SEEN: TouchId = 1;
/// The user comes into the universe; what that concerns goes without saying.
pub(super) const NEWCOMER: TouchId = 2;

/// Questions that a fact or an edge concerns.
#[derive(Clone, Debug)]
pub(super) struct Touch {
    pub(super) questions: Vec<Question>,
    /// Those of them that no tally decides.
    pub(super) asked: Vec<Question>,
    /// The groups whose tallies decide the others: those without marks, so many, and then those that share marks together.
    pub(super) counted: Vec<u32>,
    unmarked: usize,
    /// The place of each of those marks, and where in `counted` its groups end.
    marked: Vec<(u32, usize)>,
    pub(super) because: Because,
    pub(super) direction: Direction,
    /// The edges that such a fact has still to cross.
    pub(super) edges: Vec<u32>,
    /// What all transitions share that it makes alone: by the condition that changes.
    causes: Vec<(Option<Question>, Arc<Cause>)>,
}

/// What a touch does to the events in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// One more.
    More,
    /// One less.
    Less,
    /// Anything.
    Any,
}

impl Touch {
    /// The groups that have no marks.
    pub(super) fn unmarked(&self) -> &[u32] {
        &self.counted[..self.unmarked]
    }

    /// The places of marks, each with the groups that share it.
    pub(super) fn marked(&self) -> impl Iterator<Item = (u32, &[u32])> {
        let starts = std::iter::once(self.unmarked).chain(self.marked.iter().map(|(_, end)| *end));
        starts.zip(&self.marked).map(|(start, (place, end))| (*place, &self.counted[start..*end]))
    }

    /// Whether a user's row is looked at, as far as can be told: not where the user has acted in the latest unit before, and
    /// all that counts is how many units there are.
    pub(super) fn reads_row(&self, user: u32, marks: &[Marks]) -> bool {
        let is_new = |(place, _): &(u32, usize)| {
            marks.get(*place as usize).is_none_or(|marks| !marks.has_latest(user))
        };
        self.direction != Direction::More
            || self.unmarked > 0
            || !self.asked.is_empty()
            || self.marked.iter().any(is_new)
    }

    fn memory(&self) -> usize {
        let numbers = [&self.questions, &self.asked, &self.counted, &self.edges];
        numbers.map(Vec::capacity).iter().sum::<usize>() * 4
            + self.marked.capacity() * size_of::<(u32, usize)>()
            + self.causes.capacity() * size_of::<(Option<Question>, Arc<Cause>)>()
            + self.causes.len() * (size_of::<Cause>() + 16)
            + size_of::<Self>()
    }
}

/// Routes of one plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Routes {
    /// Those of all edges lie together, from [`Routes::edges_from`] on.
    touches: Vec<Touch>,
    edges_from: TouchId,
    turning_from: TouchId,
    /// Whom an event of a name concerns, and the number that the store has given the name, once that is known.
    by_event: HashMap<String, (TouchId, Option<u32>)>,
    by_attribute: HashMap<String, TouchId>,
    /// The segments that each question can change, in the order of the plan.
    dependents: Vec<Vec<Dependent>>,
    /// Words for each question.
    words: Vec<Arc<str>>,
}

impl Routes {
    pub(super) fn of(plan: &Plan, programs: &[Program], watches: &Watches, counts: &Counts) -> Self {
        let questions = plan.leaves().len() + plan.measures().len();
        let count = u32::try_from(questions).unwrap_or(u32::MAX);
        let mut routes = Self { dependents: vec![Vec::new(); questions], ..Self::default() };
        let everything = routes.add((0..count).collect(), Because::FirstSeen);
        routes.split(everything, counts);
        let of_source = |is: &dyn Fn(&Source) -> bool| -> Vec<u32> {
            (0..).zip(&watches.edges).filter(|(_, watch)| is(&watch.source)).map(|(place, _)| place).collect()
        };
        let seen = routes.add(watches.seen.clone(), Because::FirstSeen);
        routes.touches[seen as usize].edges = of_source(&|source| *source == Source::Seen);
        routes.add(Vec::new(), Because::FirstSeen);
        routes.edges_from = routes.next();
        for watch in &watches.edges {
            let touch = routes.add(watch.questions.clone(), Because::Time(words::edge(watch).into()));
            routes.touches[touch as usize].direction = match (&watch.source, &watch.edge) {
                (Source::Events(_), Edge::Enters(_)) => Direction::More,
                (Source::Events(_) | Source::LastOf(..), Edge::Leaves(_)) => Direction::Less,
                _ => Direction::Any,
            };
            if watch.questions.iter().any(|question| counts.of_leaf(*question).is_some()) {
                routes.split(touch, counts);
            }
        }
        routes.turning_from = routes.next();
        for (turning, question) in &watches.turning {
            routes.add(vec![*question], Because::Time(words::turning(turning).into()));
        }
        for (name, questions) in &watches.attributes {
            let touch = routes.add(questions.clone(), Because::Attribute(name.as_str().into()));
            let of_name = |source: &Source| matches!(source, Source::Writes(of) if of == name);
            routes.touches[touch as usize].edges = of_source(&of_name);
            routes.by_attribute.insert(name.clone(), touch);
        }
        for ((segment, root), program) in (0..).zip(plan.roots()).zip(programs) {
            let mut visited = vec![false; plan.nodes().len()];
            routes.reach((plan, program), root, segment, &mut visited);
        }
        let leaves = plan.leaves().iter().map(words::leaf);
        routes.words = leaves.chain(plan.measures().iter().map(words::measure)).map(Arc::from).collect();
        routes
    }

    fn next(&self) -> TouchId {
        u32::try_from(self.touches.len()).unwrap_or(u32::MAX)
    }

    fn add(&mut self, questions: Vec<Question>, because: Because) -> TouchId {
        self.touches.push(Touch {
            asked: questions.clone(),
            questions,
            counted: Vec::new(),
            unmarked: 0,
            marked: Vec::new(),
            because,
            direction: Direction::Any,
            edges: Vec::new(),
            causes: Vec::new(),
        });
        self.next() - 1
    }

    /// Lets tallies decide what they can of a touch.
    fn split(&mut self, touch: TouchId, counts: &Counts) {
        let Some(touch) = self.touches.get_mut(touch as usize) else { return };
        touch.asked.retain(|question| counts.of_leaf(*question).is_none());
        touch.counted = touch.questions.iter().filter_map(|question| counts.of_leaf(*question)).collect();
        // What marks tell of an event, they tell once: groups that share some follow each other.
        let marks = |group: u32| counts.groups().get(group as usize).and_then(|group| group.marks);
        touch.counted.sort_unstable_by_key(|group| (marks(*group), *group));
        touch.counted.dedup();
        touch.unmarked = touch.counted.partition_point(|group| marks(*group).is_none());
        let mut end = touch.unmarked;
        for same in touch.counted[end..].chunk_by(|a, b| marks(*a) == marks(*b)) {
            end += same.len();
            touch.marked.extend(same.first().and_then(|group| Some((marks(*group)?, end))));
        }
    }

    /// Lets the questions below a node lead to a segment.
    fn reach(
        &mut self,
        (plan, program): (&Plan, &Program),
        node: NodeId,
        segment: u32,
        visited: &mut [bool],
    ) {
        if std::mem::replace(&mut visited[node], true) {
            return;
        }
        let mut lead = |question: usize| {
            let dependents = &mut self.dependents[question];
            if dependents.last().is_none_or(|last| last.segment != segment) {
                dependents.push(program.dependent(segment, u32::try_from(question).unwrap_or(u32::MAX)));
            }
        };
        match &plan.nodes()[node] {
            Node::Leaf(leaf) => lead(*leaf),
            Node::Score(terms, _) => {
                for term in terms {
                    if let Term::Per(_, measure) = term {
                        lead(plan.leaves().len() + measure);
                    }
                }
            }
            _ => {}
        }
        let children = plan.nodes()[node].children();
        children.for_each(|child| self.reach((plan, program), child, segment, visited));
    }

    pub(super) fn touch(&self, id: TouchId) -> &Touch {
        &self.touches[id as usize]
    }

    pub(super) fn edge(&self, place: usize) -> TouchId {
        self.edges_from + u32::try_from(place).unwrap_or(u32::MAX)
    }

    pub(super) fn turning(&self, place: usize) -> TouchId {
        self.turning_from + u32::try_from(place).unwrap_or(u32::MAX)
    }

    /// Whom an event of a name concerns, and the number that the store has given the name: where both are known.
    pub(super) fn known(&mut self, store: &Snapshot, name: &str) -> Option<(TouchId, u32)> {
        let (touch, number) = self.by_event.get_mut(name)?;
        *number = number.or_else(|| store.number_of_event(name));
        Some((*touch, (*number)?))
    }

    /// Whom an event of a name concerns.
    pub(super) fn event(&mut self, (watches, counts): (&Watches, &Counts), name: &str) -> TouchId {
        match self.by_event.get(name) {
            Some((touch, _)) => *touch,
            None => {
                let touch = self.new_event(watches, counts, name);
                self.by_event.insert(name.to_owned(), (touch, None));
                touch
            }
        }
    }

    fn new_event(&mut self, watches: &Watches, counts: &Counts, name: &str) -> TouchId {
        let of_name = watches.events.iter().filter(|(events, _)| events.iter().any(|e| e.matches(name)));
        let mut questions: Vec<Question> = of_name.flat_map(|(_, questions)| questions).copied().collect();
        questions.sort_unstable();
        questions.dedup();
        let touch = self.add(questions, Because::Event(name.into()));
        self.split(touch, counts);
        let of_name = |watch: &Watch| match &watch.source {
            Source::Events(events) | Source::LastOf(events, ..) => {
                events.iter().any(|event| event.matches(name))
            }
            _ => false,
        };
        let edges = (0..).zip(&watches.edges).filter(|(_, watch)| of_name(watch)).map(|(place, _)| place);
        if let Some(touch) = self.touches.get_mut(touch as usize) {
            (touch.direction, touch.edges) = (Direction::More, edges.collect());
        }
        touch
    }

    /// Whom a write of an attribute concerns; `None`: no one.
    pub(super) fn attribute(&self, name: &str) -> Option<TouchId> {
        self.by_attribute.get(name).copied()
    }

    /// The segments that a question can change.
    pub(super) fn dependents(&self, question: Question) -> &[Dependent] {
        self.dependents.get(question as usize).map_or(&[], Vec::as_slice)
    }

    /// Whether a question can change a segment.
    pub(super) fn concerns(&self, question: Question, segment: u32) -> bool {
        self.dependents(question).binary_search_by_key(&segment, |dependent| dependent.segment).is_ok()
    }

    pub(super) fn words(&self, question: Question) -> Option<Arc<str>> {
        self.words.get(question as usize).cloned()
    }

    /// What is said of a change that one touch made.
    pub(super) fn cause(&mut self, touch: TouchId, condition: Option<Question>) -> Arc<Cause> {
        let Self { touches, words, .. } = self;
        let Touch { causes, because, .. } = &mut touches[touch as usize];
        let place = causes.binary_search_by_key(&condition, |(of, _)| *of).unwrap_or_else(|place| {
            let words = condition.and_then(|question| words.get(question as usize).cloned());
            causes.insert(place, (condition, Arc::new(Cause { condition: words, because: because.clone() })));
            place
        });
        Arc::clone(&causes[place].1)
    }

    pub(super) fn memory(&self) -> usize {
        let touches: usize = self.touches.iter().map(Touch::memory).sum();
        let dependents: usize =
            self.dependents.iter().map(|of| of.capacity() * size_of::<Dependent>() + 24).sum();
        let names: usize =
            self.by_event.keys().map(|name| name.capacity() + size_of::<(String, TouchId, u32)>()).sum();
        touches + dependents + names + self.words.iter().map(|w| w.len() + 32).sum::<usize>()
    }
}

impl Source {
    /// In words, as part of a sentence.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Events(events) | Self::LastOf(events, ..) => {
                events.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
            }
            Self::Writes(name) => format!("a write of {name}"),
            Self::Seen => "the user's first instant".to_owned(),
        }
    }
}
