//! Which events a question is about, and in which stretch of time.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::bounds::Bounds;
use super::filter::{BoundFilter, CompiledFilter};
use crate::segment::{EventMatch, EventPattern, Filter};
use crate::window::{Anchor, Window};

/// Events of (one of) some names that pass a filter, ready to be matched.
#[derive(Clone, Debug)]
pub struct Matcher {
    /// Distinct, sorted, none covered by another; never empty in a valid segment.
    events: Vec<EventPattern>,
    filter: Option<Filter>,
    /// `None` where there is no filter.
    compiled: Option<Arc<CompiledFilter>>,
}

/// Matchers are equal when what was written is.
impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.events == other.events && self.filter == other.filter
    }
}

impl Eq for Matcher {}

impl Hash for Matcher {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.events.hash(state);
        self.filter.hash(state);
    }
}

impl Matcher {
    pub(crate) fn new(written: &EventMatch) -> Result<Self, regex::Error> {
        let filter = written.filter.clone().filter(|filter| *filter != Filter::All(Vec::new()));
        let compiled = filter.as_ref().map(CompiledFilter::new).transpose()?.map(Arc::new);
        Ok(Self { events: distinct(&written.events), filter, compiled })
    }

    /// The names, as patterns of which none covers another.
    pub fn events(&self) -> &[EventPattern] {
        &self.events
    }

    /// What the properties must pass.
    pub fn filter(&self) -> Option<&Filter> {
        self.filter.as_ref()
    }

    /// The filter, ready to run.
    pub(crate) fn compiled(&self) -> Option<&CompiledFilter> {
        self.compiled.as_deref()
    }

    /// Whether an event that matches at one `T` may not match at another.
    pub(crate) fn depends_on_time(&self) -> bool {
        self.compiled().is_some_and(CompiledFilter::depends_on_time)
    }

    /// The properties that the filter looks at.
    pub(crate) fn properties(&self) -> impl Iterator<Item = &str> {
        self.compiled.iter().flat_map(|filter| filter.names()).map(String::as_str)
    }

    /// The filter at `T`; `None`: every event of the names passes.
    pub(crate) fn filter_at(&self, t: i64) -> Option<BoundFilter<'_>> {
        self.compiled.as_ref().map(|filter| filter.at(t))
    }

    /// Whether it is about events of that name.
    pub fn names(&self, event: &str) -> bool {
        self.events.iter().any(|pattern| pattern.matches(event))
    }
}

/// The patterns without those that another one covers, sorted.
fn distinct(patterns: &[EventPattern]) -> Vec<EventPattern> {
    let covers = |one: &EventPattern, other: &EventPattern| match (one, other) {
        (EventPattern::Prefix(_), EventPattern::Name(name)) => one.matches(name),
        (EventPattern::Prefix(short), EventPattern::Prefix(long)) => {
            short.len() < long.len() && long.starts_with(short.as_str())
        }
        (EventPattern::Name(_), _) => false,
    };
    let covered = |pattern: &&EventPattern| patterns.iter().any(|other| covers(other, pattern));
    let mut kept: Vec<_> = patterns.iter().filter(|pattern| !covered(pattern)).cloned().collect();
    kept.sort_unstable();
    kept.dedup();
    kept
}

/// The distinct matchers of one question, which refers to them by their index.
#[derive(Debug, Default)]
pub(crate) struct Matchers(Vec<Matcher>);

impl Matchers {
    pub(crate) fn add(&mut self, written: &EventMatch) -> Result<u32, regex::Error> {
        let matcher = Matcher::new(written)?;
        let known = self.0.iter().position(|have| *have == matcher);
        let index = known.unwrap_or_else(|| {
            self.0.push(matcher);
            self.0.len() - 1
        });
        Ok(u32::try_from(index).unwrap_or(u32::MAX))
    }

    pub(crate) fn into_vec(self) -> Vec<Matcher> {
        self.0
    }
}

/// A user's own instant, ready to be found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Point {
    /// When the user was first seen.
    Seen,
    /// The value of an attribute at `T`, an instant.
    Attribute(String),
    /// The first such event ever, up to `T`.
    First(Matcher),
    /// The most recent such event ever, up to `T`.
    Latest(Matcher),
}

/// The window of a question, with the instant it lies around where it does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    window: Option<Window>,
    /// Is there exactly where the window is `around`.
    anchor: Option<Point>,
}

impl Scope {
    pub(crate) fn new(window: Option<&Window>) -> Result<Self, regex::Error> {
        let anchor = match window {
            Some(Window::Around { of, .. }) => Some(match of {
                Anchor::Seen => Point::Seen,
                Anchor::Attribute(name) => Point::Attribute(name.clone()),
                Anchor::First(events) => Point::First(Matcher::new(events)?),
                Anchor::Latest(events) => Point::Latest(Matcher::new(events)?),
            }),
            _ => None,
        };
        Ok(Self { window: window.cloned(), anchor })
    }

    /// The window as written; `None`: ever.
    pub fn window(&self) -> Option<&Window> {
        self.window.as_ref()
    }

    /// The user's own instant that the window lies around.
    pub fn anchor(&self) -> Option<&Point> {
        self.anchor.as_ref()
    }

    pub(crate) fn at(&self, t: i64) -> ScopeAt<'_> {
        ScopeAt { scope: self, t, fixed: Bounds::of_facts(self.window.as_ref(), t, None) }
    }
}

/// A [`Scope`] at one `T`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScopeAt<'p> {
    scope: &'p Scope,
    t: i64,
    /// The bounds where the window is not around an anchor.
    fixed: Bounds,
}

impl ScopeAt<'_> {
    /// The instants that count for a user of that anchor; `None` where it lacks the one the window lies around.
    pub(crate) fn bounds(&self, anchor: Option<i64>) -> Option<Bounds> {
        match self.scope.anchor {
            None => Some(self.fixed),
            Some(_) => Some(Bounds::of_facts(self.scope.window.as_ref(), self.t, Some(anchor?))),
        }
    }

    /// The same; none where it lacks that.
    pub(crate) fn reach_of(&self, anchor: Option<i64>) -> Bounds {
        self.bounds(anchor).unwrap_or(Bounds::NONE)
    }

    /// The instants that can count for some user.
    pub(crate) fn reach(&self) -> Bounds {
        match self.scope.anchor {
            None => self.fixed,
            Some(_) => Bounds { lo: i64::MIN, hi: self.t },
        }
    }
}
