//! `did`: behaviours, what is measured of them, and what the outcome must be.

use chrono_tz::Tz;

use super::measure::{Active, Distinct, MeasureState, Measuring, Quantified, Statistic, Sum, Times};
use super::occurrence::{Occurrence, Which};
use super::range::range_methods;
use super::value::{OfBehavior, Subject};
use super::windows::{
    Calendar, Ever, WindowState, Windowed, around_methods, in_zone, sealed::Sealed, window_methods,
};
use crate::segment::{Did, EventMatch, Filter, Measure, Measured, Range, Segment};
use crate::time::{Span, Unit};
use crate::value::Number;
use crate::window::Window;

/// A behaviour: which events, when, what is measured of them, and what the outcome must be.
///
/// Starts with [`did`]. Its types keep account of what was said: the measure `M` ([`Times`] until one is named,
/// [`Measure`] once it is held against a range), the window `W`, and whether the events are taken apart by a
/// property (`S`). So a sum without a range is no segment, and a second window does not compile. A measure without
/// a range is a number to [score](super::Scoring::per) by, or to read as a trait.
#[derive(Clone, Debug)]
#[must_use]
pub struct Behavior<M = Times, W = Ever, S = Ungrouped> {
    pub(super) events: EventMatch,
    measure: M,
    window: W,
    same: S,
    /// Named at the measure, it counts for the window too.
    zone: Option<Tz>,
}

/// The events are taken all together.
#[derive(Clone, Copy, Debug)]
pub struct Ungrouped;

/// The events are taken apart by the value of a property.
#[derive(Clone, Debug)]
pub struct Grouped(String);

/// Whether a builder's events are taken apart: [`Ungrouped`] or [`Grouped`].
pub trait GroupState: Sealed {
    #[doc(hidden)]
    fn same(self) -> Option<String>;
}

impl Sealed for Ungrouped {}
impl Sealed for Grouped {}

impl GroupState for Ungrouped {
    fn same(self) -> Option<String> {
        None
    }
}

impl GroupState for Grouped {
    fn same(self) -> Option<String> {
        Some(self.0)
    }
}

/// Who did something: at least once and at any time, until more is said.
///
/// A name ending in `*` stands for every event whose name starts with what precedes it, `"*"` for any event; an
/// array is any of its names.
///
/// ```
/// # use whodid::{Tz, days, did, property, segment::Segment};
/// # let json = |segment: Segment| segment.to_json();
/// let dear = did("purchase").where_(property("amount").gt(100)).last(days(90));
/// assert_eq!(
///     json(dear.into()),
///     r#"{"did":{"event":"purchase","where":{"property":"amount","gt":100},"in":{"last":"90d"}}}"#
/// );
/// let one_item = did(["view", "cart_*"]).same("item").at_least(3).last(days(7));
/// assert_eq!(
///     json(one_item.into()),
///     r#"{"did":{"event":["view","cart_*"],"in":{"last":"7d"},"times":{"at_least":3},"same":"item"}}"#
/// );
/// let daily = did("login").active_days().in_zone(Tz::Europe__Berlin).at_least(5).last(days(14));
/// assert_eq!(
///     json(daily.into()),
///     r#"{"did":{"event":"login","in":{"last":"14d"},"active":{"unit":"day","tz":"Europe/Berlin","at_least":5}}}"#
/// );
/// ```
pub fn did(events: impl Into<EventMatch>) -> Behavior {
    Behavior { events: events.into(), measure: Times, window: Ever, same: Ungrouped, zone: None }
}

impl<M, W, S> Behavior<M, W, S> {
    /// Only events whose properties pass the filter; said again, they must pass both.
    pub fn where_(mut self, filter: impl Into<Filter>) -> Self {
        self.events = self.events.filtered(filter.into());
        self
    }

    fn measured<M2>(self, measure: impl FnOnce(M) -> M2) -> Behavior<M2, W, S> {
        let Self { events, window, zone, measure: before, same } = self;
        Behavior { events, measure: measure(before), window, same, zone }
    }

