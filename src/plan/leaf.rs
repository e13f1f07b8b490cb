//! Leaves: the few kinds of question that something must answer for each user.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::bounds::Bounds;
use super::chain::Chain;
use super::facts::UserFacts;
use super::history::{AttributeTest, AttributeTestAt, Change, ChangeAt};
use super::matcher::{Matcher, Point, Scope, ScopeAt};
use super::measure::{Behaviour, BehaviourAt, Measure};
use super::sample::CompiledSample;
use crate::segment::Sample;
use crate::time::Timestamp;
use crate::window::Window;

/// A question that a store answers with a set of users. What a plan asks is algebra over these.
///
/// Leaves are in normal form: what is the complement of another question, or follows from some others, is not
/// a leaf. They are equal when what they ask is written alike, whatever it was compiled to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // a plan has few of them, in one list
pub enum Leaf {
    /// A behaviour holds.
    Did(Behaviour),
    /// A sequence happened.
    Sequence(Chain),
    /// The value of an attribute passes a test.
    Attribute(AttributeTest),
    /// An attribute changed.
    Changed(Change),
    /// The user was first seen in the window, which is not `around` anything.
    Seen(Window),
    /// One of the user's ids is on the list.
    List(List),
    /// The user's id falls into the share.
    Sample(Share),
}

/// A static list: external ids, looked up when asked.
#[derive(Clone, Debug)]
pub struct List {
    pub(crate) name: String,
    pub(crate) ids: Arc<[String]>,
}

/// Lists are equal when their names are: a plan is made from one catalog.
impl PartialEq for List {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for List {}

impl Hash for List {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl List {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The external ids on it.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }
}

/// A deterministic share of all users, ready to be asked.
#[derive(Clone, Debug)]
pub struct Share {
    pub(crate) written: Sample,
    compiled: CompiledSample,
}

/// Shares are equal when what was written is.
impl PartialEq for Share {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Share {}

impl Hash for Share {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.written.hash(state);
    }
}

impl Share {
    pub(crate) fn new(written: &Sample) -> Self {
        Self { written: written.clone(), compiled: CompiledSample::new(written) }
    }

    /// As written.
    pub fn sample(&self) -> &Sample {
        &self.written
    }

    /// Whether the user of an external id is in the share.
    pub fn contains(&self, id: &str) -> bool {
        self.compiled.contains(id)
    }
}

impl Leaf {
    /// Which events it is about; a [`Hit`](super::Hit) names one of these by its index.
    pub fn matchers(&self) -> &[Matcher] {
        match self {
            Self::Did(behaviour) => std::slice::from_ref(&behaviour.matcher),
            Self::Sequence(chain) => &chain.matchers,
            _ => &[],
        }
    }

    /// The property whose value it measures or tests.
    pub fn of(&self) -> Option<&str> {
        match self {
            Self::Did(behaviour) => behaviour.of(),
            _ => None,
        }
    }

    /// The property whose values take the events apart.
    pub fn same(&self) -> Option<&str> {
        match self {
            Self::Did(behaviour) => behaviour.same.as_deref(),
            Self::Sequence(chain) => chain.same.as_deref(),
            _ => None,
        }
    }

    /// The attribute whose history it is about.
    pub fn attribute(&self) -> Option<&str> {
        match self {
            Self::Attribute(test) => Some(&test.name),
            Self::Changed(change) => Some(&change.name),
            _ => None,
        }
    }

    /// The user's own instant that its window lies around.
    pub fn anchor(&self) -> Option<&Point> {
        self.scope()?.anchor()
    }

    fn scope(&self) -> Option<&Scope> {
        match self {
            Self::Did(behaviour) => Some(&behaviour.scope),
            Self::Sequence(chain) => Some(&chain.scope),
            Self::Changed(change) => Some(&change.scope),
            _ => None,
        }
    }

    /// The question at `T`, for any number of users.
    pub(crate) fn at(&self, t: Timestamp) -> LeafAt<'_> {
        let t = t.millis();
        match self {
            Self::Did(behaviour) => LeafAt::Did(behaviour.at(t)),
            Self::Sequence(chain) => LeafAt::Sequence(chain, chain.scope.at(t), t),
            Self::Attribute(test) => LeafAt::Attribute(test.at(t)),
            Self::Changed(change) => LeafAt::Changed(change.at(t)),
            Self::Seen(window) => LeafAt::Seen(Bounds::of_facts(Some(window), t, None)),
            Self::List(_) | Self::Sample(_) => LeafAt::ById,
        }
    }

    /// Whether it holds at `T` for a user of these facts.
    #[cfg(test)]
    pub(crate) fn holds(&self, facts: &UserFacts<'_>, t: Timestamp) -> bool {
        self.at(t).holds(facts)
    }
}

/// A [`Leaf`] at one `T`.
#[derive(Clone, Debug)]
pub(crate) enum LeafAt<'p> {
    Did(BehaviourAt<'p>),
    Sequence(&'p Chain, ScopeAt<'p>, i64),
    Attribute(AttributeTestAt<'p>),
    Changed(ChangeAt<'p>),
    Seen(Bounds),
    /// A list or a sample, which facts do not decide.
    ById,
}

impl LeafAt<'_> {
    /// The instants of events that can matter for some user.
    pub(crate) fn reach(&self) -> Bounds {
        match self {
            Self::Did(behaviour) => behaviour.reach(),
            Self::Sequence(chain, scope, t) => chain.looks_at(scope.reach(), *t),
            _ => Bounds::NONE,
        }
    }

    /// The instants of events that can matter for a user of that anchor.
    pub(crate) fn reach_of(&self, anchor: Option<i64>) -> Bounds {
        match self {
            Self::Did(behaviour) => behaviour.reach_of(anchor),
            Self::Sequence(chain, scope, t) => chain.looks_at(scope.reach_of(anchor), *t),
            _ => Bounds::NONE,
        }
    }

    /// The first instant at which the value of an attribute can matter for some user.
    pub(crate) fn value_since(&self) -> i64 {
        match self {
            Self::Attribute(test) => test.value_since(),
            Self::Changed(change) => change.value_since(),
            _ => i64::MAX,
        }
    }

    /// Whether it holds for a user of these facts.
    pub(crate) fn holds(&self, facts: &UserFacts<'_>) -> bool {
        match self {
            Self::Did(behaviour) => behaviour.holds(facts),
            Self::Sequence(chain, scope, t) => {
                scope.bounds(facts.anchor).is_some_and(|bounds| chain.holds(facts.hits, bounds, *t))
            }
            Self::Attribute(test) => test.holds(facts),
            Self::Changed(change) => change.holds(facts),
            Self::Seen(bounds) => facts.seen.is_some_and(|seen| bounds.contains(seen)),
            Self::ById => false,
        }
    }
}

impl Measure {
    /// The user's own instant that its window lies around.
    pub fn anchor(&self) -> Option<&Point> {
        self.scope.anchor()
    }
}
