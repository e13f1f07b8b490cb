//! `sequence`: ordered steps, and what must not come between or after them.

use chrono_tz::Tz;

use super::windows::{Calendar, Ever, WindowState, Windowed, around_methods, window_methods};
use crate::segment::{EventMatch, Filter, Segment, Sequence, Step, ThenNot};
use crate::time::Span;
use crate::window::Window;

/// Who did ordered steps, each strictly later than the one before; this is the first.
///
/// ```
/// # use whodid::{days, did, hours, property, segment::Segment, sequence};
/// let abandoned = sequence("add_to_cart")
///     .then(did("checkout").where_(property("total").gt(100)))
///     .within(hours(1))
///     .then_not("purchase", days(1))
///     .same("cart_id")
///     .last(days(30));
/// assert_eq!(
///     Segment::from(abandoned).to_json(),
///     r#"{"sequence":{"steps":[{"event":"add_to_cart"},"#.to_owned()
///         + r#"{"event":"checkout","where":{"property":"total","gt":100},"within":"1h"}],"in":{"last":"30d"},"#
///         + r#""then_not":{"event":"purchase","within":"1d"},"same":"cart_id"}}"#
/// );
/// ```
pub fn sequence(first: impl Into<EventMatch>) -> Steps {
    Steps {
        done: Vec::new(),
        step: Step { events: first.into(), within: None, after: None, without: None },
        within: None,
        then_not: None,
        same: None,
        window: Ever,
        position: Opening,
    }
}

/// The steps of a sequence so far.
///
/// Starts with [`sequence`]. `P` is the position: only a [`Following`] step has a step before it to be timed
/// from, and nothing is a step any more after [`then_not`](Steps::then_not).
#[derive(Clone, Debug)]
#[must_use]
pub struct Steps<P = Opening, W = Ever> {
    /// The steps before the current one.
    done: Vec<Step>,
    step: Step,
    within: Option<Span>,
    then_not: Option<ThenNot>,
    same: Option<String>,
    window: W,
    position: P,
}

/// At the first step.
#[derive(Clone, Copy, Debug)]
pub struct Opening;

/// At a later step.
#[derive(Clone, Copy, Debug)]
pub struct Following;

/// After the last step.
#[derive(Clone, Copy, Debug)]
pub struct Closed;

/// Where another step can follow: [`Opening`] or [`Following`].
pub trait Open: super::windows::sealed::Sealed {}

impl super::windows::sealed::Sealed for Opening {}
impl super::windows::sealed::Sealed for Following {}
impl Open for Opening {}
impl Open for Following {}

impl<P: Open, W> Steps<P, W> {
    /// Only events of this step whose properties pass the filter; said again, they must pass both.
    pub fn where_(mut self, filter: impl Into<Filter>) -> Self {
        self.step.events = self.step.events.filtered(filter.into());
        self
    }

    /// The next step.
    pub fn then(mut self, events: impl Into<EventMatch>) -> Steps<Following, W> {
        let next = Step { events: events.into(), within: None, after: None, without: None };
        self.done.push(std::mem::replace(&mut self.step, next));
        self.at(Following)
    }

    /// And no such event in `(t, t + within]`, `t` being the last step's instant: holds once that deadline has passed.
    pub fn then_not(mut self, events: impl Into<EventMatch>, within: Span) -> Steps<Closed, W> {
        self.then_not = Some(ThenNot { events: events.into(), within });
        self.at(Closed)
    }
}

impl<W> Steps<Following, W> {
    /// This step no later than so long after the one before.
    pub fn within(mut self, span: Span) -> Self {
        self.step.within = Some(span);
        self
    }

    /// This step no earlier than so long after the one before.
    pub fn after(mut self, span: Span) -> Self {
        self.step.after = Some(span);
        self
    }

    /// With no such event strictly between the step before and this one.
    pub fn without(mut self, events: impl Into<EventMatch>) -> Self {
        self.step.without = Some(events.into());
        self
    }
}

impl<P, W> Steps<P, W> {
    /// The last step no later than so long after the first.
    #[doc(alias = "within")]
    pub fn all_within(mut self, span: Span) -> Self {
        self.within = Some(span);
        self
    }

    /// All events, those that must not come too, share one value of this property.
    pub fn same(mut self, property: impl Into<String>) -> Self {
        self.same = Some(property.into());
        self
    }

    fn at<Q>(self, position: Q) -> Steps<Q, W> {
        let Self { done, step, within, then_not, same, window, .. } = self;
        Steps { done, step, within, then_not, same, window, position }
    }

    fn moved<V>(self, to: impl FnOnce(W) -> V) -> Steps<P, V> {
        let Self { done, step, within, then_not, same, window, position } = self;
        Steps { done, step, within, then_not, same, window: to(window), position }
    }
}

impl<P> Steps<P, Ever> {
    fn placed<V: From<Window>>(self, window: Window) -> Steps<P, V> {
        self.moved(|Ever| window.into())
    }
}

window_methods!([P] Steps<P, Ever> => Steps<P, Windowed>, Steps<P, Calendar>);
around_methods!([P] Steps<P, Ever> => Steps<P, Windowed>);

impl<P> Steps<P, Calendar> {
    /// The zone whose days, weeks and months count (UTC where none is named).
    pub fn in_zone(self, tz: Tz) -> Steps<P, Windowed> {
        self.moved(|calendar| calendar.in_zone(tz))
    }
}

impl<P, W: WindowState> From<Steps<P, W>> for Segment {
    fn from(steps: Steps<P, W>) -> Self {
        let Steps { mut done, step, within, then_not, same, window, .. } = steps;
        done.push(step);
        Self::Sequence(Sequence { steps: done, within, window: window.window(), then_not, same })
    }
}
