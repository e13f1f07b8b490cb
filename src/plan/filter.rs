//! Filters on properties, ready to run over anything that can look up a property.

use crate::plan::test::{Moving, Resolved, TestBody, resolve};
use crate::plan::value_ref::ValueRef;
use crate::segment::Filter;
use crate::value::{Record, Value};

/// What has properties: an event, or a record with its fields.
///
/// A list of pairs has them, and so may whatever a store keeps events in.
pub trait Properties {
    /// The property of that name; `None` where it is missing.
    fn get(&self, name: &str) -> Option<ValueRef<'_>>;
}

impl Properties for Record {
    fn get(&self, name: &str) -> Option<ValueRef<'_>> {
        Record::get(self, name).map(Into::into)
    }
}

impl Properties for Vec<(String, Value)> {
    fn get(&self, name: &str) -> Option<ValueRef<'_>> {
        Properties::get(self.as_slice(), name)
    }
}

impl Properties for [(String, Value)] {
    fn get(&self, name: &str) -> Option<ValueRef<'_>> {
        self.iter().find(|(have, _)| have == name).map(|(_, value)| value.into())
    }
}

/// A [`Filter`] ready to be resolved at any `T`.
#[derive(Clone, Debug)]
pub(crate) struct CompiledFilter {
    body: FilterBody,
    moving: Vec<Moving>,
}

/// A filter at one `T`.
#[derive(Clone, Debug)]
pub(crate) struct BoundFilter<'a> {
    body: &'a FilterBody,
    resolved: Resolved,
}

impl CompiledFilter {
    /// Prepares a filter.
    ///
    /// # Errors
    /// A bad regular expression, which validation refuses before.
    pub(crate) fn new(filter: &Filter) -> Result<Self, regex::Error> {
        let mut moving = Vec::new();
        Ok(Self { body: FilterBody::new(filter, &mut moving)?, moving })
    }

    /// The properties it looks at, each once; [`BoundFilter::passes_by`] asks for them by their place here.
    pub(crate) fn names(&self) -> &[String] {
        &self.body.names
    }

    /// The filter at `T`.
    pub(crate) fn at(&self, t: i64) -> BoundFilter<'_> {
        BoundFilter { body: &self.body, resolved: resolve(&self.moving, t) }
    }

    /// Whether properties pass at `T`; for many events ask [`Self::at`] once.
    pub(crate) fn passes<P: Properties + ?Sized>(&self, properties: &P, t: i64) -> bool {
        self.at(t).passes(properties)
    }

    /// Whether the outcome depends on `T`.
    pub(crate) fn depends_on_time(&self) -> bool {
        !self.moving.is_empty()
    }

    /// The next `T` after `t` at which the outcome may be another: never later than it is, but perhaps
    /// earlier. `None`: at no later `T`.
    pub(crate) fn next_change<P: Properties + ?Sized>(&self, properties: &P, t: i64) -> Option<i64> {
        self.body.next_change(&self.moving, &|place| properties.get(self.body.names.get(place)?), t)
    }
}

impl BoundFilter<'_> {
    /// Whether properties pass.
    pub(crate) fn passes<P: Properties + ?Sized>(&self, properties: &P) -> bool {
        self.passes_by(|place| properties.get(self.body.names.get(place)?))
    }

    /// The same, with properties asked for by their place in [`CompiledFilter::names`].
    pub(crate) fn passes_by<'v>(&self, get: impl Fn(usize) -> Option<ValueRef<'v>>) -> bool {
        self.body.passes(&self.resolved, &get)
    }
}

/// A filter whose moving parts are kept elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct FilterBody {
    names: Vec<String>,
    node: Node,
}

#[derive(Clone, Debug)]
enum Node {
    /// The place of the name, and the test.
    Property(usize, TestBody),
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
}

/// Looks up the fields of a record by their place in a filter's names.
pub(crate) fn fields_of<'v>(
    filter: &FilterBody,
    record: &'v Record,
) -> impl Fn(usize) -> Option<ValueRef<'v>> {
    |place| Properties::get(record, filter.names.get(place)?)
}

impl FilterBody {
    pub(crate) fn new(filter: &Filter, moving: &mut Vec<Moving>) -> Result<Self, regex::Error> {
        let mut names = Vec::new();
        let node = Node::new(filter, &mut names, moving)?;
        Ok(Self { names, node })
    }

    pub(crate) fn passes<'v>(
        &self,
        resolved: &Resolved,
        get: &impl Fn(usize) -> Option<ValueRef<'v>>,
    ) -> bool {
        self.node.passes(resolved, get)
    }

    pub(crate) fn next_change<'v>(
        &self,
        moving: &[Moving],
        get: &impl Fn(usize) -> Option<ValueRef<'v>>,
        t: i64,
    ) -> Option<i64> {
        self.node.next_change(moving, get, t)
    }
}

impl Node {
    fn new(filter: &Filter, names: &mut Vec<String>, moving: &mut Vec<Moving>) -> Result<Self, regex::Error> {
        let mut each = |filters: &[Filter]| {
            filters.iter().map(|filter| Self::new(filter, names, moving)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match filter {
            Filter::All(filters) => Self::All(each(filters)?),
            Filter::Any(filters) => Self::Any(each(filters)?),
            Filter::Not(filter) => Self::Not(Box::new(Self::new(filter, names, moving)?)),
            Filter::Property { name, test } => {
                let place = names.iter().position(|have| have == name).unwrap_or_else(|| {
                    names.push(name.clone());
                    names.len() - 1
                });
                Self::Property(place, TestBody::new(test, moving)?)
            }
        })
    }

    fn passes<'v>(&self, resolved: &Resolved, get: &impl Fn(usize) -> Option<ValueRef<'v>>) -> bool {
        match self {
            Self::Property(place, test) => test.passes(resolved, get(*place)),
            Self::All(nodes) => nodes.iter().all(|node| node.passes(resolved, get)),
            Self::Any(nodes) => nodes.iter().any(|node| node.passes(resolved, get)),
            Self::Not(node) => !node.passes(resolved, get),
        }
    }

    fn next_change<'v>(
        &self,
        moving: &[Moving],
        get: &impl Fn(usize) -> Option<ValueRef<'v>>,
        t: i64,
    ) -> Option<i64> {
        match self {
            Self::Property(place, test) => test.next_change(moving, get(*place), t),
            Self::All(nodes) | Self::Any(nodes) => {
                nodes.iter().filter_map(|node| node.next_change(moving, get, t)).min()
            }
            Self::Not(node) => node.next_change(moving, get, t),
        }
    }
}
