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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Unit, days, hours, months, years};
    use crate::window::Anchor;
    use chrono_tz::Tz;
    use proptest::prelude::*;

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

    #[test]
    fn calendar_windows_turn_with_their_unit() {
        let turn = |unit, tz: &str| next_turn(&calendar(unit, 3, 1, tz), at(T));
        assert_eq!(turn(Unit::Day, "Europe/Berlin"), Some(at("2026-06-17T22:00:00Z")));
        assert_eq!(turn(Unit::Week, "UTC"), Some(at("2026-06-22T00:00:00Z")));
        assert_eq!(next_turn(&Window::Last(days(1)), at(T)), None);
    }

    fn any_span() -> impl Strategy<Value = Span> {
        (0_u32..3, 0_u32..30, 0_u64..100 * DAY as u64, 0..4).prop_map(|(years, months, millis, kind)| {
            match kind {
                0 => days(1) + hours((millis / 3_600_000) as u32),
                1 => crate::time::months(months + 1),
                2 => Span { years, months, millis: millis % 3 },
                _ => Span { years, months, millis },
            }
        })
    }

    fn any_unit() -> impl Strategy<Value = Unit> {
        prop::sample::select(vec![Unit::Day, Unit::Week, Unit::Month, Unit::Quarter, Unit::Year])
    }

    fn any_window() -> impl Strategy<Value = Window> {
        let tz = prop::sample::select(vec![
            Tz::UTC,
            Tz::Europe__Berlin,
            Tz::America__St_Johns,
            Tz::Pacific__Apia,
            Tz::America__Sao_Paulo,
        ]);
        let instant = || prop::option::of(any_instant().prop_map(Timestamp::from_millis));
        prop_oneof![
            any_span().prop_map(Window::Last),
            any_span().prop_map(Window::Before),
            (any_span(), any_span()).prop_map(|(from, to)| Window::Ago { from, to }),
            (instant(), instant()).prop_map(|(from, to)| Window::Fixed { from, to }),
            (any_unit(), -5_i64..9, 0_i64..5, tz).prop_map(|(unit, to, more, tz)| Window::Calendar {
                unit,
                from: to + more,
                to,
                tz
            }),
            any_span().prop_map(Window::Next),
            (any_span(), any_span()).prop_map(|(from, to)| Window::Ahead { from, to }),
            any_span().prop_map(Window::Beyond),
        ]
    }

    /// Around 2012, often at the ends of months and of UTC days.
    fn any_instant() -> impl Strategy<Value = i64> {
        let month_ends = (480_i64..530, -3_i64..4, -1_i64..2).prop_map(|(month, day, millis)| {
            Zone::of(Tz::UTC).unit_start(Unit::Month, month) + day * DAY + millis
        });
        prop_oneof![month_ends, 1_280_000_000_000_i64..1_400_000_000_000]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn presence_is_the_inverse_of_bounds(
            window in any_window(),
            at in any_instant(),
            t in any_instant(),
            near in -2_i64..3,
        ) {
            let (fact, value) = (Presence::of_fact(Some(&window), at, None), Presence::of_value(&window, at));
            let edges = [fact.from, fact.until, value.from, value.until].map(|edge| edge.saturating_add(near));
            for t in edges.into_iter().chain([t]).filter(|t| Timestamp::from_millis(*t).in_range()) {
                let bounds = Bounds::of_facts(Some(&window), t, None);
                prop_assert_eq!(fact.contains(t), bounds.contains(at), "fact at {}", t);
                let bounds = Bounds::of_values(&window, t);
                prop_assert_eq!(value.contains(t), bounds.contains(at), "value at {}", t);
            }
        }

        #[test]
        fn no_edge_ever_moves_back(window in any_window(), t in any_instant(), later in 0..3 * DAY) {
            let (now, then) = (Bounds::of_values(&window, t), Bounds::of_values(&window, t + later));
            prop_assert!(now.lo <= then.lo && now.hi <= then.hi);
        }

        #[test]
        fn the_first_reaching_is_the_first(span in any_span(), x in any_instant()) {
            let first = first_reaching_back(span, x);
            prop_assert!(minus(first, span) >= x && minus(first - 1, span) < x);
            let first = first_reaching_ahead(span, x);
            prop_assert!(plus(first, span) >= x && plus(first - 1, span) < x);
        }

        #[test]
        fn nothing_moves_between_turns(unit in any_unit(), t in any_instant(), tz in prop::sample::select(
            chrono_tz::TZ_VARIANTS.to_vec()
        )) {
            let window = Window::Calendar { unit, from: 2, to: 1, tz };
            let turn = next_turn(&window, t).unwrap();
            prop_assert!(turn > t);
            prop_assert_eq!(Bounds::of_values(&window, t), Bounds::of_values(&window, turn - 1));
            prop_assert_ne!(Bounds::of_values(&window, t), Bounds::of_values(&window, turn));
        }
    }
}
