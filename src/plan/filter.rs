//! Filters on properties, ready to run over anything that can look up a property.

use crate::plan::moving::{Moving, Resolved, resolve};
use crate::plan::test::TestBody;
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

    /// Whether properties pass at `T`.
    #[cfg(test)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::{Comparison, Test};
    use crate::time::{Timestamp, days};
    use crate::window::Window;

    fn property(name: &str, comparison: Comparison) -> Filter {
        Filter::Property { name: name.into(), test: Test { comparison, ignore_case: false } }
    }

    fn order() -> Vec<(String, Value)> {
        let at = Timestamp::from_millis(1_000);
        vec![("amount".into(), 9.5.into()), ("due".into(), at.into()), ("tags".into(), vec!["a", "b"].into())]
    }

    #[test]
    fn filters_combine() {
        let passes = |filter: Filter| CompiledFilter::new(&filter).unwrap().passes(order().as_slice(), 0);
        let cheap = || property("amount", Comparison::Lt(10.into()));
        let absent = || property("coupon", Comparison::Exists(true));
        assert!(passes(cheap()) && !passes(absent()));
        assert!(passes(Filter::All(vec![])) && !passes(Filter::Any(vec![])));
        assert!(
            passes(Filter::Any(vec![absent(), cheap()])) && !passes(Filter::All(vec![cheap(), absent()]))
        );
        assert!(passes(Filter::Not(Box::new(absent()))));
        assert!(passes(property("tags", Comparison::Eq("b".into()))));
    }

    #[test]
    fn properties_are_asked_for_by_name_or_place() {
        let filter = Filter::All(vec![
            property("amount", Comparison::Gt(9.into())),
            property("tags", Comparison::Exists(true)),
            property("amount", Comparison::Lt(10.into())),
        ]);
        let filter = CompiledFilter::new(&filter).unwrap();
        assert_eq!(filter.names(), ["amount", "tags"]);
        let order = order();
        let columns = [order[0].1.clone(), order[2].1.clone()];
        assert!(filter.at(0).passes_by(|place| columns.get(place).map(Into::into)));
        assert!(filter.at(0).passes(order.as_slice()) && !filter.depends_on_time());
        assert_eq!(filter.next_change(order.as_slice(), 0), None);
    }

    #[test]
    fn the_soonest_change_counts() {
        let filter = Filter::Any(vec![
            property("due", Comparison::Within(Window::Before(days(1)))),
            Filter::Not(Box::new(property("due", Comparison::Within(Window::Last(days(2)))))),
        ]);
        let filter = CompiledFilter::new(&filter).unwrap();
        let order = order();
        assert!(filter.depends_on_time() && filter.passes(order.as_slice(), 999));
        assert_eq!(filter.next_change(order.as_slice(), 0), Some(1_000));
        assert!(!filter.passes(order.as_slice(), 1_000));
        assert_eq!(filter.next_change(order.as_slice(), 1_000), Some(86_401_000));
        assert!(filter.passes(order.as_slice(), 86_401_000));
    }
}
