//! Windows in plain English.

use std::fmt::{self, Display, Formatter};

use super::words::{Duration, Instant, Name, length, zone};
use crate::time::Unit;
use crate::window::{Anchor, Reach, Window};

/// Plain English: `in the last 30 days`.
impl Display for Window {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write(f, self, 1)
    }
}

/// Writes the window of an expression at that level.
pub(super) fn write(f: &mut Formatter<'_>, window: &Window, level: usize) -> fmt::Result {
    match window {
        Window::Last(span) => write!(f, "in the last {}", length(*span)),
        Window::Before(span) => write!(f, "{} ago or earlier", Duration(*span)),
        Window::Ago { from, to } => write!(f, "between {} and {} ago", Duration(*from), Duration(*to)),
        Window::Fixed { from, to } => match (from, to) {
            (Some(from), Some(to)) => write!(f, "from {} until {}", Instant(*from), Instant(*to)),
            (Some(from), None) => write!(f, "since {}", Instant(*from)),
            (None, Some(to)) => write!(f, "before {}", Instant(*to)),
            (None, None) => f.write_str("at any time"),
        },
        Window::Calendar { unit, from, to, tz } => {
            calendar(f, *unit, *from, *to)?;
            zone(f, *tz)
        }
        Window::Around { of, before, after } => {
            around(f, *before, *after)?;
            anchor(f, of, level)
        }
        Window::Next(span) => write!(f, "in the next {}", length(*span)),
        Window::Ahead { from, to } => {
            write!(f, "between {} and {} from now", Duration(*from), Duration(*to))
        }
        Window::Beyond(span) => write!(f, "more than {} from now", Duration(*span)),
    }
}

fn calendar(f: &mut Formatter<'_>, unit: Unit, from: i64, to: i64) -> fmt::Result {
    let name = unit.name();
    match (unit, from, to) {
        (Unit::Day, 0, 0) => f.write_str("today"),
        (Unit::Day, 1, 1) => f.write_str("yesterday"),
        (Unit::Day, -1, -1) => f.write_str("tomorrow"),
        (_, 0, 0) => write!(f, "this calendar {name}"),
        (_, 1, 1) => write!(f, "last calendar {name}"),
        (_, -1, -1) => write!(f, "next calendar {name}"),
        (_, 2.., 1) => write!(f, "in the last {from} complete {name}s"),
        (_, 1, 0) => write!(f, "in this and the last calendar {name}"),
        (_, 2.., 0) => write!(f, "in this and the last {from} calendar {name}s"),
        (_, 0, -1) => write!(f, "in this and the next calendar {name}"),
        (_, 0, ..=-2) => write!(f, "in this and the next {} calendar {name}s", to.unsigned_abs()),
        (_, -1, ..=-2) => write!(f, "in the next {} calendar {name}s", to.unsigned_abs()),
        (_, from, to) if from == to => write!(f, "in the calendar {name} {}", Away(from)),
        (_, from, to) => write!(f, "in the calendar {name}s from {} to {}", Away(from), Away(to)),
    }
}

/// So many calendar units back; negative: ahead.
struct Away(i64);

impl Display for Away {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("this one"),
            1.. => write!(f, "{} back", self.0),
            _ => write!(f, "{} ahead", self.0.unsigned_abs()),
        }
    }
}

fn around(f: &mut Formatter<'_>, before: Option<Reach>, after: Option<Reach>) -> fmt::Result {
    match (before, after) {
        (None, None) => f.write_str("at "),
        (None, Some(Reach::Ever)) => f.write_str("at or any time after "),
        (Some(Reach::Ever), None) => f.write_str("at or any time before "),
        (None, Some(Reach::Span(after))) => write!(f, "within {} after ", Duration(after)),
        (Some(Reach::Span(before)), None) => write!(f, "within {} before ", Duration(before)),
        (Some(Reach::Ever), Some(Reach::Ever)) => f.write_str("at any time before or after "),
        (Some(Reach::Ever), Some(Reach::Span(after))) => {
            write!(f, "at any time up to {} after ", Duration(after))
        }
        (Some(Reach::Span(before)), Some(Reach::Ever)) => {
            write!(f, "at any time from {} before ", Duration(before))
        }
        (Some(Reach::Span(before)), Some(Reach::Span(after))) => {
            write!(f, "from {} before to {} after ", Duration(before), Duration(after))
        }
    }
}

fn anchor(f: &mut Formatter<'_>, anchor: &Anchor, level: usize) -> fmt::Result {
    match anchor {
        Anchor::Seen => f.write_str("being first seen"),
        Anchor::Attribute(name) => write!(f, "their {}", Name(name)),
        Anchor::First(events) => {
            f.write_str("their first ")?;
            super::events(f, events, level)
        }
        Anchor::Latest(events) => {
            f.write_str("their latest ")?;
            super::events(f, events, level)
        }
    }
}
