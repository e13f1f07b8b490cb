//! Windows at an instant `T` as ranges of instants, and the other way round: the `T`s at which a window
//! holds a given instant.
//!
//! Both bounds of every window are monotone in `T`, so what has crossed an edge never comes back over it.

use crate::plan::calendar::Zone;
use crate::time::{DAY, Span, Timestamp, civil_from_days, days_from_civil, days_in_month};
use crate::window::{Reach, Window};

/// The instants from `lo` to `hi`, both inclusive, in milliseconds; none where `lo > hi`.
///
/// `i64::MIN` and `i64::MAX` are no bound at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Bounds {
    pub(crate) lo: i64,
    pub(crate) hi: i64,
}

/// The instants of evaluation `T` with `from ≤ T < until`; none where `from ≥ until`.
///
/// An `until` of `i64::MAX` is forever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Presence {
    pub(crate) from: i64,
    pub(crate) until: i64,
}

impl Bounds {
    /// Every instant.
    pub(crate) const ALL: Self = Self { lo: i64::MIN, hi: i64::MAX };
    /// No instant.
    pub(crate) const NONE: Self = Self { lo: i64::MAX, hi: i64::MIN };

    pub(crate) fn contains(self, at: i64) -> bool {
        self.lo <= at && at <= self.hi
    }

    pub(crate) fn is_empty(self) -> bool {
        self.lo > self.hi
    }

    /// The instants of both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { lo: self.lo.max(other.lo), hi: self.hi.min(other.hi) }
    }

    /// The instants at which a fact counts: those of the window up to `T`.
    ///
    /// `anchor` is the user's own instant, which only `around` asks for; without one it has no instants.
    pub(crate) fn of_facts(window: Option<&Window>, t: i64, anchor: Option<i64>) -> Self {
        let reached = match (window, anchor) {
            (None, _) => Self::ALL,
            (Some(Window::Around { before, after, .. }), Some(anchor)) => {
                Self::around(*before, *after, anchor)
            }
            (Some(window), _) => Self::of_values(window, t),
        };
        reached.and(Self { lo: i64::MIN, hi: t })
    }

    /// The instants that pass a test on a value: those of the window, also beyond `T`.
    ///
    /// `around`, which no such test allows, has none.
    pub(crate) fn of_values(window: &Window, t: i64) -> Self {
        let (back, ahead) = (|span| minus(t, span), |span| plus(t, span));
        let (lo, hi) = match *window {
            Window::Last(span) => (after(back(span)), t),
            Window::Before(span) => (i64::MIN, back(span)),
            Window::Ago { from, to } => (after(back(from)), back(to)),
            Window::Fixed { from, to } => (
                from.map_or(i64::MIN, Timestamp::millis),
                to.map_or(i64::MAX, |to| to.millis().saturating_sub(1)),
            ),
            Window::Calendar { unit, from, to, tz } => {
                let zone = Zone::of(tz);
                let now = zone.unit_of(unit, t);
                let end = zone.unit_start(unit, now.saturating_sub(to).saturating_add(1));
                (zone.unit_start(unit, now.saturating_sub(from)), end.saturating_sub(1))
            }
            Window::Around { .. } => return Self::NONE,
            Window::Next(span) => (after(t), ahead(span)),
            Window::Ahead { from, to } => (after(ahead(from)), ahead(to)),
            Window::Beyond(span) => (after(ahead(span)), i64::MAX),
        };
        Self { lo, hi }
    }

    /// `[anchor − before, anchor + after]`, not cut at any `T`.
    pub(crate) fn around(before: Option<Reach>, after: Option<Reach>, anchor: i64) -> Self {
        let reach = |reach, ever, by: fn(i64, Span) -> i64| match reach {
            None => anchor,
            Some(Reach::Ever) => ever,
            Some(Reach::Span(span)) => by(anchor, span),
        };
        Self { lo: reach(before, i64::MIN, minus), hi: reach(after, i64::MAX, plus) }
    }
}

impl Presence {
    /// At every `T`.
    pub(crate) const ALWAYS: Self = Self { from: i64::MIN, until: i64::MAX };
    /// At no `T`.
    pub(crate) const NEVER: Self = Self { from: i64::MAX, until: i64::MIN };

    pub(crate) fn contains(self, t: i64) -> bool {
        self.from <= t && (t < self.until || self.until == i64::MAX)
    }

