//! Windows: which may stand where, and which bounds are in order.

use super::{Checked, Outline, name, span};
use crate::json::Path;
use crate::segment::SegmentError;
use crate::time::{Span, Timestamp, Unit};
use crate::window::{Anchor, Reach, Window};

/// Where a window stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::segment) enum Place {
    /// Around facts: in an `in` that is not that of `seen`.
    Facts,
    /// In the `in` of `seen`.
    Seen,
    /// In a test on a value.
    Test,
    /// On its own: whatever may stand somewhere.
    Anywhere,
}

impl Place {
    fn looks_ahead(self) -> bool {
        matches!(self, Self::Test | Self::Anywhere)
    }

    fn knows_anchors(self) -> bool {
        matches!(self, Self::Facts | Self::Anywhere)
    }
}

impl Outline {
    pub(in crate::segment) fn window(
        &mut self,
        window: &Window,
        place: Place,
        path: &Path<'_>,
        level: usize,
    ) -> Checked {
        match window {
            Window::Last(of) => span(*of, &path.key("last")),
            Window::Before(of) => span(*of, &path.key("before")),
            Window::Ago { from, to } => spans([*from, *to], "first", &path.key("ago")),
            Window::Fixed { from, to } => fixed(*from, *to, path),
            Window::Calendar { unit, from, to, tz: _ } => {
                calendar(*unit, *from, *to, place, &path.key("calendar"))
            }
            Window::Around { of, before, after } => {
                self.around(of, [*before, *after], place, &path.key("around"), level)
            }
            Window::Next(of) => {
                ahead(place, &path.key("next"))?;
                span(*of, &path.key("next"))
            }
            Window::Ahead { from, to } => {
                ahead(place, &path.key("ahead"))?;
                spans([*from, *to], "second", &path.key("ahead"))
            }
            Window::Beyond(of) => {
                ahead(place, &path.key("beyond"))?;
                span(*of, &path.key("beyond"))
            }
        }
    }

    fn around(
        &mut self,
        of: &Anchor,
        reaches: [Option<Reach>; 2],
        place: Place,
        path: &Path<'_>,
        level: usize,
    ) -> Checked {
        if !place.knows_anchors() {
            let there = if place == Place::Seen { "seen" } else { "a test on a value" };
            return Err(SegmentError::invalid(path, format!("an anchor in {there}"), "a window without one"));
        }
        let anchor = path.key("of");
        match of {
            Anchor::Seen => {}
            Anchor::Attribute(attribute) => name(attribute, &anchor.key("attribute"))?,
            Anchor::First(events) => self.events(events, &anchor.key("first"), level)?,
            Anchor::Latest(events) => self.events(events, &anchor.key("latest"), level)?,
        }
        for (reach, key) in reaches.iter().zip(["before", "after"]) {
            if let Some(Reach::Span(of)) = reach {
                span(*of, &path.key(key))?;
            }
        }
        if reaches == [None, None] {
            return Err(SegmentError::invalid(path, "neither before nor after", "at least one of the two"));
        }
        Ok(())
    }
}

/// What is expected where nothing may look ahead.
const BACK: &str = "one that looks back, as only a test on a value may look ahead";

fn ahead(place: Place, path: &Path<'_>) -> Checked {
    if place.looks_ahead() {
        return Ok(());
    }
    Err(SegmentError::invalid(path, "a window that looks ahead", BACK))
}

/// Two spans, of which the first or the second is the longer.
fn spans([from, to]: [Span; 2], longer: &str, path: &Path<'_>) -> Checked {
    span(from, &path.index(0))?;
    span(to, &path.index(1))?;
    let (long, short) = if longer == "first" { (from, to) } else { (to, from) };
    if long.nominal_millis() > short.nominal_millis() {
        return Ok(());
    }
    let expected = format!("the {longer} to be the longer (a month counts 30 days, a year 365)");
    Err(SegmentError::invalid(path, format!("[\"{from}\",\"{to}\"]"), expected))
}

fn fixed(from: Option<Timestamp>, to: Option<Timestamp>, path: &Path<'_>) -> Checked {
    for (at, key) in [(from, "from"), (to, "to")] {
        if let Some(at) = at {
            instant(at, &path.key(key))?;
        }
    }
    match (from, to) {
        (None, None) => Err(SegmentError::invalid(path, "neither from nor to", "at least one of the two")),
        (Some(from), Some(to)) if from >= to => {
            let given = format!("from {from} to {to}");
            Err(SegmentError::invalid(path, given, "the first instant before the second"))
        }
        _ => Ok(()),
    }
}

/// An instant that facts can have.
pub(super) fn instant(at: Timestamp, path: &Path<'_>) -> Checked {
    if at.in_range() {
        return Ok(());
    }
    let given = format!("the instant {} ms after 1970-01-01T00:00:00Z", at.millis());
    Err(SegmentError::invalid(path, given, "one of the years 1 to 9999"))
}

fn calendar(unit: Unit, from: i64, to: i64, place: Place, path: &Path<'_>) -> Checked {
    if unit == Unit::Hour {
        return Err(SegmentError::invalid(&path.key("unit"), "hour", "day, week, month, quarter or year"));
    }
    let (given, path) = (format!("units from {from} to {to} back"), path.key("back"));
    if from < to {
        return Err(SegmentError::invalid(&path, given, "the first at least as far back as the second"));
    }
    if to < 0 && !place.looks_ahead() {
        return Err(SegmentError::invalid(&path, given, BACK));
    }
    Ok(())
}
