//! Attributes: their value at an instant, how long it has passed a test, and how it changed.

use std::hash::{Hash, Hasher};

use super::bounds::{Bounds, minus};
use super::facts::{StoredWrite, UserFacts};
use super::matcher::{Scope, ScopeAt};
use super::test::{BoundTest, CompiledTest};
use super::value_ref::ValueRef;
use crate::segment::{self, Attribute, Changed};
use crate::time::Span;
use crate::value::Scalar;

/// A test on the value of an attribute, ready to be asked.
#[derive(Clone, Debug)]
pub struct AttributeTest {
    pub(crate) name: String,
    pub(crate) test: segment::Test,
    compiled: CompiledTest,
    /// Throughout the last such span.
    pub(crate) held: Option<Span>,
}

/// Tests are equal when what was written is.
impl PartialEq for AttributeTest {
    fn eq(&self, other: &Self) -> bool {
        self.written() == other.written()
    }
}

impl Eq for AttributeTest {}

impl Hash for AttributeTest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.written().hash(state);
    }
}

/// The value at an instant; `None` before the first write and after a removal.
pub(crate) fn value_at<'a>(writes: &[StoredWrite<'a>], t: i64) -> Option<ValueRef<'a>> {
    until(writes, t).last().and_then(|write| write.value)
}

/// The writes up to an instant.
fn until<'w, 'a>(writes: &'w [StoredWrite<'a>], t: i64) -> &'w [StoredWrite<'a>] {
    let end = writes.partition_point(|write| write.at.millis() <= t);
    writes.get(..end).unwrap_or_default()
}

/// Of the writes of one instant the last to arrive.
fn settled<'w, 'a>(writes: &'w [StoredWrite<'a>]) -> impl DoubleEndedIterator<Item = &'w StoredWrite<'a>> {
    writes.chunk_by(|a, b| a.at == b.at).filter_map(<[_]>::last)
}

impl AttributeTest {
    pub(crate) fn new(written: &Attribute) -> Result<Self, regex::Error> {
        Ok(Self {
            name: written.name.clone(),
            test: written.test.clone(),
            compiled: CompiledTest::new(&written.test)?,
            held: written.held,
        })
    }

    fn written(&self) -> (&String, &segment::Test, &Option<Span>) {
        (&self.name, &self.test, &self.held)
    }

    /// The attribute.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its value must pass.
    pub fn test(&self) -> &segment::Test {
        &self.test
    }

    /// For how long it must have passed.
    pub fn held(&self) -> Option<Span> {
        self.held
    }

    /// The test, ready to run.
    pub(crate) fn compiled(&self) -> &CompiledTest {
        &self.compiled
    }

    pub(crate) fn at(&self, t: i64) -> AttributeTestAt<'_> {
        AttributeTestAt { test: self.compiled.at(t), t, since: self.held.map(|span| minus(t, span)) }
    }
}

/// An [`AttributeTest`] at one `T`.
#[derive(Clone, Debug)]
pub(crate) struct AttributeTestAt<'p> {
    test: BoundTest<'p>,
    t: i64,
    /// The instant from which on it must have passed.
    since: Option<i64>,
}

impl AttributeTestAt<'_> {
    /// The first instant at which the value matters.
    pub(crate) fn value_since(&self) -> i64 {
        self.since.unwrap_or(self.t)
    }

    pub(crate) fn holds(&self, facts: &UserFacts<'_>) -> bool {
        let writes = until(facts.writes, self.t);
        let Some(since) = self.since else { return self.test.passes(value_at(writes, self.t)) };
        let before = until(writes, since);
        let later = writes.get(before.len()..).unwrap_or_default();
        // The latest first: a user may have very many, and is mostly decided by those.
        settled(later).rev().all(|write| self.test.passes(write.value))
            && self.test.passes(value_at(before, since))
    }
}

/// A change of an attribute, ready to be asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    pub(crate) name: String,
    pub(crate) from: Option<Scalar>,
    pub(crate) to: Option<Scalar>,
    pub(crate) scope: Scope,
}

impl Change {
    pub(crate) fn new(written: &Changed) -> Result<Self, regex::Error> {
        Ok(Self {
            name: written.name.clone(),
            from: written.from.clone(),
            to: written.to.clone(),
            scope: Scope::new(written.window.as_ref())?,
        })
    }

    /// The attribute.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value before; `None`: anything, or nothing.
    pub fn from(&self) -> Option<&Scalar> {
        self.from.as_ref()
    }

    /// The value after; `None`: anything, or removed.
    pub fn to(&self) -> Option<&Scalar> {
        self.to.as_ref()
    }

    /// When.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    pub(crate) fn at(&self, t: i64) -> ChangeAt<'_> {
        ChangeAt { change: self, scope: self.scope.at(t) }
    }
}

/// A [`Change`] at one `T`.
#[derive(Clone, Debug)]
pub(crate) struct ChangeAt<'p> {
    change: &'p Change,
    scope: ScopeAt<'p>,
}

impl ChangeAt<'_> {
    /// The first instant at which the value can matter for some user: just before the window.
    pub(crate) fn value_since(&self) -> i64 {
        self.scope.reach().lo.saturating_sub(1)
    }

    pub(crate) fn holds(&self, facts: &UserFacts<'_>) -> bool {
        let Some(bounds) = self.scope.bounds(facts.anchor) else { return false };
        // The latest first: a user may have very many.
        let mut earlier = settled(until(facts.writes, bounds.hi)).rev().peekable();
        while let Some(write) = earlier.next().filter(|write| write.at.millis() >= bounds.lo) {
            let from = earlier.peek().and_then(|before| before.value);
            if self.is_asked_for(bounds, write, from, write.value) {
                return true;
            }
        }
        false
    }

    fn is_asked_for(
        &self,
        bounds: Bounds,
        write: &StoredWrite<'_>,
        from: Option<ValueRef<'_>>,
        to: Option<ValueRef<'_>>,
    ) -> bool {
        let is = |asked: &Option<Scalar>, value: Option<ValueRef<'_>>| {
            asked.as_ref().is_none_or(|asked| value.is_some_and(|value| value == asked.into()))
        };
        bounds.contains(write.at.millis())
            && from != to
            && is(&self.change.from, from)
            && is(&self.change.to, to)
    }
}