    /// The next instant after `t` at which it begins or ends.
    pub(crate) fn next_change(self, t: i64) -> Option<i64> {
        if self.from >= self.until {
            return None;
        }
        [self.from, self.until].into_iter().find(|edge| *edge > t).filter(|edge| *edge < i64::MAX)
    }

    /// When a fact of instant `at` counts: `Bounds::of_facts(window, t, anchor)` contains it exactly then.
    pub(crate) fn of_fact(window: Option<&Window>, at: i64, anchor: Option<i64>) -> Self {
        let reached = match (window, anchor) {
            (None, _) => Self::ALWAYS,
            (Some(Window::Around { before, after, .. }), Some(anchor)) => {
                Self::always_if(Bounds::around(*before, *after, anchor).contains(at))
            }
            (Some(window), _) => Self::of_value(window, at),
        };
        Self { from: reached.from.max(at), until: reached.until }
    }

    /// When an instant passes a test: `Bounds::of_values(window, t)` contains it exactly then.
    pub(crate) fn of_value(window: &Window, at: i64) -> Self {
        let (back, ahead) = (|span| first_reaching_back(span, at), |span| first_reaching_ahead(span, at));
        let (from, until) = match *window {
            Window::Last(span) => (at, back(span)),
            Window::Before(span) => (back(span), i64::MAX),
            Window::Ago { from, to } => (back(to), back(from)),
            Window::Fixed { .. } => return Self::always_if(Bounds::of_values(window, at).contains(at)),
            Window::Calendar { unit, from, to, tz } => {
                let zone = Zone::of(tz);
                let unit_of_it = zone.unit_of(unit, at);
                let start = |back: i64| zone.unit_start(unit, unit_of_it.saturating_add(back));
                (start(to), start(from.saturating_add(1)))
            }
            Window::Around { .. } => return Self::NEVER,
            Window::Next(span) => (ahead(span), at),
            Window::Ahead { from, to } => (ahead(to), ahead(from)),
            Window::Beyond(span) => (i64::MIN, ahead(span)),
        };
        Self { from, until }
    }

    fn always_if(holds: bool) -> Self {
        if holds { Self::ALWAYS } else { Self::NEVER }
    }
}

/// The next `T` after `t` at which a calendar window moves because its unit turns; `None` of other windows.
pub(crate) fn next_turn(window: &Window, t: i64) -> Option<i64> {
    let Window::Calendar { unit, tz, .. } = *window else { return None };
    let zone = Zone::of(tz);
    Some(zone.unit_start(unit, zone.unit_of(unit, t).saturating_add(1)))
}

/// The instant a span later.
pub(crate) fn plus(at: i64, span: Span) -> i64 {
    Timestamp::from_millis(at).plus(span).millis()
}

/// The instant a span earlier.
pub(crate) fn minus(at: i64, span: Span) -> i64 {
    Timestamp::from_millis(at).minus(span).millis()
}

/// The first `T` with `T − span ≥ at`.
pub(crate) fn first_reaching_back(span: Span, at: i64) -> i64 {
    first_stepping_to(at.saturating_add_unsigned(span.millis), span.all_months())
}

/// The first `T` with `T + span ≥ at`.
pub(crate) fn first_reaching_ahead(span: Span, at: i64) -> i64 {
    first_stepping_to(at.saturating_sub_unsigned(span.millis), -span.all_months())
}

/// The first instant from which `months` back, as calendar steps, is `at` or later.
///
/// It is the same day and time of day `months` on. Where that month lacks the day, all of it steps back to
/// before `at` and the next month's first millisecond to after it.
fn first_stepping_to(at: i64, months: i64) -> i64 {
    if months == 0 {
        return at;
    }
    let (year, month, day) = civil_from_days(at.div_euclid(DAY));
    let index = year * 12 + i64::from(month) - 1 + months;
    let (year, month) = (index.div_euclid(12), index.rem_euclid(12).unsigned_abs() as u32 + 1);
    let last = days_in_month(year, month);
    if day > last {
        (days_from_civil(year, month, last) + 1).saturating_mul(DAY)
    } else {
        days_from_civil(year, month, day).saturating_mul(DAY).saturating_add(at.rem_euclid(DAY))
    }
}

/// The first instant after this one.
fn after(at: i64) -> i64 {
    at.saturating_add(1)
}
