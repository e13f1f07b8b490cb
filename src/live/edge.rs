//! Edges: where time moves over facts.
//!
//! A window that moves with `T` takes a fact in at one instant and lets it go at another. Both instants are
//! monotone in the instant of the fact, so those who may change in a stretch of time are exactly those with a
//! fact in one range of instants, which a store answers from an order by time.

use crate::plan::bounds::{Bounds, minus, plus};
use crate::plan::presence::{Presence, first_reaching_ahead, first_reaching_back};
use crate::time::Span;
use crate::window::Window;

/// One edge of a window, or a deadline.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Edge {
    /// The window takes the fact in.
    Enters(Window),
    /// The window lets the fact go.
    Leaves(Window),
    /// `T − span` reaches the fact.
    Held(Span),
    /// `T` reaches the fact's instant plus the span.
    Deadline(Span),
}

impl Edge {
    /// The edges of a window over facts; arrival, which is no edge, is seen to for all facts alike.
    pub(super) fn of_window(window: Option<&Window>) -> Vec<Self> {
        match window {
            None | Some(Window::Fixed { .. } | Window::Around { .. }) => Vec::new(),
            // What happens is inside when it does.
            Some(window @ (Window::Last(_) | Window::Calendar { to: ..=0, .. })) => {
                vec![Self::Leaves(window.clone())]
            }
            Some(window @ Window::Before(_)) => vec![Self::Enters(window.clone())],
            Some(window) => vec![Self::Enters(window.clone()), Self::Leaves(window.clone())],
        }
    }

    /// When a fact of this instant crosses the edge.
    pub(super) fn due(&self, at: i64) -> i64 {
        match self {
            Self::Enters(window) => Presence::of_fact(Some(window), at, None).from,
            Self::Leaves(window) => Presence::of_value(window, at).until,
            Self::Held(span) => first_reaching_back(*span, at),
            Self::Deadline(span) => plus(at, *span),
        }
    }

    /// The earliest instant of a fact that has not crossed the edge at `t`.
    pub(super) fn first_after(&self, t: i64) -> i64 {
        match self {
            Self::Enters(window) => Bounds::of_values(window, t).hi.saturating_add(1),
            Self::Leaves(window) => Bounds::of_values(window, t).lo,
            Self::Held(span) => minus(t, *span).saturating_add(1),
            Self::Deadline(span) => first_reaching_ahead(*span, t.saturating_add(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Timestamp, Unit, days, hours, months};
    use proptest::prelude::*;

    fn any_edge() -> impl Strategy<Value = Edge> {
        let span =
            || prop::sample::select(vec![hours(1), days(1), days(30), months(1), months(13) + days(1)]);
        let calendar = (prop::sample::select(vec![Unit::Day, Unit::Week, Unit::Month]), 0_i64..3, 0_i64..3);
        let window = prop_oneof![
            span().prop_map(Window::Last),
            span().prop_map(Window::Before),
            (span(), span()).prop_map(|(from, to)| Window::Ago { from, to }),
            calendar.prop_map(|(unit, to, more)| Window::Calendar {
                unit,
                from: to + more,
                to,
                tz: chrono_tz::Europe::Berlin
            }),
        ];
        prop_oneof![
            window.clone().prop_map(Edge::Enters),
            window.prop_map(Edge::Leaves),
            span().prop_map(Edge::Held),
            span().prop_map(Edge::Deadline),
        ]
    }

    /// Around the end of a short month, so that clamped days meet.
    fn any_instant() -> impl Strategy<Value = i64> {
        let end: i64 = "2026-02-28T12:00:00Z".parse::<Timestamp>().unwrap().millis();
        (-40_i64..40, -2_i64..3, any::<bool>()).prop_map(move |(days, near, midnight)| {
            let at = end + days * 86_400_000 + near;
            if midnight { at - at.rem_euclid(86_400_000) + near } else { at }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_fact_has_crossed_when_its_instant_is_due(
            edge in any_edge(), at in any_instant(), t in any_instant(), near in -2_i64..3,
        ) {
            // Exactly: a fact is among those that have not crossed at `t` when it is due later, where it can
            // be inside at all.
            let due = edge.due(at);
            for t in [t, due.saturating_add(near)] {
                let waits = at >= edge.first_after(t);
                let expected = match &edge {
                    Edge::Enters(window) => at > Bounds::of_values(window, t).hi,
                    Edge::Leaves(window) => at >= Bounds::of_values(window, t).lo,
                    Edge::Held(_) | Edge::Deadline(_) => due > t,
                };
                prop_assert_eq!(waits, expected);
                // A fact that crosses in a stretch of time is found in it; one that is inside when it happens
                // needs no edge.
                let arrives = matches!(edge, Edge::Enters(_)) && due == at;
                if due > t && due < i64::MAX && !arrives {
                    prop_assert!(waits, "due at {} after {}", due, t);
                    prop_assert!(at < edge.first_after(due), "due at {} and still waiting", due);
                }
            }
        }

        #[test]
        fn later_facts_cross_no_earlier(edge in any_edge(), at in any_instant(), later in 0_i64..100_000_000) {
            prop_assert!(edge.due(at) <= edge.due(at + later));
        }
    }
}
