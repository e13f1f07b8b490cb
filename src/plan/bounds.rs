//! Windows at an instant `T` as ranges of instants.

use crate::plan::calendar::Zone;
use crate::time::{Span, Timestamp};
use crate::window::{Reach, Window};

/// The instants from `lo` to `hi`, both inclusive, in milliseconds; none where `lo > hi`.
///
/// `i64::MIN` and `i64::MAX` are no bound at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Bounds {
    pub(crate) lo: i64,
    pub(crate) hi: i64,
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

    /// The shortest stretch with the instants of both.
    pub(crate) fn hull(self, other: Self) -> Self {
        Self { lo: self.lo.min(other.lo), hi: self.hi.max(other.hi) }
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

/// The instant a span later.
pub(crate) fn plus(at: i64, span: Span) -> i64 {
    Timestamp::from_millis(at).plus(span).millis()
}

/// The instant a span earlier.
pub(crate) fn minus(at: i64, span: Span) -> i64 {
    Timestamp::from_millis(at).minus(span).millis()
}

/// The first instant after this one.
fn after(at: i64) -> i64 {
    at.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Unit, days, months, years};
    use crate::window::Anchor;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().millis()
    }

    fn span(text: &str) -> Span {
        text.parse().unwrap()
    }

    const T: &str = "2026-06-17T15:00:00Z";

    fn facts(window: &Window) -> (String, String) {
        let bounds = Bounds::of_facts(Some(window), at(T), None);
        let text = |at| Timestamp::from_millis(at).to_string();
        (text(bounds.lo), text(bounds.hi))
    }

    fn calendar(unit: Unit, from: i64, to: i64, tz: &str) -> Window {
        Window::Calendar { unit, from, to, tz: tz.parse().unwrap() }
    }

    #[test]
    fn windows_open_and_close_where_the_law_says() {
        let want = |lo: &str, hi: &str| (lo.to_owned(), hi.to_owned());
        assert_eq!(facts(&Window::Last(days(30))), want("2026-05-18T15:00:00.001Z", T));
        assert_eq!(
            facts(&Window::Ago { from: months(4), to: span("1mo1h") }),
            want("2026-02-17T15:00:00.001Z", "2026-05-17T14:00:00Z")
        );
        assert_eq!(
            facts(&calendar(Unit::Week, 3, 1, "UTC")),
            want("2026-05-25T00:00:00Z", "2026-06-14T23:59:59.999Z")
        );
        assert_eq!(facts(&calendar(Unit::Day, 0, 0, "Europe/Berlin")), want("2026-06-16T22:00:00Z", T));
        assert_eq!(
            facts(&calendar(Unit::Quarter, 1, 1, "America/New_York")),
            want("2026-01-01T05:00:00Z", "2026-04-01T03:59:59.999Z")
        );
        let fixed = |from: Option<&str>, to: Option<&str>| Window::Fixed {
            from: from.map(|t| t.parse().unwrap()),
            to: to.map(|t| t.parse().unwrap()),
        };
        let year = fixed(Some("2026-01-01T00:00:00Z"), Some("2027-01-01T00:00:00Z"));
        assert_eq!(facts(&year), want("2026-01-01T00:00:00Z", T));
        assert_eq!(Bounds::of_values(&year, 0).hi, at("2026-12-31T23:59:59.999Z"));
        assert_eq!(Bounds::of_facts(None, 5, None), Bounds { lo: i64::MIN, hi: 5 });
        assert_eq!(
            Bounds::of_facts(Some(&Window::Before(days(1))), at(T), None).hi,
            at("2026-06-16T15:00:00Z")
        );
    }

    #[test]
    fn a_test_on_a_value_looks_ahead() {
        let bounds = |window| Bounds::of_values(&window, at(T));
        assert_eq!(
            bounds(calendar(Unit::Month, -1, -1, "UTC")),
            Bounds { lo: at("2026-07-01T00:00:00Z"), hi: at("2026-07-31T23:59:59.999Z") }
        );
        assert_eq!(bounds(calendar(Unit::Day, 0, 0, "UTC")).hi, at("2026-06-17T23:59:59.999Z"));
        assert_eq!(bounds(Window::Next(days(7))), Bounds { lo: at(T) + 1, hi: at("2026-06-24T15:00:00Z") });
        assert_eq!(
            bounds(Window::Ahead { from: days(3), to: days(7) }),
            Bounds { lo: at("2026-06-20T15:00:00.001Z"), hi: at("2026-06-24T15:00:00Z") }
        );
        assert_eq!(
            bounds(Window::Beyond(days(7))),
            Bounds { lo: at("2026-06-24T15:00:00.001Z"), hi: i64::MAX }
        );
    }

    #[test]
    fn bounds_outside_all_years_compare_as_if_they_existed() {
        let (first, last) = (Timestamp::MIN.millis(), Timestamp::MAX.millis());
        assert!(Bounds::of_facts(Some(&Window::Before(years(3000))), at(T), None).hi < first);
        assert!(Bounds::of_facts(Some(&Window::Last(years(3000))), at(T), None).lo < first);
        assert!(Bounds::of_values(&Window::Beyond(years(9000)), at(T)).lo > last);
        assert!(Bounds::of_values(&calendar(Unit::Year, i64::MAX, 0, "UTC"), at(T)).lo < first);
        assert!(Bounds::of_values(&calendar(Unit::Week, 0, i64::MIN, "Asia/Tokyo"), at(T)).hi > last);
    }

    #[test]
    fn around_reaches_from_the_anchor_up_to_t() {
        let around = |before, after| Window::Around { of: Anchor::Seen, before, after };
        let bounds = |window, anchor| Bounds::of_facts(Some(&window), 1_000, anchor);
        let day = |n: i64| Some(Reach::Span(crate::time::millis(u32::try_from(n).unwrap())));
        assert_eq!(bounds(around(day(10), day(20)), Some(500)), Bounds { lo: 490, hi: 520 });
        assert_eq!(bounds(around(None, day(900)), Some(500)), Bounds { lo: 500, hi: 1_000 });
        assert_eq!(bounds(around(day(10), None), Some(500)), Bounds { lo: 490, hi: 500 });
        assert_eq!(bounds(around(Some(Reach::Ever), None), Some(500)), Bounds { lo: i64::MIN, hi: 500 });
        assert_eq!(bounds(around(None, Some(Reach::Ever)), Some(500)), Bounds { lo: 500, hi: 1_000 });
        assert!(bounds(around(None, day(5)), Some(2_000)).is_empty());
        assert!(bounds(around(None, Some(Reach::Ever)), None).is_empty());
    }

    #[test]
    fn ago_is_empty_where_its_first_span_is_not_the_longer() {
        let window = Window::Ago { from: months(1), to: days(29) }; // March less a month is 28 days
        assert!(Bounds::of_facts(Some(&window), at("2026-03-15T00:00:00Z"), None).is_empty());
        assert!(!Bounds::of_facts(Some(&window), at("2026-05-15T00:00:00Z"), None).is_empty());
    }
}
