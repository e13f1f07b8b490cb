//! A user's first or most recent event of a kind.

use chrono_tz::Tz;

use super::windows::{Calendar, Ever, Given, Windowed, around_methods, window_methods};
use crate::segment::{Did, EventMatch, Measure, Segment};
use crate::window::{Anchor, Window};

/// A user's first or most recent event of a kind: an anchor, or with a window a segment.
///
/// Starts with [`first`](super::Behavior::first) or [`latest`](super::Behavior::latest).
#[derive(Clone, Debug)]
#[must_use]
pub struct Occurrence<W = Ever> {
    events: EventMatch,
    which: Which,
    window: W,
}

/// Which one of a user's events.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    First,
    Latest,
}

impl Occurrence<Ever> {
    pub(super) fn of(events: EventMatch, which: Which) -> Self {
        Self { events, which, window: Ever }
    }

    fn placed<V: From<Window>>(self, window: Window) -> Occurrence<V> {
        Occurrence { events: self.events, which: self.which, window: window.into() }
    }
}

window_methods!([] Occurrence<Ever> => Occurrence<Windowed>, Occurrence<Calendar>);
around_methods!([] Occurrence<Ever> => Occurrence<Windowed>);

impl Occurrence<Calendar> {
    /// The zone whose days, weeks and months count (UTC where none is named).
    pub fn in_zone(self, tz: Tz) -> Occurrence<Windowed> {
        Occurrence { events: self.events, which: self.which, window: self.window.in_zone(tz) }
    }
}

impl From<Occurrence<Ever>> for Anchor {
    fn from(occurrence: Occurrence<Ever>) -> Self {
        match occurrence.which {
            Which::First => Self::First(Box::new(occurrence.events)),
            Which::Latest => Self::Latest(Box::new(occurrence.events)),
        }
    }
}

impl<W: Given> From<Occurrence<W>> for Segment {
    fn from(occurrence: Occurrence<W>) -> Self {
        let window = occurrence.window.given();
        let measure = match occurrence.which {
            Which::First => Measure::First(window),
            Which::Latest => Measure::Latest(window),
        };
        Self::Did(Did { events: occurrence.events, window: None, measure, same: None })
    }
}
