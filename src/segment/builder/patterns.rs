//! Which events: names, prefixes, filters.

use super::did::{Behavior, Ungrouped};
use super::measure::Times;
use super::windows::Ever;
use crate::segment::{EventMatch, EventPattern, Filter};

impl From<String> for EventPattern {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl EventMatch {
    /// The same events, of which the properties pass this filter too.
    pub(super) fn filtered(self, filter: Filter) -> Self {
        let filter = match self.filter {
            Some(before) => before & filter,
            None => filter,
        };
        Self { filter: Some(filter), ..self }
    }

    fn named(events: Vec<EventPattern>) -> Self {
        Self { events, filter: None }
    }
}

impl From<EventPattern> for EventMatch {
    fn from(pattern: EventPattern) -> Self {
        Self::named(vec![pattern])
    }
}

impl From<&str> for EventMatch {
    fn from(text: &str) -> Self {
        Self::named(vec![text.into()])
    }
}

impl From<String> for EventMatch {
    fn from(text: String) -> Self {
        Self::named(vec![text.into()])
    }
}

/// Any of these names.
impl<T: Into<EventPattern>, const N: usize> From<[T; N]> for EventMatch {
    fn from(names: [T; N]) -> Self {
        Self::named(names.into_iter().map(Into::into).collect())
    }
}

/// Any of these names.
impl<T: Into<EventPattern>> From<Vec<T>> for EventMatch {
    fn from(names: Vec<T>) -> Self {
        Self::named(names.into_iter().map(Into::into).collect())
    }
}

/// A behaviour of which nothing is said but which events: what steps, anchors and deadlines take.
impl From<Behavior<Times, Ever, Ungrouped>> for EventMatch {
    fn from(behavior: Behavior<Times, Ever, Ungrouped>) -> Self {
        behavior.events
    }
}