    fn moved<V>(self, to: impl FnOnce(W) -> V) -> Behavior<M, V, S> {
        let Self { events, window, zone, measure, same } = self;
        Behavior { events, measure, window: to(window), same, zone }
    }
}

impl<M, S> Behavior<M, Ever, S> {
    fn placed<V: From<Window>>(self, window: Window) -> Behavior<M, V, S> {
        let window = match self.zone {
            Some(tz) => in_zone(window, tz),
            None => window,
        };
        self.moved(|Ever| window.into())
    }
}

window_methods!([M, S] Behavior<M, Ever, S> => Behavior<M, Windowed, S>, Behavior<M, Calendar, S>);
around_methods!([M, S] Behavior<M, Ever, S> => Behavior<M, Windowed, S>);

impl<M: MeasureState, S> Behavior<M, Calendar, S> {
    /// The zone whose days, weeks and months count (UTC where none is named).
    pub fn in_zone(mut self, tz: Tz) -> Behavior<M, Windowed, S> {
        if self.zone.is_none() {
            self.measure.use_zone(tz);
        }
        self.moved(|calendar| calendar.in_zone(tz))
    }
}

macro_rules! active_in_zone {
    ($($window:ty),*) => {$(
        impl<S> Behavior<Active, $window, S> {
            /// The zone whose hours, days, weeks and months count (UTC where none is named).
            pub fn in_zone(mut self, tz: Tz) -> Self {
                self.zone = Some(tz);
                self.measure.tz = tz;
                self
            }
        }
    )*};
}

active_in_zone!(Ever, Windowed);

/// Measures.
impl<W, S> Behavior<Times, W, S> {
    /// The exact sum of the numbers in a property; 0 where there are none.
    pub fn sum(self, of: impl Into<String>) -> Behavior<Sum, W, S> {
        self.measured(|Times| Sum(of.into()))
    }

    /// The exact mean of the numbers in a property; where there are none, no range holds.
    pub fn avg(self, of: impl Into<String>) -> Behavior<Statistic, W, S> {
        self.measured(|Times| Statistic { of: of.into(), measure: |of, range| Measure::Avg { of, range } })
    }

    /// The smallest number in a property; where there are none, no range holds.
    pub fn min(self, of: impl Into<String>) -> Behavior<Statistic, W, S> {
        self.measured(|Times| Statistic { of: of.into(), measure: |of, range| Measure::Min { of, range } })
    }

    /// The largest number in a property; where there are none, no range holds.
    pub fn max(self, of: impl Into<String>) -> Behavior<Statistic, W, S> {
        self.measured(|Times| Statistic { of: of.into(), measure: |of, range| Measure::Max { of, range } })
    }

    /// The number of distinct values of a property.
    pub fn distinct(self, of: impl Into<String>) -> Behavior<Distinct, W, S> {
        self.measured(|Times| Distinct(of.into()))
    }

    /// The number of distinct hours with such an event.
    pub fn active_hours(self) -> Behavior<Active, W, S> {
        self.active(Unit::Hour)
    }

    /// The number of distinct local days with such an event.
    pub fn active_days(self) -> Behavior<Active, W, S> {
        self.active(Unit::Day)
    }

    /// The number of distinct weeks, from Monday, with such an event.
    pub fn active_weeks(self) -> Behavior<Active, W, S> {
        self.active(Unit::Week)
    }

    /// The number of distinct months with such an event.
    pub fn active_months(self) -> Behavior<Active, W, S> {
        self.active(Unit::Month)
    }

    fn active(self, unit: Unit) -> Behavior<Active, W, S> {
        self.measured(|Times| Active { unit, tz: Tz::UTC })
    }
}

impl<M: Measuring, W> Behavior<M, W, Ungrouped> {
    /// One and the same: the events are taken apart by the value of this property, and one of the groups is enough.
    pub fn same(self, property: impl Into<String>) -> Behavior<M, W, Grouped> {
        let Self { events, measure, window, zone, .. } = self;
        Behavior { events, measure, window, same: Grouped(property.into()), zone }
    }
}

