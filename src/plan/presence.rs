//! The other way round from [`Bounds`]: the `T`s at which a window holds a given instant.
//!
//! Both bounds of every window are monotone in `T`, so what has crossed an edge never comes back over it.

use crate::plan::bounds::Bounds;
use crate::plan::calendar::Zone;
use crate::time::{MonthStep, Span, step_months};
use crate::window::Window;

/// The instants of evaluation `T` with `from ≤ T < until`; none where `from ≥ until`.
///
/// An `until` of `i64::MAX` is forever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Presence {
    pub(crate) from: i64,
    pub(crate) until: i64,
}

impl Presence {
    /// At every `T`.
    pub(crate) const ALWAYS: Self = Self { from: i64::MIN, until: i64::MAX };
    /// At no `T`.
    pub(crate) const NEVER: Self = Self { from: i64::MAX, until: i64::MIN };

    #[cfg(test)]
    fn contains(self, t: i64) -> bool {
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
    match step_months(at, months) {
        MonthStep::Day(at) | MonthStep::Lacking(at) => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::bounds::{minus, plus};
    use crate::time::{DAY, Timestamp, Unit, days, hours};
    use crate::window::{Anchor, Reach};
    use chrono_tz::Tz;
    use proptest::prelude::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().millis()
    }

    /// The next `T` after `t` at which a calendar window moves because its unit turns.
    fn next_turn(window: &Window, t: i64) -> Option<i64> {
        let Window::Calendar { unit, tz, .. } = *window else { return None };
        let zone = Zone::of(tz);
        Some(zone.unit_start(unit, zone.unit_of(unit, t).saturating_add(1)))
    }

    #[test]
    fn calendar_windows_turn_with_their_unit() {
        const T: &str = "2026-06-17T15:00:00Z";
        let turn = |unit, tz: &str| {
            next_turn(&Window::Calendar { unit, from: 3, to: 1, tz: tz.parse().unwrap() }, at(T))
        };
        assert_eq!(turn(Unit::Day, "Europe/Berlin"), Some(at("2026-06-17T22:00:00Z")));
        assert_eq!(turn(Unit::Week, "UTC"), Some(at("2026-06-22T00:00:00Z")));
        assert_eq!(next_turn(&Window::Last(days(1)), at(T)), None);
    }

    #[test]
    fn presence_begins_and_ends_once() {
        let last = Presence::of_fact(Some(&Window::Last(days(1))), 10, None);
        assert_eq!(last, Presence { from: 10, until: 10 + DAY });
        assert_eq!([0, 9, 10, 9 + DAY].map(|t| last.next_change(t)), [10, 10, 10 + DAY, 10 + DAY].map(Some));
        assert_eq!(last.next_change(10 + DAY), None);
        assert_eq!(Presence::of_fact(None, 10, None).next_change(10), None);
        assert_eq!(Presence::NEVER.next_change(0), None);
        assert!(Presence::ALWAYS.contains(i64::MAX) && !Presence::NEVER.contains(i64::MAX));
    }

    #[test]
    fn around_an_anchor_a_fact_stays_once_it_is_there() {
        let window = Window::Around {
            of: Anchor::Seen,
            before: None,
            after: Some(Reach::Span(crate::time::millis(5))),
        };
        let presence = |at, anchor| Presence::of_fact(Some(&window), at, anchor);
        assert_eq!(presence(105, Some(100)), Presence { from: 105, until: i64::MAX });
        for never in [presence(106, Some(100)), presence(99, Some(100)), presence(105, None)] {
            assert!(never.from >= never.until);
        }
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