impl<M: Measuring, W, S> Behavior<M, W, S> {
    fn ranged(self, range: Range) -> Behavior<Measure, W, S> {
        self.measured(|measure| measure.held_against(range))
    }
}

range_methods!([W, S] Behavior<Times, W, S>, u32 => Behavior<Measure, W, S>);
range_methods!([W, S] Behavior<Distinct, W, S>, u32 => Behavior<Measure, W, S>);
range_methods!([W, S] Behavior<Active, W, S>, u32 => Behavior<Measure, W, S>);
range_methods!([W, S] Behavior<Sum, W, S>, impl Into<Number> => Behavior<Measure, W, S>);
range_methods!([W, S] Behavior<Statistic, W, S>, impl Into<Number> => Behavior<Measure, W, S>);
range_methods!([W, S] Behavior<Measure, W, S>, impl Into<Number> => Behavior<Measure, W, S>);

impl<W: WindowState, S: GroupState> From<Behavior<Times, W, S>> for Segment {
    fn from(behavior: Behavior<Times, W, S>) -> Self {
        behavior.at_least(1).into()
    }
}

impl<W: WindowState, S: GroupState> From<Behavior<Measure, W, S>> for Segment {
    fn from(behavior: Behavior<Measure, W, S>) -> Self {
        let Behavior { events, measure, window, same, .. } = behavior;
        Self::Did(Did { events, window: window.window(), measure, same: same.same() })
    }
}

impl<M: Quantified, W: WindowState> From<Behavior<M, W, Ungrouped>> for Measured {
    fn from(behavior: Behavior<M, W, Ungrouped>) -> Self {
        let Behavior { events, measure, window, .. } = behavior;
        Self { events, window: window.window(), quantity: measure.quantity() }
    }
}

impl Behavior<Times, Ever, Ungrouped> {
    /// The user's first such event ever: a window says when it was, and [`around`](Behavior::around) takes it as
    /// an anchor.
    ///
    /// ```
    /// # use whodid::{days, did, segment::Segment};
    /// let new_buyers = Segment::from(did("purchase").first().last(days(7)));
    /// assert_eq!(new_buyers.to_json(), r#"{"did":{"event":"purchase","first":{"in":{"last":"7d"}}}}"#);
    /// assert_eq!(new_buyers, did("purchase").first_in_last(days(7)));
    /// let came_back = did("purchase").at_least(2).around(did("purchase").first()).after(days(30));
    /// # let _ = came_back;
    /// ```
    pub fn first(self) -> Occurrence {
        Occurrence::of(self.events, Which::First)
    }

    /// The user's most recent such event: a window says when it was, and [`around`](Behavior::around) takes it as
    /// an anchor.
    pub fn latest(self) -> Occurrence {
        Occurrence::of(self.events, Which::Latest)
    }
}

impl Behavior<Times, Ever, Ungrouped> {
    /// Who did it for the first time ever in the last such span.
    pub fn first_in_last(self, span: Span) -> Segment {
        self.first().last(span).into()
    }
}

impl<W: WindowState> Behavior<Times, W, Ungrouped> {
    /// A property of the earliest such event in the window; a test follows.
    pub fn first_value(self, of: impl Into<String>) -> Subject<OfBehavior> {
        OfBehavior::subject(self.events, self.window.window(), Which::First, of.into())
    }

    /// A property of the most recent such event in the window; a test follows.
    ///
    /// ```
    /// # use whodid::{days, did, segment::Segment};
    /// let detractors = did("survey_answered").last(days(90)).latest_value("score").lte(6);
    /// assert_eq!(
    ///     Segment::from(detractors).to_json(),
    ///     r#"{"did":{"event":"survey_answered","in":{"last":"90d"},"latest_value":{"of":"score","lte":6}}}"#
    /// );
    /// ```
    pub fn latest_value(self, of: impl Into<String>) -> Subject<OfBehavior> {
        OfBehavior::subject(self.events, self.window.window(), Which::Latest, of.into())
    }
}
